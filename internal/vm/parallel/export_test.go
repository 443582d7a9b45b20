package parallel

import (
	"context"

	"github.com/edgefvm/fvm/internal/vm/state"
)

// Blind makes every comparison hold until the function it returns is called: the mistake that the tests must find.
func Blind() (restore func()) {
	was := holds
	holds = func(*state.Tree, context.Context, *state.Tree) (bool, error) { return true, nil }
	return func() { holds = was }
}

// Eager makes all messages run ahead that can, until the function it returns is called.
func Eager() (restore func()) {
	eager = true
	return func() { eager = false }
}

// Forgetful makes every list begin as if it were the first, until the function it returns is called.
func Forgetful() (restore func()) {
	forgetful = true
	return func() { forgetful = false }
}

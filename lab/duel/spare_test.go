package duel

import (
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/lab/oracle"
)

// The reference is spared what ours ends without a result to compare, and nothing else: a failure that may be our own fault is compared.
func TestSpared(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		intact bool // the machine
		spared bool
	}{
		"no failure":              {intact: true},
		"a message refused":       {err: errors.New("the nonce"), intact: true},
		"nothing to agree on":     {err: execerr.Nodef("an actor: %w", execerr.ErrNoReference), spared: true},
		"a state not written":     {err: fmt.Errorf("flush: %w", blockstore.ErrFlush), spared: true},
		"the engine's own stack":  {err: fmt.Errorf("a call: %w", &engine.Trap{Kind: engine.TrapStackOverflow}), spared: true},
		"another trap":            {err: &engine.Trap{Kind: engine.TrapUnreachable}},
		"the node":                {err: execerr.Nodef("the disk is full")},
		"a store that fails late": {err: errors.New("flush: the disk is full")},
	} {
		why := spared(&Case{Request: &oracle.Request{}}, &Ours{Err: tt.err, Broken: !tt.intact})
		if (why != "") != tt.spared {
			t.Errorf("%s: %q", name, why)
		}
	}
}

func TestNegative(t *testing.T) {
	for _, tt := range []struct {
		feeCap, premium int64
		want            bool
	}{{0, 0, false}, {1, 0, false}, {0, 1, false}, {-1, 0, true}, {0, -1, true}, {-1, 1, true}, {1, -1, true}} {
		if got := negative(big.NewInt(tt.feeCap), big.NewInt(tt.premium)); got != tt.want {
			t.Errorf("%d, %d: %v", tt.feeCap, tt.premium, got)
		}
	}
}

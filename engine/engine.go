// Package engine runs WebAssembly. It knows nothing of Filecoin: no actors, no
// prices, no CIDs. One adapter per runtime lives below it, and lab/enginetest holds
// the contract that each adapter must pass, as tests. A program hands an adapter
// of its own to fvm.EngineFrom; examples/engine is one.
//
// The caller is internal/vm/call, through fvm. What does not belong here:
// any rule that decides a result. Those live in the instrumentation pass, so
// that engines agree by construction.
package engine

import (
	"context"
	"errors"
	"fmt"
)

// PageSize is the size of a WebAssembly page, in bytes.
const PageSize = 65536

// Engine makes environments. Safe for concurrent use.
type Engine interface {
	// Name is the adapter's name, such as "wazero".
	Name() string
	// Env binds host functions. Modules compiled in one Env can only import
	// what that Env offers.
	Env(ctx context.Context, cfg EnvConfig) (Env, error)
	// Close releases everything made by the engine. No instance may be live.
	Close(ctx context.Context) error
}

// DiskCounter is implemented by an engine that keeps compiled code on disk.
type DiskCounter interface {
	// FromDisk is how often Compile found its code there.
	FromDisk() uint64
}

// EnvConfig says what guests of an environment can import.
type EnvConfig struct {
	// Host functions offered to guests.
	Host []HostFunc
	// Counter is the name under which every guest of this environment exports
	// a mutable i64 global, read and written by Instance.Counter and
	// SetCounter. Empty: guests have none.
	Counter string
	// Reset is the name of a custom section by which a module says how its
	// instances can be made new, for engines that keep used ones: a vector of
	// names (its length, then for each name its length and bytes; numbers are
	// unsigned LEB128). The names are exports of all mutable globals, which hold
	// numbers; nothing else of an instance changes but these, the memory's bytes
	// and its size. It never changes what a guest does. A module without the
	// section is never reset. Whoever makes the modules answers for it. Empty:
	// there is no such section.
	Reset string
}

// Check refuses host functions that no adapter can bind. Adapters call it first.
func (c *EnvConfig) Check() error {
	type key struct{ module, name string }
	seen := map[key]bool{}
	for i := range c.Host {
		h := &c.Host[i]
		k := key{h.Module, h.Name}
		switch {
		case seen[k]:
			return fmt.Errorf("host function %s.%s given twice", h.Module, h.Name)
		case h.Fn == nil || len(h.Results) > 1:
			return fmt.Errorf("host function %s.%s: no body, or more than one result", h.Module, h.Name)
		}
		for _, types := range [][]ValueType{h.Params, h.Results} {
			for _, t := range types {
				if t != I32 && t != I64 {
					return fmt.Errorf("host function %s.%s has a type that is no integer", h.Module, h.Name)
				}
			}
		}
		seen[k] = true
	}
	return nil
}

// Env compiles modules against one set of host functions. Safe for concurrent use.
type Env interface {
	// Compile validates and compiles wasm; no guest code runs. An import that
	// the environment does not offer, a missing counter, or a start function is
	// an error. An adapter may keep compiled code on disk, addressed by the
	// content of wasm.
	Compile(ctx context.Context, wasm []byte) (Module, error)
	// Close frees the environment and its modules. No instance may be live.
	Close(ctx context.Context) error
}

// Module is compiled code. Safe for concurrent use.
type Module interface {
	// Instantiate makes an instance with memory, tables and globals of its own,
	// all in their initial state. A module has no start function. Segments that
	// do not fit come back as a *Trap, tables before memory. data is handed back
	// by Instance.Data.
	Instantiate(ctx context.Context, data any) (Instance, error)
	// Close frees the code. No instance may be live.
	Close(ctx context.Context) error
}

// Instance is one running guest. Not safe for concurrent use; host functions of
// the same guest run on the caller's goroutine.
type Instance interface {
	// Call runs an exported function. stack holds the arguments and receives
	// the results from index 0; it must be long enough for both. An i32 is the
	// low half of its word; the high half is undefined, in arguments of host
	// functions as well. After an error the content is undefined. A host
	// function's error comes back as it was given (errors.Is and As see
	// through); a fault of the guest comes back as a *Trap; anything else is
	// the engine's own failure. Call does not watch ctx, host functions do.
	Call(ctx context.Context, export string, stack []uint64) error
	// Memory is the guest's memory exported as "memory", nil without one. The
	// slice is valid until the guest next runs, or the instance is closed.
	Memory() []byte
	// Counter is the value of the global that EnvConfig.Counter names, 0 in an
	// environment without one. It may be used inside host functions.
	Counter() int64
	// SetCounter sets that global.
	SetCounter(int64)
	// Data is what Instantiate was given.
	Data() any
	// Close frees the instance. Its memory goes back to the adapter's pool. It
	// is an error while the guest runs; closing twice is not.
	Close(ctx context.Context) error
}

// ValueType is the type of a host function's parameter or result.
type ValueType byte

// The value types that host functions use.
const (
	I32 ValueType = 0x7f
	I64 ValueType = 0x7e
)

// HostFunc is one import offered to guests.
type HostFunc struct {
	Module, Name    string
	Params, Results []ValueType
	// Fn reads its arguments from stack and writes its result to stack[0]. An
	// error unwinds the guest and comes out of Instance.Call. ctx is the one
	// given to Call, in the instance that Instantiate returned.
	Fn func(ctx context.Context, in Instance, stack []uint64) error
}

// TrapKind classifies a fault of the guest.
type TrapKind uint8

// The kinds of trap.
const (
	TrapUnreachable TrapKind = iota + 1
	TrapMemoryOutOfBounds
	TrapTableOutOfBounds // includes a call through an undefined or null element where an engine cannot tell
	TrapIndirectCallToNull
	TrapBadSignature
	TrapIntegerOverflow
	TrapIntegerDivisionByZero
	TrapBadConversionToInteger
	// TrapStackOverflow is the native stack's end. It must never decide a
	// result: our own limiter trips first, so callers treat it as a failure of the node.
	TrapStackOverflow
)

var trapNames = [...]string{
	TrapUnreachable: "unreachable executed", TrapMemoryOutOfBounds: "memory access out of bounds",
	TrapTableOutOfBounds: "table access out of bounds", TrapIndirectCallToNull: "indirect call to null",
	TrapBadSignature: "indirect call with the wrong type", TrapIntegerOverflow: "integer overflow",
	TrapIntegerDivisionByZero: "integer division by zero", TrapBadConversionToInteger: "invalid conversion to integer",
	TrapStackOverflow: "native stack overflow",
}

func (k TrapKind) String() string {
	if int(k) < len(trapNames) && trapNames[k] != "" {
		return trapNames[k]
	}
	return fmt.Sprintf("trap %d", uint8(k))
}

// Trap is a fault of the guest.
type Trap struct{ Kind TrapKind }

func (t *Trap) Error() string { return "wasm trap: " + t.Kind.String() }

// ErrNoExport is returned by Call for a function that the guest does not export.
var ErrNoExport = errors.New("no such export")

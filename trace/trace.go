// Package trace lets tools watch a message run. Nothing in it decides a result.
//
// [Hooks] in fvm.Config hear of each step as it happens; a [Recorder] is hooks that
// keep the steps, as [Events], which have a form in JSON and can be compared with
// [Diff]. What the network's own traces hold is the same to the charge.
//
// A message is one [Call], and each send of an actor another within it. A call ends
// with a [Return], or with an [Error] if it came to no exit code: calls nest like
// brackets, as long as this node does not fail. An [Invoke] after a call's beginning
// tells the receiver.
package trace

import (
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"
)

// Event is one step of a message: *GasCharge, *Call, *Invoke, *Return, *Error,
// *Log or *IPLD.
type Event interface{ event() }

type (
	// GasCharge is gas taken, whether or not it was there to take. Names are those of the network's price lists, such as
	// OnBlockOpen. In milligas, thousandths of a unit of gas; what a charge gives back (until network version 17) is two's
	// complement.
	GasCharge struct {
		Name           string
		Compute, Other uint64
	}
	// Call is a message sent to an actor, by the chain or by an actor.
	Call struct {
		From     abi.ActorID
		To       address.Address
		Method   abi.MethodNum
		Value    abi.TokenAmount // attoFIL
		GasLimit uint64          // in gas, rounded up
		ReadOnly bool
		// NoLimits: the network version knows neither gas limits of calls nor read-only ones (until 17). GasLimit is 0.
		NoLimits bool
		Params   *Block // nil: none
	}
	// Invoke is the receiver of the call before it, as it was found in the state tree: before the call's value came to
	// it. As JSON it has its ID and code only.
	Invoke struct {
		ID        abi.ActorID
		Code      cid.Cid
		Head      cid.Cid
		Nonce     uint64
		Balance   abi.TokenAmount  // attoFIL
		Delegated *address.Address // nil: none
		// Extra: the network's own traces have no such event (until network version 17). As JSON it is left out, and Diff
		// does not see it.
		Extra bool
	}
	// Return ends a call that came to an exit code.
	Return struct {
		ExitCode exitcode.ExitCode
		Data     *Block // nil: none
	}
	// Error ends a call that came to no exit code: its receiver could not be called, or a fatal error ended the message;
	// until network version 17 it is also what running out of gas is.
	Error struct {
		Errno uint32 // the number that the caller hears, as the SDK of actors has them
		Text  string // for people
	}
	// Log is a line that an actor wrote (only with actor debugging).
	Log struct{ Text string }
	// IPLD is a block read from or written to the store by an actor.
	IPLD struct {
		Put  bool
		Cid  cid.Cid
		Size int // bytes
	}
	// Opcode is an instruction of Ethereum's virtual machine that the EVM actor is about to execute, in the call that was
	// begun last and has not ended. It is not part of the network's traces. All of it, slices and what they hold, is good
	// only until the hook returns: it is the actor's own memory.
	Opcode struct {
		PC uint32 // from the start of the contract's code
		Op byte
		// Gas is what the call has left, Used what the message has used so far: both in milligas, and exact up to the run of
		// Wasm instructions that the actor is in, which is paid for at its start. Charged is the part of Used for which
		// charges have been told; the next one brings the rest.
		Gas, Used, Charged uint64
		// Stack is words of 32 bytes, each with its low byte first; the topmost is the last.
		Stack []byte
		// Memory is the contract's; its length is a multiple of 32.
		Memory []byte
		// Returned is what the last call of the contract returned.
		Returned []byte
	}
	// Unwatched is an EVM actor's call whose opcodes are not told, or not all: its code is not understood.
	Unwatched struct {
		ID   abi.ActorID
		Code cid.Cid
		Err  error // what in the code, or in its memory, is not as it should be
	}
	// Block is IPLD data with its codec; 0: not told, as it could only be DAG-CBOR (until network version 17). Until
	// then a block without data is no block.
	Block struct {
		Codec uint64
		Data  []byte
	}
)

func (*GasCharge) event() {}
func (*Call) event()      {}
func (*Invoke) event()    {}
func (*Return) event()    {}
func (*Error) event()     {}
func (*Log) event()       {}
func (*IPLD) event()      {}

// Hooks are called as things happen, on the goroutine that applies the message.
// Any may be nil, and so may the *Hooks. What they are given is theirs to keep
// but not to change. A struct of functions rather than an interface, so that a
// new hook breaks nobody.
type Hooks struct {
	OnGasCharge func(GasCharge)
	OnCall      func(*Call)
	OnInvoke    func(*Invoke)
	OnReturn    func(*Return)
	OnError     func(*Error)
	OnLog       func(*Log)
	OnIPLD      func(*IPLD)
	// OnOpcode makes the machine run a copy of the EVM actor that tells each opcode, several times as slow; results, charges
	// and all other events are the same. Unlike other hooks it may not keep what it is given.
	OnOpcode func(*Opcode)
	// OnUnwatched hears where OnOpcode does not. An EVM actor's code that is not understood runs as ever.
	OnUnwatched func(*Unwatched)
}

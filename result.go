package fvm

import (
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/event"
	"github.com/edgefvm/fvm/internal/vm/executor"
)

// Result is what applying a message gives: its receipt, and where its fees went.
//
// ExitCode, Return, GasUsed and, since network version 18, EventsRoot are the receipt on the chain. The fees of an explicit
// message that ran add up to GasFeeCap times GasLimit: BaseFeeBurn + OverEstimationBurn + MinerTip + Refund. They are zero
// for implicit messages, and for those that were refused before they ran, for which the miner alone pays (Penalty).
type Result struct {
	// ExitCode is 0 for success, 1 to 15 from the system (1 and 2: refused before it ran, 7: out of gas), and from 16 on the
	// actor's own (FIP-0030).
	ExitCode exitcode.ExitCode
	// Return is what the receiver returned, nil if nothing.
	Return []byte
	// ReturnCodec is the IPLD codec of Return, such as 0x51 CBOR or 0x55 raw. 0 if there is none, and until network version
	// 20. It is not in the receipt.
	ReturnCodec uint64
	// GasUsed in units of gas; 0 for a message that was refused before it ran.
	GasUsed int64
	// EventsRoot is the root of the AMT of Events (version 3, bit width 5), nil if there are none, and until network version
	// 17. Its nodes are in no blockstore.
	EventsRoot *cid.Cid
	// Events in the order in which they were emitted.
	Events []Event

	// Penalty is what the miner that included the message loses, in attoFIL. A block's reward takes it into account, not the
	// message.
	Penalty abi.TokenAmount
	// MinerTip is the premium on all of GasLimit, in attoFIL. It goes to the reward actor, which pays the miner.
	MinerTip abi.TokenAmount
	// BaseFeeBurn is the base fee of GasUsed, which is burnt, in attoFIL.
	BaseFeeBurn abi.TokenAmount
	// OverEstimationBurn is the base fee of GasBurned, which is burnt, in attoFIL.
	OverEstimationBurn abi.TokenAmount
	// Refund is what the sender gets back, in attoFIL.
	Refund abi.TokenAmount
	// GasRefund is gas that was not used and is not paid for, in units of gas.
	GasRefund int64
	// GasBurned is gas that was not used and is paid for nonetheless, since GasLimit was too far above GasUsed, in units of
	// gas.
	GasBurned int64

	// Failure says in words what failed, outermost actor first; "" for success. For people only: the words may change.
	Failure string
}

// newResult is a result in the words of the front door. What it shares with r nobody else uses.
func newResult(r *executor.Result) *Result {
	if r == nil {
		return nil
	}
	return &Result{
		ExitCode: r.ExitCode, Return: r.Return, ReturnCodec: r.ReturnCodec, GasUsed: r.GasUsed, EventsRoot: r.EventsRoot, Events: newEvents(r.Events),
		Penalty: r.Penalty, MinerTip: r.MinerTip, BaseFeeBurn: r.BaseFeeBurn, OverEstimationBurn: r.OverEstimationBurn, Refund: r.Refund,
		GasRefund: r.GasRefund, GasBurned: r.GasBurned, Failure: r.Failure,
	}
}

// newEvents copies events, of which most messages have none.
func newEvents(from []event.Stamped) []Event {
	if len(from) == 0 {
		return nil
	}
	n := 0
	for i := range from {
		n += len(from[i].Entries)
	}
	events, entries := make([]Event, len(from)), make([]EventEntry, 0, n) // one piece of memory for all entries
	for i := range from {
		begin := len(entries)
		for _, e := range from[i].Entries {
			entries = append(entries, EventEntry(e))
		}
		events[i] = Event{Emitter: from[i].Emitter, Entries: entries[begin:len(entries):len(entries)]}
	}
	return events
}

// Event is what an actor emitted while a message ran (FIP-0049), since network version 18. Events of calls that failed are
// not among a message's.
type Event struct {
	Emitter abi.ActorID
	Entries []EventEntry
}

// EventEntry is a key and a value of an event.
type EventEntry struct {
	Flags uint64 // bit 0: the key is to be indexed, bit 1: the value is
	Key   string // UTF-8; at most 32 bytes until network version 20, 31 since
	Codec uint64 // of the value: 0x55 raw or, since network version 21, 0x51 CBOR
	Value []byte
}

// AppendCBOR appends the event as nodes store and exchange it: [emitter, [[flags, key, codec, value]...]].
func (e *Event) AppendCBOR(dst []byte) []byte {
	dst = event.AppendHead(dst, e.Emitter, len(e.Entries))
	for i := range e.Entries {
		dst = (*event.Entry)(&e.Entries[i]).AppendCBOR(dst)
	}
	return dst
}

// ActorState is an actor's entry in the state tree. Balance must not be changed in place.
type ActorState struct {
	// Code is the CID of the actor's Wasm, which Machine.ActorName may know the name of.
	Code cid.Cid
	// Head is the root of the actor's own state.
	Head cid.Cid
	// Nonce of the next message that it signs; 0 of actors that sign none.
	Nonce uint64
	// Balance in attoFIL.
	Balance abi.TokenAmount
	// Delegated is its f4 address, set when the actor is made; nil if it has none, and until network version 17.
	Delegated *address.Address
}

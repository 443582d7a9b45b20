package ffi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/trace"
	"github.com/filecoin-project/filecoin-ffi/cgo"
)

// FVMOpts say in what setting messages run.
type FVMOpts struct {
	// FVMVersion must be 0.
	FVMVersion uint64
	// Externs are the node. Required.
	Externs cgo.Externs

	Epoch abi.ChainEpoch
	// Timestamp of the tipset, in seconds since 1970.
	Timestamp uint64
	// ChainID as EIP-155 has it.
	ChainID uint64
	// BaseFee in attoFIL, below 2^128.
	BaseFee abi.TokenAmount
	// BaseCircSupply is the circulating supply in attoFIL, below 2^128.
	BaseCircSupply abi.TokenAmount
	// NetworkVersion is one that fvm.NetworkVersions names.
	NetworkVersion network.Version
	// StateBase is the state root to begin from.
	StateBase cid.Cid
	// Tracing asks for ApplyRet.ExecTraceBytes.
	Tracing bool
	// FlushAllBlocks writes all blocks at a flush, not only what the new root reaches.
	FlushAllBlocks bool

	// Debug lets actors log, which changes their gas, and turns tracing on. Never on a live network.
	Debug bool
	// ActorRedirect must be undefined: a machine runs the code that the state names.
	ActorRedirect cid.Cid
}

// ApplyRet is what applying a message gave. Amounts are attoFIL.
type ApplyRet struct {
	Return             []byte // nil: none
	ExitCode           uint64
	GasUsed            int64
	MinerPenalty       abi.TokenAmount
	MinerTip           abi.TokenAmount
	BaseFeeBurn        abi.TokenAmount
	OverEstimationBurn abi.TokenAmount
	Refund             abi.TokenAmount
	GasRefund          int64
	GasBurned          int64
	ExecTraceBytes     []byte // CBOR; nil: no trace was asked for, or no call was made
	FailureInfo        string // for people
	EventsRoot         *cid.Cid
	EventsBytes        []byte // CBOR; nil: no events
}

// FVM is a machine. Calls from several goroutines run one after the other.
type FVM struct {
	mu      sync.Mutex
	machine machine
	version network.Version
	tracing bool
	events  *trace.Recorder
	meter   counter
	broken  error // nil: it never panicked
}

// machine is an fvm.Machine, or several engines in lock-step.
type machine interface {
	Apply(ctx context.Context, msg *fvm.Message, kind fvm.Kind, chainLength int) (*fvm.Result, error)
	Flush(ctx context.Context) (cid.Cid, error)
}

// CreateFVM makes a machine on the engine that the environment names, with the registered verifier.
func CreateFVM(opts *FVMOpts) (*FVM, error) {
	n, err := process()
	if err != nil {
		return nil, err
	}
	return n.CreateFVM(opts)
}

func (n *Node) create(opts *FVMOpts) (*FVM, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	f := &FVM{version: opts.NetworkVersion, tracing: opts.Tracing || opts.Debug, events: &trace.Recorder{}, meter: n.meter}
	cfg := fvm.Config{
		NetworkVersion: opts.NetworkVersion, Epoch: opts.Epoch, Timestamp: opts.Timestamp, ChainID: opts.ChainID,
		BaseFee: opts.BaseFee, CircSupply: opts.BaseCircSupply, StateRoot: opts.StateBase,
		Blockstore: store{opts.Externs}, Externs: chain{opts.Externs}, Proofs: n.verifier(), FlushAll: opts.FlushAllBlocks,
		ActorDebugging: opts.Debug,
	}
	if f.tracing {
		cfg.Hooks = f.events.Hooks()
	}
	var err error
	f.machine, err = n.machine(context.Background(), cfg)
	return f, err
}

// maxAmount is how many bits an amount has at most.
const maxAmount = 128

func (o *FVMOpts) check() error {
	switch {
	case o == nil:
		return errors.New("no options given")
	case o.FVMVersion != 0:
		return fmt.Errorf("FVM version %d is unknown", o.FVMVersion)
	case o.Externs == nil:
		return errors.New("no externs given")
	case !o.StateBase.Defined():
		return errors.New("no state root given")
	case o.ActorRedirect.Defined():
		return errors.New("actors cannot be redirected: unset the node's debugging bundle")
	}
	if err := checkAmount("base fee", o.BaseFee); err != nil {
		return err
	}
	return checkAmount("circulating supply", o.BaseCircSupply)
}

func checkAmount(name string, v abi.TokenAmount) error {
	if v.Int != nil && (v.Sign() < 0 || v.BitLen() > maxAmount) {
		return fmt.Errorf("the %s is %s, want 0 to 2^%d-1", name, v, maxAmount)
	}
	return nil
}

// ApplyMessage applies a message of the chain, given as CBOR. chainLen is its length on the chain in bytes. An error
// means that there is no receipt: the message is one that no block may hold, or the node failed.
func (f *FVM) ApplyMessage(msgBytes []byte, chainLen uint) (*ApplyRet, error) {
	return f.apply(msgBytes, fvm.Explicit, chainLen)
}

// ApplyImplicitMessage applies a message of the system itself: no fees, no nonce.
func (f *FVM) ApplyImplicitMessage(msgBytes []byte) (*ApplyRet, error) {
	return f.apply(msgBytes, fvm.Implicit, 0)
}

// errClosed is a handle that CreateFVM did not make.
var errClosed = errors.New("ffi: the machine is nil or was not made by CreateFVM")

func (f *FVM) apply(msgBytes []byte, kind fvm.Kind, length uint) (*ApplyRet, error) {
	if f == nil || f.machine == nil {
		return nil, errClosed
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return nil, f.broken
	}
	var ret *ApplyRet
	err := caught(func() (err error) {
		ret, err = f.applyLocked(msgBytes, kind, length)
		return err
	})
	f.note(err)
	return ret, err
}

// caught calls f. A panic would be a bug of this module or of an engine: it must not take the node down.
func caught(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	return f()
}

var errPanic = errors.New("ffi: the machine panicked, which is a bug")

// note ends a machine that panicked.
func (f *FVM) note(err error) {
	if errors.Is(err, errPanic) {
		f.broken = err
	}
}

func (f *FVM) applyLocked(msgBytes []byte, kind fvm.Kind, length uint) (*ApplyRet, error) {
	if length > math.MaxInt32 {
		return nil, fmt.Errorf("a message of %d bytes is on no chain", length)
	}
	msg, err := fvm.DecodeMessage(msgBytes)
	if err != nil {
		return nil, fmt.Errorf("decoding the message: %w", err)
	}
	start := time.Now()
	f.events.Take() // of a message that failed
	res, err := f.machine.Apply(context.Background(), msg, kind, int(length))
	applied := time.Now()
	if err != nil {
		f.meter.applied(kind, nil, err, applied.Sub(start))
		return nil, err
	}
	f.meter.applied(kind, res, nil, applied.Sub(start))
	ret, err := f.ret(msg, res)
	f.meter.encoded(time.Since(applied))
	return ret, err
}

func (f *FVM) ret(msg *fvm.Message, res *fvm.Result) (*ApplyRet, error) {
	ret := &ApplyRet{
		ExitCode: uint64(uint32(res.ExitCode)), GasUsed: res.GasUsed, GasRefund: res.GasRefund, GasBurned: res.GasBurned,
		EventsRoot: res.EventsRoot, FailureInfo: failureInfo(res.Failure),
	}
	if len(res.Return) > 0 {
		ret.Return = res.Return
	}
	for _, a := range []struct {
		name string
		from abi.TokenAmount
		to   *abi.TokenAmount
	}{
		{"penalty", res.Penalty, &ret.MinerPenalty}, {"miner's tip", res.MinerTip, &ret.MinerTip}, {"base fee burn", res.BaseFeeBurn, &ret.BaseFeeBurn},
		{"over-estimation burn", res.OverEstimationBurn, &ret.OverEstimationBurn}, {"refund", res.Refund, &ret.Refund},
	} {
		*a.to = big.Zero()
		if a.from.Int == nil {
			continue
		}
		if err := checkAmount(a.name, a.from); err != nil {
			return nil, err
		}
		*a.to = a.from
	}
	if f.tracing {
		events := f.events.Take()
		if f.version < network.Version18 {
			events = completed(events, msg.GasLimit)
		}
		if root := fold(events); root != nil {
			ret.ExecTraceBytes = root.encode()
		}
	}
	ret.EventsBytes = encodeEvents(res.Events)
	return ret, nil
}

// failureInfo says what failed, in the words that nodes log.
func failureInfo(failure string) string {
	if failure == "" {
		return ""
	}
	if !strings.HasPrefix(failure, "00: ") && !strings.HasPrefix(failure, "--> ") {
		return "pre-validation failed: " + failure + "\n"
	}
	return "message failed with backtrace:\n" + failure + "\n"
}

// encodeEvents is the list of events as CBOR, nil if there are none.
func encodeEvents(events []fvm.Event) []byte {
	if len(events) == 0 {
		return nil
	}
	e := &encoder{}
	e.array(len(events))
	for i := range events {
		e.buf = events[i].AppendCBOR(e.buf)
	}
	return e.buf
}

// Flush writes the state and returns its root. The machine stays usable.
func (f *FVM) Flush() (cid.Cid, error) {
	if f == nil || f.machine == nil {
		return cid.Undef, errClosed
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return cid.Undef, f.broken
	}
	start := time.Now()
	var root cid.Cid
	err := caught(func() (err error) {
		root, err = f.machine.Flush(context.Background())
		return err
	})
	f.note(err)
	f.meter.flushed(time.Since(start))
	return root, err
}

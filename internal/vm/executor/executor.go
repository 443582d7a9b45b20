// Package executor applies messages of the chain to a machine: preflight, run,
// settle, receipt.
//
// fvm calls it; it calls call, gas and the state tree. What happens inside a
// message does not belong here.
package executor

import (
	"context"
	"fmt"
	mathbig "math/big"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/call"
	"github.com/edgefvm/fvm/internal/vm/event"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
)

// Kind says who sent a message.
type Kind uint8

const (
	// Explicit messages are on the chain: they pay for inclusion and gas.
	Explicit Kind = iota
	// Implicit messages are the system's own, such as cron: no fees, no nonce.
	Implicit
)

// Result is what applying a message gives. Amounts are attoFIL.
type Result struct {
	ExitCode    exitcode.ExitCode
	Return      []byte
	ReturnCodec uint64 // of Return; 0 if there is none, and before nv21
	GasUsed     int64
	EventsRoot  *cid.Cid // nil: no events
	Events      []event.Stamped

	Penalty            abi.TokenAmount // what the miner that included the message loses
	MinerTip           abi.TokenAmount
	BaseFeeBurn        abi.TokenAmount
	OverEstimationBurn abi.TokenAmount
	Refund             abi.TokenAmount
	GasRefund          int64
	GasBurned          int64

	// Failure says in words what failed, outermost actor first. For people only.
	Failure string
}

// Execute applies one message. An error means that there is no receipt: the
// message is one that no block may hold, or this node failed.
func Execute(ctx context.Context, m *machine.Machine, modules *call.Modules, msg *Message, kind Kind, chainLength int) (*Result, error) {
	if err := msg.check(m.Profile); err != nil {
		return nil, &execerr.InvalidMessage{Err: err}
	}
	s, refused, err := preflight(ctx, m, msg, kind, chainLength)
	if err != nil || refused != nil {
		return refused, err
	}
	res, err := runMessage(ctx, m, modules, msg, s)
	if err != nil || kind == Implicit {
		return res, err
	}
	return res, settle(ctx, m, msg, s, res)
}

// sender is who pays, and for what, after preflight.
type sender struct {
	id        abi.ActorID
	deposit   abi.TokenAmount // fee cap times gas limit
	inclusion gas.Charge
}

// preflight checks the sender and takes the gas deposit. A message that fails
// here changes nothing but costs the miner a penalty.
func preflight(ctx context.Context, m *machine.Machine, msg *Message, kind Kind, chainLength int) (sender, *Result, error) {
	s := sender{inclusion: gas.Charge{Name: "none"}}
	if kind == Explicit {
		s.inclusion = m.Prices.OnChainMessage(chainLength)
		if cost := s.inclusion.Total().RoundUp(); cost > uint64(msg.GasLimit) {
			return s, refuse(exitcode.SysErrOutOfGas, big.Mul(m.BaseFee, big.NewIntUnsigned(cost)), "inclusion costs %d gas, the limit is %d", cost, msg.GasLimit), nil
		}
	}
	penalty := func() abi.TokenAmount {
		if kind == Implicit {
			return big.Zero()
		}
		return big.Mul(m.BaseFee, big.NewInt(msg.GasLimit))
	}
	id, ok, err := m.Tree.LookupID(ctx, msg.From)
	if err != nil {
		return s, nil, fmt.Errorf("looking for the sender %s: %w", addr.String(msg.From), err)
	}
	if !ok {
		return s, refuse(exitcode.SysErrSenderInvalid, penalty(), "the sender %s does not exist", addr.String(msg.From)), nil
	}
	s.id = id
	if kind == Implicit {
		return s, nil, nil
	}
	st, err := m.Tree.Actor(ctx, id)
	if err != nil {
		return s, nil, fmt.Errorf("reading the sender %s: %w", addr.String(msg.From), err)
	}
	if st == nil {
		return s, refuse(exitcode.SysErrSenderInvalid, penalty(), "the sender %s has no actor", addr.String(msg.From)), nil
	}
	mf := m.Manifest
	switch {
	case st.Code == mf.Account():
	case !m.Profile.Ethereum:
		return s, refuse(exitcode.SysErrSenderInvalid, penalty(), "the sender %s is not an account", addr.String(msg.From)), nil
	case st.Code == mf.EthAccount():
	case st.Code == mf.Placeholder() && st.Nonce == 0 && st.Delegated != nil && isEthereum(*st.Delegated):
		// The first message of an Ethereum account makes it one (FIP-0055),
		// whether or not the message succeeds.
		st.Code = mf.EthAccount()
	default:
		return s, refuse(exitcode.SysErrSenderInvalid, penalty(), "the sender %s is not an account", addr.String(msg.From)), nil
	}
	if msg.Nonce != st.Nonce {
		return s, refuse(exitcode.SysErrSenderStateInvalid, penalty(), "the nonce is %d, the sender's next is %d", msg.Nonce, st.Nonce), nil
	}
	st.Nonce++
	s.deposit = big.Mul(msg.GasFeeCap, big.NewInt(msg.GasLimit))
	if st.Balance.LessThan(s.deposit) {
		return s, refuse(exitcode.SysErrSenderStateInvalid, penalty(), "the sender has %s attoFIL, gas may cost %s", st.Balance, s.deposit), nil
	}
	// No block holds negative fees. Not before this: messages that are refused above have a receipt all the same.
	if msg.GasFeeCap.Sign() < 0 {
		return s, nil, &execerr.InvalidMessage{Err: fmt.Errorf("the gas fee cap %s is negative", msg.GasFeeCap)}
	}
	if msg.GasPremium.Sign() < 0 {
		return s, nil, &execerr.InvalidMessage{Err: fmt.Errorf("the gas premium %s is negative", msg.GasPremium)}
	}
	st.Balance = big.Sub(st.Balance, s.deposit)
	return s, nil, m.Tree.SetActor(id, *st)
}

func refuse(code exitcode.ExitCode, penalty abi.TokenAmount, format string, a ...any) *Result {
	r := emptyResult()
	r.ExitCode, r.Penalty, r.Failure = code, penalty, fmt.Sprintf(format, a...)
	return r
}

func emptyResult() *Result {
	var zeros [5]mathbig.Int // one piece of memory
	amount := func(i int) abi.TokenAmount { return abi.TokenAmount{Int: &zeros[i]} }
	return &Result{Penalty: amount(0), MinerTip: amount(1), BaseFeeBurn: amount(2), OverEstimationBurn: amount(3), Refund: amount(4)}
}

// runMessage executes the message on a call stack of its own.
func runMessage(ctx context.Context, m *machine.Machine, modules *call.Modules, msg *Message, s sender) (*Result, error) {
	c, err := manager(ctx, m, modules, msg, s)
	if err != nil {
		return nil, err
	}
	if err := c.Gas().Apply(s.inclusion); err != nil {
		return nil, execerr.Nodef("charging for inclusion: %w", err)
	}
	ret, err := c.Send(ctx, kernel.SendRequest{From: s.id, To: msg.To, Method: msg.Method, Params: paramsBlock(m.Profile, msg), Value: msg.Value})
	r, err := receipt(m, msg, c, ret, err)
	if err != nil {
		return nil, err
	}
	r.Events = c.Events()
	if r.EventsRoot, err = event.Root(ctx, r.Events); err != nil {
		return nil, execerr.Nodef("building the events' root: %w", err)
	}
	return r, nil
}

// manager is the call stack of a message.
func manager(ctx context.Context, m *machine.Machine, modules *call.Modules, msg *Message, s sender) (*call.Manager, error) {
	to, known, err := m.Tree.LookupID(ctx, msg.To)
	if err != nil {
		return nil, fmt.Errorf("looking for the receiver %s: %w", addr.String(msg.To), err)
	}
	cm := call.Message{
		GasLimit: uint64(msg.GasLimit), Origin: s.id, From: msg.From, To: msg.To, Nonce: msg.Nonce,
		GasPremium: effectivePremium(msg, m.BaseFee),
	}
	if known {
		cm.Receiver = &to
	}
	return call.NewManager(m, modules, cm), nil
}

// paramsBlock is the message's parameters, nil if there are none.
func paramsBlock(p *machine.Profile, msg *Message) *kernel.Block {
	b := &kernel.Block{Codec: cbor.CodecCBOR, Data: msg.Params}
	switch {
	case len(msg.Params) == 0:
		return nil
	case p.OnlyDagCBOR:
		b.Codec = cbor.CodecDagCBOR
	case msg.Method == 0:
		b.Codec = cbor.CodecRaw
	}
	// Plain CBOR, not DAG-CBOR, since nv18: links from outside the chain lead nowhere.
	return b
}

// effectivePremium is what is left of the premium under the fee cap: the part
// that the miner really gets.
func effectivePremium(msg *Message, baseFee abi.TokenAmount) abi.TokenAmount {
	return big.Max(big.Min(msg.GasPremium, big.Sub(msg.GasFeeCap, baseFee)), big.Zero())
}

// receipt turns the end of the call stack into what the chain records, without the events.
func receipt(m *machine.Machine, msg *Message, c *call.Manager, ret kernel.Result, err error) (*Result, error) {
	r := emptyResult()
	r.GasUsed = int64(c.Gas().Used().RoundUp())
	switch f := execerr.Classify(err); f.Kind {
	case execerr.KindNone:
		r.ExitCode = ret.ExitCode
		if ret.Return != nil {
			r.Return = ret.Return.Data
			if m.Profile.ReturnCodec {
				r.ReturnCodec = ret.Return.Codec
			}
		}
	case execerr.KindOutOfGas:
		r.ExitCode = exitcode.SysErrOutOfGas
	case execerr.KindSyscall:
		sys := f.Syscall
		r.ExitCode = dispatchCode(sys.Number)
		c.Backtrace = call.Backtrace{Cause: fmt.Sprintf("send::send -- %s (%d: %s)", sys.Reason, uint32(sys.Number), sys.Number)}
	case execerr.KindGuest:
		// Quirk: a fatal error that all nodes have alike costs all the gas.
		r.ExitCode, r.GasUsed = exitcode.SysErrFatal, msg.GasLimit
		c.Backtrace.Cause = f.Fatal.Error()
	default:
		return nil, fmt.Errorf("message from %s to %s, nonce %d, method %d, epoch %d: %w", addr.String(msg.From), addr.String(msg.To), msg.Nonce, msg.Method, m.Epoch, err)
	}
	if !r.ExitCode.IsSuccess() {
		r.Failure = c.Backtrace.String()
	}
	return r, nil
}

// dispatchCode is the exit code of a message that could not be delivered.
func dispatchCode(n execerr.Errno) exitcode.ExitCode {
	switch n {
	case execerr.InsufficientFunds:
		return exitcode.SysErrInsufficientFunds
	case execerr.NotFound:
		return exitcode.SysErrInvalidReceiver
	}
	return exitcode.SysErrFatal
}

// settle pays for the gas out of the deposit, in the network's order.
func settle(ctx context.Context, m *machine.Machine, msg *Message, s sender, r *Result) error {
	out := gas.ComputeOutputs(uint64(r.GasUsed), uint64(msg.GasLimit), m.BaseFee, msg.GasFeeCap, msg.GasPremium)
	for _, p := range []struct {
		to     abi.ActorID
		amount abi.TokenAmount
	}{
		{actors.BurntFunds, out.BaseFeeBurn},
		{actors.RewardActor, out.MinerTip},
		{actors.BurntFunds, out.OverEstimationBurn},
		{s.id, out.Refund},
	} {
		if err := deposit(ctx, m, p.to, p.amount); err != nil {
			return err
		}
	}
	sum := new(mathbig.Int)
	for _, part := range [...]abi.TokenAmount{out.BaseFeeBurn, out.OverEstimationBurn, out.Refund, out.MinerTip} {
		sum.Add(sum, part.Int)
	}
	if sum.Cmp(s.deposit.Int) != 0 {
		return execerr.Nodef("the fees %s are not the deposit %s", sum, s.deposit)
	}
	r.Penalty, r.MinerTip, r.BaseFeeBurn = out.MinerPenalty, out.MinerTip, out.BaseFeeBurn
	r.OverEstimationBurn, r.Refund = out.OverEstimationBurn, out.Refund
	r.GasRefund, r.GasBurned = int64(out.GasRefund), int64(out.GasBurned)
	return nil
}

func deposit(ctx context.Context, m *machine.Machine, to abi.ActorID, amount abi.TokenAmount) error {
	if amount.Sign() < 0 {
		return execerr.Nodef("a fee of %s attoFIL is negative", amount)
	}
	if amount.IsZero() {
		return nil
	}
	ok, err := m.Tree.Credit(ctx, to, amount)
	if err == nil && !ok {
		return execerr.Nodef("the actor %d, which receives a fee, does not exist", to)
	}
	return err
}

// isEthereum reports an f4 address of the Ethereum address manager (FIP-0048).
func isEthereum(a address.Address) bool {
	ns, _, ok := addr.Delegated(a)
	return ok && ns == actors.EAM
}

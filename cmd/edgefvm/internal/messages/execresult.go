package messages

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	gst "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/trace"
)

// receipt is what came of a message. As JSON it is documented in cmd/edgefvm/README.md.
type receipt struct {
	ExitCode exitcode.ExitCode `json:"exit_code"`
	Meaning  string            `json:"meaning"`
	Failure  string            `json:"failure"`
	ExitName string            `json:"exit_name"` // of the code's constant; "" if it has none
	ExitBy   string            `json:"exit_by"`   // who gives such a code
	Return   string            `json:"return"`    // hex
	// ReturnValue is what Return says by the method's types, or why a contract reverted; null: it cannot be told.
	ReturnValue any `json:"return_value"`
	// Reason says in a line why a contract reverted; "" if none did.
	Reason string `json:"reason"`

	GasUsed  int64     `json:"gas_used"`
	GasLimit int64     `json:"gas_limit"`
	Estimate *estimate `json:"estimate"`

	BaseFeeBurn        string `json:"base_fee_burn"`
	OverEstimationBurn string `json:"over_estimation_burn"`
	MinerTip           string `json:"miner_tip"`
	Penalty            string `json:"penalty"`
	Refund             string `json:"refund"`
	GasRefund          int64  `json:"gas_refund"`
	GasBurned          int64  `json:"gas_burned"`

	Events     []explain.Event `json:"events"`
	EventsRoot *cid.Cid        `json:"events_root"`
	Root       string          `json:"root"`

	Sender   *party `json:"sender"`
	Receiver *party `json:"receiver"`

	Network      *string          `json:"network"`
	NetworkBy    *string          `json:"network_by"`
	ChainID      uint64           `json:"chain_id"`
	NV           gst.Version      `json:"nv"`
	NVBy         string           `json:"nv_by"`
	Actors       []string         `json:"actors"`
	Epoch        abi.ChainEpoch   `json:"epoch"`
	EpochBy      string           `json:"epoch_by"`
	Timestamp    uint64           `json:"timestamp"`
	TimestampBy  string           `json:"timestamp_by"`
	BaseFee      string           `json:"base_fee"`
	CircSupply   string           `json:"circ_supply"`
	CircSupplyBy string           `json:"circ_supply_by"`
	Message      messageView      `json:"message"`
	Read         []string         `json:"read"` // what flags were read as
	Signature    signature        `json:"signature"`
	Asked        []string         `json:"asked"`
	Logs         []string         `json:"logs"`
	Warnings     []string         `json:"warnings"`
	Explained    *explain.Message `json:"explained,omitempty"`

	implicit bool
	where    string
	when     string
}

// messageView is the message as it ran.
type messageView struct {
	From       string        `json:"from"`
	To         string        `json:"to"`
	Value      string        `json:"value"`
	Method     abi.MethodNum `json:"method"`
	MethodName string        `json:"method_name"`
	Params     string        `json:"params"` // hex
	// ParamsValue is what Params say by the method's types; null: it cannot be told.
	ParamsValue any    `json:"params_value"`
	Nonce       uint64 `json:"nonce"`
	GasFeeCap   string `json:"gas_fee_cap"`
	GasPremium  string `json:"gas_premium"`
	Implicit    bool   `json:"implicit"`
	ChainLen    int    `json:"chain_len"`
}

// party is who sent or got the message, and what that cost or brought.
type party struct {
	ID     abi.ActorID `json:"id"`
	Eth    string      `json:"eth"`    // its address in Ethereum's form; a masked ID if it has no f410f address
	Kind   string      `json:"kind"`   // of actor; "" if it has no name
	Before *string     `json:"before"` // balance in attoFIL; null: there was no such actor
	After  *string     `json:"after"`  // null: there is none
}

func partyOf(ctx context.Context, a address.Address, before, after *fvm.Machine) (*party, error) {
	p := &party{}
	found := false
	for _, side := range []struct {
		m    *fvm.Machine
		into **string
	}{{before, &p.Before}, {after, &p.After}} {
		id, st, err := side.m.Actor(ctx, a)
		if format.IsNotFound(err) { // a trimmed state need not have what the message did not read
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if st == nil {
			continue
		}
		found, p.ID = true, id
		p.Kind, _ = side.m.ActorName(st.Code)
		p.Eth = explain.EthAddress(id, st.Delegated)
		balance := st.Balance.String()
		*side.into = &balance
	}
	if !found {
		return nil, nil
	}
	return p, nil
}

// newReceipt gathers what there is to say. before is a machine on the state that the message ran on.
func (j *job) newReceipt(ctx context.Context, s *setting, before *fvm.Machine, t *try, root cid.Cid) (*receipt, error) {
	res, msg := t.res, j.msg
	r := &receipt{
		ExitCode: res.ExitCode, Failure: strings.TrimSpace(res.Failure), Return: hex.EncodeToString(res.Return),
		GasUsed: res.GasUsed, GasLimit: msg.GasLimit, Estimate: j.estimate,
		BaseFeeBurn: atto(res.BaseFeeBurn), OverEstimationBurn: atto(res.OverEstimationBurn), MinerTip: atto(res.MinerTip), Penalty: atto(res.Penalty),
		Refund: atto(res.Refund), GasRefund: res.GasRefund, GasBurned: res.GasBurned,
		Events: make([]explain.Event, 0, len(res.Events)), EventsRoot: res.EventsRoot, Root: root.String(),
		ChainID: s.chainID, NV: s.version.is, NVBy: s.version.by, Actors: append([]string{}, s.names...),
		Epoch: s.epoch.is, EpochBy: s.epoch.by, Timestamp: s.timestamp.is, TimestampBy: s.timestamp.by, BaseFee: atto(j.cfg.BaseFee),
		CircSupply: atto(s.supply.is), CircSupplyBy: s.supply.by,
		Asked: append([]string{}, j.outside.words()...), Logs: []string{}, Warnings: append([]string{}, s.warnings...),
		implicit: j.kind == fvm.Implicit, where: s.where(), when: s.when(),
	}
	if s.net.is != nil {
		r.Network, r.NetworkBy = &s.net.is.Name, &s.net.by
	}
	kind, code := kindOf(ctx, before, msg.To)
	if kind == "" {
		kind, code = kindOf(ctx, t.m, msg.To)
	}
	exit := actors.ExplainExit(j.actorsVersion(code), kind, res.ExitCode)
	r.Meaning, r.ExitName, r.ExitBy = exit.Meaning, exit.Name, exit.By
	r.Message = messageView{
		From: addr.String(msg.From), To: addr.String(msg.To), Value: atto(msg.Value), Method: msg.Method, MethodName: explain.MethodName(kind, msg.Method),
		Params: hex.EncodeToString(msg.Params), Nonce: msg.Nonce, GasFeeCap: atto(msg.GasFeeCap), GasPremium: atto(msg.GasPremium),
		Implicit: r.implicit, ChainLen: j.length,
	}
	j.decode(r, kind, code, t)
	for _, e := range res.Events {
		emitter, _ := kindOf(ctx, t.m, addr.NewID(uint64(e.Emitter)))
		v := explain.ViewEvent(e, emitter)
		v.Eth, _ = explain.EthAddresses(ctx, t.m)(e.Emitter)
		r.Events = append(r.Events, v)
	}
	var err error
	if r.Sender, err = partyOf(ctx, msg.From, before, t.m); err != nil {
		return nil, err
	}
	r.Receiver, err = partyOf(ctx, msg.To, before, t.m)
	return r, err
}

// atto is an amount as text; one that is not set is none.
func atto(v abi.TokenAmount) string {
	if v.Int == nil {
		return "0"
	}
	return v.String()
}

func logsOf(events trace.Events) []string {
	lines := []string{}
	for _, e := range events {
		if l, ok := e.(*trace.Log); ok {
			lines = append(lines, l.Text)
		}
	}
	return lines
}

// hint says what to do if the receiver's code is not there, else nothing.
func hint(ctx context.Context, cfg fvm.Config, msg *fvm.Message) string {
	m, err := fvm.New(ctx, withTop(cfg)) // the one that failed answers no more
	if err != nil {
		return ""
	}
	_, st, err := m.Actor(ctx, msg.To)
	if err != nil || st == nil {
		return ""
	}
	if ok, err := cfg.Blockstore.Has(ctx, st.Code); ok || err != nil {
		return ""
	}
	return fmt.Sprintf("; or is the state one of another network version? It runs by version %d: --nv names another, and --actors or --bundle other actors", cfg.NetworkVersion)
}

package messages

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	gst "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/text"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/layout"
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

	Network     *string          `json:"network"`
	NetworkBy   *string          `json:"network_by"`
	ChainID     uint64           `json:"chain_id"`
	NV          gst.Version      `json:"nv"`
	NVBy        string           `json:"nv_by"`
	Actors      []string         `json:"actors"`
	Epoch       abi.ChainEpoch   `json:"epoch"`
	EpochBy     string           `json:"epoch_by"`
	Timestamp   uint64           `json:"timestamp"`
	TimestampBy string           `json:"timestamp_by"`
	BaseFee     string           `json:"base_fee"`
	Message     messageView      `json:"message"`
	Read        []string         `json:"read"` // what flags were read as
	Signature   signature        `json:"signature"`
	Asked       []string         `json:"asked"`
	Logs        []string         `json:"logs"`
	Warnings    []string         `json:"warnings"`
	Explained   *explain.Message `json:"explained,omitempty"`

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
		Asked: append([]string{}, j.outside.words()...), Logs: []string{}, Warnings: append([]string{}, s.warnings...),
		implicit: j.kind == fvm.Implicit, where: s.where(), when: s.when(),
	}
	if s.net.is != nil {
		r.Network, r.NetworkBy = &s.net.is.Name, &s.net.by
	}
	kind, code := receiverOf(ctx, before, msg)
	if kind == "" {
		kind, code = receiverOf(ctx, t.m, msg)
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
		v := explain.ViewEvent(e, kindOf(ctx, t.m, e.Emitter))
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

// decode says what parameters and return value are, as far as the receiver's methods tell.
func (j *job) decode(r *receipt, kind string, code cid.Cid, t *try) {
	p := explain.Payload{
		NetworkVersion: j.cfg.NetworkVersion, Actor: kind, Code: code, Method: j.msg.Method, Name: explain.MethodName(kind, j.msg.Method), Codec: cbor.CodecDagCBOR,
	}
	if kind == "" || j.msg.Method == 0 {
		return
	}
	if p.Data = j.msg.Params; len(p.Data) > 0 {
		r.Message.ParamsValue, _ = j.decoders().Params(p)
	}
	if p.Data, p.Exit = t.res.Return, t.res.ExitCode; len(p.Data) > 0 {
		r.ReturnValue, _ = j.decoders().Return(p)
	}
	if isContract := kind == "evm" || kind == "eam"; isContract && t.res.ExitCode == contractReverted {
		if c, err := actors.Revert(j.abi, t.res.Return); err == nil {
			r.Reason = c.Text
		}
	}
}

// contractReverted is what a contract ends with that reverts (builtin-actors, actors/evm).
const contractReverted = 33

func (j *job) decoders() explain.Decoders {
	return actors.Decoders(actors.DecodersOptions{ABI: j.abi})
}

// actorsVersion is the version of the actors by an actor's code, else by the network's version; 0 if neither tells it.
func (j *job) actorsVersion(code cid.Cid) int {
	if _, versions, ok := actors.ActorByCode(code); ok {
		return versions[0]
	}
	v, err := actors.VersionFor(j.cfg.NetworkVersion)
	if err != nil {
		return 0
	}
	return v
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
	cfg.Hooks = nil
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

func (r *receipt) print(cmd *cobra.Command, asJSON bool) error {
	if asJSON {
		return kit.WriteJSON(cmd, r)
	}
	g := term.NewPage(cmd.OutOrStdout())
	g.Line("network      %s", layout.OneLine(r.where))
	g.Line("epoch        %d (%s), %s (%s)", r.Epoch, r.EpochBy, r.when, r.TimestampBy)
	r.printRead(g)
	g.Line("exit code    %d (%s)", r.ExitCode, r.Meaning)
	if r.Reason != "" {
		g.Line("reason       %s", layout.OneLine(r.Reason))
	}
	r.printReturn(g)
	g.Line("gas used     %d", r.GasUsed)
	switch {
	case r.implicit:
	case r.Estimate != nil:
		g.Line("gas limit    %d (%s)", r.GasLimit, r.Estimate.Why)
	default:
		g.Line("gas limit    %d", r.GasLimit)
	}
	if r.EventsRoot != nil {
		g.Line("events root  %s", r.EventsRoot)
	}
	if !r.implicit {
		burnt, over := amountOf(r.BaseFeeBurn), amountOf(r.OverEstimationBurn)
		line := "burnt        " + layout.FIL(big.Add(burnt, over))
		if over.Sign() > 0 {
			line += ", " + layout.FIL(over) + " of it for gas that was not used"
		}
		g.Line("%s", line)
		g.Line("miner's tip  %s", layout.FIL(amountOf(r.MinerTip)))
		g.Line("penalty      %s", layout.FIL(amountOf(r.Penalty)))
		g.Line("refund       %s", layout.FIL(amountOf(r.Refund)))
	}
	r.Sender.print(g, "sender       ")
	r.Receiver.print(g, "receiver     ")
	g.Line("state root   %s", r.Root)
	for i, a := range r.Asked {
		g.Line("%s%s", [...]string{"asked        ", "             "}[min(i, 1)], layout.OneLine(a))
	}
	if r.Failure != "" {
		g.Line("failure      %s", strings.ReplaceAll(layout.Clean(r.Failure), "\n", "\n             "))
	}
	for i, l := range r.Logs {
		g.Line("%s%s", [...]string{"log          ", "             "}[min(i, 1)], layout.OneLine(l))
	}
	if g.Err != nil {
		return g.Err
	}
	if r.Explained != nil {
		return text.Write(g.W, &explain.Explanation{Messages: []explain.Message{*r.Explained}}, textOptions(g.W, 0))
	}
	return text.WriteEvents(g.W, r.Events, textOptions(g.W, 0))
}

// printReturn prints the return value, and what it says if that is more.
func (r *receipt) printReturn(g *layout.Page) {
	g.Line("return       0x%s", r.Return)
	if r.ReturnValue == nil || r.Reason != "" {
		return
	}
	data, err := json.Marshal(r.ReturnValue)
	if err != nil || string(data) == `"0x`+r.Return+`"` {
		return
	}
	g.Line("             %s", layout.Cut(layout.OneLine(string(data)), mostReturn))
}

// mostReturn is the most columns of a return value in words; JSON has all of it.
const mostReturn = 400

func amountOf(s string) abi.TokenAmount {
	v, err := big.FromString(s)
	if err != nil { // our own text
		return big.Zero()
	}
	return v
}

func (p *party) print(g *layout.Page, label string) {
	if p == nil {
		return
	}
	kind := ""
	if p.Kind != "" {
		kind = layout.OneLine(p.Kind) + " "
	}
	balance := func(s *string) string {
		if s == nil {
			return "none"
		}
		return layout.FIL(amountOf(*s))
	}
	line := fmt.Sprintf("%s%sf0%d, balance %s", label, kind, p.ID, balance(p.After))
	if p.Kind == "evm" || p.Kind == "ethaccount" || p.Kind == "placeholder" {
		line = fmt.Sprintf("%s%sf0%d, %s, balance %s", label, kind, p.ID, p.Eth, balance(p.After))
	}
	switch {
	case p.Before == nil:
		line += ", new"
	case p.After == nil || *p.Before != *p.After:
		line += ", was " + balance(p.Before)
	}
	g.Line("%s", line)
}

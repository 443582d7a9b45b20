package explain

import (
	"encoding/hex"
	"encoding/json"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/trace"
)

// Applied is a message that was applied, as a program saw it. All but the trace may be left out; what is then not known
// stays empty.
type Applied struct {
	Message *fvm.Message
	Kind    fvm.Kind
	Trace   trace.Events
	Result  *fvm.Result
	// Err is why there is no receipt, where Result is nil.
	Err error
}

// Options say how to read a trace. The zero value is ready.
type Options struct {
	// ActorName names actors' code, as fvm.Machine.ActorName does. Code without a name is an "actor". Default: no names.
	ActorName func(code cid.Cid) (name string, ok bool)
	// EthAddress is an actor's address in the form of Ethereum, see the function EthAddress; ok is false if there is no such
	// actor. It is asked after the message, for emitters of events and for the receiver. Default: none is told.
	EthAddress func(id abi.ActorID) (eth string, ok bool)
	// NetworkVersion is for decoders.
	NetworkVersion network.Version
	// Decoders of parameters and return values. Default: they are only counted.
	Decoders Decoders
}

func (o *Options) actorName(code cid.Cid) string {
	if o.ActorName != nil {
		if name, ok := o.ActorName(code); ok {
			return name
		}
	}
	return "actor"
}

func (o *Options) ethAddress(id abi.ActorID) string {
	const ethereum = 18 // the first network version that has it
	if o.EthAddress != nil && (o.NetworkVersion == 0 || o.NetworkVersion >= ethereum) {
		if eth, ok := o.EthAddress(id); ok {
			return eth
		}
	}
	return ""
}

// Message is a message that was applied, explained.
type Message struct {
	From     string             `json:"from"` // as text of mainnet
	To       string             `json:"to"`
	ToEth    string             `json:"to_eth,omitempty"` // the receiver in Ethereum's form, if Options.EthAddress tells
	Method   abi.MethodNum      `json:"method"`
	Name     string             `json:"name"` // of the method, see MethodName
	Value    Amount             `json:"value"`
	Nonce    uint64             `json:"nonce"`
	GasLimit int64              `json:"gas_limit"`
	Implicit bool               `json:"implicit,omitempty"` // one of the system's own: no fees, no nonce
	Exit     *exitcode.ExitCode `json:"exit_code"`          // nil: no receipt
	Meaning  string             `json:"meaning"`            // of Exit in words, or why there is no receipt
	Failure  string             `json:"failure,omitempty"`  // fvm.Result's, outermost actor first
	Return   string             `json:"return,omitempty"`   // hex
	GasUsed  int64              `json:"gas_used"`
	Fees     *Fees              `json:"fees,omitempty"` // nil: implicit, or no receipt
	Calls    *Call              `json:"calls"`          // never nil: the root of the tree
	ByKind   []Share            `json:"gas_by_kind"`    // of all calls, the most first
	ByCharge []Share            `json:"gas_by_charge"`  // the same by the charges' names in traces
	Events   []Event            `json:"events,omitempty"`
	// Changes of the state that came of the message. Trace leaves them out: they are Changes of the roots before and after.
	Changes []Change `json:"changes,omitempty"`
}

// NoTrace is the meaning of a message of which nothing is known: no trace, no result and no error. A trace.Recorder makes
// traces, by its Hooks in fvm.Config.
const NoTrace = "there is no trace"

// Fees are what a message cost whom, in attoFIL.
type Fees struct {
	BaseFeeBurn        abi.TokenAmount `json:"base_fee_burn"`
	MinerTip           abi.TokenAmount `json:"miner_tip"`
	OverEstimationBurn abi.TokenAmount `json:"over_estimation_burn"`
	Penalty            abi.TokenAmount `json:"penalty"` // what the miner that included it loses
	Refund             abi.TokenAmount `json:"refund"`
}

// Amount is attoFIL. As JSON it is a decimal string, "" for one that is not known (whose Int is nil).
type Amount struct{ abi.TokenAmount }

// MarshalJSON writes the string.
func (a Amount) MarshalJSON() ([]byte, error) {
	if a.Int == nil {
		return []byte(`""`), nil
	}
	return json.Marshal(a.Int.String())
}

// UnmarshalJSON reads the string.
func (a *Amount) UnmarshalJSON(data []byte) error {
	if string(data) == `""` {
		*a = Amount{}
		return nil
	}
	return a.TokenAmount.UnmarshalJSON(data)
}

// Trace explains a message that was applied. A trace that ends early, or is empty, makes a tree of what there is; without a
// trace, a result and an error, Meaning is NoTrace. The errors are ErrMalformed and ErrTooDeep.
func Trace(a Applied, o Options) (*Message, error) {
	calls, err := callTree(a.Trace, &o)
	if err != nil {
		return nil, err
	}
	m := &Message{Implicit: a.Kind == fvm.Implicit, Calls: calls, ByKind: calls.ByKind(), ByCharge: calls.ByCharge()}
	var first *Call // the message as the receiver sees it
	if len(calls.Calls) > 0 {
		first = calls.Calls[0]
	}
	switch msg := a.Message; {
	case msg != nil:
		m.From, m.To, m.Method, m.Nonce, m.GasLimit = addr.String(msg.From), addr.String(msg.To), msg.Method, msg.Nonce, msg.GasLimit
		m.Value = Amount{msg.Value}
		m.Name = MethodName("", msg.Method)
	case first != nil:
		m.From, m.To, m.Method, m.Value = addr.String(addr.NewID(uint64(first.From))), first.To, first.Method, first.Value
	}
	if first != nil {
		m.Name = first.Name
		if first.ID != nil {
			m.ToEth = o.ethAddress(*first.ID)
		}
	}
	switch {
	case a.Result != nil:
		m.tell(a.Result, &o)
	case a.Err != nil:
		m.Meaning = a.Err.Error()
	case len(a.Trace) == 0:
		m.Meaning = NoTrace
	}
	return m, nil
}

// tell adds what the result says.
func (m *Message) tell(res *fvm.Result, o *Options) {
	receiver := ""
	if len(m.Calls.Calls) > 0 {
		receiver = m.Calls.Calls[0].Actor
	}
	exit := res.ExitCode
	m.Exit, m.Meaning, m.Failure = &exit, ExitMeaning(exit, receiver), res.Failure
	m.Return, m.GasUsed = hex.EncodeToString(res.Return), res.GasUsed
	if !m.Implicit {
		m.Fees = &Fees{
			Penalty: res.Penalty, MinerTip: res.MinerTip, BaseFeeBurn: res.BaseFeeBurn, OverEstimationBurn: res.OverEstimationBurn, Refund: res.Refund,
		}
	}
	actors := map[abi.ActorID]string{}
	m.Calls.Walk(func(c *Call) {
		if c.ID != nil {
			actors[*c.ID] = c.Actor
		}
	})
	for _, e := range res.Events {
		v := ViewEvent(e, actors[e.Emitter])
		v.Eth = o.ethAddress(e.Emitter)
		m.Events = append(m.Events, v)
	}
}

package ethtrace

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/builtin/v12/eam"
	"github.com/filecoin-project/go-state-types/builtin/v12/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v12/init"
	"github.com/filecoin-project/go-state-types/exitcode"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/eth"
)

// Trace is a call or a creation, as trace_* methods show it.
type Trace struct {
	Type         string `json:"type"` // "call" or "create"
	Error        string `json:"error,omitempty"`
	Subtraces    int    `json:"subtraces"`
	TraceAddress []int  `json:"traceAddress"`
	Action       any    `json:"action"` // *CallAction or *CreateAction
	Result       any    `json:"result"` // *CallResult or *CreateResult

	create2 bool
	logs    []FrameLog
}

// CallAction is a call.
type CallAction struct {
	CallType string       `json:"callType"` // "call", "staticcall", "delegatecall"
	From     eth.Address  `json:"from"`
	To       eth.Address  `json:"to"`
	Gas      eth.Quantity `json:"gas"`
	Value    eth.Amount   `json:"value"`
	Input    eth.Data     `json:"input"`
}

// CallResult is what came of a call.
type CallResult struct {
	GasUsed eth.Quantity `json:"gasUsed"`
	Output  eth.Data     `json:"output"`
}

// CreateAction is the creation of a contract.
type CreateAction struct {
	From  eth.Address  `json:"from"`
	Gas   eth.Quantity `json:"gas"`
	Value eth.Amount   `json:"value"`
	Init  eth.Data     `json:"init"`
}

// CreateResult is what came of one.
type CreateResult struct {
	Address *eth.Address `json:"address,omitempty"`
	GasUsed eth.Quantity `json:"gasUsed"`
	Code    eth.Data     `json:"code"`
}

// Exit codes of the EVM actor (builtin-actors, actors/evm).
const (
	exitReverted = 33 + iota
	exitInvalidInstruction
	exitUndefinedInstruction
	exitStackUnderflow
	exitStackOverflow
	exitIllegalMemory
	exitBadJump
	exitSelfdestruct
)

// reverted is the error of a call that reverted, in Parity's words.
const reverted = "Reverted"

// invalidCode stands for the code of a new contract: a trace does not hold it (EIP-3541).
var invalidCode = eth.Data{0xfe}

// Parity are the calls in the order in which they began. sender is who sent the message.
func (f *Frames) Parity(m eth.Manner, sender eth.Address) ([]*Trace, error) {
	w := &writer{manner: m, traces: []*Trace{}}
	for _, c := range f.root.calls {
		if err := w.build(&scope{caller: sender}, []int{}, c); err != nil {
			return nil, err
		}
	}
	return w.traces, nil
}

type writer struct {
	manner eth.Manner
	traces []*Trace
}

// scope is whose calls are shown.
type scope struct {
	caller eth.Address
	evm    bool
	count  int
	code   *eth.Address // whose bytecode was asked for last
}

func (w *writer) build(s *scope, at []int, c *call) error {
	t, into, err := w.one(s, at, c)
	if err != nil {
		return fmt.Errorf("the call %v of the trace: %w", at, err)
	}
	if t != nil {
		w.traces = append(w.traces, t)
		s.count++
	}
	if into == nil || into.invoked == nil || len(into.calls)+len(into.emits) == 0 || t == nil {
		return nil
	}
	below := &scope{caller: into.receiver(), evm: into.evm}
	shown := make([]int, 1, len(into.calls)+1)
	for _, c := range into.calls {
		if err := w.build(below, append(at[:len(at):len(at)], below.count), c); err != nil {
			return err
		}
		shown = append(shown, below.count)
	}
	t.Subtraces, t.logs = below.count, into.logs(shown)
	return nil
}

// one shows a call, if Ethereum would, and says whose calls stand below it.
func (w *writer) one(s *scope, at []int, c *call) (*Trace, *call, error) {
	switch {
	case len(at) > 0 && (c.errno != 0 || c.ended && (c.exit == exitcode.SysErrInsufficientFunds || c.exit == exitcode.SysErrFatal)), c.invoked == nil:
		return nil, nil, nil // it never really happened
	case c.msg.Method == builtin.MethodsEVM.InvokeContract:
		input, err1 := payload(c.params())
		output, err2 := payload(c.returns())
		if err1 == nil && err2 == nil {
			return w.call(s, at, c, input, output), c, nil
		}
		return w.native(s, at, c), c, nil
	case c.toActor(initID) && (c.msg.Method == builtin.MethodsInit.Exec || c.msg.Method == builtin.MethodsInit.Exec4):
		return w.createActor(s, at, c)
	case c.toActor(builtin.EthereumAddressManagerActorID) && (c.msg.Method == builtin.MethodsEAM.Create || c.msg.Method == builtin.MethodsEAM.Create2 || c.msg.Method == builtin.MethodsEAM.CreateExternal):
		return w.create(s, at, c)
	case s.evm && c.msg.Method > 0 && c.msg.Method < 1024:
		return w.private(s, at, c)
	}
	return w.native(s, at, c), c, nil
}

const initID = 1

func (w *writer) call(s *scope, at []int, c *call, input, output []byte) *Trace {
	kind := "call"
	if c.msg.ReadOnly {
		kind = "staticcall"
	}
	return &Trace{
		Type: "call", TraceAddress: at, Error: c.errorText(),
		Action: &CallAction{CallType: kind, From: s.caller, To: c.receiver(), Gas: eth.Quantity(c.msg.GasLimit), Value: eth.Amount{Int: c.msg.Value.Int}, Input: input},
		Result: &CallResult{GasUsed: c.gasUsed(w.manner), Output: output},
	}
}

// native shows a call as one of handle_filecoin_method (FIP-0054).
func (w *writer) native(s *scope, at []int, c *call) *Trace {
	codec, data := c.params()
	input := append([]byte{0x86, 0x8e, 0x10, 0xc4}, eth.EncodeNative(uint64(c.msg.Method), codec, data)...)
	codec, data = c.returns()
	return w.call(s, at, c, input, eth.EncodeNative(uint64(c.exit), codec, data))
}

// constructor finds the constructor's call below one of the init actor.
func (c *call) constructor() *call {
	for _, below := range c.calls {
		if below.msg.Method == builtin.MethodConstructor {
			return below
		}
	}
	return nil
}

// createActor shows a creation by the init actor.
func (w *writer) createActor(s *scope, at []int, c *call) (*Trace, *call, error) {
	constructor := c.constructor()
	if c.msg.ReadOnly || constructor == nil {
		return nil, nil, nil
	}
	result := &CreateResult{GasUsed: c.gasUsed(w.manner)}
	if c.ok() {
		var ret init_.ExecReturn
		if err := c.decodeReturn(&ret); err != nil {
			return nil, nil, fmt.Errorf("what the init actor returned: %w", err)
		}
		id, ok := addr.ID(ret.IDAddress)
		if !ok {
			return nil, nil, errors.New("the init actor returned no ID")
		}
		created := eth.MaskedID(id)
		result.Address, result.Code = &created, invalidCode
	}
	return w.created(s, at, c, invalidCode, result), constructor, nil
}

// create shows a creation by the Ethereum address manager.
func (w *writer) create(s *scope, at []int, c *call) (*Trace, *call, error) {
	var constructor *call
	for _, below := range c.calls {
		switch {
		case below.toActor(initID):
			constructor = below.constructor()
		case below.msg.Method == builtin.MethodsEVM.Resurrect:
			constructor = below
		}
		if constructor != nil {
			break
		}
	}
	if c.msg.ReadOnly || constructor == nil {
		return nil, nil, nil
	}
	code, err := c.initCode()
	if err != nil {
		return nil, nil, fmt.Errorf("parameters of a creation: %w", err)
	}
	result := &CreateResult{GasUsed: c.gasUsed(w.manner)}
	switch {
	case c.ok():
		var ret eam.CreateReturn
		if err := c.decodeReturn(&ret); err != nil {
			return nil, nil, fmt.Errorf("what the address manager returned: %w", err)
		}
		result.Address, result.Code = (*eth.Address)(&ret.EthAddress), invalidCode
	case c.exit == exitReverted:
		result.Code, _ = payload(constructor.returns())
	}
	t := w.created(s, at, c, code, result)
	t.create2 = c.msg.Method == builtin.MethodsEAM.Create2
	return t, constructor, nil
}

func (w *writer) created(s *scope, at []int, c *call, code []byte, result *CreateResult) *Trace {
	return &Trace{
		Type: "create", TraceAddress: at, Error: c.errorText(), Result: result,
		Action: &CreateAction{From: s.caller, Gas: eth.Quantity(c.msg.GasLimit), Value: eth.Amount{Int: c.msg.Value.Int}, Init: code},
	}
}

func (c *call) initCode() ([]byte, error) {
	codec, data := c.params()
	switch c.msg.Method {
	case builtin.MethodsEAM.Create:
		var p eam.CreateParams
		err := p.UnmarshalCBOR(bytes.NewReader(data))
		return p.Initcode, err
	case builtin.MethodsEAM.Create2:
		var p eam.Create2Params
		err := p.UnmarshalCBOR(bytes.NewReader(data))
		return p.Initcode, err
	}
	return payload(codec, data)
}

// private shows what the EVM actor does by methods that contracts cannot call: only a delegate call is to be seen. The
// actor asks another for its bytecode, and then calls itself with it.
func (w *writer) private(s *scope, at []int, c *call) (*Trace, *call, error) {
	switch c.msg.Method {
	case builtin.MethodsEVM.GetBytecode:
		s.code = nil
		if c.ok() {
			of := c.receiver()
			s.code = &of
		}
	case builtin.MethodsEVM.InvokeContractDelegate:
		if s.code == nil || c.receiver() != s.caller {
			return nil, nil, errors.New("a delegate call without its contract")
		}
		var p evm.DelegateCallParams
		if _, data := c.params(); p.UnmarshalCBOR(bytes.NewReader(data)) != nil {
			return nil, nil, errors.New("a delegate call with parameters that are none")
		}
		output, err := payload(c.returns())
		if err != nil {
			return nil, nil, fmt.Errorf("what a delegate call returned: %w", err)
		}
		t := w.call(s, at, c, p.Input, output)
		action := t.Action.(*CallAction)
		action.CallType, action.To = "delegatecall", *s.code
		return t, c, nil
	}
	return nil, nil, nil
}

func (c *call) ok() bool { return c.ended && c.exit == 0 }

func (c *call) decodeReturn(into cbg.CBORUnmarshaler) error {
	_, data := c.returns()
	return into.UnmarshalCBOR(bytes.NewReader(data))
}

// payload are the bytes that a contract takes or gives.
func payload(codec uint64, data []byte) ([]byte, error) {
	switch codec {
	case 0:
		return nil, nil
	case cbor.CodecCBOR, cbor.CodecDagCBOR:
		return cbg.ReadByteArray(bytes.NewReader(data), uint64(len(data)))
	case cbor.CodecRaw:
		return data, nil
	}
	return nil, fmt.Errorf("the codec %#x is of no bytes", codec)
}

// errorText says how a call failed, in words that tools look for; "" if it did not.
func (c *call) errorText() string {
	switch {
	case c.ok():
		return ""
	case !c.ended || c.exit == exitcode.SysErrOutOfGas:
		return "out of gas"
	case c.exit < exitcode.FirstActorErrorCode:
		return "vm error: " + c.exit.String()
	}
	if c.evm || c.invoked != nil && uint64(c.invoked.ID) == builtin.EthereumAddressManagerActorID {
		switch c.exit {
		case exitReverted:
			return reverted
		case exitInvalidInstruction:
			return "invalid instruction"
		case exitUndefinedInstruction:
			return "undefined instruction"
		case exitStackUnderflow:
			return "stack underflow"
		case exitStackOverflow:
			return "stack overflow"
		case exitIllegalMemory:
			return "illegal memory access"
		case exitBadJump:
			return "invalid jump destination"
		case exitSelfdestruct:
			return "self destruct failed"
		}
	}
	return "actor error: " + c.exit.Error()
}

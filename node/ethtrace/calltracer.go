package ethtrace

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethabi"
)

// Frame is a call as go-ethereum's callTracer shows it, with those that it made.
type Frame struct {
	Type         string       `json:"type"` // CALL, STATICCALL, DELEGATECALL, CREATE, CREATE2
	From         eth.Address  `json:"from"`
	To           *eth.Address `json:"to,omitempty"`
	Value        *eth.Amount  `json:"value,omitempty"`
	Gas          eth.Quantity `json:"gas"`
	GasUsed      eth.Quantity `json:"gasUsed"`
	Input        eth.Data     `json:"input"`
	Output       eth.Data     `json:"output,omitempty"`
	Error        string       `json:"error,omitempty"`
	RevertReason string       `json:"revertReason,omitempty"`
	Calls        []*Frame     `json:"calls,omitempty"`
	Logs         []FrameLog   `json:"logs,omitempty"`
}

// Nest makes the callTracer's tree of traces in the order of Parity; nil of none.
func Nest(traces []*Trace) *Frame { return nest(traces, false) }

func nest(traces []*Trace, logs bool) *Frame {
	var open []*Frame
	for _, t := range traces {
		f := t.frame()
		if logs {
			f.Logs = t.logs
		}
		depth := len(t.TraceAddress)
		if depth > 0 && depth <= len(open) {
			parent := open[depth-1]
			if f.Type == "DELEGATECALL" { // it runs with its caller's value
				f.Value = parent.Value
				if f.Value == nil {
					f.Value = &eth.Amount{}
				}
			}
			parent.Calls = append(parent.Calls, f)
		} else if len(open) > 0 {
			continue // a second message is not of this transaction
		}
		open = append(open[:min(depth, len(open))], f)
	}
	if len(open) == 0 {
		return nil
	}
	return open[0]
}

func (t *Trace) frame() *Frame {
	f := &Frame{}
	switch a := t.Action.(type) {
	case *CallAction:
		f.Type, f.From, f.To, f.Gas, f.Input = strings.ToUpper(a.CallType), a.From, &a.To, a.Gas, a.Input
		if a.CallType == "call" {
			f.Value = &a.Value
		}
	case *CreateAction:
		f.Type, f.From, f.Gas, f.Input, f.Value = "CREATE", a.From, a.Gas, a.Init, &a.Value
		if t.create2 {
			f.Type = "CREATE2"
		}
	}
	switch r := t.Result.(type) {
	case *CallResult:
		f.GasUsed, f.Output = r.GasUsed, r.Output
	case *CreateResult:
		f.GasUsed, f.Output, f.To = r.GasUsed, r.Code, r.Address
	}
	if f.Error = gethError(t.Error); t.Error == reverted {
		f.RevertReason = reasonOf(f.Output)
	}
	return f
}

// gethErrors are errors in go-ethereum's words, where it has some.
var gethErrors = map[string]string{
	reverted: "execution reverted", "invalid instruction": "invalid opcode: INVALID", "undefined instruction": "invalid opcode",
	"stack overflow": "stack limit reached 1024 (1023)", "actor error: ErrReadOnly(25)": "write protection",
}

// gethError is an error in go-ethereum's words.
func gethError(parity string) string {
	if geth := gethErrors[parity]; geth != "" {
		return geth
	}
	return parity
}

// panics are what Solidity's panics mean, in go-ethereum's words.
var panics = map[string]string{
	"0": "generic panic", "1": "assert(false)", "17": "arithmetic underflow or overflow", "18": "division or modulo by zero", "33": "enum overflow",
	"34": "invalid encoded storage byte array accessed", "49": "out-of-bounds array access; popping on an empty array",
	"50": "out-of-bounds access of an array or bytesN", "65": "out of memory", "81": "uninitialized function",
}

// reasonOf is the reason of a revert, as go-ethereum words it; "" of a custom error.
func reasonOf(output eth.Data) string {
	c := ethabi.DecodeRevert(nil, output)
	if len(c.Args) != 1 {
		return ""
	}
	switch c.Name {
	case "Error":
		text, _ := c.Args[0].Value.(string)
		return text
	case "Panic":
		code := fmt.Sprint(c.Args[0].Value)
		if text := panics[code]; text != "" {
			return text
		}
		if n, ok := new(big.Int).SetString(code, 10); ok {
			return fmt.Sprintf("unknown panic code: %#x", n)
		}
	}
	return ""
}

package ethtrace

import (
	"strings"

	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethabi"
)

// Frame is a call as go-ethereum's callTracer shows it, with those that it made.
type Frame struct {
	Type         string       `json:"type"` // CALL, STATICCALL, DELEGATECALL, CREATE
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
}

// Nest makes the callTracer's tree of traces in the order of Parity; nil of none.
func Nest(traces []*Trace) *Frame {
	var open []*Frame
	for _, t := range traces {
		f := t.frame()
		depth := len(t.TraceAddress)
		if depth > 0 && depth <= len(open) {
			parent := open[depth-1]
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
	f := &Frame{Error: t.Error}
	switch a := t.Action.(type) {
	case *CallAction:
		f.Type, f.From, f.To, f.Gas, f.Input = strings.ToUpper(a.CallType), a.From, &a.To, a.Gas, a.Input
		if a.CallType == "call" {
			f.Value = &a.Value
		}
	case *CreateAction:
		f.Type, f.From, f.Gas, f.Input, f.Value = "CREATE", a.From, a.Gas, a.Init, &a.Value
	}
	switch r := t.Result.(type) {
	case *CallResult:
		f.GasUsed, f.Output = r.GasUsed, r.Output
	case *CreateResult:
		f.GasUsed, f.Output, f.To = r.GasUsed, r.Code, r.Address
	}
	if f.Error == "Reverted" {
		f.Error = "execution reverted" // go-ethereum's words
		if c := ethabi.DecodeRevert(nil, f.Output); c.Name == "Error" && len(c.Args) == 1 {
			f.RevertReason, _ = c.Args[0].Value.(string)
		}
	}
	return f
}

package trace

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// Diff says in words where two traces first differ: the place, the calls that
// are open there, and what differs. It is empty if they are the same. The texts
// of errors are not compared: only their numbers are part of the network's rules.
func Diff(want, got []Event) string {
	want, got = told(want), told(got)
	var open calls
	for i := range min(len(want), len(got)) {
		if d := diffEvent(want[i], got[i]); d != "" {
			return fmt.Sprintf("event %d%s: %s", i, open.where(), d)
		}
		open.follow(want[i])
	}
	switch {
	case len(want) > len(got):
		return fmt.Sprintf("event %d%s: the trace ends, want %s (and %d more)", len(got), open.where(), describe(want[len(got)]), len(want)-len(got)-1)
	case len(got) > len(want):
		return fmt.Sprintf("event %d%s: got %s (and %d more), want the trace to end", len(want), open.where(), describe(got[len(want)]), len(got)-len(want)-1)
	}
	return ""
}

// told is the events without those that are extra.
func told(es []Event) []Event {
	if !slices.ContainsFunc(es, extra) {
		return es
	}
	return slices.DeleteFunc(slices.Clone(es), extra)
}

// calls are those that are open, outermost first.
type calls []string

func (c *calls) follow(e Event) {
	switch e := e.(type) {
	case *Call:
		*c = append(*c, fmt.Sprintf("%s method %d", addr.String(e.To), e.Method))
	case *Return, *Error:
		if n := len(*c); n > 0 {
			*c = (*c)[:n-1]
		}
	}
}

func (c calls) where() string {
	if len(c) == 0 {
		return ""
	}
	s := c
	if len(s) > 4 { // the innermost say the most
		s = append(calls{fmt.Sprintf("%d calls", len(c)-3)}, c[len(c)-3:]...)
	}
	return " (in " + strings.Join(s, " > ") + ")"
}

// diffEvent names every part in which two events differ.
func diffEvent(want, got Event) string {
	var d parts
	switch w := want.(type) {
	case *GasCharge:
		if g, ok := got.(*GasCharge); ok {
			d.add("name", fmt.Sprintf("%q", w.Name), fmt.Sprintf("%q", g.Name))
			d.add("compute milligas", w.Compute, g.Compute)
			d.add("other milligas", w.Other, g.Other)
			return d.say("gas charge " + w.Name)
		}
	case *Call:
		if g, ok := got.(*Call); ok {
			d.add("caller", w.From, g.From)
			d.add("receiver", addr.String(w.To), addr.String(g.To))
			d.add("method", w.Method, g.Method)
			d.add("value", amount(w.Value), amount(g.Value))
			d.add("without limits", w.NoLimits, g.NoLimits)
			d.add("gas limit", w.GasLimit, g.GasLimit)
			d.add("read only", w.ReadOnly, g.ReadOnly)
			d.block("parameters", w.Params, g.Params)
			return d.say(describe(w))
		}
	case *Invoke:
		if g, ok := got.(*Invoke); ok {
			d.add("actor", w.ID, g.ID)
			d.add("code", w.Code, g.Code)
			return d.say("invocation")
		}
	case *Return:
		if g, ok := got.(*Return); ok {
			d.add("exit code", uint32(w.ExitCode), uint32(g.ExitCode))
			d.block("data", w.Data, g.Data)
			return d.say("return")
		}
	case *Error:
		if g, ok := got.(*Error); ok {
			d.add("number", fmt.Sprintf("%d (%s)", w.Errno, w.Text), fmt.Sprintf("%d (%s)", g.Errno, g.Text))
			if w.Errno == g.Errno {
				return ""
			}
			return d.say("error")
		}
	case *Log:
		if g, ok := got.(*Log); ok {
			d.add("text", fmt.Sprintf("%q", w.Text), fmt.Sprintf("%q", g.Text))
			return d.say("log")
		}
	case *IPLD:
		if g, ok := got.(*IPLD); ok {
			d.add("direction", direction(w.Put), direction(g.Put))
			d.add("cid", w.Cid, g.Cid)
			d.add("size", w.Size, g.Size)
			return d.say("block")
		}
	}
	return fmt.Sprintf("got %s, want %s", describe(got), describe(want))
}

// parts are the differences of two events of one kind.
type parts []string

func (p *parts) add(name string, want, got any) {
	if want != got {
		*p = append(*p, fmt.Sprintf("%s is %v, want %v", name, got, want))
	}
}

func (p *parts) block(name string, want, got *Block) {
	if want == nil || got == nil {
		if want != got {
			p.add(name, showBlock(want), showBlock(got))
		}
		return
	}
	p.add("codec of the "+name, want.Codec, got.Codec)
	if !bytes.Equal(want.Data, got.Data) {
		p.add(name, showBlock(want), showBlock(got))
	}
}

func (p parts) say(what string) string {
	if len(p) == 0 {
		return ""
	}
	return what + ": " + strings.Join(p, "; ")
}

// amount is a value in attoFIL; one that was never set is zero.
func amount(v abi.TokenAmount) string {
	if v.Int == nil {
		return "0"
	}
	return v.String()
}

func showBlock(b *Block) string {
	if b == nil {
		return "none"
	}
	const most = 64 // bytes
	if len(b.Data) > most {
		return fmt.Sprintf("%s... (%d bytes)", hex.EncodeToString(b.Data[:most]), len(b.Data))
	}
	return fmt.Sprintf("%q", hex.EncodeToString(b.Data))
}

// describe is an event in a few words.
func describe(e Event) string {
	switch e := e.(type) {
	case *GasCharge:
		return fmt.Sprintf("gas charge %s (%d + %d)", e.Name, e.Compute, e.Other)
	case *Call:
		return fmt.Sprintf("call of %s method %d", addr.String(e.To), e.Method)
	case *Invoke:
		return fmt.Sprintf("invocation of actor %d", e.ID)
	case *Return:
		return fmt.Sprintf("return with exit code %d", e.ExitCode)
	case *Error:
		return fmt.Sprintf("error %d (%s)", e.Errno, e.Text)
	case *Log:
		return fmt.Sprintf("log %q", e.Text)
	case *IPLD:
		return fmt.Sprintf("%s of block %s", direction(e.Put), e.Cid)
	}
	return fmt.Sprintf("%T", e)
}

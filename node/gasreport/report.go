// Package gasreport sums up where the gas of messages went: by contract and function, by kind of charge (execution, reads and writes of
// blocks, …), by charge, and, where they were watched, by groups of opcodes. A [Report] can be kept as a text file and compared with the
// next one.
//
// Gas is in milligas, so that sums are exact: all functions, all kinds, and all charges come each to the same total, which is the
// receipts' gas in milligas less Rounding, since a receipt's gas is whole, rounded up.
//
// It uses package explain as any program would. A Builder belongs to one goroutine.
package gasreport

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/evmtrace"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/ethabi"
)

// Row is what one of something took.
type Row struct {
	Name string `json:"name"`
	// Calls of it; 0 where that is not counted.
	Calls int `json:"calls,omitempty"`
	// Milli is its own gas in milligas, without the calls below; less than none: gas was given back.
	Milli int64 `json:"milligas"`
	// Total is that with the calls below, of the calls that are not below another one of the same row; 0 where that makes no sense.
	Total int64 `json:"total_milligas,omitempty"`
}

// Report is where the gas of messages went. Rows are in the order of their gas, the most first.
type Report struct {
	Title    string `json:"title"`
	Messages int    `json:"messages"`
	Failed   int    `json:"failed,omitempty"`
	// GasUsed is that of the receipts, in units of gas.
	GasUsed int64 `json:"gas_used"`
	// Rounding is what the receipts have more than the charges, in milligas.
	Rounding  int64 `json:"rounding_milligas"`
	Contracts []Row `json:"contracts"`
	Functions []Row `json:"functions"`
	Kinds     []Row `json:"kinds"`
	Charges   []Row `json:"charges"`
	// Opcodes are groups of the EVM's; with Outside they come to the receipts' gas. Nil if nobody watched.
	Opcodes []Row `json:"opcodes,omitempty"`
	// Unwatched says why opcodes of some calls are not known.
	Unwatched []string `json:"unwatched,omitempty"`
}

// Inclusion is the row of what belongs to a message and to no call.
const Inclusion = "(messages: inclusion and return values)"

// Outside is the row of gas that no opcode took.
const Outside = "(outside of opcodes)"

// Options say how calls are named. The zero value is ready.
type Options struct {
	Title string
	// ABI names functions of contracts. Default: they go by their selectors.
	ABI *ethabi.ABI
	// Contract names an actor, such as "Token" of a contract. Default, and for "": its kind and id.
	Contract func(id abi.ActorID) string
}

// Builder makes a report.
type Builder struct {
	o                                             Options
	r                                             Report
	contracts, functions, kinds, charges, opcodes map[string]*Row
}

// New begins a report.
func New(o Options) *Builder {
	return &Builder{
		o: o, r: Report{Title: o.Title}, contracts: map[string]*Row{}, functions: map[string]*Row{}, kinds: map[string]*Row{}, charges: map[string]*Row{},
	}
}

// Add takes a message in.
func (b *Builder) Add(m *explain.Message) {
	b.r.Messages++
	b.r.GasUsed += m.GasUsed
	if m.Exit == nil || *m.Exit != 0 {
		b.r.Failed++
	}
	b.r.Rounding += 1000*m.GasUsed - m.Calls.Total
	b.call(m.Calls, true, map[string]bool{})
}

func (b *Builder) call(c *explain.Call, root bool, above map[string]bool) {
	contract, function := Inclusion, Inclusion
	if !root {
		contract = b.contract(c)
		function = contract + "." + b.function(c)
	}
	for k, v := range c.Kinds {
		at(b.kinds, k).Milli += v
	}
	for k, v := range c.Charges {
		at(b.charges, k).Milli += v
	}
	fresh := []string{}
	for of, name := range map[*map[string]*Row]string{&b.contracts: contract, &b.functions: function} {
		r := at(*of, name)
		r.Milli += c.Self
		if root {
			continue
		}
		r.Calls++
		key := fmt.Sprint(of == &b.contracts, name)
		if !above[key] {
			above[key] = true
			fresh = append(fresh, key)
			r.Total += c.Total
		}
	}
	for _, below := range c.Calls {
		b.call(below, false, above)
	}
	for _, key := range fresh {
		delete(above, key)
	}
}

func at(rows map[string]*Row, name string) *Row {
	r := rows[name]
	if r == nil {
		r = &Row{Name: name}
		rows[name] = r
	}
	return r
}

func (b *Builder) contract(c *explain.Call) string {
	if c.ID == nil {
		return c.To
	}
	if b.o.Contract != nil {
		if name := b.o.Contract(*c.ID); name != "" {
			return name
		}
	}
	return c.Who()
}

// function names a call: of contracts by the selector of its calldata.
func (b *Builder) function(c *explain.Call) string {
	if c.Actor != "evm" || c.Method != builtin.MethodsEVM.InvokeContract || c.Params == nil {
		return c.Name
	}
	data := c.Params.Data
	if bare, err := actors.Unwrap(data); err == nil && c.Params.Codec != rawCodec {
		data = bare
	}
	switch {
	case len(data) == 0:
		return "receive()"
	case len(data) < 4:
		return "fallback()"
	}
	if b.o.ABI != nil {
		for _, e := range b.o.ABI.Entries {
			if s := e.Selector(); e.Kind == "function" && string(s[:]) == string(data[:4]) {
				return e.Signature()
			}
		}
	}
	return "0x" + hex.EncodeToString(data[:4])
}

const rawCodec = 0x55

// AddOpcodes takes in the opcodes of a message that was added, as package evmtrace saw them.
func (b *Builder) AddOpcodes(l *evmtrace.Log) {
	if b.opcodes == nil {
		b.opcodes = map[string]*Row{}
	}
	for _, s := range l.ByOpcode() {
		r := at(b.opcodes, group(s.Op))
		r.Calls += s.Count
		r.Milli += int64(s.Cost)
	}
	at(b.opcodes, Outside).Milli += int64(l.Outside)
	for _, u := range l.Unwatched {
		b.r.Unwatched = append(b.r.Unwatched, fmt.Sprint(u))
	}
}

// group is the group of opcodes that one belongs to.
func group(op byte) string {
	switch {
	case op >= 0x01 && op <= 0x0b:
		return "arithmetic"
	case op >= 0x10 && op <= 0x1f:
		return "comparison and bits"
	case op == 0x20:
		return "KECCAK256"
	case op == 0x54 || op == 0x55:
		return "storage"
	case op == 0x5c || op == 0x5d:
		return "transient storage"
	case op >= 0x30 && op <= 0x4a:
		return "environment"
	case op == 0x51 || op == 0x52 || op == 0x53 || op == 0x59 || op == 0x5e:
		return "memory"
	case op == 0x56 || op == 0x57 || op == 0x58 || op == 0x5a || op == 0x5b:
		return "jumps and counters"
	case op == 0x50 || op >= 0x5f && op <= 0x9f:
		return "stack"
	case op >= 0xa0 && op <= 0xa4:
		return "events"
	case op == 0xf0 || op == 0xf5:
		return "creation"
	case op == 0xf1 || op == 0xf2 || op == 0xf4 || op == 0xfa:
		return "calls"
	case op == 0x00 || op == 0xf3 || op == 0xfd || op == 0xfe || op == 0xff:
		return "ends"
	}
	return "undefined"
}

// Report is what was added so far.
func (b *Builder) Report() *Report {
	r := b.r
	r.Contracts, r.Functions, r.Kinds, r.Charges = sorted(b.contracts), sorted(b.functions), sorted(b.kinds), sorted(b.charges)
	if b.opcodes != nil {
		r.Opcodes = sorted(b.opcodes)
	}
	return &r
}

func sorted(rows map[string]*Row) []Row {
	out := make([]Row, 0, len(rows))
	for _, r := range rows {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Milli, a.Milli), strings.Compare(a.Name, b.Name))
	})
	return out
}

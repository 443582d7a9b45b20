// Package pprof writes what package explain found as a profile that `go tool pprof` reads (and whatever else reads its
// profiles), with gas in the place of time: which methods of which actors took it, on behalf of whom, for what.
//
//	x, err := explain.Vector(ctx, v, explain.VectorOptions{})
//	err = pprof.Write(file, x, pprof.Options{})
//	// go tool pprof -top FILE; go tool pprof -http : FILE
//
// A stack is the message, the calls that are open as actor·method, and the kind of gas. A function's file is the address of
// the actor, so that -filefunctions tells actors of one kind apart. Labels are "charge", the name of the gas charge in traces,
// and "exit", how the call ended (-tagfocus exit=…); with several messages also "message", counted from 1.
//
// There are two values a sample: "gas", rounded up as receipts are, and "milligas", exact. Gas that was given back (until
// network version 17) is less than none.
package pprof

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/layout"
)

// Options say what goes into the profile. The zero value is ready.
type Options struct {
	// Message takes this message only, counted from 1. Default: all.
	Message int
}

// mostFrames bounds a stack: what calls below cost counts as the last frame's. Stacks of endless recursion would take memory
// by the square of its depth, and no tool shows them.
const mostFrames = 128

// Write writes a profile, packed by gzip. The same explanation gives the same bytes. An error is the writer's.
func Write(w io.Writer, x *explain.Explanation, o Options) error {
	b := builder{
		profile: &profile.Profile{
			SampleType:        []*profile.ValueType{{Type: "gas", Unit: "gas"}, {Type: "milligas", Unit: "milligas"}},
			DefaultSampleType: "gas",
			Mapping:           []*profile.Mapping{{ID: 1, File: layout.OneLine(x.Vector), HasFunctions: true}},
		},
		known:   map[place]*profile.Location{},
		samples: map[string]*profile.Sample{},
	}
	if x.Comment != "" {
		b.profile.Comments = []string{layout.OneLine(x.Comment)}
	}
	for i := range x.Messages {
		if o.Message == 0 || o.Message == i+1 {
			m := &x.Messages[i]
			b.message = ""
			name := "message"
			if len(x.Messages) > 1 {
				b.message = strconv.Itoa(i + 1)
				name += " " + b.message
			}
			b.add(m.Calls, []*profile.Location{b.location(place{name, ""})})
		}
	}
	b.round()
	return b.profile.Write(w)
}

// place is a function of the profile.
type place struct{ function, file string }

type builder struct {
	profile *profile.Profile
	known   map[place]*profile.Location
	samples map[string]*profile.Sample // by stack and labels
	message string
}

// location is that of a place, made when it is first asked for.
func (b *builder) location(at place) *profile.Location {
	if l := b.known[at]; l != nil {
		return l
	}
	id := uint64(len(b.known) + 1)
	f := &profile.Function{ID: id, Name: at.function, SystemName: at.function, Filename: at.file}
	l := &profile.Location{ID: id, Mapping: b.profile.Mapping[0], Line: []profile.Line{{Function: f}}}
	b.profile.Function = append(b.profile.Function, f)
	b.profile.Location = append(b.profile.Location, l)
	b.known[at] = l
	return l
}

// add adds the gas of a call and those below it. The stack has the innermost call last.
func (b *builder) add(c *explain.Call, stack []*profile.Location) {
	exit := ""
	if len(stack) > 1 {
		exit = ending(c)
	}
	for _, charge := range explain.SortShares(c.Charges) {
		b.sample(stack, charge, exit)
	}
	for _, below := range c.Calls {
		next := stack
		if len(stack) < mostFrames {
			next = append(stack[:len(stack):len(stack)], b.location(placeOf(below)))
		}
		b.add(below, next)
	}
}

// placeOf is where a call is: the receiver's kind and method, at its address.
func placeOf(c *explain.Call) place {
	if c.ID == nil {
		return place{"nobody·" + c.Name, c.To}
	}
	return place{layout.OneLine(c.Actor) + "·" + c.Name, "f0" + strconv.FormatUint(uint64(*c.ID), 10)}
}

// ending says how a call ended: "0 ok", "16 illegal argument", "not run: not found", "no exit code".
func ending(c *explain.Call) string {
	if c.Exit != nil {
		return fmt.Sprintf("%d %s", *c.Exit, c.Meaning)
	}
	return c.Why()
}

func (b *builder) sample(stack []*profile.Location, charge explain.Share, exit string) {
	labels := map[string][]string{"charge": {layout.OneLine(charge.Kind)}}
	if exit != "" {
		labels["exit"] = []string{exit}
	}
	if b.message != "" {
		labels["message"] = []string{b.message}
	}
	leaf := b.location(place{explain.KindOf(charge.Kind), ""})
	var key strings.Builder
	fmt.Fprintf(&key, "%q %q %d", charge.Kind, exit, leaf.ID)
	locations := make([]*profile.Location, 0, len(stack)+1)
	locations = append(locations, leaf)
	for i := len(stack) - 1; i >= 0; i-- { // a profile has the innermost first
		locations = append(locations, stack[i])
		fmt.Fprintf(&key, " %d", stack[i].ID)
	}
	s := b.samples[key.String()]
	if s == nil {
		s = &profile.Sample{Location: locations, Label: labels, Value: make([]int64, 2)}
		b.samples[key.String()] = s
		b.profile.Sample = append(b.profile.Sample, s)
	}
	s.Value[1] += charge.Milli
}

// round sets the samples' gas such that any run of them from the first on sums to their milligas, rounded up.
func (b *builder) round() {
	up := func(milli int64) int64 {
		gas := milli / 1000
		if milli%1000 > 0 {
			gas++
		}
		return gas
	}
	var milli, gas int64
	for _, s := range b.profile.Sample {
		milli += s.Value[1]
		s.Value[0] = up(milli) - gas
		gas += s.Value[0]
	}
}

package solidity

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"sort"

	"github.com/google/pprof/profile"
)

// LineGas is what a line of a source took.
type LineGas struct {
	File     string `json:"file"`
	Line     int    `json:"line"` // 0: what has no line
	Function string `json:"function"`
	Text     string `json:"text,omitempty"`
	Milli    uint64 `json:"milligas"`
}

// Lines are the gas of all lines, the dearest first.
func (r *Report) Lines() []LineGas {
	type key struct {
		file, function string
		line           int
	}
	sums := map[key]uint64{}
	r.Root.walk(func(n *Node) {
		for line, gas := range n.Gas {
			sums[key{n.File, n.Name, line}] += gas
		}
	})
	list := make([]LineGas, 0, len(sums))
	for k, gas := range sums {
		l := LineGas{File: k.file, Line: k.line, Function: k.function, Milli: gas}
		if s := r.project.sources[k.file]; s != nil {
			l.Text = s.Line(k.line)
		}
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b LineGas) int {
		return cmp.Or(cmp.Compare(b.Milli, a.Milli), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Function, b.Function))
	})
	return list
}

func (n *Node) walk(f func(*Node)) {
	f(n)
	for _, c := range n.Calls {
		c.walk(f)
	}
}

// lines are the numbers of a node's lines, in order.
func (n *Node) lines() []int {
	list := make([]int, 0, len(n.Gas))
	for l := range n.Gas {
		list = append(list, l)
	}
	sort.Ints(list)
	return list
}

// mostFrames bounds a stack, as no tool shows longer ones.
const mostFrames = 128

// WriteProfile writes a profile for `go tool pprof`, packed by gzip: functions with files and lines, so that -list and -lines show sources.
// Its value is gas, in milligas.
func (r *Report) WriteProfile(w io.Writer) error {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "milligas", Unit: "milligas"}},
		Mapping:    []*profile.Mapping{{ID: 1, File: "contracts", HasFunctions: true, HasFilenames: true, HasLineNumbers: true}},
	}
	type at struct {
		function *profile.Function
		line     int
	}
	functions, locations := map[[2]string]*profile.Function{}, map[at]*profile.Location{}
	location := func(n *Node, line int) *profile.Location {
		f := functions[[2]string{n.Name, n.File}]
		if f == nil {
			f = &profile.Function{ID: uint64(len(functions) + 1), Name: n.Name, SystemName: n.Name, Filename: n.File, StartLine: int64(n.Line)}
			functions[[2]string{n.Name, n.File}] = f
			p.Function = append(p.Function, f)
		}
		l := locations[at{f, line}]
		if l == nil {
			l = &profile.Location{ID: uint64(len(locations) + 1), Mapping: p.Mapping[0], Line: []profile.Line{{Function: f, Line: int64(line)}}}
			locations[at{f, line}] = l
			p.Location = append(p.Location, l)
		}
		return l
	}
	r.stacks(func(stack []*Node, line int, milli uint64) {
		s := &profile.Sample{Value: []int64{int64(milli)}}
		for i := len(stack) - 1; i >= 0; i-- {
			n := stack[i]
			if i < len(stack)-1 {
				line = n.Line
			}
			s.Location = append(s.Location, location(n, line))
		}
		p.Sample = append(p.Sample, s)
	})
	return p.Write(w)
}

// stacks calls a function with the gas of each line and the functions open there, the outermost first.
func (r *Report) stacks(f func(stack []*Node, line int, milli uint64)) {
	var walk func(n *Node, stack []*Node)
	walk = func(n *Node, stack []*Node) {
		if len(stack) < mostFrames {
			stack = append(stack[:len(stack):len(stack)], n)
		}
		for _, line := range n.lines() {
			if gas := n.Gas[line]; gas > 0 {
				f(stack, line, gas)
			}
		}
		for _, c := range n.Calls {
			walk(c, stack)
		}
	}
	walk(r.Root, nil)
	if r.Outside > 0 {
		f([]*Node{r.Root, {Name: "outside of opcodes"}}, 0, r.Outside)
	}
}

// Speedscope is a profile for https://www.speedscope.app, in its own form. Weights are gas.
type speedscope struct {
	Schema   string              `json:"$schema"`
	Name     string              `json:"name"`
	Exporter string              `json:"exporter"`
	Shared   speedscopeShared    `json:"shared"`
	Profiles []speedscopeProfile `json:"profiles"`
}

type speedscopeShared struct {
	Frames []speedscopeFrame `json:"frames"`
}

type speedscopeFrame struct {
	Name string `json:"name"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

type speedscopeProfile struct {
	Type    string    `json:"type"`
	Name    string    `json:"name"`
	Unit    string    `json:"unit"`
	Start   float64   `json:"startValue"`
	End     float64   `json:"endValue"`
	Samples [][]int   `json:"samples"`
	Weights []float64 `json:"weights"`
}

// WriteSpeedscope writes a profile for speedscope, whose frames are functions with the line where they begin. Weights are gas.
func (r *Report) WriteSpeedscope(w io.Writer, name string) error {
	s := speedscope{Schema: "https://www.speedscope.app/file-format-schema.json", Name: name, Exporter: "edgefvm", Shared: speedscopeShared{[]speedscopeFrame{}}}
	p := speedscopeProfile{Type: "sampled", Name: name, Unit: "none", Samples: [][]int{}, Weights: []float64{}}
	known := map[speedscopeFrame]int{}
	r.stacks(func(stack []*Node, _ int, milligas uint64) {
		sample := make([]int, len(stack))
		for i, n := range stack {
			f := speedscopeFrame{n.Name, n.File, n.Line}
			at, ok := known[f]
			if !ok {
				at = len(known)
				known[f] = at
				s.Shared.Frames = append(s.Shared.Frames, f)
			}
			sample[i] = at
		}
		p.Samples, p.Weights = append(p.Samples, sample), append(p.Weights, float64(milligas)/milli)
		p.End += float64(milligas) / milli
	})
	s.Profiles = []speedscopeProfile{p}
	return json.NewEncoder(w).Encode(&s)
}

package fuzz

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/fuzz/internal/script"
	"github.com/edgefvm/fvm/vector"
)

// What can be reached, of each kind, by tables that were read off other sources than this module.

//go:embed methods.txt
var methodsText string

//go:embed refuses.txt
var refusesText string

//go:embed errnos.txt
var errnosText string

//go:embed charges.txt
var chargesText string

// method is a method of a builtin actor in some versions of the actors.
type method struct {
	actor    string
	number   uint64
	from, to int
	name     string
}

// in tells whether a version of the actors has the method.
func (m *method) in(version int) bool {
	v := min(version, lastKnown)
	return m.from <= v && v <= m.to
}

// lastKnown is the newest version of the actors in methods.txt: newer ones are taken to have the same.
const lastKnown = 19

// methods are those that go-state-types v0.19.0-rc1 knows, of the builtin actors v8 and later.
func methods() ([]method, error) { return readMethods("methods.txt", methodsText) }

// refused are methods that the actors of some versions refuse whoever calls them, though go-state-types knows them.
func refused() ([]method, error) { return readMethods("refuses.txt", refusesText) }

func readMethods(file, text string) ([]method, error) {
	var list []method
	for i, f := range fields(text) {
		var m method
		var err error
		if len(f) != 5 {
			return nil, fmt.Errorf("%s: entry %d has %d words", file, i+1, len(f))
		}
		m.actor, m.name = f[0], f[4]
		if name, ok := strings.CutPrefix(f[1], "="); ok {
			n, e := builtin.GenerateFRCMethodNum(name)
			m.number, err = uint64(n), e
		} else {
			m.number, err = strconv.ParseUint(f[1], 10, 64)
		}
		from, e1 := strconv.Atoi(f[2])
		to, e2 := strconv.Atoi(f[3])
		if err := errors.Join(err, e1, e2); err != nil {
			return nil, fmt.Errorf("%s: entry %d: %w", file, i+1, err)
		}
		m.from, m.to = from, to
		list = append(list, m)
	}
	return list, nil
}

// fields are the words of each line; what follows # is a comment.
func fields(text string) (list [][]string) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if f := strings.Fields(line); len(f) > 0 {
			list = append(list, f)
		}
	}
	return list
}

// Reach says how much of one kind was reached.
type Reach struct {
	// Of is the group: "era 4", "actors v16".
	Of      string   `json:"of"`
	Kind    string   `json:"kind"`
	All     int      `json:"all"`
	Reached int      `json:"reached"`
	Missing []string `json:"missing"`
}

// Against holds what was reached against what can be, for the network versions.
func (c *Coverage) Against(nvs []network.Version) ([]Reach, error) {
	var list []Reach
	for _, part := range []func(*Coverage, []network.Version) ([]Reach, error){syscallReach, chargeReach, methodReach} {
		r, err := part(c, nvs)
		if err != nil {
			return nil, err
		}
		list = append(list, r...)
	}
	return list, nil
}

func eras(nvs []network.Version) []int {
	var list []int
	for _, nv := range nvs {
		list = append(list, script.EraOf(int(nv)))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// syscallReach is of lines "eras syscall errno...", such as "34 ipld::block_link 0 1 7 8 12", by era and by network version.
func syscallReach(c *Coverage, nvs []network.Version) ([]Reach, error) {
	var list []Reach
	of := func(name string, era int) error {
		r := Reach{Of: name, Kind: "results of syscalls"}
		for i, f := range fields(errnosText) {
			if len(f) < 2 {
				return fmt.Errorf("errnos.txt: entry %d is short", i+1)
			}
			if !strings.Contains(f[0], strconv.Itoa(era)) {
				continue
			}
			for _, errno := range f[2:] {
				r.note(c.Syscalls[fmt.Sprintf("%s %s %s", name, f[1], errno)] > 0, f[1]+" "+errno)
			}
		}
		list = append(list, r)
		return nil
	}
	for _, era := range eras(nvs) {
		if err := of(fmt.Sprint("era ", era), era); err != nil {
			return nil, err
		}
	}
	for _, nv := range nvs {
		if err := of(fmt.Sprint("nv", nv), script.EraOf(int(nv))); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r *Reach) note(reached bool, name string) {
	r.All++
	if reached {
		r.Reached++
	} else {
		r.Missing = append(r.Missing, name)
	}
}

// chargeReach is of lines "eras name".
func chargeReach(c *Coverage, nvs []network.Version) ([]Reach, error) {
	var list []Reach
	for _, nv := range nvs {
		r := Reach{Of: fmt.Sprint("nv", nv), Kind: "charges"}
		for i, f := range fields(chargesText) {
			if len(f) != 2 {
				return nil, fmt.Errorf("charges.txt: entry %d has %d words", i+1, len(f))
			}
			if strings.Contains(f[0], strconv.Itoa(script.EraOf(int(nv)))) {
				r.note(c.Charges[fmt.Sprintf("nv%d %s", nv, f[1])] > 0, f[1])
			}
		}
		list = append(list, r)
	}
	return list, nil
}

func methodReach(c *Coverage, nvs []network.Version) ([]Reach, error) {
	all, err := methods()
	if err != nil {
		return nil, err
	}
	not, err := refused()
	if err != nil {
		return nil, err
	}
	of := map[int][]network.Version{}
	var versions []int
	for _, nv := range nvs {
		if v, err := bundle.VersionFor(nv); err == nil {
			if of[v] == nil {
				versions = append(versions, v)
			}
			of[v] = append(of[v], nv)
		}
	}
	slices.Sort(versions)
	var list []Reach
	for _, v := range versions {
		r := Reach{Of: fmt.Sprint("actors v", v), Kind: "methods that succeeded"}
		for _, m := range all {
			if !m.in(v) || slices.ContainsFunc(not, func(r method) bool { return r.in(v) && r.actor == m.actor && r.number == m.number }) {
				continue
			}
			reached := false
			for _, nv := range of[v] {
				reached = reached || c.Methods[fmt.Sprintf("nv%d %s %d ok", nv, m.actor, m.number)] > 0
			}
			r.note(reached, m.actor+" "+m.name)
		}
		list = append(list, r)
	}
	return list, nil
}

// CoverVectors runs vectors on ours and counts what they reach. The engine's listener may be nil.
func CoverVectors(ctx context.Context, files []string, a *vector.Actors, e *fvm.Engine, ear *Listener) (*Coverage, error) {
	sum := newCoverage()
	reader := &corpus{actors: a, open: map[string]*seedling{}}
	for _, path := range files {
		v, err := conformance.Load(path)
		if err != nil {
			return nil, err
		}
		s, err := reader.prepare(ctx, v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		c := &duel.Case{Request: s.request, Bundle: s.bundle, Bases: []duel.Base{s.code}, Scope: &s.state}
		o, err := duel.RunOurs(ctx, c, e)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		seen := cover(int(s.request.NV), o)
		if ear != nil {
			seen.hear(int(s.request.NV), ear.Take())
		}
		sum.add(seen)
	}
	return sum, nil
}

// Add adds what another campaign or vectors reached.
func (c *Coverage) Add(other *Coverage) { c.add(other) }

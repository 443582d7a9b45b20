package fuzz

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
)

// The tables name every syscall of each era, and no others.
func TestErrnosNameSyscalls(t *testing.T) {
	for era, abi := range map[int]machine.ABI{2: machine.ABI2, 3: machine.ABI3, 4: machine.ABI4} {
		host := syscalls.HostFuncs(abi)
		if got := eraOf(host); got != era {
			t.Errorf("era %d is taken for %d", era, got)
		}
		want := map[string]bool{"vm::exit": true, "vm::abort": true} // they do not return
		for _, f := range fields(errnosText) {
			if strings.Contains(f[0], string(rune('0'+era))) {
				if want[f[1]] {
					t.Errorf("era %d: %s twice", era, f[1])
				}
				want[f[1]] = true
			}
		}
		for _, h := range host {
			name := h.Module + "::" + h.Name
			if h.Module != "edgefvm" && !want[name] {
				t.Errorf("era %d: no results of %s", era, name)
			}
			delete(want, name)
		}
		for name := range want {
			if name != "vm::exit" && name != "vm::abort" {
				t.Errorf("era %d has no %s", era, name)
			}
		}
	}
}

// A method that go-state-types has in some versions is held against these only.
func TestMethodsOfVersions(t *testing.T) {
	list, err := methods()
	if err != nil {
		t.Fatal(err)
	}
	find := func(name string, v int) uint64 {
		for _, m := range list {
			if m.actor+" "+m.name == name && m.from <= v && v <= m.to {
				return m.number
			}
		}
		return 0
	}
	if n := find("storageminer ProveCommitSectorsNI", 14); n != 36 {
		t.Errorf("%d", n)
	}
	if n := find("storageminer ProveCommitSectorsNI", 13); n != 0 {
		t.Errorf("%d", n)
	}
	if n := find("evm InvokeContract", 17); n != invokeEVM {
		t.Errorf("%d", n)
	}
}

func TestAgainst(t *testing.T) {
	c := newCoverage()
	for _, era := range []string{"3", "4"} {
		c.Syscalls["era "+era+" ipld::block_stat 7"] = 1
	}
	c.hear(28, map[string]int{"era 4 ipld::block_open 6": 1})
	c.Charges["nv28 OnSyscall"] = 2
	c.Methods["nv27 evm 3844450837 ok"], c.Methods["nv28 evm 3844450837 failed"] = 1, 1
	list, err := c.Against([]network.Version{27, 28})
	if err != nil {
		t.Fatal(err)
	}
	got, heard := map[string]Reach{}, []int(nil)
	for _, r := range list {
		if strings.HasPrefix(r.Of, "nv") && r.Kind == "results of syscalls" {
			heard = append(heard, r.Reached)
			continue
		}
		got[r.Of] = r
		if r.All != r.Reached+len(r.Missing) || r.All < 20 {
			t.Errorf("%+v", r)
		}
	}
	for of, reached := range map[string]int{"era 4": 2, "nv27": 0, "nv28": 1, "actors v17": 1, "actors v18": 0} {
		if r, ok := got[of]; !ok || r.Reached != reached {
			t.Errorf("%s: %+v", of, r)
		}
		delete(got, of)
	}
	if !slices.Equal(heard, []int{0, 1}) {
		t.Errorf("by network version: %v", heard)
	}
	if len(got) > 0 || slices.Contains(list[0].Missing, "ipld::block_stat 7") || !slices.Contains(list[0].Missing, "ipld::block_stat 1") {
		t.Errorf("%+v", got)
	}
}

type fakeEnv struct {
	engine.Engine
	cfg engine.EnvConfig
}

func (f *fakeEnv) Env(_ context.Context, cfg engine.EnvConfig) (engine.Env, error) {
	f.cfg = cfg
	return nil, nil
}

func TestListen(t *testing.T) {
	fail := errors.New("out of gas")
	f := &fakeEnv{}
	ear := Listen(f)
	cfg := engine.EnvConfig{Host: []engine.HostFunc{
		{Module: "ipld", Name: "block_stat", Results: []engine.ValueType{engine.I32}, Fn: func(_ context.Context, _ engine.Instance, stack []uint64) error {
			if stack[0] == 0 {
				return fail
			}
			stack[0] = 1<<32 + 7
			return nil
		}},
		{Module: "edgefvm", Name: "own", Results: []engine.ValueType{engine.I32}, Fn: func(context.Context, engine.Instance, []uint64) error { return nil }},
	}}
	if _, err := ear.Env(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	for _, arg := range []uint64{1, 0, 1} {
		for _, h := range f.cfg.Host {
			if err := h.Fn(t.Context(), nil, []uint64{arg}); err != nil && !errors.Is(err, fail) {
				t.Fatal(err)
			}
		}
	}
	if got := ear.Take(); !maps.Equal(got, map[string]int{"era 4 ipld::block_stat 7": 2}) {
		t.Errorf("%v", got)
	}
	if got := ear.Take(); len(got) > 0 {
		t.Errorf("again: %v", got)
	}
}

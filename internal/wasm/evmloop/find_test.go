package evmloop

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// Layouts of Rust's structs as they are in the actors of each version, read off their code by hand, in a disassembler.
var layouts = map[int]Layout{
	10: {Bytes: 0, PC: 12, State: 4, Stack: 0, StackLen: 8, Memory: 12, MemoryLen: 20, Returned: 36, ReturnedLen: 44},
	12: {Bytes: 4, PC: 16, State: 24, Stack: 60, StackLen: 64, Memory: 72, MemoryLen: 76, Returned: 96, ReturnedLen: 100},
	14: {Bytes: 4, PC: 28, State: 20, Stack: 4, StackLen: 8, Memory: 16, MemoryLen: 20, Returned: 40, ReturnedLen: 44},
	16: {Bytes: 4, PC: 32, State: 24, Stack: 4, StackLen: 8, Memory: 16, MemoryLen: 20, Returned: 40, ReturnedLen: 44},
}

func layoutOf(version int) Layout {
	switch {
	case version < 12:
		return layouts[10]
	case version < 14:
		return layouts[12]
	case version < 16:
		return layouts[14]
	}
	return layouts[16]
}

// evm is the EVM actor of a bundle, and another actor of it.
func evm(t testing.TB, set *bundle.Set, version int, network string) (evm, other []byte) {
	t.Helper()
	store := blockstore.NewMemory()
	b, err := set.Load(context.Background(), version, network, store)
	if err != nil {
		t.Fatal(err)
	}
	code := func(name string) []byte {
		for _, a := range b.Actors {
			if a.Name == name {
				blk, err := store.Get(context.Background(), a.Code)
				if err != nil {
					t.Fatal(err)
				}
				return blk.RawData()
			}
		}
		t.Fatalf("no actor %s", name)
		return nil
	}
	return code("evm"), code("multisig")
}

// Every bundle that there is: those of mainnet always, the other networks' unless the test is to be short.
func TestFind(t *testing.T) {
	set, err := bundle.Open(t.Context(), bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := set.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, e := range all {
		if e.Version < 10 || testing.Short() && e.Network != "mainnet" {
			continue
		}
		seen[e.Version] = true
		wasm, _ := evm(t, set, e.Version, e.Network)
		l, err := Find(wasm)
		if err != nil {
			t.Errorf("%s: %v", e.Name(), err)
			continue
		}
		if want := layoutOf(e.Version); l.Layout != want {
			t.Errorf("%s: layout %+v, want %+v", e.Name(), l.Layout, want)
		}
		// What FIP-0094, FIP-0097 and FIP-0114 brought.
		for op, since := range map[byte]int{0x5e: 15, 0x5c: 16, 0x5d: 16, 0x1e: 18, 0x5f: 10, 0x49: 99, 0xf2: 99} {
			if l.Defined[op] != (e.Version >= since) {
				t.Errorf("%s: opcode %#x is defined: %v", e.Name(), op, l.Defined[op])
			}
		}
	}
	for v := 10; v <= 19; v++ {
		if !seen[v] {
			t.Errorf("no bundle of version %d was looked at", v)
		}
	}
}

// list is where the module has its list of functions.
func list(t *testing.T, wasm []byte) int {
	t.Helper()
	m, err := readModule(wasm)
	if err != nil {
		t.Fatal(err)
	}
	_, h, err := m.dispatch()
	if err != nil {
		t.Fatal(err)
	}
	places := map[uint32]uint32{}
	for place, f := range m.table {
		places[f] = place
	}
	var want []byte
	for _, f := range h {
		p := places[f]
		want = append(want, byte(p), byte(p>>8), byte(p>>16), byte(p>>24))
	}
	at := bytes.Index(wasm, want)
	if at < 0 {
		t.Fatal("the list is not in the file")
	}
	return at
}

// A module that is not what it should be is refused, with what did not match.
func TestRefuses(t *testing.T) {
	set, err := bundle.Open(t.Context(), bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	good, other := evm(t, set, 16, "mainnet")
	at := list(t, good)
	// exchanged is the module with an opcode's function in the place of another's.
	exchanged := func(op, by byte) []byte {
		bad := bytes.Clone(good)
		copy(bad[at+4*int(op):], good[at+4*int(by):at+4*int(by)+4])
		return bad
	}
	const stop, add, pop, msize, jumpdest, push0, push1, retsize, callsize, mstore, mstore8 = 0, 1, 0x50, 0x59, 0x5b, 0x5f, 0x60, 0x3d, 0x36, 0x52, 0x53
	for name, c := range map[string]struct {
		wasm []byte
		want string
	}{
		"empty":              {nil, "no module of version 1"},
		"cut":                {good[:len(good)-10], "reading the module"},
		"another actor":      {other, "no function of"},
		"no such entry":      {bytes.Replace(good, good[at:at+4], []byte{0xff, 0xff, 0, 0}, 1), "its entry 0x00 is no place of the table"},
		"a byte that is one": {exchanged(0x0d, add), "entry 0x0d does not tell opcodes from what is none"},
		"an opcode missing":  {exchanged(add, 0x0c), "entry 0x01 does not tell opcodes from what is none"},
		"JUMPDEST":           {exchanged(jumpdest, stop), "JUMPDEST"},
		"POP":                {exchanged(pop, jumpdest), "POP"},
		"PUSH0":              {exchanged(push0, pop), "PUSH0"},
		"MSIZE":              {exchanged(msize, push0), "MSIZE"},
		"two lengths":        {exchanged(retsize, msize), "at one place"},
		"CALLDATASIZE":       {exchanged(callsize, add), "CALLDATASIZE"},
		"MSTORE8":            {exchanged(mstore8, mstore), "MSTORE8"},
	} {
		l, err := Find(c.wasm)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v; want %q", name, l, err, c.want)
		}
	}
}

// function is a module of one function, of two i32 parameters.
func function(body ...byte) *module {
	b := append([]byte{1, 2, ops.I32}, body...) // two locals
	return &module{types: []funcType{{params: []byte{ops.I32, ops.I32}}, {results: []byte{ops.I32}}}, funcs: []uint32{1, 0}, imported: 1, bodies: [][]byte{append(b, ops.End)}}
}

func TestExplore(t *testing.T) {
	const get, store = ops.LocalGet, ops.I32Store
	for name, c := range map[string]struct {
		body []byte
		want []string // what is written on each way
	}{
		"constant":       {[]byte{get, 1, ops.I32Const, 5, store, 2, 8}, []string{"p1+8=+5"}},
		"word plus one":  {[]byte{get, 1, get, 1, ops.I32Load, 2, 4, ops.I32Const, 1, i32Add, store, 2, 4}, []string{"p1+4=[p1+4]+1"}},
		"stored is read": {[]byte{get, 1, ops.I32Const, 7, store, 2, 0, get, 1, get, 1, ops.I32Load, 2, 0, store, 2, 4}, []string{"p1+0=+7 p1+4=+7"}},
		"both ways":      {[]byte{get, 0, ops.If, ops.BlockEmpty, get, 1, get, 0, store, 2, 0, ops.Else, get, 1, ops.I32Const, 1, store, 2, 0, ops.End}, []string{"p1+0=p0+0", "p1+0=+1"}},
		"known way":      {[]byte{ops.Block, ops.BlockEmpty, ops.I32Const, 1, ops.BrIf, 0, ops.Unreachable, ops.End, get, 1, get, 2, store, 2, 0}, []string{"p1+0=+0"}},
		"trap":           {[]byte{ops.Unreachable}, nil},
		"call":           {[]byte{get, 1, ops.Call, 0, store, 2, 0}, []string{"p1+0=?1+0"}},
		"round":          {[]byte{ops.Loop, ops.BlockEmpty, get, 0, ops.BrIf, 0, ops.End}, []string{""}},
		"table":          {[]byte{ops.Block, ops.BlockEmpty, ops.Block, ops.BlockEmpty, get, 0, ops.BrTable, 1, 0, 1, ops.End, get, 1, get, 1, store, 2, 0, ops.End}, []string{"", "p1+0=p1+0"}},
	} {
		ways, err := function(c.body...).explore(1)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, p := range ways {
			var all []string
			for _, w := range p.writes {
				all = append(all, w.at.key()+"="+w.what.key())
			}
			got = append(got, strings.Join(all, " "))
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) && !(len(got) == 2 && len(c.want) == 2 && got[0] == c.want[1] && got[1] == c.want[0]) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for name, body := range map[string][]byte{
		"no value": {ops.Drop}, "no local": {get, 9, ops.Drop}, "no label": {ops.Br, 9}, "no function": {ops.Call, 9}, "unknown": {0x06}, "open": {ops.Block, ops.BlockEmpty},
	} {
		if ways, err := function(body...).explore(1); err == nil {
			t.Errorf("%s: %v", name, ways)
		}
	}
	// As many ways as there are.
	var body []byte
	for range 40 {
		body = append(body, get, 0, ops.If, ops.BlockEmpty, ops.Nop, ops.End)
	}
	if _, err := function(body...).explore(1); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("forty conditions: %v", err)
	}
	if _, err := function().explore(0); err == nil {
		t.Error("an imported function was explored")
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte(ops.Header))
	f.Add(append([]byte(ops.Header), ops.SecType, 6, 1, ops.FuncType, 2, ops.I32, ops.I32, 0, ops.SecFunction, 2, 1, 0, ops.SecCode, 4, 1, 2, 0, ops.End))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if l, err := Find(wasm); (l == nil) == (err == nil) {
			t.Errorf("%v, %v", l, err)
		}
	})
}

// Any body ends, in ways or in an error.
func FuzzExplore(f *testing.F) {
	f.Add([]byte{ops.LocalGet, 1, ops.I32Const, 5, ops.I32Store, 2, 8})
	f.Add([]byte{ops.LocalGet, 0, ops.If, ops.BlockEmpty, ops.Else, ops.End})
	f.Fuzz(func(t *testing.T, body []byte) {
		if ways, err := function(body...).explore(1); len(ways) > maxPaths+1 {
			t.Errorf("%d ways, %v", len(ways), err)
		}
	})
}

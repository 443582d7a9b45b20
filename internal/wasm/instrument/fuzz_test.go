package instrument

import (
	"bytes"
	"errors"
	"math/rand"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/edgefvm/fvm/internal/wasm/ops"
	"github.com/edgefvm/fvm/lab/wasmgen"
)

// Any bytes are refused or give a module that an engine takes, the same each time.
func FuzzInstrument(f *testing.F) {
	for seed := int64(0); seed < 60; seed++ {
		f.Add(wasmgen.Module(seed, wasmgen.Options{Tame: seed%2 == 0}))
	}
	f.Add((&guest{
		hosts: []fn{{params: []byte{i32}}}, funcs: []fn{{name: "f"}, {code: []byte{ops.Call, 1}}}, start: 2,
		memory: []byte{1, 0, 1}, table: []byte{1, funcref, 0, 3}, globals: []byte{1, funcref, 1, ops.RefFunc, 0, ops.End},
		element: []byte{1, 0, ops.I32Const, 0, ops.End, 2, 0, 1}, dataCount: 1, data: []byte{1, 1, 2, 'a', 'b'},
	}).wasm())
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features))
	f.Cleanup(func() { rt.Close(ctx) })
	f.Fuzz(func(t *testing.T, wasm []byte) { checkAny(t, rt, wasm) })
}

// checkAny checks what holds for any bytes, and reports whether they were accepted.
func checkAny(t *testing.T, rt wazero.Runtime, wasm []byte) bool {
	t.Helper()
	given := bytes.Clone(wasm)
	r := RulesV040()
	out, err := Instrument(wasm, &r)
	if !bytes.Equal(given, wasm) {
		t.Fatal("the guest was changed")
	}
	if err != nil {
		if out != nil || !errors.Is(err, ErrRefused) {
			t.Fatalf("error %v, output %v", err, out)
		}
		return false
	}
	if again, err := Instrument(wasm, &r); err != nil || !bytes.Equal(again.Code, out.Code) {
		t.Fatalf("another output the second time: %v", err)
	}
	if out.Code == nil {
		return true
	}
	code, err := rt.CompileModule(ctx, out.Code)
	if err != nil {
		t.Fatalf("output not accepted: %v", err)
	}
	code.Close(ctx)
	return true
}

// Random modules, and those that differ from one in a few bytes, which fuzzing by bytes
// alone does not come to.
func TestMutatedModules(t *testing.T) {
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features))
	defer rt.Close(ctx)
	plain, mutated := 0, 0
	seed := int64(0)
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	for ; seed < 200; seed++ {
		wasm := wasmgen.Module(seed, wasmgen.Options{})
		if checkAny(t, rt, wasm) {
			plain++
		}
		rng := rand.New(rand.NewSource(seed))
		for range 20 {
			b := bytes.Clone(wasm)
			for range 1 + rng.Intn(3) {
				switch at := 8 + rng.Intn(len(b)-8); rng.Intn(3) {
				case 0:
					b[at] = byte(rng.Intn(256))
				case 1:
					b[at] ^= 1 << rng.Intn(8)
				case 2:
					copy(b[at:], wasm[8+rng.Intn(len(wasm)-8):][:1])
				}
			}
			if checkAny(t, rt, b) {
				mutated++
			}
		}
	}
	if plain < 120 || mutated < 400 {
		t.Errorf("only %d modules and %d mutated ones were accepted", plain, mutated)
	}
}

// BenchmarkInstrument is the pass over random modules of some kilobytes.
func BenchmarkInstrument(b *testing.B) {
	rules := RulesV040()
	var list [][]byte
	size := 0
	for seed := int64(0); len(list) < 20; seed++ {
		wasm := wasmgen.Module(seed, wasmgen.Options{Tame: true})
		if _, err := Instrument(wasm, &rules); err == nil {
			list = append(list, wasm)
			size += len(wasm)
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, wasm := range list {
			if _, err := Instrument(wasm, &rules); err != nil {
				b.Fatal(err)
			}
		}
	}
}

//go:build wasmedge && cgo && linux

package wasmedge

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/engine"
)

func TestSameVersion(t *testing.T) {
	for _, v := range [][2]int{{0, 13}, {0, 99}, {1, 14}} {
		if err := sameVersion(v[0], v[1]); err == nil || !strings.Contains(err.Error(), "built for") {
			t.Errorf("version %v: %v", v, err)
		}
	}
}

func TestOptions(t *testing.T) {
	if e, err := New(Options{}); err == nil {
		t.Errorf("an engine without machine code: %v", e)
	}
}

// What Native gives need not be machine code.
func TestBadMachineCode(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	good, err := compiler.native(ctx, []byte(probeModule))
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"empty": nil, "text": []byte("machine code"), "head": code[:100]} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	gone := errors.New("gone")
	for _, name := range []string{"empty", "text", "head", "absent", ""} {
		e, err := newEngine(Options{Native: func(context.Context, []byte) (string, error) {
			if name == "" {
				return "", gone
			}
			return filepath.Join(dir, name), nil
		}}, maxPages)
		if err != nil {
			t.Fatal(err)
		}
		v, err := e.Env(ctx, engine.EnvConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Compile(ctx, bare(1)); err == nil || name == "" && !errors.Is(err, gone) {
			t.Errorf("%q: %v", name, err)
		}
		if err := e.selfTest(); err != nil && name != "" {
			t.Errorf("the self-test is not done once: %v", err)
		}
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	}
}

// A function with more locals than fit: the limiter takes them for one.
func TestLargeFrame(t *testing.T) {
	ctx := context.Background()
	e := mustOpen(t, aot())
	defer e.Close(ctx)
	v, err := e.Env(ctx, engine.EnvConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for locals, large := range map[int]bool{1: false, 1000: false, 3000: true, 50000: true} {
		_, err := v.Compile(ctx, bare(locals))
		if errors.Is(err, ErrLargeFrame) != large || !large && err != nil {
			t.Errorf("%d locals: %v", locals, err)
		}
	}
}

// bare is a module with a recursive function r(i64) -> i64, without a memory.
func bare(locals int) []byte {
	last := uleb(locals)
	body := slices.Concat([]byte{1}, uleb(locals), []byte{
		0x7e,                                // locals of i64
		0x20, 0, 0x42, 1, 0x7c, 0x21}, last, // add one, and keep it in the last
		[]byte{0x20}, last, []byte{0x10, 0, // call itself with it
			0x20}, last, []byte{0x7c, 0x0b}) // add it to what comes back
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, 0x60, 1, 0x7e, 1, 0x7e), section(3, 0), section(7, 1, 'r', 0, 0),
		section(10, slices.Concat(uleb(len(body)), body)...))
}

// section is a section with one item.
func section(id byte, item ...byte) []byte {
	return slices.Concat([]byte{id}, uleb(len(item)+1), []byte{1}, item)
}

func uleb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// A memory without an export gets one, in all modules that a compiler may make.
func TestHiddenMemory(t *testing.T) {
	types, funcs, mem := section(1, 0x60, 1, 0x7f, 1, 0x7f), section(3, 0), section(5, 0, 2)
	code := section(10, 7, 0, 0x20, 0, 0x28, 2, 0, 0x0b) // a load
	custom := slices.Concat([]byte{0}, uleb(5), []byte{4}, []byte("name"))
	header := []byte("\x00asm\x01\x00\x00\x00")
	ctx := context.Background()
	e := mustOpen(t, aot())
	defer e.Close(ctx)
	v, err := e.Env(ctx, engine.EnvConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		wasm   []byte
		export string
		found  bool
	}{
		"no exports":       {slices.Concat(header, types, funcs, mem, custom, code), "edgefvm memory", false},
		"nothing at all":   {slices.Concat(header, mem, custom), "edgefvm memory", false},
		"a function":       {slices.Concat(header, custom, types, funcs, mem, section(7, 1, 'f', 0, 0), code), "edgefvm memory", true},
		"the name":         {slices.Concat(header, types, funcs, mem, section(7, slices.Concat(uleb(14), []byte("edgefvm memory"), []byte{0, 0})...), code), "edgefvm memory'", false},
		"another name":     {slices.Concat(header, types, funcs, mem, section(7, 1, 'm', 2, 0), code), "m", false},
		"padded":           {slices.Concat(header, types, funcs, mem, []byte{7, 0x89, 0x80, 0, 0x81, 0x80, 0x80, 0, 1, 'f', 0, 0x80, 0}, code, custom), "edgefvm memory", true},
		"padded elsewhere": {slices.Concat(header, []byte{0, 0x85, 0x80, 0, 4}, []byte("name"), types, funcs, mem, section(7, 1, 'f', 0, 0), code), "edgefvm memory", true},
	} {
		f, err := scan(tt.wasm, "", "")
		if err != nil || f.memoryName != tt.export || f.memoryShown || f.memoryPages != 2 {
			t.Errorf("%s: %+v, %v", name, f, err)
			continue
		}
		again, err := scan(f.wasm, "", "")
		if err != nil || again.memoryName != tt.export || len(again.exports) != len(f.exports) {
			t.Errorf("%s, read again: %+v, %v", name, again, err)
		}
		m, err := v.Compile(ctx, tt.wasm)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		in, err := m.Instantiate(ctx, nil)
		if err != nil || in.Memory() != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !tt.found {
			continue
		}
		if err := wantTrap(in, engine.TrapMemoryOutOfBounds, "f", 2*engine.PageSize); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := invoke(in, "f", 4); err != nil || got != 0 {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}

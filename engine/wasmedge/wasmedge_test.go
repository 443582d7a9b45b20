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

// Machine code with a frame above the bound is refused, by name. The bound is lowered
// for it to one that a harmless function reaches.
func TestLargeFrame(t *testing.T) {
	path, err := compiler.native(context.Background(), bare(1000)) // 8 kB
	if err != nil {
		t.Fatal(err)
	}
	for most, large := range map[uint32]bool{maxFrame: false, 10_000: false, 8192: false, 7000: true, 0: true} {
		if err := checkFrames(path, most); errors.Is(err, ErrLargeFrame) != large || !large && err != nil {
			t.Errorf("at most %d bytes: %v", most, err)
		}
	}
}

// A frame is read off the instruction that makes it.
func TestFrameSize(t *testing.T) {
	sub := []byte{0x48, 0x81, 0xec, 0x40, 0x1f, 0, 0} // sub rsp, 8000
	push := []byte{0x55, 0x41, 0x57, 0x41, 0x56, 0x53}
	for name, tt := range map[string]struct {
		code []byte
		want uint32
	}{
		"nothing":          {nil, 0},
		"at once":          {sub, 8000},
		"after registers":  {slices.Concat(push, sub), 8000},
		"a small frame":    {slices.Concat(push, []byte{0x48, 0x83, 0xec, 0x28}), 0},
		"cut":              {sub[:6], 0},
		"after the prolog": {slices.Concat(make([]byte, 48), sub), 0},
	} {
		if got := frameSize(tt.code); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

// bare is a module with a function r(i64) -> i64 that adds one, without a memory.
func bare(locals int) []byte {
	last := uleb(locals)
	body := slices.Concat([]byte{1}, uleb(locals), []byte{
		0x7e,                                // locals of i64
		0x20, 0, 0x42, 1, 0x7c, 0x21}, last, // keeps it in the last
		[]byte{0x20}, last, []byte{0x0b})
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

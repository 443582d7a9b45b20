//go:build cgo && wasmedge

package aot

import (
	"context"
	"debug/elf"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func realCache(t testing.TB, change ...func(*Options)) (*Cache, string) {
	t.Helper()
	opts := Options{Dir: t.TempDir(), Jobs: 2, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	for _, f := range change {
		f(&opts)
	}
	c, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, opts.Dir
}

func TestCompiles(t *testing.T) {
	for name, generic := range map[string]bool{"native": false, "generic": true} {
		t.Run(name, func(t *testing.T) {
			c, dir := realCache(t, func(o *Options) { o.Generic = generic })
			for _, wasm := range [][]byte{guest(1), guest(2), large(20)} {
				for _, level := range []Level{O0, O2} {
					path, err := c.Artefact(context.Background(), wasm, level)
					if err != nil {
						t.Fatalf("%d bytes at %v: %v", len(wasm), level, err)
					}
					wantLibrary(t, path)
				}
			}
			wantStats(t, dir, 6, 0)
		})
	}
}

func wantLibrary(t *testing.T, path string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, err := f.DynamicSymbols()
	if err != nil || len(syms) == 0 || f.Type != elf.ET_DYN {
		t.Errorf("artefact of type %v with %d symbols, %v", f.Type, len(syms), err)
	}
}

// Bad code is an error of its module with the compiler's reason. Proposals that
// the network does not have are off here too, as a second check after the
// instrumentation pass (0.14.1 takes shared memories all the same).
func TestBadCode(t *testing.T) {
	c, dir := realCache(t)
	header := "\x00asm\x01\x00\x00\x00"
	body := func(code string) string { // (func (export "f") code)
		return header + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a" +
			string([]byte{byte(len(code) + 4), 1, byte(len(code) + 2), 0}) + code + "\x0b"
	}
	for name, wasm := range map[string]string{
		"nothing":      "",
		"text":         "(module)",
		"cut":          string(guest(1)[:20]),
		"underflow":    body("\x1a"),
		"SIMD":         body("\xfd\x0c0123456789abcdef\x1a"),
		"tail call":    body("\x12\x00"),
		"two results":  header + "\x01\x06\x01\x60\x00\x02\x7f\x7f",
		"memory64":     header + "\x05\x03\x01\x04\x01",
		"two memories": header + "\x05\x05\x02\x00\x01\x00\x01",
	} {
		_, err := c.Artefact(context.Background(), []byte(wasm), O0)
		var failed *CompileError
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), "WasmEdge") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, wasm := range map[string]string{
		"nothing inside": header, "a function": body(""),
		"sign extension":  body("\x41\x01\xc0\x1a"),
		"saturation":      body("\x43\x00\x00\x00\x00\xfc\x00\x1a"),
		"reference types": body("\xd0\x70\x1a"),
	} {
		if _, err := c.Artefact(context.Background(), []byte(wasm), O0); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantStats(t, dir, 5, 0)
}

func TestCompilerIsKilled(t *testing.T) {
	c, dir := realCache(t)
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := c.Artefact(ctx, large(3000), O2); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v to stop", d)
	}
	if items, err := os.ReadDir(filepath.Join(dir, subfolder)); err != nil || len(items) != 0 {
		t.Errorf("left: %v, %v", items, err)
	}
}

// The child must be of the library that the artefact's key names.
func TestOtherLibrary(t *testing.T) {
	c, _ := realCache(t)
	c.target.library = "0.0.1"
	if _, err := c.Artefact(context.Background(), guest(1), O0); err == nil || !strings.Contains(err.Error(), "0.0.1") {
		t.Errorf("error %v", err)
	}
}

// large is a module of n functions, each a loop of arithmetic and loads.
func large(n int) []byte {
	section := func(b []byte, id byte, content []byte) []byte {
		return append(uleb(append(b, id), len(content)), content...)
	}
	funcs, codes := uleb(nil, n), uleb(nil, n)
	for i := range n {
		body := []byte("\x01\x01\x7e\x03\x40") // an i64 local; loop
		for k := range 20 {
			body = append(body, 0x20, 0x00, 0x42, byte(i+k)&0x3f, 0x7e, 0x20, 0x00, 0xa7, 0x41, 0x3f, 0x71, 0x29, 0x03, 0x08, 0x7c, 0x42, 0x05, 0x89, 0x21, 0x00)
		}
		body = append(body, "\x20\x01\x42\x01\x7c\x22\x01\x42\x20\x51\x45\x0d\x00\x0b\x20\x00"...)
		if i > 0 {
			body = uleb(append(body, 0x10), i-1)
		}
		body = append(body, 0x0b)
		codes = append(uleb(codes, len(body)), body...)
		funcs = append(funcs, 0)
	}
	b := section([]byte("\x00asm\x01\x00\x00\x00"), 1, []byte("\x01\x60\x01\x7e\x01\x7e"))
	b = section(b, 3, funcs)
	b = section(b, 5, []byte("\x01\x00\x01"))
	return section(b, 10, codes)
}

func uleb(b []byte, v int) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

func BenchmarkCompile(b *testing.B) {
	for _, level := range []Level{O0, O2} {
		b.Run(level.String(), func(b *testing.B) {
			for b.Loop() {
				c, _ := realCache(b)
				if _, err := c.Artefact(context.Background(), large(100), level); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Package clitest runs command lines in tests and looks at what a person sees: output,
// error, exit code. It knows no command; a test gives it the program, which is
// cli.Run.
package clitest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// Goldens is the folder of vectors, from the folder of a group's tests.
const Goldens = "../../../../lab/conformance/testdata"

// Golden is the file of a vector.
func Golden(name string) string { return filepath.Join(Goldens, name+".json") }

// NeedBundles skips a test that needs the actors' code where there is none.
func NeedBundles(t testing.TB) {
	t.Helper()
	if _, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr}); err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
}

// Program is a command line that can be run.
type Program func(ctx context.Context, args []string, stdout, stderr io.Writer) int

// Result is what a run left.
type Result struct {
	Code     int
	Out, Err string
}

// RunWith runs it in a context.
func (p Program) RunWith(ctx context.Context, args ...string) Result {
	var out, stderr bytes.Buffer
	code := p(ctx, args, &out, &stderr)
	return Result{code, out.String(), stderr.String()}
}

// Run runs it in the test's context.
func (p Program) Run(t testing.TB, args ...string) Result {
	t.Helper()
	return p.RunWith(t.Context(), args...)
}

// OK runs a command that must succeed and returns what it printed.
func (p Program) OK(t testing.TB, args ...string) string {
	t.Helper()
	r := p.Run(t, args...)
	if r.Code != kit.ExitOK {
		t.Fatalf("%v: exit code %d\n%s%s", args, r.Code, r.Out, r.Err)
	}
	return r.Out
}

// Fails runs a command that must end with code and one line of error that says each of want.
func (p Program) Fails(t testing.TB, code int, args []string, want ...string) {
	t.Helper()
	r := p.Run(t, args...)
	if r.Code != code {
		t.Errorf("%v: exit code %d, want %d\n%s%s", args, r.Code, code, r.Out, r.Err)
	}
	lines := strings.Split(strings.TrimSuffix(r.Err, "\n"), "\n")
	n := 1
	if code == kit.ExitUsage {
		n = 2 // wrong usage names the help
	}
	if len(lines) != n {
		t.Errorf("%v: %d lines of error, want %d:\n%s", args, len(lines), n, r.Err)
	}
	if !strings.HasPrefix(lines[0], "edgefvm: ") {
		t.Errorf("%v: the error starts with %.20q", args, lines[0])
	}
	for _, w := range want {
		if !strings.Contains(lines[0], w) {
			t.Errorf("%v: the error lacks %q:\n%s", args, w, r.Err)
		}
	}
	if r.Out != "" {
		t.Errorf("%v: printed besides the error:\n%s", args, r.Out)
	}
}

// FromJSON reads a single JSON value.
func FromJSON[T any](t testing.TB, text string) (v T) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("not JSON: %v\n%.300s", err, text)
	}
	if d.More() {
		t.Fatalf("more than one JSON value:\n%.300s", text)
	}
	return v
}

// LastLine is the line that scripts read.
func LastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// WriteTo writes a file and returns its path.
func WriteTo(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ReadFrom reads one.
func ReadFrom(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Plain fails if text holds what only a terminal understands.
func Plain(t testing.TB, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("the output has the character %U", r)
		}
	}
}

//go:build wasmedge && cgo && linux

package fvm_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
)

// A program that does not call RunIfChild is no compiler. It is told so, and nothing else is looked for.
func TestNoCompiler(t *testing.T) {
	if os.Getenv(envNoCompiler) == "" { // what is found out about the library is kept by the process, so another one asks
		cmd := exec.Command(os.Args[0], "-test.run", "^TestNoCompiler$", "-test.v")
		cmd.Env = append(os.Environ(), envNoCompiler+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestNoCompiler") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	for name, tt := range map[string]struct {
		compiler, want string
	}{
		"none":   {"", "call fvm.RunIfChild()"},
		"absent": {"/nonexistent/edgefvm", "/nonexistent/edgefvm"},
	} {
		e, err := fvm.NewEngine(fvm.EngineConfig{Name: "wasmedge-o0", NoCache: true, Compiler: tt.compiler})
		if e != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
}

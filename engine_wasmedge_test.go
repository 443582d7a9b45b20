//go:build wasmedge && cgo && linux

package fvm_test

import (
	"strings"
	"testing"

	"github.com/edgefvm/fvm"
)

// This test program is no compiler: it does not call RunIfChild. It is told so, and nothing else is looked for.
func TestNoCompiler(t *testing.T) {
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

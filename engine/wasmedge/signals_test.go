//go:build wasmedge && cgo && linux

package wasmedge

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Handlers are set and called on many threads at once, under ThreadSanitizer. Go's own
// race detector does not see C.
func TestHandlersUnderThreadSanitizer(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("NOT RUN: no cc")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	dir := t.TempDir()
	program := filepath.Join(dir, "sigrace")
	build := func(out string, files ...string) ([]byte, error) {
		args := append([]string{"-O1", "-g", "-Wall", "-Werror", "-fsanitize=thread", "-rdynamic", "-I", ".", "-o", out}, files...)
		return exec.CommandContext(ctx, cc, append(args, "-ldl", "-pthread")...).CombinedOutput()
	}
	empty := filepath.Join(dir, "empty.c")
	if err := os.WriteFile(empty, []byte("int main(void) { return 0; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := build(program, empty); err != nil {
		t.Skipf("NOT RUN: cc has no ThreadSanitizer: %s", out)
	}
	if out, err := exec.CommandContext(ctx, program).CombinedOutput(); err != nil {
		t.Skipf("NOT RUN: ThreadSanitizer does not work here: %s", out)
	}
	if out, err := build(program, "signals.c", "testdata/sigrace.c"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), "TSAN_OPTIONS=exitcode=66")
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.HasSuffix(out, []byte("done\n")) {
		t.Errorf("%v\n%s", err, out)
	}
}

package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/lab/duel/dueltest"
)

// Whatever is interrupted, before it begins or at its work, ends with the code for that, and leaves nothing behind:
// no temporary files, and no part of a file that it was to write.
func TestInterruptLeavesNothing(t *testing.T) {
	needBundles(t)
	program := dueltest.Program(t, dueltest.Sound)
	car := smallBundle(t, "account", "multisig")
	temp, out, cache := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	v := golden("nv28-onboard-035")
	file := filepath.Join(out, "file")
	for _, args := range [][]string{
		{"exec", "--car", stateCAR, "--nv", "28", "--epoch", "5800470", "--message", messageFile, "--out", file},
		{"exec", "--car", stateCAR, "--nv", "28", "--epoch", "5800470", "--message", messageFile, "--out", file + ".car", "--explain", "--trace", file + ".jsonl", "--save", file + ".json"},
		{"vectors", "run", goldens},
		{"bench", "--rounds", "100000", v},
		{"bench", "--against", program, "--svg", file, "--rounds", "100000", v},
		{"bench", "--cold", "--rounds", "100000", v},
		{"soak", "--minutes", "10", v},
		{"fuzz", "--oracle", program, "--for", "0", "--layers", "envelopes", "--nv", "28"},
		{"sweep", "--oracle", program, goldens},
		{"sweep", "--faults", goldens},
		{"oracle", "apply", "--oracle", program, v},
		{"cache", "build", "--bundle", car, "--nv", "28", "--cache", cache},
		{"bundle", "export", "v18/mainnet", "--out", file},
		{"explain", v},
	} {
		for _, after := range []time.Duration{0, 50 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			r := runWith(ctx, args...)
			cancel()
			quick := after > 0 && r.Code == exitOK // it was done before
			if r.Code != exitInterrupted && !quick {
				t.Errorf("%v after %s: exit code %d\n%.500s%s", args, after, r.Code, r.Out, r.Err)
			}
			if quick { // what it was to write
				for _, ending := range []string{"", ".car", ".jsonl", ".json", ".trace.gz"} {
					_ = os.Remove(file + ending)
				}
			}
			for _, dir := range []string{temp, out} {
				left, err := filepath.Glob(filepath.Join(dir, "*"))
				if err != nil || len(left) > 0 {
					t.Errorf("%v after %s: %v is left, %v", args, after, left, err)
				}
			}
			if strings.Count(r.Err, "\n") > 2 {
				t.Errorf("%v after %s says more than that it was interrupted:\n%s", args, after, r.Err)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "*", "*.part*")); len(left) > 0 {
		t.Errorf("parts are left in the cache: %v", left)
	}
}

// A contract that never ends is interrupted too, on each engine of the build: its gas would last for hours. What is sent is the code
// of a contract whose constructor asks for its gas again and again.
func TestDeadlineOfExec(t *testing.T) {
	needBundles(t)
	const after = 300 * time.Millisecond
	for _, engine := range kit.EngineNames() {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), after)
		r := runWith(ctx, "exec", "--engine", engine, "--car", "../../../../testdata/accounts.car", "--nv", "28", "--epoch", "5800000",
			"--from", "f0114", "--to", "f010", "--method", "4", "--params", "455b5a505f56", "--implicit", "--gas-limit", "10000000000000")
		cancel()
		// An engine that has no code on the disk compiles it to the end.
		if took := time.Since(start); r.Code != exitInterrupted || took < after || took > 30*time.Second {
			t.Errorf("%s: exit code %d after %s\n%s%s", engine, r.Code, took, r.Out, r.Err)
		} else {
			t.Logf("%-20s %d ms", engine, took.Milliseconds())
		}
	}
}

package upkeep_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/upkeep"
)

func TestCacheBuild(t *testing.T) {
	clitest.NeedBundles(t)
	car, dir := clitest.SmallBundle(t, "system", "account"), filepath.Join(t.TempDir(), "cache")
	args := []string{"cache", "build", "--bundle", car, "--nv", "28", "--cache", dir}
	out := edgefvm.OK(t, args...)
	clitest.Plain(t, out)
	for _, want := range []string{car + " system nv28 ", car + " account nv28 ", "2 actors in ", "for wazero: "} {
		if !strings.Contains(strings.Join(strings.Fields(out), " ")+" ", want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	made := clitest.FromJSON[upkeep.CacheView](t, edgefvm.OK(t, "cache", "info", "--cache", dir, "--json"))
	if made.Wazero.Entries < 2 || made.Entries != made.Wazero.Entries {
		t.Errorf("the cache: %+v", made)
	}
	// What is there is left as it is, and serves a run.
	again := clitest.FromJSON[upkeep.BuildView](t, edgefvm.OK(t, append(args, "--json")...))
	if again.Bytes != 0 || again.Slower != 0 || len(again.Actors) != 2 || again.Dir != dir {
		t.Errorf("the second time: %+v", again)
	}
	edgefvm.OK(t, "vectors", "run", "--cache", dir, clitest.Golden("nv28-send-001"))
	if after := clitest.FromJSON[upkeep.CacheView](t, edgefvm.OK(t, "cache", "info", "--cache", dir, "--json")); after.Entries != made.Entries {
		t.Errorf("a run compiled again: %d entries, %d before", after.Entries, made.Entries)
	}
}

func TestCacheBuildTrouble(t *testing.T) {
	clitest.NeedBundles(t)
	car := clitest.SmallBundle(t, "account")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, kit.ExitUsage, "--bundle is missing"},
		{[]string{"--bundle", car}, kit.ExitUsage, "say so with --nv"},
		{[]string{"--bundle", car, "--nv", "-1"}, kit.ExitUsage, "no such network version"},
		{[]string{"--bundle", car, "--nv", "28", "--jobs", "0"}, kit.ExitUsage, "--jobs must be at least 1"},
		{[]string{"--bundle", "frob"}, kit.ExitUsage, "want VERSION/NETWORK"},
		{[]string{"--bundle", "v1/mainnet"}, kit.ExitFailed, "'edgefvm bundle list' names them"},
		{[]string{"--bundle", "missing.car"}, kit.ExitFailed, "missing.car"},
		{[]string{"--bundle", car, "--nv", "28", "--engine", "wazero-interpreter"}, kit.ExitUsage, "keeps no compiled code"},
		{[]string{"--bundle", car, "--nv", "28", "--engine", "v8"}, kit.ExitUsage, `no engine "v8"`},
	} {
		edgefvm.Fails(t, c.code, append([]string{"cache", "build", "--cache", t.TempDir()}, c.args...), c.want)
	}

	// What fails does not keep the rest from being compiled.
	r := edgefvm.Run(t, "cache", "build", "--cache", t.TempDir(), "--bundle", car, "--nv", "28", "--nv", "99")
	if r.Code != kit.ExitFailed || !strings.Contains(r.Out, "failed") || !strings.Contains(r.Out, "network version 99") || !strings.Contains(r.Out, "2 actors in ") {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := edgefvm.RunWith(ctx, "cache", "build", "--cache", t.TempDir(), "--bundle", car, "--nv", "28"); r.Code != kit.ExitInterrupted {
		t.Errorf("interrupted: exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

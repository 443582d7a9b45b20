package messages_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/explain"
)

func TestExplain(t *testing.T) {
	clitest.NeedBundles(t)
	svg, profile := filepath.Join(t.TempDir(), "gas.svg"), filepath.Join(t.TempDir(), "gas.pb.gz")
	out := edgefvm.OK(t, "explain", "--flamegraph", svg, "--pprof", profile, clitest.Golden("nv28-onboard-035"))
	for _, want := range []string{
		"TerminateSectors (method 9), value 0 FIL", "✓ exit code 0, ok · 57,960,614 gas of 57,965,814 (100.0%)", "├─ reward f02 · ThisEpochReward",
		"block writes ", "storagemarket f05 · deal-terminated id=0 client=104 provider=119", "account f0108 ", "nonce 21 → 22",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	if !bytes.HasPrefix(clitest.ReadFrom(t, svg), []byte("<svg ")) {
		t.Error("the flame graph is no SVG")
	}
	if !bytes.HasPrefix(clitest.ReadFrom(t, profile), []byte("\x1f\x8b")) {
		t.Error("the profile is not packed by gzip")
	}

	type call struct {
		Actor, Name string
		Total       int64  `json:"gas_total_milli"`
		Self        uint64 `json:"gas_self_milli"`
		Calls       []call
	}
	type explained struct {
		Vector   string
		NV       int
		Matches  bool
		Root     string
		Messages []struct {
			Name     string
			Exit     *int  `json:"exit_code"`
			GasUsed  int64 `json:"gas_used"`
			Calls    call
			ByKind   []explain.Share `json:"gas_by_kind"`
			ByCharge []explain.Share `json:"gas_by_charge"`
			Events   []explain.Event
			Changes  []map[string]any
		}
	}
	x := clitest.FromJSON[explained](t, edgefvm.OK(t, "explain", "--json", clitest.Golden("nv28-onboard-035")))
	m := x.Messages[0]
	if !x.Matches || x.NV != 28 || len(x.Messages) != 1 || m.Name != "TerminateSectors" || m.Exit == nil || *m.Exit != 0 || len(m.Events) != 2 || len(m.Changes) != 5 {
		t.Errorf("%+v", x)
	}
	sum := func(list []explain.Share) (n int64) {
		for _, s := range list {
			n += s.Milli
		}
		return n
	}
	if total := m.Calls.Total; (total+999)/1000 != int64(m.GasUsed) || sum(m.ByKind) != total || sum(m.ByCharge) != total {
		t.Errorf("the gas is %d, the calls' %d, by kind %d, by charge %d", m.GasUsed, total, sum(m.ByKind), sum(m.ByCharge))
	}

	many := clitest.Golden("nv28-script-exit-003")
	one := edgefvm.OK(t, "explain", "--message", "2", many)
	if !strings.Contains(one, "Message 2 of 14") || strings.Contains(one, "Message 1 of 14") {
		t.Errorf("--message 2:\n%.300s", one)
	}
	if text := edgefvm.OK(t, "explain", "--json", many); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' }) {
		t.Error("the JSON has control characters")
	}
	edgefvm.Fails(t, kit.ExitUsage, []string{"explain", "--flamegraph", "x", "--pprof", "x", clitest.Golden("nv28-send-001")}, "--pprof and --flamegraph name one file: x")
	edgefvm.Fails(t, kit.ExitFailed, []string{"explain", "--flamegraph", filepath.Join(t.TempDir(), "no", "gas.svg"), clitest.Golden("nv28-send-001")}, "--flamegraph", "gas.svg: no such file or directory")
	edgefvm.Fails(t, kit.ExitFailed, []string{"explain", "--pprof", filepath.Join(t.TempDir(), "no", "gas.pb.gz"), clitest.Golden("nv28-send-001")}, "--pprof", "gas.pb.gz: no such file or directory")
}

package ffi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/filecoin-project/go-state-types/proof"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/edgefvm/fvm/shadow"
)

// counting is a verdict that knows how often it was asked for.
type counting struct {
	verdict
	asked atomic.Int64
}

func (c *counting) VerifyAggregateSeals(ctx context.Context, a proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	c.asked.Add(1)
	return c.verdict.VerifyAggregateSeals(ctx, a)
}

// Two nodes of one process at once, each with its own engines, verifier and metrics: the same message on the same state has
// another end on each. What is registered for the process plays no part.
func TestTwoNodes(t *testing.T) {
	t.Cleanup(func() { RegisterProofVerifier(nil) })
	RegisterProofVerifier(verdict{false, errors.New("asked the wrong one")})
	s := sceneOf(t, "nv28-onboard-007") // ProveCommitSectors3: an aggregate of four
	const machines = 2                  // of each: the interpreter is slow under the race detector
	sides := []*struct {
		settings Settings
		verifier counting
		exit     uint64
		node     *Node
		rets     [machines]*ApplyRet
	}{
		{verifier: counting{verdict: verdict{true, nil}}, exit: 0},
		{settings: Settings{Engine: "wazero-interpreter"}, exit: 16},
	}
	var wg sync.WaitGroup
	for _, side := range sides {
		side.node = nodeOf(t, NodeConfig{Settings: side.settings, Verifier: &side.verifier})
		for i := range machines {
			wg.Go(func() {
				f, err := side.node.CreateFVM(s.opts(s.node()))
				if err == nil {
					side.rets[i], err = s.apply(f)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	for i, side := range sides {
		for _, ret := range side.rets {
			if ret.ExitCode != side.exit || ret.GasUsed != side.rets[0].GasUsed {
				t.Errorf("node %d: exit code %d with %d gas, want %d with %d", i, ret.ExitCode, ret.GasUsed, side.exit, side.rets[0].GasUsed)
			}
		}
		if n := side.verifier.asked.Load(); n != machines {
			t.Errorf("node %d: its verifier was asked %d times, want %d", i, n, machines)
		}
	}

	// One registry shows both, apart.
	all := prometheus.NewPedanticRegistry()
	for i, side := range sides {
		prometheus.WrapRegistererWith(prometheus.Labels{"node": fmt.Sprint(i)}, all).MustRegister(side.node.Metrics())
	}
	const want = `
# HELP edgefvm_machines_total Machines made.
# TYPE edgefvm_machines_total counter
edgefvm_machines_total{node="0"} 2
edgefvm_machines_total{node="1"} 2
# HELP edgefvm_messages_total Messages by kind (explicit, implicit) and outcome: ok, failed (an exit code other than 0), error (no receipt).
# TYPE edgefvm_messages_total counter
edgefvm_messages_total{kind="explicit",node="0",outcome="ok"} 2
edgefvm_messages_total{kind="explicit",node="1",outcome="failed"} 2
`
	if err := testutil.GatherAndCompare(all, strings.NewReader(want), "edgefvm_machines_total", "edgefvm_messages_total"); err != nil {
		t.Error(err)
	}
	if a, b := sides[0].node.engines[0].Name(), sides[1].node.engines[0].Name(); a != "wazero" || b != "wazero-interpreter" {
		t.Errorf("they run on %s and %s", a, b)
	}
}

// Settings with a shadow are a node's own too.
func TestNodeInShadow(t *testing.T) {
	s := sceneOf(t, sceneName)
	n := nodeOf(t, NodeConfig{Settings: Settings{Shadow: []string{"wazero", "wazero-interpreter"}, ShadowDir: t.TempDir(), ShadowHalt: true}})
	f, err := n.CreateFVM(s.opts(s.node()))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := f.machine.(*shadow.Machine); !ok || n.shadow.OnDifference != shadow.Halt {
		t.Errorf("it runs on %T, %+v", f.machine, n.shadow)
	}
}

// A node that is given no verifier has this module's, whatever is registered for the process: without keys, here.
func TestNodeOfItsOwnVerifier(t *testing.T) {
	t.Cleanup(func() { RegisterProofVerifier(nil) })
	RegisterProofVerifier(verdict{true, nil})
	s := sceneOf(t, "nv28-onboard-007")
	f, err := nodeOf(t, NodeConfig{}).CreateFVM(s.opts(s.node()))
	if err != nil {
		t.Fatal(err)
	}
	if ret, err := s.apply(f); err == nil || !strings.Contains(err.Error(), "the verifying key is missing") {
		t.Errorf("a receipt: %v, %v", ret != nil, err)
	}
}

func TestBadNodes(t *testing.T) {
	for _, c := range []struct {
		settings Settings
		want     string
	}{
		{Settings{Engine: "v8"}, `ffi.NewNode: Settings.Engine: there is no engine "v8" in this program; known: wazero`},
		{Settings{Shadow: []string{"wazero", "v8"}}, `ffi.NewNode: Settings.Shadow: there is no engine "v8"`},
		{Settings{Shadow: []string{"wazero", "wazero"}}, `Settings.Shadow: "wazero" is named twice`},
		{Settings{Shadow: []string{"wazero"}}, "Settings.Shadow and Settings.Engine name 1 engines together"},
	} {
		if n, err := NewNode(NodeConfig{Settings: c.settings}); n != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.settings, err, c.want)
		}
	}
	for name, n := range map[string]*Node{"nil": nil, "not made": {}} {
		_, create := n.CreateFVM(nil)
		if close := n.Close(); !errors.Is(create, errNoNode) || !errors.Is(close, errNoNode) || n.Metrics() != nil {
			t.Errorf("%s: %v, %v", name, create, close)
		}
	}
}

package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/filecoin-project/filecoin-ffi/metrics"
)

// What a program that registers the metrics shows, in Prometheus's form.
func TestExposition(t *testing.T) {
	m := metrics.New()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(m)
	m.SetCode(func() metrics.Code { return metrics.Code{Memory: 3, Disk: 2, Compiled: 1} })
	m.Created(time.Second)
	m.Applied("explicit", "ok", 1000, 2*time.Second)
	m.Applied("explicit", "failed", 500, time.Second)
	m.Applied("implicit", "error", 0, time.Second)
	m.Spent(metrics.Flush, 500*time.Millisecond)
	m.Watch("wazero")
	m.Differed("wasmedge")
	want := `
# HELP edgefvm_code_lookups_total Lookups of compiled actors by where they were found: memory, disk, or nowhere, so compiled.
# TYPE edgefvm_code_lookups_total counter
edgefvm_code_lookups_total{found="compiled"} 1
edgefvm_code_lookups_total{found="disk"} 2
edgefvm_code_lookups_total{found="memory"} 3
# HELP edgefvm_differences_total Messages or flushes in which an engine differed from the first one, by engine. Anything but 0 needs a person.
# TYPE edgefvm_differences_total counter
edgefvm_differences_total{engine="wasmedge"} 1
edgefvm_differences_total{engine="wazero"} 0
# HELP edgefvm_gas_used_total Gas that messages used, by kind.
# TYPE edgefvm_gas_used_total counter
edgefvm_gas_used_total{kind="explicit"} 1500
# HELP edgefvm_machines_total Machines made.
# TYPE edgefvm_machines_total counter
edgefvm_machines_total 1
# HELP edgefvm_messages_total Messages by kind (explicit, implicit) and outcome: ok, failed (an exit code other than 0), error (no receipt).
# TYPE edgefvm_messages_total counter
edgefvm_messages_total{kind="explicit",outcome="failed"} 1
edgefvm_messages_total{kind="explicit",outcome="ok"} 1
edgefvm_messages_total{kind="implicit",outcome="error"} 1
# HELP edgefvm_seconds_total Time by phase: create, apply, encode, flush.
# TYPE edgefvm_seconds_total counter
edgefvm_seconds_total{phase="apply"} 4
edgefvm_seconds_total{phase="create"} 1
edgefvm_seconds_total{phase="flush"} 0.5
`
	names := []string{"edgefvm_code_lookups_total", "edgefvm_differences_total", "edgefvm_gas_used_total", "edgefvm_machines_total", "edgefvm_messages_total", "edgefvm_seconds_total"}
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(r, "edgefvm_message_seconds"); err != nil || n != 2 {
		t.Errorf("%d histograms, %v", n, err)
	}
	if problems, err := testutil.GatherAndLint(r); err != nil || len(problems) != 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

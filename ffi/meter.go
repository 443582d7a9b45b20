package ffi

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/shadow"
	"github.com/filecoin-project/filecoin-ffi/metrics"
)

// meter counts for the node of the package's functions.
var meter = counter{metrics.New()}

type counter struct{ *metrics.Meter }

// Metrics is the collector of what the machines do that [CreateFVM] makes. It is registered with Prometheus's default
// registry when the first one is made. A [Node] has its own.
func Metrics() prometheus.Collector { return meter.Meter }

// watch has the engines' own counts appear among the metrics.
func (c counter) watch(engines []*fvm.Engine) {
	c.SetCode(func() (sum metrics.Code) {
		for _, e := range engines {
			s := e.Stats()
			sum.Memory, sum.Disk, sum.Compiled = sum.Memory+s.Memory, sum.Disk+s.Disk, sum.Compiled+s.Compiled
		}
		return sum
	})
	for _, e := range engines[1:] {
		c.Watch(e.Name())
	}
}

// register makes the metrics visible, unless a program has done so.
func (c counter) register() {
	if err := prometheus.Register(c.Meter); err != nil {
		slog.Debug("the metrics of EdgeFVM were not registered", "err", err)
	}
}

func (c counter) created(took time.Duration) { c.Created(took) }
func (c counter) encoded(took time.Duration) { c.Spent(metrics.Encode, took) }
func (c counter) flushed(took time.Duration) { c.Spent(metrics.Flush, took) }

func (c counter) applied(kind fvm.Kind, res *fvm.Result, err error, took time.Duration) {
	name := "explicit"
	if kind == fvm.Implicit {
		name = "implicit"
	}
	switch {
	case err != nil:
		c.Applied(name, "error", 0, took)
	case res.ExitCode.IsSuccess():
		c.Applied(name, "ok", res.GasUsed, took)
	default:
		c.Applied(name, "failed", res.GasUsed, took)
	}
}

func (c counter) differed(d shadow.Difference) { c.Differed(d.Engine) }

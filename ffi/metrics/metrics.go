// Package metrics counts what the machines of a process do, for Prometheus. Package ffi counts into it and registers
// it with Prometheus's default registry, which Lotus exports; another program registers [Collector] where it likes.
package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Meter holds the metrics. Its methods are safe for concurrent use.
type Meter struct {
	machines    prometheus.Counter
	messages    *prometheus.CounterVec
	gas         *prometheus.CounterVec
	seconds     *prometheus.CounterVec
	latency     *prometheus.HistogramVec
	differences *prometheus.CounterVec
	code        atomic.Pointer[func() Code]
	codeDesc    *prometheus.Desc
}

// Code counts how engines came by compiled code.
type Code struct {
	Memory   uint64 // it was there
	Disk     uint64 // it was in the cache folder
	Compiled uint64 // it was made
}

// Phase is what a machine spends time on.
type Phase string

// The phases.
const (
	Create Phase = "create" // making a machine
	Apply  Phase = "apply"  // executing messages
	Encode Phase = "encode" // writing traces and events for the node
	Flush  Phase = "flush"  // writing the state to the blockstore
)

// New makes metrics that nobody sees until they are registered.
func New() *Meter {
	m := &Meter{
		machines: prometheus.NewCounter(prometheus.CounterOpts{Name: "edgefvm_machines_total", Help: "Machines made."}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "edgefvm_messages_total",
			Help: "Messages by kind (explicit, implicit) and outcome: ok, failed (an exit code other than 0), error (no receipt)."}, []string{"kind", "outcome"}),
		gas:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "edgefvm_gas_used_total", Help: "Gas that messages used, by kind."}, []string{"kind"}),
		seconds: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "edgefvm_seconds_total", Help: "Time by phase: create, apply, encode, flush."}, []string{"phase"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "edgefvm_message_seconds", Help: "Time to execute a message, by kind.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9)}, []string{"kind"}),
		differences: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "edgefvm_differences_total",
			Help: "Messages or flushes in which an engine differed from the first one, by engine. Anything but 0 needs a person."}, []string{"engine"}),
		codeDesc: prometheus.NewDesc("edgefvm_code_lookups_total", "Lookups of compiled actors by where they were found: memory, disk, or nowhere, so compiled.", []string{"found"}, nil),
	}
	return m
}

// SetCode says where to read how engines came by compiled code. Default: that is not told.
func (m *Meter) SetCode(read func() Code) { m.code.Store(&read) }

// Created counts a machine.
func (m *Meter) Created(took time.Duration) { m.machines.Inc(); m.Spent(Create, took) }

// Spent counts time.
func (m *Meter) Spent(p Phase, took time.Duration) {
	m.seconds.WithLabelValues(string(p)).Add(took.Seconds())
}

// Applied counts a message.
func (m *Meter) Applied(kind, outcome string, gas int64, took time.Duration) {
	m.messages.WithLabelValues(kind, outcome).Inc()
	if gas > 0 {
		m.gas.WithLabelValues(kind).Add(float64(gas))
	}
	m.latency.WithLabelValues(kind).Observe(took.Seconds())
	m.Spent(Apply, took)
}

// Watch makes the count of an engine's differences appear, as 0.
func (m *Meter) Watch(engine string) { m.differences.WithLabelValues(engine) }

// DifferencesOf is the count of an engine's differences.
func (m *Meter) DifferencesOf(engine string) prometheus.Counter {
	return m.differences.WithLabelValues(engine)
}

// Differed counts a difference of engines.
func (m *Meter) Differed(engine string) { m.differences.WithLabelValues(engine).Inc() }

func (m *Meter) parts() []prometheus.Collector {
	return []prometheus.Collector{m.machines, m.messages, m.gas, m.seconds, m.latency, m.differences}
}

// Describe implements prometheus.Collector.
func (m *Meter) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.parts() {
		c.Describe(to)
	}
	to <- m.codeDesc
}

// Collect implements prometheus.Collector.
func (m *Meter) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.parts() {
		c.Collect(to)
	}
	read := m.code.Load()
	if read == nil {
		return
	}
	c := (*read)()
	for _, v := range []struct {
		found string
		n     uint64
	}{{"memory", c.Memory}, {"disk", c.Disk}, {"compiled", c.Compiled}} {
		to <- prometheus.MustNewConstMetric(m.codeDesc, prometheus.CounterValue, float64(v.n), v.found)
	}
}

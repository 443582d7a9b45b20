package chains

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/upkeep"
	"github.com/edgefvm/fvm/node/follow"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/replay"
)

// followMeters are the metrics of follow, edgefvm_follow_…; docs/operators.md has them in a table.
type followMeters struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	took      *prometheus.HistogramVec
	tipsets   *prometheus.CounterVec
	gas       prometheus.Histogram
	messages  prometheus.Histogram
	nullRound prometheus.Counter
}

const meterPrefix = "edgefvm_follow_"

func newFollowMeters(engines []string) *followMeters {
	m := &followMeters{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: meterPrefix + "requests_total", Help: "Requests to the node, by method and by what came of them."}, []string{"method", "outcome"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: meterPrefix + "request_seconds", Help: "How long requests took.",
			Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10, 30}}, []string{"method"}),
		tipsets:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: meterPrefix + "tipsets_total", Help: "Tipsets judged, by result: passed, differs, undecided, skipped."}, []string{"result"}),
		gas:       prometheus.NewHistogram(prometheus.HistogramOpts{Name: meterPrefix + "tipset_gas", Help: "Gas of a tipset, the system's included.", Buckets: prometheus.ExponentialBuckets(1e8, 3, 8)}),
		messages:  prometheus.NewHistogram(prometheus.HistogramOpts{Name: meterPrefix + "tipset_messages", Help: "Messages of a tipset.", Buckets: []float64{0, 10, 30, 100, 300, 1000}}),
		nullRound: prometheus.NewCounter(prometheus.CounterOpts{Name: meterPrefix + "null_rounds_total", Help: "Null rounds before tipsets that were executed."}),
	}
	for _, r := range []string{follow.Passed, follow.Differs, follow.Undecided, follow.Skipped} {
		m.tipsets.WithLabelValues(r) // an alert on a series that is not there does not fire
	}
	version, _ := upkeep.Version()
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: meterPrefix + "build_info", Help: "1, with the version and the engines as labels.",
		ConstLabels: prometheus.Labels{"version": version, "engines": strings.Join(engines, ",")}})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.took, m.tipsets, m.gas, m.messages, m.nullRound, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// outcome is a request's, in a word.
func outcome(err error) string {
	var said *lotusrpc.NodeError
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, lotusrpc.ErrHash):
		return "bad_hash"
	case errors.Is(err, lotusrpc.ErrDenied):
		return "denied"
	case errors.Is(err, lotusrpc.ErrUnreachable):
		return "unreachable"
	case errors.As(err, &said):
		return "refused"
	case errors.Is(err, lotusrpc.ErrAnswer):
		return "garbage"
	}
	return "cancelled"
}

func (m *followMeters) request(r lotusrpc.Request) {
	m.requests.WithLabelValues(r.Method, outcome(r.Err)).Inc()
	m.took.WithLabelValues(r.Method).Observe(r.Took.Seconds())
}

func (m *followMeters) tipset(t *replay.Tipset, d *follow.Judgement) {
	m.tipsets.WithLabelValues(d.Result).Inc()
	if t != nil {
		m.gas.Observe(float64(t.Gas))
		m.messages.Observe(float64(t.Messages))
		m.nullRound.Add(float64(t.NullRounds))
	}
}

// statusMeter is a metric that is read from the status.
type statusMeter struct {
	name, help string
	counter    bool
	value      func(follow.Status) float64
}

var statusMeters = []statusMeter{
	{"connected", "1 if the node answered the last question for its head.", false, func(s follow.Status) float64 { return yes(s.Connected) }},
	{"head_epoch", "Epoch of the node's head; -1: not known.", false, func(s follow.Status) float64 { return float64(s.Head) }},
	{"head_timestamp_seconds", "When that head came.", false, func(s follow.Status) float64 { return unix(s.HeadTime) }},
	{"judged_epoch", "Epoch up to which all tipsets were judged; -1: none.", false, func(s follow.Status) float64 { return float64(s.JudgedTo) }},
	{"lag_epochs", "Epochs that are left to be judged, but for those that wait for their confidence.", false, func(s follow.Status) float64 { return float64(s.Lag) }},
	{"waiting_tipsets", "Tipsets known of that are left to be judged.", false, func(s follow.Status) float64 { return float64(s.Waiting) }},
	{"last_passed_timestamp_seconds", "When the last tipset passed.", false, func(s follow.Status) float64 { return unix(s.LastPassed) }},
	{"last_beat_timestamp_seconds", "When the command last did something.", false, func(s follow.Status) float64 { return unix(s.Beat) }},
	{"reorgs_total", "Times that the chain was reorganised.", true, func(s follow.Status) float64 { return float64(s.Reorgs) }},
	{"messages_total", "Messages executed.", true, func(s follow.Status) float64 { return float64(s.Messages) }},
	{"gas_total", "Gas executed, the system's included.", true, func(s follow.Status) float64 { return float64(s.Gas) }},
	{"blocks_fetched_total", "Blocks that came from the node.", true, func(s follow.Status) float64 { return float64(s.Fetched) }},
	{"fetched_bytes_total", "Bytes of these blocks.", true, func(s follow.Status) float64 { return float64(s.FetchedBytes) }},
	{"blocks_found_total", "Blocks that were found in the store.", true, func(s follow.Status) float64 { return float64(s.Found) }},
	{"bad_blocks_total", "Blocks that the node sent with other bytes than their hash says.", true, func(s follow.Status) float64 { return float64(s.Lies) }},
	{"store_bytes", "Bytes of the store's blocks on disk.", false, func(s follow.Status) float64 { return float64(s.CacheBytes) }},
	{"store_generations_total", "Times that the older half of the store was given up for its bound.", true, func(s follow.Status) float64 { return float64(s.CacheTurns) }},
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

// statusCollector reads the status once for all its metrics.
type statusCollector struct {
	status func() follow.Status
	descs  []*prometheus.Desc
}

// follow adds the metrics that are read from the status.
func (m *followMeters) follow(status func() follow.Status) {
	c := &statusCollector{status: status}
	for _, s := range statusMeters {
		c.descs = append(c.descs, prometheus.NewDesc(meterPrefix+s.name, s.help, nil, nil))
	}
	m.registry.MustRegister(c)
}

func (c *statusCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

func (c *statusCollector) Collect(ch chan<- prometheus.Metric) {
	now := c.status()
	for i, s := range statusMeters {
		kind := prometheus.GaugeValue
		if s.counter {
			kind = prometheus.CounterValue
		}
		ch <- prometheus.MustNewConstMetric(c.descs[i], kind, s.value(now))
	}
}

// serveFollow serves what others watch. The function that it returns ends it.
func serveFollow(l net.Listener, status func() follow.Status, m *followMeters, x *followFlags) (stop func()) {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		// A tipset may take its time, and a node that is away its tries.
		ok, why := status().Alive(time.Now(), x.tipset+10*max(x.timeout, time.Minute))
		answer(w, ok, why)
	})
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		ok, why := status().Ready(abi.ChainEpoch(x.readyLag))
		answer(w, ok, why...)
	})
	mux.HandleFunc("/status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		_ = enc.Encode(status())
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	go func() { _ = s.Serve(l) }()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			_ = s.Close()
		}
	}
}

func answer(w http.ResponseWriter, ok bool, why ...string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if ok {
		_, _ = fmt.Fprintln(w, "ok")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	for _, line := range why {
		_, _ = fmt.Fprintln(w, line)
	}
}

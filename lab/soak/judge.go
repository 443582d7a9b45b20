package soak

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Report is what came of a soak.
type Report struct {
	Engine   string        `json:"engine"` // the caller's word for it
	OK       bool          `json:"ok"`
	Warm     time.Duration `json:"warm_up_ns"`
	Took     time.Duration `json:"ns"`
	Messages int64         `json:"messages"`
	// Faults are runs in which the store failed, each an error of the node and no receipt.
	Faults int64 `json:"failed_stores"`
	Derefs int64 `json:"nil_dereferences"`
	// RSS in bytes, and threads: the medians of the first and of the last quarter.
	RSS      [2]int64 `json:"rss_bytes"`
	Threads  [2]int64 `json:"threads"`
	Failures []string `json:"failures,omitempty"`
	Samples  []Sample `json:"samples"`
}

func (r *Report) fail(why ...string) { r.OK, r.Failures = false, why }

// What may grow without being a leak: the collector's whims, and threads that wait for system calls.
const (
	spareRSS     = 32 << 20 // bytes
	sparePercent = 10       // of the memory in the first quarter
	spareThreads = 4
)

// leastSamples make quarters of two.
const leastSamples = 8

// Judge says whether memory or threads grew: whether their median in the last quarter of the samples is above that in
// the first by more than what is no leak. every is the time between samples, for the message that there are too few.
func Judge(samples []Sample, every time.Duration) *Report {
	r := &Report{Samples: samples}
	if len(samples) < leastSamples {
		r.fail(fmt.Sprintf("%d samples are too few to tell whether memory grows: %s or more are needed", len(samples), leastSamples*every))
		return r
	}
	quarter := len(samples) / 4
	for i, part := range [][]Sample{samples[:quarter], samples[len(samples)-quarter:]} {
		var rss, threads []int64
		for _, m := range part {
			rss, threads = append(rss, m.RSS), append(threads, int64(m.Threads))
		}
		slices.Sort(rss)
		slices.Sort(threads)
		r.RSS[i], r.Threads[i] = rss[len(rss)/2], threads[len(threads)/2]
	}
	if r.RSS[1] > r.RSS[0]+r.RSS[0]*sparePercent/100+spareRSS {
		r.Failures = append(r.Failures, fmt.Sprintf("memory grew from %d MB to %d MB", r.RSS[0]>>20, r.RSS[1]>>20))
	}
	if r.Threads[1] > r.Threads[0]+spareThreads {
		r.Failures = append(r.Failures, fmt.Sprintf("threads grew from %d to %d", r.Threads[0], r.Threads[1]))
	}
	r.OK = len(r.Failures) == 0
	return r
}

// measure asks the system what this process uses.
func measure() (m Sample, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return m, fmt.Errorf("%w: %w", ErrNoMeasure, err)
	}
	return parseStatus(string(status))
}

// parseStatus reads Linux's /proc/PID/status, in which memory is in units of 1024 bytes.
func parseStatus(status string) (m Sample, err error) {
	number := func(name string) int64 {
		_, rest, _ := strings.Cut("\n"+status, "\n"+name+":")
		words := strings.Fields(rest)
		if len(words) == 0 {
			return 0
		}
		n, _ := strconv.ParseInt(words[0], 10, 64)
		return n
	}
	m.RSS, m.Threads = number("VmRSS")<<10, int(number("Threads"))
	if m.RSS == 0 || m.Threads == 0 {
		return m, fmt.Errorf("%w: /proc/self/status tells neither memory nor threads", ErrNoMeasure)
	}
	return m, nil
}

package ethtrace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/edgefvm/fvm/explain/evmtrace"
	"github.com/edgefvm/fvm/internal/layout"
)

// ErrConfig is wrapped by errors about what a client asked for.
var ErrConfig = errors.New("tracer config")

// Config is what a client asks of a debug_trace… method, by the names that go-ethereum has for it. The zero value is struct logs with
// stacks and storage.
type Config struct {
	evmtrace.Options
	// Tracer is one of Tracers. "": struct logs.
	Tracer       string          `json:"tracer"`
	TracerConfig json.RawMessage `json:"tracerConfig"`
	// Timeout is a duration as Go writes it, such as "10s". Default: 2 minutes, for the first trace of opcodes compiles a copy of the actor.
	Timeout string `json:"timeout"`
	// Overrides of the struct logger's older names.
	DisableMemory     *bool `json:"disableMemory"`
	DisableReturnData *bool `json:"disableReturnData"`
}

// Tracers are the names that Config.Tracer takes besides "".
func Tracers() []string {
	return []string{"4byteTracer", "callTracer", "flatCallTracer", "muxTracer", "noopTracer", "prestateTracer"}
}

const (
	defaultTimeout = 2 * time.Minute
	maxTimeout     = 10 * time.Minute
)

// Limit is how long tracing a message may take.
func (c *Config) Limit() (time.Duration, error) {
	if c.Timeout == "" {
		return defaultTimeout, nil
	}
	d, err := time.ParseDuration(c.Timeout)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%w: the timeout %q is no duration: want one such as \"10s\"", ErrConfig, layout.Cut(c.Timeout, 40))
	}
	return min(d, maxTimeout), nil
}

// callConfig is that of the callTracer.
type callConfig struct {
	OnlyTopCall bool `json:"onlyTopCall"`
	WithLog     bool `json:"withLog"`
}

// flatConfig is that of the flatCallTracer. Precompiles are no calls here whatever it says.
type flatConfig struct {
	ConvertParityErrors bool `json:"convertParityErrors"`
	IncludePrecompiles  bool `json:"includePrecompiles"`
}

// prestateConfig is that of the prestateTracer.
type prestateConfig struct {
	DiffMode       bool `json:"diffMode"`
	DisableCode    bool `json:"disableCode"`
	DisableStorage bool `json:"disableStorage"`
	IncludeEmpty   bool `json:"includeEmpty"`
}

// part is a tracer that a Tracer is made of.
type part struct {
	name     string
	call     callConfig
	flat     flatConfig
	prestate prestateConfig
}

// parse reads a tracer's own config.
func parse(name string, config json.RawMessage) (p part, err error) {
	p.name = name
	var into any
	switch name {
	case "callTracer":
		into = &p.call
	case "flatCallTracer":
		into = &p.flat
	case "prestateTracer":
		into = &p.prestate
	case "4byteTracer", "noopTracer":
		into = &struct{}{}
	default:
		words := "are"
		if strings.ContainsAny(name, "{(") {
			words = "written in JavaScript are not run; there are"
		}
		return p, fmt.Errorf("%w: there is no tracer %q here: tracers %s %s", ErrConfig, layout.OneLine(layout.Cut(name, 60)), words, strings.Join(Tracers(), ", "))
	}
	if len(bytes.TrimSpace(config)) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(config, into); err != nil {
		return p, fmt.Errorf("%w of the %s: %w", ErrConfig, name, err)
	}
	return p, nil
}

const maxParts = 16

// parts are the tracers that the config names; of a muxTracer several.
func (c *Config) parts() (list []part, mux bool, err error) {
	switch c.Tracer {
	case "":
		return nil, false, nil
	case "muxTracer":
		var each map[string]json.RawMessage
		if err := json.Unmarshal(c.TracerConfig, &each); err != nil || len(each) == 0 || len(each) > maxParts {
			return nil, true, fmt.Errorf("%w: a muxTracer's config has tracers as names and their configs as values, at most %d", ErrConfig, maxParts)
		}
		for name, config := range each {
			p, err := parse(name, config)
			if err != nil {
				return nil, true, err
			}
			list = append(list, p)
		}
		slices.SortFunc(list, func(a, b part) int { return strings.Compare(a.name, b.name) })
		return list, true, nil
	}
	p, err := parse(c.Tracer, c.TracerConfig)
	return []part{p}, false, err
}

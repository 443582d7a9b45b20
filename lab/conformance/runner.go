package conformance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// Options say how vectors are run.
type Options struct {
	// Actors gives the actors' code. Default: vector.NewActors with its defaults.
	Actors *vector.Actors
	// Engine runs the actors. Default: the process's own.
	Engine *fvm.Engine
	// Open makes the machine of a vector, with hooks in its config that must see one run of each message. An
	// error for which errors.Is finds vector.ErrEnginesDiffer fails a vector even if it is on the list of skips.
	// Default: a machine on Engine.
	Open func(context.Context, fvm.Config) (vector.Machine, error)
	// Jobs is how many vectors run at once. Default: 1.
	Jobs int
	// TraceDir holds traces for vectors that name none (NAME.trace.json.gz). Default: no such traces.
	TraceDir string
	// NoTrace leaves traces uncompared. Default: they are compared where there are any.
	NoTrace bool
	// Skips replaces the list of skips. Default: that of this package.
	Skips []Skip
	// Progress hears of each variant that ended, in the order of the files, from one goroutine. Default: nobody.
	Progress func(done, files int, o *Outcome)
}

// Status is what became of a vector.
type Status string

// The statuses.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// Outcome is what became of one variant of a vector.
type Outcome struct {
	Path        string              `json:"path"`
	Name        string              `json:"name"`
	Scenario    string              `json:"scenario"`
	Variant     string              `json:"variant"`
	NV          network.Version     `json:"nv"`
	Status      Status              `json:"status"`
	Messages    int                 `json:"messages"`
	Traced      bool                `json:"traced"` // a trace was compared
	Reason      string              `json:"reason,omitempty"`
	Differences []vector.Difference `json:"differences,omitempty"`
	Error       string              `json:"error,omitempty"` // why it could not be run to the end
	Apply       time.Duration       `json:"apply_ns"`        // spent in Apply

	stopped bool // ctx ended before it did
}

// Report sums a run up.
type Report struct {
	Files    int       `json:"files"`
	Outcomes []Outcome `json:"outcomes"`
	Passed   int       `json:"passed"`
	Failed   int       `json:"failed"`
	Skipped  int       `json:"skipped"`
}

// OK tells whether something ran and nothing failed.
func (r *Report) OK() bool { return r.Failed == 0 && r.Passed > 0 }

// Find lists the vector files that paths name: files as they are, folders with
// every .json below them, in order of name.
func Find(paths ...string) ([]string, error) {
	var files []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("vectors: %w", err)
		}
		if !info.IsDir() {
			files = append(files, p)
			continue
		}
		err = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, ".json") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("vectors: %w", err)
		}
	}
	return files, nil
}

// Run runs vectors, several at once, each on a store of its own. It returns an
// error only if ctx ends, with the report of those that came to their end by then; what
// goes wrong with a vector is in its outcome.
func Run(ctx context.Context, files []string, opts Options) (*Report, error) {
	opts = opts.withDefaults()
	results := make([]chan []Outcome, len(files))
	for i := range results {
		results[i] = make(chan []Outcome, 1)
	}
	next := make(chan int)
	var workers sync.WaitGroup
	for range max(opts.Jobs, 1) {
		workers.Go(func() {
			for i := range next {
				results[i] <- runFile(ctx, files[i], &opts)
			}
		})
	}
	go func() {
		for i := range files {
			next <- i
		}
		close(next)
	}()
	rep := &Report{Files: len(files)}
	for i := range files {
		for _, o := range <-results[i] {
			if o.stopped {
				continue
			}
			rep.add(o)
			if opts.Progress != nil {
				opts.Progress(i+1, len(files), &rep.Outcomes[len(rep.Outcomes)-1])
			}
		}
	}
	workers.Wait()
	return rep, ctx.Err()
}

func (o Options) withDefaults() Options {
	if o.Actors == nil {
		o.Actors = vector.NewActors(bundle.Options{})
	}
	if o.Skips == nil {
		o.Skips = Skips()
	}
	return o
}

func (r *Report) add(o Outcome) {
	r.Outcomes = append(r.Outcomes, o)
	switch o.Status {
	case Passed:
		r.Passed++
	case Skipped:
		r.Skipped++
	default:
		r.Failed++
	}
}

func runFile(ctx context.Context, path string, opts *Options) []Outcome {
	v, err := Load(path)
	if err != nil {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		return []Outcome{{Path: path, Name: name, Scenario: "unreadable", Status: Failed, Error: err.Error()}}
	}
	list := make([]Outcome, len(v.Variants()))
	for i := range list {
		list[i] = RunVector(ctx, v, i, opts)
	}
	return list
}

// RunVector runs one variant of a vector and judges it. Callers that run many set
// Options.Actors, which loads actors once.
func RunVector(ctx context.Context, v *vector.Vector, variant int, opts *Options) Outcome {
	full := opts.withDefaults()
	opts = &full
	va := v.Variants()[variant]
	o := Outcome{Path: v.Path, Name: v.Name, Scenario: v.Scenario(), Variant: va.ID, NV: va.NV, Messages: len(v.Receipts())}
	err := judge(ctx, v, variant, opts, &o)
	if err != nil {
		o.Error = err.Error()
		o.stopped = ctx.Err() != nil && !errors.Is(err, vector.ErrEnginesDiffer)
	}
	reason := skipFor(opts.Skips, v.Name, va.NV)
	good := err == nil && len(o.Differences) == 0
	switch {
	case errors.Is(err, vector.ErrEnginesDiffer):
		o.Status = Failed
	case good && reason != "":
		o.Status, o.Error = Failed, "it passes, but is on the list of skips: "+reason
	case good:
		o.Status = Passed
	case reason != "":
		o.Status, o.Reason = Skipped, reason
	default:
		o.Status = Failed
	}
	return o
}

// traces are those to compare with: none of a vector that an override changed, since its trace is of the vector as it is.
func traces(v *vector.Vector, variant int, opts *Options) ([]trace.Events, error) {
	if opts.NoTrace || overrideFor(v.Name) != nil {
		return nil, nil
	}
	return v.Traces(variant, opts.TraceDir)
}

// Prepare makes a session with the actors, the engine or the machine that the options ask for.
func (o *Options) Prepare(ctx context.Context, v *vector.Vector, variant int, hooks *trace.Hooks) (*vector.Session, error) {
	if o.Open == nil {
		return vector.Prepare(ctx, v, variant, o.Actors, o.Engine, hooks)
	}
	return vector.PrepareOn(ctx, v, variant, o.Actors, hooks, o.Open)
}

// judge runs a variant to its end and notes what differs.
func judge(ctx context.Context, v *vector.Vector, variant int, opts *Options, o *Outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	want, err := traces(v, variant, opts)
	if err != nil {
		return err
	}
	var rec trace.Recorder
	var hooks *trace.Hooks
	if want != nil {
		hooks = rec.Hooks()
		o.Traced = true
	}
	s, err := opts.Prepare(ctx, v, variant, hooks)
	if err != nil {
		return err
	}
	for i := range s.Len() {
		start := time.Now()
		res, err := s.Apply(ctx, i)
		o.Apply += time.Since(start)
		d, err := judgeMessage(i, &v.Receipts()[i], res, err)
		o.Differences = append(o.Differences, d...)
		if want != nil {
			if text := trace.Diff(want[i], rec.Take()); text != "" {
				o.Differences = append(o.Differences, vector.Difference{Message: i, Field: "trace", Got: text})
			}
		}
		if err != nil {
			return err
		}
	}
	root, err := s.Flush(ctx)
	if errors.Is(err, vector.ErrEnginesDiffer) {
		return err
	}
	if err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	if root != v.PostRoot() {
		o.Differences = append(o.Differences, vector.Difference{Message: -1, Field: "state_root", Want: v.PostRoot().String(), Got: root.String()})
	}
	return nil
}

// judgeMessage returns an error if the session cannot go on.
func judgeMessage(i int, want *vector.Receipt, res *fvm.Result, err error) ([]vector.Difference, error) {
	switch {
	case err == nil:
		return vector.Compare(i, want, res), nil
	case errors.Is(err, vector.ErrEnginesDiffer):
		return nil, err // it says itself at which message
	case !errors.Is(err, vector.ErrNoReceipt):
		return nil, fmt.Errorf("message %d: %w", i, err)
	case want.Error:
		return nil, nil
	}
	return []vector.Difference{{Message: i, Field: "receipt", Want: "one", Got: "none: " + err.Error()}}, nil
}

// NVs are the network versions of a report, in order.
func (r *Report) NVs() []network.Version {
	var nvs []network.Version
	for _, o := range r.Outcomes {
		if !slices.Contains(nvs, o.NV) {
			nvs = append(nvs, o.NV)
		}
	}
	slices.Sort(nvs)
	return nvs
}

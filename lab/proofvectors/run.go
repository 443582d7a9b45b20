package proofvectors

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/proofs"
)

// Options says how vectors are run. The zero value is the default.
type Options struct {
	// Keys is a folder of verifying keys, or one that has the folders named by the files. "": the folders named by the files
	// are beside the file's folder, or in it.
	Keys string
	// Each, if not nil, hears of every vector as it is done. It is called on one goroutine.
	Each func(Result)
}

// State is how a vector came out.
type State string

// The states.
const (
	Passed  State = "passed"
	Failed  State = "failed"
	Skipped State = "skipped" // a key that it needs is not there
)

// Result is how a vector came out.
type Result struct {
	Name   string `json:"name"`
	State  State  `json:"state"`
	Detail string `json:"detail,omitempty"` // what differs, or why it was skipped
}

// Count sums up.
type Count struct{ Passed, Failed, Skipped int }

// String is the line that scripts look for.
func (c Count) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.Passed, c.Failed, c.Skipped)
}

func (c *Count) add(s State) {
	switch s {
	case Passed:
		c.Passed++
	case Failed:
		c.Failed++
	default:
		c.Skipped++
	}
}

// Run judges every vector of the files and compares verdicts and intermediate values. The error is of a file that cannot
// be read, or ctx's.
func Run(ctx context.Context, files []string, o Options) (Count, error) {
	var count Count
	r := runner{keys: o.Keys, verifiers: map[string]*proofs.Verifier{}}
	for _, path := range files {
		f, err := ReadFile(path)
		if err != nil {
			return count, err
		}
		for i := range f.Vectors {
			if err := ctx.Err(); err != nil {
				return count, err
			}
			result := r.vector(ctx, f, &f.Vectors[i])
			count.add(result.State)
			if o.Each != nil {
				o.Each(result)
			}
		}
	}
	return count, nil
}

// runner keeps a verifier for each folder of keys.
type runner struct {
	keys      string
	verifiers map[string]*proofs.Verifier
}

// errSkip is of a vector that cannot be judged here.
var errSkip = errors.New("skipped")

func (r *runner) vector(ctx context.Context, f *File, v *Vector) Result {
	err := r.judge(ctx, f, v)
	switch {
	case err == nil:
		return Result{Name: v.Name, State: Passed}
	case errors.Is(err, errSkip):
		return Result{Name: v.Name, State: Skipped, Detail: err.Error()}
	}
	return Result{Name: v.Name, State: Failed, Detail: err.Error()}
}

// folder finds the keys of a file.
func (r *runner) folder(f *File) (string, error) {
	beside := filepath.Dir(f.path)
	candidates := []string{filepath.Join(beside, "..", f.Keys), filepath.Join(beside, f.Keys)}
	if r.keys != "" {
		candidates = []string{filepath.Join(r.keys, f.Keys), r.keys}
	}
	for _, dir := range candidates {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir, nil
		}
	}
	return "", fmt.Errorf("%w: no folder of keys: none of %q is one", errSkip, candidates)
}

func (r *runner) verifier(ctx context.Context, f *File) (*proofs.Verifier, error) {
	dir, err := r.folder(f)
	if err != nil {
		return nil, err
	}
	if v, ok := r.verifiers[dir]; ok {
		return v, nil
	}
	v, err := proofs.Open(ctx, proofs.Options{Dir: dir, TrustParams: true})
	if err != nil {
		return nil, err
	}
	r.verifiers[dir] = v
	return v, nil
}

// judge compares a vector. The error says what differs.
func (r *runner) judge(ctx context.Context, f *File, v *Vector) error {
	switch f.Kind {
	case "graph":
		return graph(v)
	case "inputs":
		return inputs(f, v)
	}
	in, err := f.input(v)
	if err != nil {
		return err
	}
	verifier, err := r.verifier(ctx, f)
	if err != nil {
		return err
	}
	ok, err := ask(ctx, verifier, f, in)
	switch {
	case externs.IsNodeFailure(err) && errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %w", errSkip, err)
	case externs.IsNodeFailure(err):
		return err
	}
	got := "valid"
	switch {
	case err != nil:
		got = "error"
	case !ok:
		got = "invalid"
	}
	if got != v.Verdict {
		return fmt.Errorf("it is %s, want %s (%s; %w; the other library: %q)", got, v.Verdict, v.Why, errOrNone(err), v.Error)
	}
	if v.Debug == nil {
		return nil
	}
	values, err := valuesOf(f.Kind, in)
	if err != nil {
		return err
	}
	return values.compare(v.Debug)
}

func errOrNone(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

// masked: the two highest bits of a PoSt's randomness are cleared.
func (in *input) masked() bool { return in.Mask == nil || *in.Mask }

// fault keeps what is wrong with a file from being taken for a verdict.
func fault(err error) error { return fmt.Errorf("%w: %w", externs.ErrNodeFailure, err) }

// ask puts a vector's question.
func ask(ctx context.Context, v *proofs.Verifier, f *File, in *input) (bool, error) {
	switch f.Kind {
	case "seal":
		info, err := f.seal(in)
		if err != nil {
			return false, fault(err)
		}
		return v.VerifySeal(ctx, info)
	case "aggregate":
		info, err := f.aggregate(in)
		if err != nil {
			return false, fault(err)
		}
		return v.VerifyAggregateSeals(ctx, info)
	case "update":
		info, err := f.update(in)
		if err != nil {
			return false, fault(err)
		}
		return v.VerifyReplicaUpdate(ctx, info)
	}
	info, err := f.post(in)
	if err != nil {
		return false, fault(err)
	}
	winning := proof.WinningPoStVerifyInfo(info)
	switch { // masked: the caller clears the two highest bits of the randomness, or the verifier does for it
	case f.Kind == "window" && in.masked():
		return v.VerifyPoSt(ctx, info)
	case f.Kind == "window":
		return v.VerifyWindowPoSt(ctx, info)
	case f.Kind == "winning" && in.masked():
		return v.VerifyWinningPoSt(ctx, winning)
	case f.Kind == "winning":
		return v.VerifyWinningPoStAsIs(ctx, winning)
	}
	return false, fmt.Errorf("%w: vectors of the kind %q are unknown", externs.ErrNodeFailure, f.Kind)
}

package proofduel

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/edgefvm/fvm/lab/proofvectors"
	"github.com/edgefvm/fvm/proofs"
)

// Timing is how long a vector takes both, keys loaded and input parsing included for both.
type Timing struct {
	Name         string
	Ours, Theirs time.Duration // the least
	Ratio        float64       // the median of the rounds' ratios
}

// Bench times the named vectors of files, both taking turns, for some rounds.
func Bench(ctx context.Context, o Options, names []string, rounds int, each func(Timing)) error {
	v, err := proofs.Open(ctx, proofs.Options{Dir: o.Keys, TrustParams: true})
	if err != nil {
		return err
	}
	p, err := Start(ctx, o.Program, o.Keys)
	if err != nil {
		return err
	}
	defer p.Close()
	vectors, _, err := valid(o)
	if err != nil {
		return err
	}
	for _, name := range names {
		i := slices.IndexFunc(vectors, func(v vector) bool { return v.name == name })
		if i < 0 {
			return fmt.Errorf("there is no valid vector %q", name)
		}
		t, err := duel(ctx, v, p, vectors[i], rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		each(*t)
	}
	return nil
}

func duel(ctx context.Context, v *proofs.Verifier, p *Program, of vector, rounds int) (*Timing, error) {
	t := Timing{Name: of.name, Ours: 1 << 62, Theirs: 1 << 62}
	var ratios []float64
	for round := -1; round < rounds; round++ { // the first warms up
		their, err := p.Ask(of.kind, of.input, 1)
		if err != nil {
			return nil, err
		}
		ours, err := once(ctx, v, of)
		if err != nil {
			return nil, err
		}
		if round < 0 {
			continue
		}
		took := least(their.Ns)
		t.Ours, t.Theirs = min(t.Ours, ours), min(t.Theirs, took)
		ratios = append(ratios, float64(ours)/float64(took))
	}
	slices.Sort(ratios)
	t.Ratio = ratios[len(ratios)/2]
	return &t, nil
}

// once judges a valid vector, from its JSON on as the crates' judge does.
func once(ctx context.Context, v *proofs.Verifier, of vector) (time.Duration, error) {
	input := slices.Clone(of.input)
	start := time.Now()
	q, err := proofvectors.NewQuestion(of.kind, json.RawMessage(input))
	if err != nil {
		return 0, err
	}
	verdict, err := q.Verdict(ctx, v)
	took := time.Since(start)
	if err == nil && verdict != "valid" {
		err = fmt.Errorf("it is %s", verdict)
	}
	return took, err
}

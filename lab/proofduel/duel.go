package proofduel

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"

	"github.com/edgefvm/fvm/lab/proofvectors"
	"github.com/edgefvm/fvm/proofs"
)

// Options says what a duel is about.
type Options struct {
	Program string   // of judge
	Keys    string   // folder
	Files   []string // vectors of which the valid ones are spoiled
	Count   int      // how many spoiled inputs
	Seed    uint64   // the same gives the same inputs
	// Largest leaves out vectors whose input is longer, in bytes; 0: none. Large ones take long.
	Largest int
	// Progress, if not nil, hears of every input.
	Progress func(Report)
}

// Difference is an input on which the verdicts differ.
type Difference struct {
	Kind  string          `json:"kind"`
	From  string          `json:"from"` // the vector that was spoiled
	Input json.RawMessage `json:"input"`
	Ours  string          `json:"ours"`
	Their Reply           `json:"theirs"`
}

// Report counts verdicts.
type Report struct {
	Inputs      int            `json:"inputs"`
	Verdicts    map[string]int `json:"verdicts"` // the crates'
	Differences []Difference   `json:"differences"`
}

// vector is one to spoil.
type vector struct {
	kind, name string
	input      json.RawMessage
}

// Run spoils inputs, asks both and compares.
func Run(ctx context.Context, o Options) (*Report, error) {
	vectors, others, err := valid(o)
	if err != nil {
		return nil, err
	}
	v, err := proofs.Open(ctx, proofs.Options{Dir: o.Keys, TrustParams: true})
	if err != nil {
		return nil, err
	}
	p, err := Start(ctx, o.Program, o.Keys)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	r := rand.New(rand.NewPCG(o.Seed, 0))
	rep := Report{Verdicts: map[string]int{}}
	for rep.Inputs < o.Count {
		if err := ctx.Err(); err != nil {
			return &rep, err
		}
		from := vectors[r.IntN(len(vectors))]
		s := spoiler{r, others[from.kind]}
		input, err := s.spoil(from.input)
		if err != nil {
			return &rep, err
		}
		if err := rep.compare(ctx, p, v, from, input); err != nil {
			return &rep, err
		}
		if o.Progress != nil {
			o.Progress(rep)
		}
	}
	return &rep, nil
}

// compare asks both at the same time.
func (rep *Report) compare(ctx context.Context, p *Program, v *proofs.Verifier, from vector, input json.RawMessage) error {
	q, err := proofvectors.NewQuestion(from.kind, input)
	if err != nil {
		return fmt.Errorf("spoiling %s: %w", from.name, err)
	}
	type theirs struct {
		reply *Reply
		err   error
	}
	answered := make(chan theirs, 1)
	go func() {
		reply, err := p.Ask(from.kind, input, 1)
		answered <- theirs{reply, err}
	}()
	ours, err := q.Verdict(ctx, v)
	their := <-answered
	if their.err != nil {
		return their.err
	}
	if errors.Is(err, fs.ErrNotExist) { // another size, of which there is no key: an error of the crates
		ours, err = "error", nil
	}
	if err != nil {
		return fmt.Errorf("spoiled %s: %w", from.name, err)
	}
	if their.reply.Verdict == "refused" {
		return fmt.Errorf("spoiled %s: the crates' judge refuses it: %s", from.name, their.reply.Error)
	}
	rep.Inputs++
	rep.Verdicts[their.reply.Verdict]++
	if !their.reply.Same(ours) {
		rep.Differences = append(rep.Differences, Difference{from.kind, from.name, input, ours, *their.reply})
	}
	return nil
}

// valid reads the valid vectors, and the proofs of each kind.
func valid(o Options) ([]vector, map[string][][]byte, error) {
	var all []vector
	others := map[string][][]byte{}
	for _, path := range o.Files {
		f, err := proofvectors.ReadFile(path)
		if err != nil {
			return nil, nil, err
		}
		for i := range f.Vectors {
			v := &f.Vectors[i]
			if v.Verdict != "valid" {
				continue
			}
			input, err := f.Spelled(v)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %s: %w", path, v.Name, err)
			}
			if o.Largest > 0 && len(input) > o.Largest {
				continue
			}
			all = append(all, vector{f.Kind, v.Name, input})
			others[f.Kind] = append(others[f.Kind], proofsIn(input)...)
		}
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("%q have no valid vectors", o.Files)
	}
	return all, others, nil
}

func proofsIn(input json.RawMessage) (list [][]byte) {
	var in struct {
		Proof  string
		Proofs []struct{ Proof string }
	}
	if json.Unmarshal(input, &in) != nil {
		return nil
	}
	for _, p := range append(in.Proofs, struct{ Proof string }{in.Proof}) {
		if b, err := hex.DecodeString(p.Proof); err == nil && len(b) > 0 {
			list = append(list, b)
		}
	}
	return list
}

package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/validate"
)

// Validation is what judging the blocks came to.
type Validation struct {
	// Blocks were judged, Invalid of them are none that nodes take.
	Blocks  int `json:"blocks"`
	Invalid int `json:"invalid"`
	// WinningPoSts says how their winning PoSts were judged.
	WinningPoSts string `json:"winning_posts"`
	// Unjudged are the checks that could not be made for some blocks.
	Unjudged []Unjudged `json:"unjudged,omitempty"`
}

// Unjudged is a check that could not be made.
type Unjudged struct {
	Check  validate.Check `json:"check"`
	Blocks int            `json:"blocks"`
	Why    string         `json:"why"` // of the first of them
}

// Fault is a rule that a block of a tipset breaks.
type Fault struct {
	Block  string         `json:"block"`
	Check  validate.Check `json:"check"`
	Reason string         `json:"reason"`
}

// String names the block, the check and the reason.
func (f Fault) String() string { return fmt.Sprintf("block %s: %s: %s", f.Block, f.Check, f.Reason) }

// validation judges a replay's blocks.
type validation struct {
	rules    validate.Rules
	report   *Validation
	unjudged map[validate.Check]*Unjudged
}

// mockProof is the winning PoSt of chains that nodes built for tests have made.
const mockProof = "valid proof"

func (r *run) newValidation(first *chain.Tipset) *validation {
	v := &validation{report: new(Validation), unjudged: map[validate.Check]*Unjudged{}}
	v.rules = validate.Rules{Network: r.rules.Network, State: r.state}
	winning, judges := r.Proofs.(validate.Winning)
	proof := first.Blocks[0].WinPoStProof
	switch {
	case strings.HasPrefix(r.rules.Network.Actors, "testing") && len(proof) > 0 && string(proof[0].ProofBytes) == mockProof:
		v.rules.MockWinning = true
		v.report.WinningPoSts = fmt.Sprintf("all are the words %q, as nodes make them that are built for tests", mockProof)
	case judges:
		v.rules.Winning, v.report.WinningPoSts = winning, "verified"
	default:
		v.report.WinningPoSts = "not judged"
	}
	return v
}

// validate judges the blocks of a tipset before it is executed. parents is what the replay made of the parent tipset, if it executed it.
func (r *run) validate(ctx context.Context, t *chain.Tipset, parents *validate.Result) ([]Fault, error) {
	if r.judged == nil {
		r.judged = r.newValidation(t)
		r.report.Validation = r.judged.report
	}
	v := r.judged
	parent, err := r.store.Parent(ctx, t)
	if err != nil {
		return nil, err
	}
	if parents == nil && parent.Height() == 0 {
		parents = &validate.Result{State: parent.ParentStateRoot(), Receipts: parent.ParentReceipts()} // a genesis comes with them
	}
	v.rules.Result = parents
	base, err := v.rules.On(ctx, r.line, r.store, parent, t.Height())
	if errors.Is(err, validate.ErrVersion) {
		for range t.Blocks {
			v.missed(allChecks, err.Error())
		}
		v.tell()
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var faults []Fault
	for _, h := range t.Blocks {
		messages, unread := r.store.Messages(ctx, h)
		verdict, err := base.Block(ctx, h, messages, unread)
		if err != nil {
			return nil, err
		}
		v.count(verdict, parents)
		for _, f := range verdict.Faults {
			faults = append(faults, Fault{f.Block.String(), f.Check, f.Reason})
		}
	}
	return faults, nil
}

func (v *validation) count(verdict *validate.Verdict, parents *validate.Result) {
	v.report.Blocks++
	if len(verdict.Faults) > 0 {
		v.report.Invalid++
	}
	for c, why := range verdict.Unjudged {
		v.missed(c, why)
	}
	if parents == nil {
		v.missed(validate.StateRoot, "the tipset before was not executed")
		v.missed(validate.Receipts, "the tipset before was not executed")
	}
	v.tell()
}

// allChecks is the name of those of a block of which none was made.
const allChecks validate.Check = "all checks"

func (v *validation) tell() {
	v.report.Unjudged = nil
	for _, c := range slices.Sorted(maps.Keys(v.unjudged)) {
		v.report.Unjudged = append(v.report.Unjudged, *v.unjudged[c])
	}
}

func (v *validation) missed(c validate.Check, why string) {
	u := v.unjudged[c]
	if u == nil {
		u = &Unjudged{Check: c, Why: why}
		v.unjudged[c] = u
	}
	u.Blocks++
}

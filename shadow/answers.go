package shadow

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/vector"
)

// answers puts each question to the chain and to the verifier once, and gives everyone the same answer: engines must
// not differ because the world does. It keeps them for bundles.
type answers struct {
	externs externs.Externs
	proofs  externs.ProofVerifier

	mu    sync.Mutex
	given map[string]*answer
	asked map[string]bool // since the last take
}

type answer struct {
	once  sync.Once
	value any
	err   error
	tell  func(*vector.Draft) // adds the answer to a bundle
}

func newAnswers(cfg fvm.Config) *answers {
	return &answers{externs: cfg.Externs, proofs: cfg.Proofs, given: map[string]*answer{}, asked: map[string]bool{}}
}

// config is cfg with the answers in the place of those who gave them. Nobody stays nobody.
func (a *answers) config(cfg fvm.Config) fvm.Config {
	if cfg.Externs != nil {
		cfg.Externs = a
	}
	if cfg.Proofs != nil {
		cfg.Proofs = verdicts{a}
	}
	return cfg
}

// next begins a message. A failure of the node is forgotten with the message that it stopped: the chain may answer
// another time.
func (a *answers) next() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, x := range a.given {
		if externs.IsNodeFailure(x.err) {
			delete(a.given, key)
		}
	}
	clear(a.asked)
}

// take names the questions asked since the message began, or since the last take.
func (a *answers) take() map[string]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.asked
	a.asked = map[string]bool{}
	return taken
}

// tell adds the answers to questions to a bundle, in the order of their names.
func (a *answers) tell(d *vector.Draft, questions map[string]bool) {
	keys := make([]string, 0, len(questions))
	for key := range questions {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range keys {
		x := a.given[key]
		if x == nil || externs.IsNodeFailure(x.err) {
			continue // no receipt came of it
		}
		x.tell(d)
	}
}

// ask is the answer to the question called key, from whoever was asked first.
func ask[T any](a *answers, key string, get func() (T, error), tell func(*vector.Draft, T, error)) (T, error) {
	a.mu.Lock()
	x := a.given[key]
	if x == nil {
		x = &answer{}
		a.given[key] = x
	}
	a.asked[key] = true
	a.mu.Unlock()
	x.once.Do(func() {
		defer func() {
			if p := recover(); p != nil { // for all alike, not only for the first
				var none T
				x.value, x.err = none, fmt.Errorf("%w: it panicked: %v", externs.ErrNodeFailure, p)
			}
		}()
		v, err := get()
		x.value, x.err = v, err
		x.tell = func(d *vector.Draft) { tell(d, v, err) }
	})
	v, _ := x.value.(T)
	return v, x.err
}

var (
	_ externs.Externs       = (*answers)(nil)
	_ externs.ProofVerifier = verdicts{}
	_ externs.FreeBatch     = verdicts{}
	_ externs.Judge         = verdicts{}
)

func (a *answers) ChainRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return ask(a, fmt.Sprintf("chain %020d", round), func() ([32]byte, error) { return a.externs.ChainRandomness(ctx, round) },
		func(d *vector.Draft, v [32]byte, err error) { d.Randomness(false, round, v, err) })
}

func (a *answers) BeaconRandomness(ctx context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return ask(a, fmt.Sprintf("beacon %020d", round), func() ([32]byte, error) { return a.externs.BeaconRandomness(ctx, round) },
		func(d *vector.Draft, v [32]byte, err error) { d.Randomness(true, round, v, err) })
}

// The headers are slices of the guest's memory, so what is kept is a copy.
func (a *answers) VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
	h1, h2, extra = slices.Clone(h1), slices.Clone(h2), slices.Clone(extra)
	return ask(a, fmt.Sprintf("fault %x %x %x", h1, h2, extra), func() (*externs.ConsensusFault, error) { return a.externs.VerifyConsensusFault(ctx, h1, h2, extra) },
		func(d *vector.Draft, f *externs.ConsensusFault, err error) { d.Fault(h1, h2, extra, f, err) })
}

func (a *answers) TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	return ask(a, fmt.Sprintf("tipset %020d", epoch), func() (cid.Cid, error) { return a.externs.TipsetCID(ctx, epoch) },
		func(d *vector.Draft, c cid.Cid, err error) { d.Tipset(epoch, c, err) })
}

// verdicts are the answers of the verifier of proofs.
type verdicts struct{ *answers }

func verdict(v verdicts, info any, get func() (bool, error)) (bool, error) {
	key, err := vector.ProofKey(info)
	if err != nil {
		return false, fmt.Errorf("%w: %w", externs.ErrNodeFailure, err)
	}
	return ask(v.answers, "proof "+key, get, func(d *vector.Draft, ok bool, err error) { d.Proof(key, ok, err) })
}

func (v verdicts) VerifySeal(ctx context.Context, info proof.SealVerifyInfo) (bool, error) {
	return verdict(v, info, func() (bool, error) { return v.proofs.VerifySeal(ctx, info) })
}

func (v verdicts) VerifyAggregateSeals(ctx context.Context, info proof.AggregateSealVerifyProofAndInfos) (bool, error) {
	return verdict(v, info, func() (bool, error) { return v.proofs.VerifyAggregateSeals(ctx, info) })
}

func (v verdicts) VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	return verdict(v, info, func() (bool, error) { return v.proofs.VerifyPoSt(ctx, info) })
}

func (v verdicts) VerifyReplicaUpdate(ctx context.Context, info proof.ReplicaUpdateInfo) (bool, error) {
	return verdict(v, info, func() (bool, error) { return v.proofs.VerifyReplicaUpdate(ctx, info) })
}

// BatchVerifySealsIsFree says what the user's verifier says.
func (v verdicts) BatchVerifySealsIsFree() bool {
	f, ok := v.proofs.(externs.FreeBatch)
	return ok && f.BatchVerifySealsIsFree()
}

// JudgesProofs says what the user's verifier says.
func (v verdicts) JudgesProofs() bool {
	j, ok := v.proofs.(externs.Judge)
	return ok && j.JudgesProofs()
}

package proofs

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/internal/proofs/comm"
	"github.com/edgefvm/fvm/internal/proofs/keys"
	"github.com/edgefvm/fvm/internal/proofs/post"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// VerifyPoSt judges a window PoSt, as the FVM's syscall does: the two highest bits of the randomness are cleared first.
// That all proofs are of one type and the sectors' seals of a type that belongs to it is for the caller to see to.
//
// The order of sectors does not matter, and of several with one number the last counts. The miner is in no input: a
// proof holds for any.
func (v *Verifier) VerifyPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	return v.window(ctx, info, post.Mask)
}

// VerifyWindowPoSt is VerifyPoSt with the randomness as it is: an error if it is no scalar (32 bytes, the least
// significant first, below the order of BLS12-381's groups). So does the function of that name of filecoin-ffi, and
// nodes clear the bits before they call it.
func (v *Verifier) VerifyWindowPoSt(ctx context.Context, info proof.WindowPoStVerifyInfo) (bool, error) {
	return v.window(ctx, info, asItIs)
}

func asItIs(r post.Randomness) post.Randomness { return r }

func (v *Verifier) window(ctx context.Context, info proof.WindowPoStVerifyInfo, mask func(post.Randomness) post.Randomness) (bool, error) {
	if len(info.Proofs) == 0 {
		return false, errNoProofs
	}
	size, _, err := registered.Window(info.Proofs[0].PoStProof)
	if err != nil {
		return false, err
	}
	key, err := v.windowKey(ctx, size)
	if err != nil {
		return false, err
	}
	w, proof, err := windowOf(info)
	if err != nil {
		return false, err
	}
	w.Randomness = mask(w.Randomness)
	return w.Verify(key, proof)
}

var errNoProofs = errors.New("a window PoSt of no proofs")

// windowOf takes the statement and the proof out of what a message says.
func windowOf(info proof.WindowPoStVerifyInfo) (w post.Window, proof []byte, err error) {
	if len(info.Proofs) != 1 {
		return w, nil, fmt.Errorf("a window PoSt is one proof of all partitions, not %d", len(info.Proofs))
	}
	if w.Size, w.V11, err = registered.Window(info.Proofs[0].PoStProof); err != nil {
		return w, nil, err
	}
	if w.Randomness, err = comm.Bytes32("the randomness", info.Randomness); err != nil {
		return w, nil, err
	}
	w.Sectors, err = sectorsOf(info.ChallengedSectors)
	return w, info.Proofs[0].ProofBytes, err
}

func sectorsOf(infos []proof.SectorInfo) ([]post.Sector, error) {
	sectors := make([]post.Sector, len(infos))
	for i, info := range infos {
		commR, err := comm.Sealed(info.SealedCID)
		if err != nil {
			return nil, fmt.Errorf("sector %d: %w", info.SectorNumber, err)
		}
		sectors[i] = post.Sector{Number: info.SectorNumber, CommR: commR}
	}
	return sectors, nil
}

// windowKeys are the prepared keys of window PoSts by size.
type windowKeys struct {
	mu     sync.Mutex
	bySize [5]*post.WindowKey
}

func (v *Verifier) windowKey(ctx context.Context, size *registered.Size) (*post.WindowKey, error) {
	key, err := v.keys.Key(ctx, keys.Window, size)
	if err != nil {
		return nil, err
	}
	v.windows.mu.Lock()
	defer v.windows.mu.Unlock()
	prepared := &v.windows.bySize[size.Index()]
	if *prepared == nil {
		*prepared = post.NewWindowKey(key)
	}
	return *prepared, nil
}

// VerifyWinningPoSt judges the proof in a block's header, as nodes do: the two highest bits of the randomness are
// cleared first. The types of the proofs are not looked at: the size is that of the sector's seal, and the bytes of several
// proofs are taken together.
func (v *Verifier) VerifyWinningPoSt(ctx context.Context, info proof.WinningPoStVerifyInfo) (bool, error) {
	return v.winning(ctx, info, post.Mask)
}

// VerifyWinningPoStAsIs is VerifyWinningPoSt with the randomness as it is, as filecoin-ffi's function does.
func (v *Verifier) VerifyWinningPoStAsIs(ctx context.Context, info proof.WinningPoStVerifyInfo) (bool, error) {
	return v.winning(ctx, info, asItIs)
}

func (v *Verifier) winning(ctx context.Context, info proof.WinningPoStVerifyInfo, mask func(post.Randomness) post.Randomness) (bool, error) {
	size, err := winningSize(info.ChallengedSectors)
	if err != nil {
		return false, err
	}
	key, err := v.keys.Key(ctx, keys.Winning, size)
	if err != nil {
		return false, err
	}
	w, proof, err := winningOf(info)
	if err != nil {
		return false, err
	}
	w.Size, w.Randomness = size, mask(w.Randomness)
	return w.Verify(key, proof)
}

// winningSize is the size of the sector: of several entries with one number the last counts.
func winningSize(infos []proof.SectorInfo) (size *registered.Size, err error) {
	for _, s := range infos {
		if size, _, err = registered.Seal(s.SealProof); err != nil {
			return nil, fmt.Errorf("sector %d: %w", s.SectorNumber, err)
		}
	}
	if size == nil {
		return nil, errors.New("a winning PoSt of no sectors")
	}
	return size, nil
}

func winningOf(info proof.WinningPoStVerifyInfo) (w post.Winning, joined []byte, err error) {
	if w.Randomness, err = comm.Bytes32("the randomness", info.Randomness); err != nil {
		return w, nil, err
	}
	if w.Sectors, err = sectorsOf(info.ChallengedSectors); err != nil {
		return w, nil, err
	}
	for _, p := range info.Proofs {
		joined = append(joined, p.ProofBytes...)
	}
	return w, joined, nil
}

// GenerateWinningPoStSectorChallenge chooses the sectors that a winning PoSt is about, as places in the list of the
// eligible ones: there is one. The randomness is taken as it is: nodes clear its two highest bits before. It needs no keys.
func (v *Verifier) GenerateWinningPoStSectorChallenge(ctx context.Context, typ abi.RegisteredPoStProof, miner abi.ActorID, randomness abi.PoStRandomness, eligible uint64) ([]uint64, error) {
	if _, err := registered.Winning(typ); err != nil {
		return nil, err
	}
	r, err := comm.Bytes32("the randomness", randomness)
	if err != nil {
		return nil, err
	}
	place, err := post.WinningChallenge(miner, r, eligible)
	if err != nil {
		return nil, err
	}
	return []uint64{place}, nil
}

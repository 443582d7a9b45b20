package conformance

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/externs"
)

type randomness struct {
	On    randomnessOn `json:"on"`
	Ret   []byte       `json:"ret"`
	Error string       `json:"error,omitempty"` // instead of ret: what the question failed with
}

type tipset struct {
	Epoch abi.ChainEpoch `json:"epoch"`
	CID   string         `json:"cid"`
}

type fault struct {
	H1     []byte         `json:"h1"`
	H2     []byte         `json:"h2"`
	Extra  []byte         `json:"extra"`
	Target abi.ActorID    `json:"target"`
	Epoch  abi.ChainEpoch `json:"epoch"`
	Type   uint32         `json:"type"`
	Error  string         `json:"error,omitempty"` // instead of the last three: what the question failed with
}

// The kinds of randomness.
const (
	chain  = "chain"
	beacon = "beacon"
)

func (f *vectorFile) checkFacts() error {
	for _, r := range f.Randomness {
		if r.On.kind != chain && r.On.kind != beacon {
			return fmt.Errorf("randomness of the unknown kind %q", r.On.kind)
		}
		if r.Error == "" && len(r.Ret) != 32 {
			return fmt.Errorf("randomness of %d bytes, want 32", len(r.Ret))
		}
	}
	for _, t := range f.Tipsets {
		if _, err := cid.Decode(t.CID); err != nil {
			return fmt.Errorf("the tipset of epoch %d: %w", t.Epoch, err)
		}
	}
	for _, x := range f.Faults {
		if x.Error == "" && (x.Type < 1 || x.Type > 3) {
			return fmt.Errorf("a fault of the unknown type %d", x.Type)
		}
	}
	return nil
}

// facts are the world outside the machine as the vector tells it.
type facts struct{ f *vectorFile }

var _ externs.Externs = facts{}

// unlisted is the randomness of a round that a vector does not list.
const unlisted = "i_am_random_____i_am_random_____"

func (x facts) random(kind string, round abi.ChainEpoch) (out [32]byte, err error) {
	copy(out[:], unlisted)
	for _, r := range x.f.Randomness {
		if r.On.kind == kind && r.On.epoch == round {
			if r.Error != "" {
				return out, errors.New(r.Error)
			}
			copy(out[:], r.Ret)
			break
		}
	}
	return out, nil
}

func (x facts) ChainRandomness(_ context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return x.random(chain, round)
}

func (x facts) BeaconRandomness(_ context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return x.random(beacon, round)
}

func (x facts) VerifyConsensusFault(_ context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
	for _, f := range x.f.Faults {
		if bytes.Equal(f.H1, h1) && bytes.Equal(f.H2, h2) && bytes.Equal(f.Extra, extra) {
			if f.Error != "" {
				return nil, errors.New(f.Error)
			}
			return &externs.ConsensusFault{Target: f.Target, Epoch: f.Epoch, Type: f.Type}, nil
		}
	}
	return nil, nil
}

// TipsetCID of an epoch that is not listed is made from the epoch's number.
func (x facts) TipsetCID(_ context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	for _, t := range x.f.Tipsets {
		if t.Epoch == epoch {
			return cid.Decode(t.CID)
		}
	}
	key := binary.BigEndian.AppendUint64([]byte("tipset"), uint64(epoch))
	return cid.V1Builder{Codec: cid.DagCBOR, MhType: multihash.BLAKE2B_MIN + 31}.Sum(key)
}

// randomnessOn is a pair in JSON: ["chain", 2796486].
type randomnessOn struct {
	kind  string
	epoch abi.ChainEpoch
}

// UnmarshalJSON reads the pair.
func (o *randomnessOn) UnmarshalJSON(data []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil {
		return fmt.Errorf("randomness: %w", err)
	}
	if len(pair) != 2 {
		return fmt.Errorf("randomness on %s: want a kind and an epoch", data)
	}
	if err := json.Unmarshal(pair[0], &o.kind); err != nil {
		return fmt.Errorf("randomness: %w", err)
	}
	return json.Unmarshal(pair[1], &o.epoch)
}

// MarshalJSON writes the pair.
func (o randomnessOn) MarshalJSON() ([]byte, error) { return json.Marshal([]any{o.kind, o.epoch}) }

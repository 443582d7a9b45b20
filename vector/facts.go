package vector

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

// Facts are what the world outside the machine answers while a vector's messages run. Randomness of a round that is not
// listed, and the key of its tipset, are made from constants, and headers that are not listed are no fault.
type Facts struct {
	Randomness []Randomness `json:"randomness,omitempty"`
	Tipsets    []Tipset     `json:"tipsets,omitempty"`
	Faults     []Fault      `json:"faults,omitempty"`
}

// Randomness is an answer of the chain, or of the beacon.
type Randomness struct {
	On    Round  `json:"on"`
	Ret   []byte `json:"ret"`             // 32 bytes
	Error string `json:"error,omitempty"` // instead of Ret: what the question failed with
}

// Tipset is the key of an epoch's tipset, as text.
type Tipset struct {
	Epoch abi.ChainEpoch `json:"epoch"`
	CID   string         `json:"cid"`
}

// Fault is a verdict on two block headers.
type Fault struct {
	H1     []byte         `json:"h1"`
	H2     []byte         `json:"h2"`
	Extra  []byte         `json:"extra"`
	Target abi.ActorID    `json:"target"`
	Epoch  abi.ChainEpoch `json:"epoch"`
	Type   uint32         `json:"type"`            // as of externs.ConsensusFault
	Error  string         `json:"error,omitempty"` // instead of the last three: what the question failed with
}

// Check refuses facts that no node can answer.
func (f *Facts) Check() error {
	for _, r := range f.Randomness {
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

// Externs answers with the facts.
func (f *Facts) Externs() externs.Externs { return facts{f} }

// facts are the world outside the machine as the vector tells it.
type facts struct{ f *Facts }

var _ externs.Externs = facts{}

// unlisted is the randomness of a round that a vector does not list.
const unlisted = "i_am_random_____i_am_random_____"

func (x facts) random(on Round) (out [32]byte, err error) {
	copy(out[:], unlisted)
	for _, r := range x.f.Randomness {
		if r.On == on {
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
	return x.random(Round{Epoch: round})
}

func (x facts) BeaconRandomness(_ context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return x.random(Round{Beacon: true, Epoch: round})
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

// Round is what randomness is drawn from, a pair in JSON: ["chain", 2796486] or ["beacon", 2796486].
type Round struct {
	Beacon bool
	Epoch  abi.ChainEpoch
}

// The kinds of randomness, as the pair names them.
const (
	chain  = "chain"
	beacon = "beacon"
)

// UnmarshalJSON reads the pair.
func (r *Round) UnmarshalJSON(data []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil {
		return fmt.Errorf("randomness: %w", err)
	}
	if len(pair) != 2 {
		return fmt.Errorf("randomness on %s: want a kind and an epoch", data)
	}
	var kind string
	if err := json.Unmarshal(pair[0], &kind); err != nil {
		return fmt.Errorf("randomness: %w", err)
	}
	if kind != chain && kind != beacon {
		return fmt.Errorf("randomness of the unknown kind %q: want chain or beacon", kind)
	}
	r.Beacon = kind == beacon
	return json.Unmarshal(pair[1], &r.Epoch)
}

// MarshalJSON writes the pair.
func (r Round) MarshalJSON() ([]byte, error) {
	kind := chain
	if r.Beacon {
		kind = beacon
	}
	return json.Marshal([]any{kind, r.Epoch})
}

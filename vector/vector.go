package vector

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
)

// Vector is a state, messages, and what must come of them.
type Vector struct {
	Path string // the file it was read from
	Name string // the file's name without .json
	file vectorFile
	mode Proofs // instead of the file's, if not ""
}

// vectorFile is the file's JSON. The fields that the official format lacks are optional.
type vectorFile struct {
	Class         string        `json:"class"`
	Meta          meta          `json:"_meta"`
	CAR           []byte        `json:"car"`
	Preconditions preconditions `json:"preconditions"`
	Facts
	ProofAnswers []proofAnswer  `json:"proof_answers,omitempty"`
	Messages     []Message      `json:"apply_messages"`
	Post         postconditions `json:"postconditions"`
	Trace        string         `json:"trace,omitempty"`
}

type meta struct {
	ID         string            `json:"id"`
	Comment    string            `json:"comment"`
	Difference *EngineDifference `json:"difference,omitempty"`
}

type preconditions struct {
	Variants   []Variant   `json:"variants"`
	StateTree  stateTree   `json:"state_tree"`
	BaseFee    json.Number `json:"basefee"`
	CircSupply json.Number `json:"circ_supply"`
	ChainID    uint64      `json:"chain_id,omitempty"`
	Proofs     string      `json:"proofs,omitempty"`
	ProofKeys  string      `json:"proof_keys,omitempty"` // folder, from that of the vector's file
	Bundle     string      `json:"bundle,omitempty"`
	Debugging  bool        `json:"actor_debugging,omitempty"`
}

// Variant is a setting in which the messages run.
type Variant struct {
	ID        string          `json:"id"`
	Epoch     abi.ChainEpoch  `json:"epoch"`
	NV        network.Version `json:"nv"`
	Timestamp *uint64         `json:"timestamp,omitempty"` // seconds since 1970; nil: 30 an epoch
}

type stateTree struct {
	Root cid.Cid `json:"root_cid"`
}

// Message is a message in its CBOR form, which need not decode.
type Message struct {
	Bytes    []byte `json:"bytes"`
	Implicit bool   `json:"implicit,omitempty"`
	// ChainLen is its length on the chain in bytes. Nil: that of Bytes, and of a signature if the sender is an f1 address.
	ChainLen *int `json:"chain_len,omitempty"`
}

type postconditions struct {
	StateTree stateTree `json:"state_tree"`
	Receipts  []Receipt `json:"receipts"`
}

// Receipt is what a vector expects of a message. What a file does not say is nil.
type Receipt struct {
	ExitCode           *int64          `json:"exit_code,omitempty"`
	Return             []byte          `json:"return"`
	GasUsed            *int64          `json:"gas_used,omitempty"`
	EventsRoot         json.RawMessage `json:"events_root,omitempty"`
	Penalty            *string         `json:"penalty,omitempty"`
	MinerTip           *string         `json:"miner_tip,omitempty"`
	BaseFeeBurn        *string         `json:"base_fee_burn,omitempty"`
	OverEstimationBurn *string         `json:"over_estimation_burn,omitempty"`
	Refund             *string         `json:"refund,omitempty"`
	GasRefund          *int64          `json:"gas_refund,omitempty"`
	GasBurned          *int64          `json:"gas_burned,omitempty"`
	Error              bool            `json:"error,omitempty"` // there must be no receipt
}

// maxVectorFile bounds a vector file, in bytes; the largest official one has about 30 MB.
const maxVectorFile = 512 << 20

// Load reads a vector file.
func Load(path string) (*Vector, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("vector: %w", err)
	}
	if info.Size() > maxVectorFile {
		return nil, fmt.Errorf("vector %s: %d bytes is more than a vector can have", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("vector: %w", err)
	}
	v := &Vector{Path: path, Name: strings.TrimSuffix(filepath.Base(path), ".json")}
	if err := json.Unmarshal(data, &v.file); err != nil {
		return nil, fmt.Errorf("vector %s: not a message vector: %w", path, err)
	}
	if err := v.check(); err != nil {
		return nil, fmt.Errorf("vector %s: %w", path, err)
	}
	return v, nil
}

// check refuses a file that lacks what running needs.
func (v *Vector) check() error {
	f := &v.file
	switch {
	case f.Class != "message":
		return fmt.Errorf("its class is %q, only %q is known", f.Class, "message")
	case len(f.Preconditions.Variants) == 0:
		return errors.New("it has no variants")
	case !f.Preconditions.StateTree.Root.Defined():
		return errors.New("it has no pre-state root")
	case !f.Post.StateTree.Root.Defined():
		return errors.New("it has no post-state root")
	case len(f.Messages) == 0:
		return errors.New("it has no messages")
	case len(f.Messages) != len(f.Post.Receipts):
		return fmt.Errorf("it has %d messages but %d receipts", len(f.Messages), len(f.Post.Receipts))
	}
	if _, err := v.Proofs(); err != nil {
		return err
	}
	for _, m := range f.Messages {
		if m.ChainLen != nil && *m.ChainLen < 0 {
			return fmt.Errorf("a message's chain_len is %d", *m.ChainLen)
		}
	}
	for name, n := range map[string]json.Number{"basefee": f.Preconditions.BaseFee, "circ_supply": f.Preconditions.CircSupply} {
		if _, err := amount(n, big.Zero()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return v.file.Facts.Check()
}

// Comment says what the vector is about, in words; often "".
func (v *Vector) Comment() string { return v.file.Meta.Comment }

// Variants are the settings in which the messages run.
func (v *Vector) Variants() []Variant { return v.file.Preconditions.Variants }

// PreRoot is the state root before the messages.
func (v *Vector) PreRoot() cid.Cid { return v.file.Preconditions.StateTree.Root }

// PostRoot is the state root after them.
func (v *Vector) PostRoot() cid.Cid { return v.file.Post.StateTree.Root }

// Facts are what the world outside answers.
func (v *Vector) Facts() *Facts { return &v.file.Facts }

// ChainID as EIP-155 has it.
func (v *Vector) ChainID() uint64 { return v.file.Preconditions.ChainID }

// CAR is the vector's state, a CARv1 file, plain or packed by gzip.
func (v *Vector) CAR() []byte { return v.file.CAR }

// Messages are the vector's messages as the file has them.
func (v *Vector) Messages() []Message { return v.file.Messages }

// Debugging tells whether actors may log.
func (v *Vector) Debugging() bool { return v.file.Preconditions.Debugging }

// ProofsListed tells whether the vector has verdicts on single proofs, which come before its mode.
func (v *Vector) ProofsListed() bool { return len(v.file.ProofAnswers) > 0 }

// ProofsAlike is the mode by which all listed verdicts come out as they are listed: one of ProofsValid and ProofsInvalid. ok is false if
// none is listed, if some are valid and some are not, or if a question failed.
func (v *Vector) ProofsAlike() (mode Proofs, ok bool) {
	for i, a := range v.file.ProofAnswers {
		of := ProofsInvalid
		if a.Valid {
			of = ProofsValid
		}
		if a.Error != "" || i > 0 && of != mode {
			return "", false
		}
		mode = of
	}
	return mode, mode != ""
}

// Receipts are what the vector expects, one a message.
func (v *Vector) Receipts() []Receipt { return v.file.Post.Receipts }

// Bundle is the name of the actors that the vector says it needs, such as "v16/mainnet", or "".
func (v *Vector) Bundle() string { return v.file.Preconditions.Bundle }

var (
	goldenName   = regexp.MustCompile(`^nv\d+-([a-z0-9]+)-`)
	officialName = regexp.MustCompile(`^ext-\d+-fil_\d+_([a-z]+)-([A-Za-z]+)-`)
)

// Scenario groups vectors for reports, from the file's name: "multisig" for
// nv28-multisig-007, "multisig/Propose" for ext-0002-fil_10_multisig-Propose-Ok-1.
func (v *Vector) Scenario() string {
	if m := goldenName.FindStringSubmatch(v.Name); m != nil {
		return m[1]
	}
	if m := officialName.FindStringSubmatch(v.Name); m != nil {
		return m[1] + "/" + m[2]
	}
	return "other"
}

// The defaults of the official format where a vector does not say, in attoFIL.
var (
	defaultBaseFee    = big.NewInt(100)
	defaultCircSupply = big.Mul(big.NewInt(2_000_000_000), big.NewInt(1_000_000_000_000_000_000))
)

// BaseFee of the tipset, in attoFIL a unit of gas.
func (v *Vector) BaseFee() (abi.TokenAmount, error) {
	return amount(v.file.Preconditions.BaseFee, defaultBaseFee)
}

// CircSupply is the circulating supply, in attoFIL.
func (v *Vector) CircSupply() (abi.TokenAmount, error) {
	return amount(v.file.Preconditions.CircSupply, defaultCircSupply)
}

func amount(n json.Number, or abi.TokenAmount) (abi.TokenAmount, error) {
	if n == "" {
		return or, nil
	}
	v, err := big.FromString(n.String())
	if err != nil || v.Sign() < 0 {
		return or, fmt.Errorf("%q is not a whole amount of attoFIL", n)
	}
	return v, nil
}

// Time is the timestamp of the tipset, in seconds since 1970.
func (variant Variant) Time() uint64 {
	if variant.Timestamp != nil {
		return *variant.Timestamp
	}
	return uint64(variant.Epoch) * 30
}

// maxCAR bounds the unpacked state of a vector, in bytes.
const maxCAR = 1 << 30

// signatureOnChain is what a secp256k1 signature takes on the chain, in bytes: 65 of signature, a type and 3 of framing.
const signatureOnChain = 69

// decode reads message i: the message, its kind and its length on the chain.
func (v *Vector) decode(i int) (*fvm.Message, fvm.Kind, int, error) {
	return v.file.Messages[i].Decode()
}

// Decode reads the message, its kind and its length on the chain in bytes.
func (m Message) Decode() (*fvm.Message, fvm.Kind, int, error) {
	msg, err := fvm.DecodeMessage(m.Bytes)
	if err != nil {
		return nil, 0, 0, err
	}
	kind := fvm.Explicit
	if m.Implicit {
		kind = fvm.Implicit
	}
	length := len(m.Bytes)
	switch {
	case m.ChainLen != nil:
		length = *m.ChainLen
	case msg.From.Protocol() == address.SECP256K1:
		length += signatureOnChain
	}
	return msg, kind, length, nil
}

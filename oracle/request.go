package oracle

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
)

// Request is a setting and messages that run in it, one after the other.
type Request struct {
	NV        network.Version `json:"nv"`
	Epoch     abi.ChainEpoch  `json:"epoch"`
	Timestamp uint64          `json:"timestamp"` // seconds since 1970
	ChainID   uint64          `json:"chain_id"`
	// BaseFee and CircSupply are whole attoFIL, in decimal.
	BaseFee    string `json:"base_fee"`
	CircSupply string `json:"circ_supply"`
	// Root of the state tree, as text.
	Root     string    `json:"root"`
	Messages []Message `json:"messages"`
	// What the chain answers. Randomness of a round that is not listed, and its tipset, are made from constants, and headers that are not
	// listed are no fault.
	Randomness []Randomness `json:"randomness,omitempty"`
	Tipsets    []Tipset     `json:"tipsets,omitempty"`
	Faults     []Fault      `json:"faults,omitempty"`
	// Proofs is "upstream", "valid" or "invalid"; see the protocol. Default: "upstream".
	Proofs string `json:"proofs,omitempty"`
	// Blocks are seen by this request alone.
	Blocks []Block `json:"blocks,omitempty"`
	// Trace asks for traces, Terse for errors without text in them, Witness for the blocks that were read.
	Trace   bool `json:"trace,omitempty"`
	Terse   bool `json:"terse,omitempty"`
	Witness bool `json:"witness,omitempty"`
	// Discard: what the flush writes is forgotten, else it stays in the store. With Blocks it is forgotten anyway.
	Discard bool `json:"discard,omitempty"`
}

// Message is a message in its CBOR form.
type Message struct {
	Bytes    []byte `json:"bytes"`
	Implicit bool   `json:"implicit,omitempty"`
	// ChainLen is its length on the chain. Nil: that of its bytes, and of a signature if the sender is an f1 address.
	ChainLen *int `json:"chain_len,omitempty"`
}

// Randomness is an answer of the chain, or of the beacon.
type Randomness struct {
	On  Round  `json:"on"`
	Ret []byte `json:"ret"` // 32 bytes
}

// Round is what randomness is drawn from, ["chain", 2796486] in JSON.
type Round struct {
	Beacon bool
	Epoch  abi.ChainEpoch
}

// MarshalJSON writes the pair.
func (r Round) MarshalJSON() ([]byte, error) {
	kind := "chain"
	if r.Beacon {
		kind = "beacon"
	}
	return fmt.Appendf(nil, `[%q,%d]`, kind, r.Epoch), nil
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
	Type   uint32         `json:"type"`
}

// Answer is what the messages gave.
type Answer struct {
	// Results end with the first message that got no receipt.
	Results []Result `json:"results"`
	// Root is empty if a message without a receipt lost the machine.
	Root    string   `json:"root"`
	Witness []string `json:"witness"`
	// NS is what each message took, in a list for each repetition.
	NS [][]time.Duration `json:"ns"`
	// Pass and Why are a vector's.
	Pass bool   `json:"pass"`
	Why  string `json:"why"`
}

// Result is what one message gave: an error, or a receipt and what belongs to it.
type Result struct {
	Error              string          `json:"error"`
	ExitCode           uint32          `json:"exit_code"`
	Return             []byte          `json:"return"`
	ReturnCodec        *uint64         `json:"return_codec"` // nil before nv21
	GasUsed            int64           `json:"gas_used"`
	EventsRoot         string          `json:"events_root"`
	Events             []byte          `json:"events"` // CBOR of the list of stamped events
	Penalty            string          `json:"penalty"`
	MinerTip           string          `json:"miner_tip"`
	BaseFeeBurn        string          `json:"base_fee_burn"`
	OverEstimationBurn string          `json:"over_estimation_burn"`
	Refund             string          `json:"refund"`
	GasRefund          int64           `json:"gas_refund"`
	GasBurned          int64           `json:"gas_burned"`
	Failure            string          `json:"failure"`
	Trace              json.RawMessage `json:"trace"`
}

// UnmarshalJSON reads the pair.
func (r *Round) UnmarshalJSON(data []byte) error {
	var kind string
	pair := []any{&kind, &r.Epoch}
	if err := json.Unmarshal(data, &pair); err != nil || len(pair) != 2 {
		return fmt.Errorf("randomness on %s: want a kind and an epoch", data)
	}
	r.Beacon = kind == "beacon"
	if !r.Beacon && kind != "chain" {
		return fmt.Errorf("randomness on %q: want chain or beacon", kind)
	}
	return nil
}

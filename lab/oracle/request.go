package oracle

import (
	"encoding/json"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/vector"
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
	vector.Facts
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

// What a request and a vector say in the same words.
type (
	Message    = vector.Message
	Randomness = vector.Randomness
	Round      = vector.Round
	Tipset     = vector.Tipset
	Fault      = vector.Fault
)

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

package page

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// Latest as an epoch is the newest block.
const Latest abi.ChainEpoch = -1

// Whole as a message's place is the block as a whole.
const Whole = -1

// Source is what a page shows. Its methods are called by any number of goroutines at once.
type Source interface {
	// About says what it is.
	About(ctx context.Context) (*About, error)
	// Blocks are at most count of them from an epoch downwards, the newest first.
	Blocks(ctx context.Context, from abi.ChainEpoch, count int) ([]*Block, error)
	// Block is the one at an epoch, with its messages.
	Block(ctx context.Context, epoch abi.ChainEpoch) (*Block, error)
	// Explain tells what a message of a block did.
	Explain(ctx context.Context, at Place, d explain.Decoders) (*explain.Message, error)
	// States are those before and after a message, or a block as a whole.
	States(ctx context.Context, at Place) (*States, error)
	// Find is where a message with a CID or a hash of Ethereum stands, or a block; ok is false if there is none.
	Find(ctx context.Context, text string) (at Place, ok bool, err error)
}

// Place is a message's: the block's epoch, and its number in there, from 0, or Whole.
type Place struct {
	Epoch   abi.ChainEpoch `json:"epoch"`
	Message int            `json:"message"`
}

// States are two, of a store that has them. One of a vector may lack parts that no message touched.
type States struct {
	Store         blockstore.Blockstore
	Before, After cid.Cid
	// Epoch of the block that made After.
	Epoch   abi.ChainEpoch
	Version network.Version
}

// What a source is.
const (
	KindNode   = "node"
	KindChain  = "chain"
	KindVector = "vector"
	KindBundle = "bundle"
)

// About says what a source is.
type About struct {
	Kind     string          `json:"kind"`
	Title    string          `json:"title"`
	Network  string          `json:"network,omitempty"`
	ChainID  uint64          `json:"chain_id,omitempty"`
	Version  network.Version `json:"network_version"`
	Actors   string          `json:"actors,omitempty"` // the bundle of the actors' code, such as "v18/mainnet"
	Latest   abi.ChainEpoch  `json:"latest"`
	First    abi.ChainEpoch  `json:"first"`
	Writable bool            `json:"writable"`
	Comment  string          `json:"comment,omitempty"`
	// Verdict is what a vector came to.
	Verdict *explain.Verdict `json:"verdict,omitempty"`
	// Codes are the actors of a bundle.
	Codes []Code `json:"codes,omitempty"`
}

// Code is an actor's in a bundle.
type Code struct {
	Name  string `json:"name"`
	CID   string `json:"cid"`
	Bytes int    `json:"bytes"`
	// Versions are all that have the code, of the networks' bundles.
	Versions []int `json:"versions,omitempty"`
}

// Block is a tipset.
type Block struct {
	Epoch     abi.ChainEpoch `json:"epoch"`
	Hash      string         `json:"hash,omitempty"` // as Ethereum has it
	CIDs      []string       `json:"cids"`
	Parents   []string       `json:"parents,omitempty"`
	Miners    []string       `json:"miners,omitempty"`
	Timestamp uint64         `json:"timestamp"`          // seconds since 1970
	BaseFee   string         `json:"base_fee,omitempty"` // attoFIL a unit of gas
	Count     int            `json:"count"`              // of messages; -1 if it is not known
	GasUsed   *int64         `json:"gas_used,omitempty"` // nil where it was not executed yet
	Failed    *int           `json:"failed,omitempty"`   // messages with another exit code than 0
	StateRoot string         `json:"state_root,omitempty"`
	Edited    bool           `json:"edited,omitempty"` // its state was changed by hand
	Messages  []Row          `json:"messages,omitempty"`
}

// Row is a message in a list.
type Row struct {
	CID      string        `json:"cid,omitempty"`
	Hash     string        `json:"hash,omitempty"`
	From     string        `json:"from"` // 0x… where it has such an address, else as text of mainnet
	To       string        `json:"to"`
	Actor    string        `json:"actor,omitempty"` // the receiver's kind
	Method   abi.MethodNum `json:"method"`
	Name     string        `json:"name"`
	Selector string        `json:"selector,omitempty"` // of calldata of a contract
	Value    string        `json:"value"`              // attoFIL
	Nonce    uint64        `json:"nonce"`
	GasUsed  int64         `json:"gas_used"`
	GasLimit int64         `json:"gas_limit"`
	Exit     *int64        `json:"exit_code"` // nil: no receipt
	Events   int           `json:"events,omitempty"`
	Implicit bool          `json:"implicit,omitempty"`
}

// errNone says that there is nothing of the kind in the source.
func errNone(what string) error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: what}
}

var errNoBlocks = errNone("a bundle has no blocks, only actors' code")

func noBlock(epoch abi.ChainEpoch) error {
	return errNone(fmt.Sprintf("there is no block at epoch %d: it is a null round, or not in here", epoch))
}

// errNotFound is an address of nobody.
func errNotFound(a address.Address) error {
	return errNone(fmt.Sprintf("the state has no actor with the address %s", a))
}

package filapi

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/replay"
	"github.com/edgefvm/fvm/trace"
)

// Chain is a chain to read: of an archive, or of a node at work. Its methods are called by any number of goroutines at once.
type Chain interface {
	// Network that the chain is of, with the genesis' time.
	Network() *network.Network
	// Genesis is the tipset at epoch 0.
	Genesis(ctx context.Context) (*chain.Tipset, error)
	// Head is the tipset that the chain ends with. Its messages need not have been executed.
	Head(ctx context.Context) (*chain.Tipset, error)
	// Store reads headers, tipsets and messages.
	Store() *chain.Store
	// States has states.
	States() blockstore.Blockstore
	// Reach makes the state that a tipset's messages run on to be in States.
	Reach(ctx context.Context, ts *chain.Tipset) error
	// Executed is what came of a tipset. It may execute the tipset for that.
	Executed(ctx context.Context, ts *chain.Tipset) (*Executed, error)
	// Call executes a message at a tipset's epoch, on the state that its messages run on. Nothing of it is kept. The message's nonce does
	// not count.
	Call(ctx context.Context, ts *chain.Tipset, m *fvm.Message, o CallOptions) (*CallResult, error)
	// Trace executes the messages of a tipset again up to one of Executed's, and gives what that one did.
	Trace(ctx context.Context, ts *chain.Tipset, message int) (*CallResult, error)
}

// CallOptions say how a call is executed. The zero value is an implicit message of whoever exists, as the system's own are: it pays
// nothing.
type CallOptions struct {
	// Explicit messages pay for inclusion and gas by their fee cap. One of 0 makes the base fee 0.
	Explicit bool
	// Prior messages are executed first.
	Prior []chain.Message
	// Trace keeps what happens.
	Trace bool
	// On is the state to execute on. It must be in States, and is as it was afterwards. Default: the one that the tipset's messages run on.
	On cid.Cid
	// Anybody lets a sender call that the state does not have, with the gas limit that the message says, as eth_call does. Default: an implicit
	// message has no limit.
	Anybody bool
}

// CallResult is what a message did.
type CallResult struct {
	Message *fvm.Message // with the nonce that it had
	Result  *fvm.Result
	Trace   trace.Events
}

// Walker is a chain that executes a tipset once more message by message, the system's own and those of the null rounds before it
// included.
type Walker interface {
	// Walk tells of each message what it did, in order, and gives the state that is left, which comes into the store. An error of fn ends
	// it. The chain is not to be asked for anything else by fn.
	Walk(ctx context.Context, ts *chain.Tipset, into blockstore.Blockstore, fn func(*replay.Applied) error) (cid.Cid, error)
}

// Finder is a chain that knows where its messages are.
type Finder interface {
	// Find is the tipset of the chain that has a message, by its CID.
	Find(ctx context.Context, message cid.Cid) (ts *chain.Tipset, ok bool, err error)
}

// Estimator is a chain that finds out by trying how much gas a message needs upon its head and what waits in the pool.
type Estimator interface {
	// Estimate is a limit with which the message succeeds. Else it is 0, and the result says how the message fails.
	Estimate(ctx context.Context, m *fvm.Message) (limit int64, res *fvm.Result, err error)
}

// Executed is what came of a tipset's messages.
type Executed struct {
	// Messages in the order in which they were applied, each once, and their results.
	Messages []chain.Message
	Results  []*fvm.Result
	// Root is the state that the tipset leaves.
	Root cid.Cid
}

// Heads is a chain whose head moves.
type Heads interface {
	Chain
	// Heads sends each change of the head until the context ends, the head of now first. Whoever does not read it in time is sent
	// nothing more, and the channel is closed.
	Heads(ctx context.Context) (<-chan []HeadChange, error)
}

// HeadChange is a tipset that came to the chain or left it.
type HeadChange struct {
	Type string // current, apply or revert
	Val  *chain.Tipset
}

// The types of a HeadChange.
const (
	Current = "current"
	Apply   = "apply"
	Revert  = "revert"
)

// Pool is a pool of messages that wait for a block.
type Pool interface {
	// Push takes a message in, once its signature is checked. The CID is the one that it has on the chain.
	Push(ctx context.Context, m *fvm.Message, s *crypto.Signature) (cid.Cid, error)
	// Nonce is the next one of an address, messages that wait included.
	Nonce(ctx context.Context, from address.Address) (uint64, error)
	// Pending are the messages that wait, of each sender in the order of nonces.
	Pending(ctx context.Context) ([]chain.Message, error)
	// Clear throws away what waits.
	Clear(ctx context.Context) error
	// Changes sends what comes and goes until the context ends.
	Changes(ctx context.Context) (<-chan PoolChange, error)
}

// PoolChange is a message that came to the pool, or left it.
type PoolChange struct {
	Message chain.Message
	Removed bool
}

// Keys are secret keys of addresses, for development. They are shown to whoever asks. [NewKeys] makes some.
type Keys interface {
	// List are the addresses that there is a key of.
	List(ctx context.Context) ([]address.Address, error)
	// Sign signs bytes: of an f1 address their blake2b-256, of an f410f one their keccak-256.
	Sign(ctx context.Context, by address.Address, data []byte) (*crypto.Signature, error)
	// Export is the key of an address: its type and its bytes as nodes have them.
	Export(ctx context.Context, of address.Address) (*KeyInfo, error)
	// Import takes a key in.
	Import(ctx context.Context, key KeyInfo) (address.Address, error)
	// Delete forgets the key of an address.
	Delete(ctx context.Context, of address.Address) error
}

// KeyInfo is a secret key as nodes exchange it.
type KeyInfo struct {
	Type       string // secp256k1, bls or delegated
	PrivateKey []byte // 32 bytes; of bls least significant byte first
}

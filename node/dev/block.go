package dev

import (
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/eth"
)

// Block is a tipset of one block with what executing it gave. It does not change: an edit of the latest state replaces the block by
// another of the same hash. The genesis is one, at epoch 0, without messages.
type Block struct {
	// Tipset has the block's header alone; that of a real chain (Options.Fork) has as many as it was made of.
	Tipset *chain.Tipset
	// Key is the CID of the tipset's key, and Hash the same as Ethereum knows it.
	Key  cid.Cid
	Hash eth.Hash
	// Root is the state after it: as execution left it, and as it was edited since. Executed is without edits.
	Root, Executed cid.Cid
	// Receipts is the root of the receipts.
	Receipts cid.Cid
	// NextBaseFee is that of the block after it, unless it is forced, in attoFIL a unit of gas.
	NextBaseFee abi.TokenAmount
	// Messages in the order in which they were executed. Cron and rewards are not among them.
	Messages []*Executed
	// Preview: it is not on the chain, but what would be mined now (Node.Pending).
	Preview bool

	// real: a tipset of the real chain that a fork goes on from. Its messages are Whole's.
	real bool
	// upgrade is the network version of the blocks above it, if it is not the block's own; else 0.
	upgrade netver.Version

	parent *Block // nil of the genesis, and of blocks read back from a store
	states blockstore.Blockstore
	begin  cid.Cid // the state that its own machine began with, after the null rounds before; of a real one not known
	supply abi.TokenAmount
	cache  *cache
}

// Executed is a message with what executing it gave.
type Executed struct {
	chain.Message
	// Hash by which Ethereum knows it: that of the transaction, or of a native message its CID's.
	Hash eth.Hash
	// Result is the receipt with events and fees.
	Result *fvm.Result
	// Implicit: the sender was impersonated and is no account, see the package comment.
	Implicit bool
	// Raised is the gas limit that it was executed with, if it is not its own (Options.LenientGas); else 0.
	Raised int64
	// Console is the calldata of its calls to the console of Hardhat, with the selector, in order.
	Console [][]byte
}

// Epoch is the block's number.
func (b *Block) Epoch() abi.ChainEpoch { return b.Tipset.Height() }

// Timestamp in seconds since 1970.
func (b *Block) Timestamp() uint64 { return b.Tipset.Blocks[0].Timestamp }

// BaseFee is that of its messages, in attoFIL a unit of gas.
func (b *Block) BaseFee() abi.TokenAmount { return b.Tipset.BaseFee() }

// CID is the header's.
func (b *Block) CID() cid.Cid { return b.Tipset.CIDs[0] }

// GasUsed by its messages, in units of gas.
func (b *Block) GasUsed() (sum int64) {
	for _, m := range b.Messages {
		sum += m.Result.GasUsed
	}
	return sum
}

// Edited reports that the state after it is not what executing it left.
func (b *Block) Edited() bool { return b.Root != b.Executed }

// messages are the block's as package chain has them.
func (b *Block) messages() *chain.BlockMessages {
	m := &chain.BlockMessages{}
	for _, e := range b.Messages {
		if e.Signature == nil {
			m.BLS = append(m.BLS, e.Message)
		} else {
			m.Secp = append(m.Secp, e.Message)
		}
	}
	return m
}

// hashOf is the hash of a CID, of which every object of the chain has one.
func hashOf(c cid.Cid) (h eth.Hash) {
	h, _ = eth.HashOf(c)
	return h
}

func digestOf(data []byte) cid.Cid {
	c, err := abi.CidBuilder.Sum(data)
	if err != nil {
		panic(err) // the hash function is there
	}
	return c
}

// ok tells whether an exit code is success.
func ok(c exitcode.ExitCode) bool { return c.IsSuccess() }

// ticketOf is the proof in a block's ticket: nobody draws it, so it is a hash of what stands before it.
func ticketOf(parent cid.Cid, epoch abi.ChainEpoch, salt []byte) []byte {
	data := append(append([]byte("edgefvm dev ticket "), parent.Bytes()...), salt...)
	for i := 56; i >= 0; i -= 8 {
		data = append(data, byte(uint64(epoch)>>i))
	}
	sum := crypto.Blake2b256(data)
	return sum[:]
}

package kernel

import (
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/execerr"
)

// BlockID is an actor's handle for a block. 0 means no block.
type BlockID = uint32

// NoBlock is the handle that stands for no data.
const NoBlock BlockID = 0

const maxBlocks = 1<<31 - 1

// Block is immutable IPLD data and the CIDs it links to (empty for codecs
// without links and before nv21).
type Block struct {
	Codec uint64
	Data  []byte
	Links []cid.Cid
}

// BlockStat describes a block to the actor.
type BlockStat struct {
	Codec uint64
	Size  uint32 // bytes
}

// Stat is the block's codec and size.
func (b *Block) Stat() BlockStat { return BlockStat{b.Codec, uint32(len(b.Data))} }

// BlockRegistry holds the open blocks of one invocation and what the actor may
// reach from them. Handles start at 1 and are never reused.
type BlockRegistry struct {
	blocks    []*Block
	first     [8]*Block // where blocks begins: most invocations have no more
	reachable map[cid.Cid]struct{}
}

// PutReachable adds a block that the actor was given: its links become reachable.
func (r *BlockRegistry) PutReachable(b *Block) (BlockID, error) {
	for _, c := range b.Links {
		r.MarkReachable(c)
	}
	return r.put(b)
}

// PutChecked adds a block that the actor made: its links must be reachable.
func (r *BlockRegistry) PutChecked(b *Block) (BlockID, error) {
	if r.Full() {
		return 0, execerr.Syscallf(execerr.LimitExceeded, "too many blocks")
	}
	for _, c := range b.Links {
		if !r.Reachable(c) {
			return 0, execerr.Syscallf(execerr.NotFound, "the block links to %s, which is not reachable", c)
		}
	}
	return r.put(b)
}

func (r *BlockRegistry) put(b *Block) (BlockID, error) {
	if r.Full() {
		return 0, execerr.Syscallf(execerr.LimitExceeded, "too many blocks")
	}
	if r.blocks == nil {
		r.blocks = r.first[:0]
	}
	r.blocks = append(r.blocks, b)
	return BlockID(len(r.blocks)), nil
}

// Get is the block behind a handle.
func (r *BlockRegistry) Get(id BlockID) (*Block, error) {
	if id == 0 || uint64(id) > uint64(len(r.blocks)) {
		return nil, execerr.Syscallf(execerr.InvalidHandle, "no block has the handle %d", id)
	}
	return r.blocks[id-1], nil
}

// Full reports that no further block fits.
func (r *BlockRegistry) Full() bool { return len(r.blocks) >= maxBlocks }

// MarkReachable lets the actor open c.
func (r *BlockRegistry) MarkReachable(c cid.Cid) {
	if r.reachable == nil {
		r.reachable = make(map[cid.Cid]struct{}, 8)
	}
	r.reachable[c] = struct{}{}
}

// Reachable reports whether the actor may open c. A CID with inline data is
// not reachable by itself, since it may link to what is not.
func (r *BlockRegistry) Reachable(c cid.Cid) bool {
	_, ok := r.reachable[c]
	return ok
}

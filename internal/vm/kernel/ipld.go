package kernel

import (
	"context"

	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/links"
	"github.com/edgefvm/fvm/internal/vm/machine"
)

const blake2b256 = 0xb220

// The codecs that actors may make blocks of.
const (
	codecCBOR    = 0x51
	codecRaw     = 0x55
	codecDagCBOR = 0x71
)

func (k *Kernel) allowedCodec(codec uint64) bool {
	if k.m.Profile.OnlyDagCBOR {
		return codec == codecDagCBOR
	}
	return codec == codecCBOR || codec == codecRaw || codec == codecDagCBOR
}

// BlockOpen reads a block from the store. A block that is not there is a
// failure: of this node where only reachable blocks can be asked for, of the message where any can.
func (k *Kernel) BlockOpen(ctx context.Context, c cid.Cid) (BlockID, BlockStat, error) {
	if err := k.gas.Apply(k.prices.OnBlockOpenBase()); err != nil {
		return 0, BlockStat{}, err
	}
	if k.m.Profile.Reachability && !k.Blocks.Reachable(c) {
		return 0, BlockStat{}, execerr.Syscallf(execerr.NotFound, "the block %s is not reachable", c)
	}
	data, err := k.m.Store.GetRaw(ctx, c)
	if err != nil {
		return 0, BlockStat{}, k.readFailure(c, err)
	}
	k.calls.TraceIPLD(false, c, len(data))
	codec := c.Prefix().Codec
	b := &Block{Codec: codec, Data: data}
	if k.m.Profile.Reachability {
		if b.Links, err = k.scan(codec, data); err != nil {
			return 0, BlockStat{}, err
		}
	}
	if err := k.gas.Apply(k.prices.OnBlockOpen(len(data), len(b.Links))); err != nil {
		return 0, BlockStat{}, err
	}
	if !k.m.Profile.Reachability && !k.allowedCodec(codec) {
		return 0, BlockStat{}, execerr.Syscallf(execerr.IllegalCodec, "blocks of codec %#x cannot be opened", codec)
	}
	id, err := k.Blocks.PutReachable(b)
	return id, b.Stat(), err
}

func (k *Kernel) readFailure(c cid.Cid, err error) error {
	if !k.m.Profile.Reachability && format.IsNotFound(err) {
		return execerr.Guestf("the state lacks the block %s: %w", c, err)
	}
	return execerr.Nodef("reading the block %s: %w", c, err)
}

// scan finds the links of a block and charges for the search, also when it fails.
func (k *Kernel) scan(codec uint64, data []byte) ([]cid.Cid, error) {
	found, used, err := links.ScanLinks(codec, data, k.prices.IPLDScanPerField, k.prices.IPLDScanPerCID, k.gas.Available())
	if cerr := k.gas.Charge("OnScanIpldLinks", used); cerr != nil {
		return nil, cerr
	}
	return found, err
}

// BlockCreate makes a block of the actor's bytes, which are copied.
func (k *Kernel) BlockCreate(codec uint64, data []byte) (BlockID, error) {
	if len(data) > machine.MaxBlockSize && !k.m.Profile.OnlyDagCBOR {
		return 0, execerr.Syscallf(execerr.LimitExceeded, "a block holds at most %d bytes, not %d", machine.MaxBlockSize, len(data))
	}
	b := &Block{Codec: codec}
	if k.m.Profile.Reachability {
		if !k.allowedCodec(codec) {
			return 0, execerr.Syscallf(execerr.IllegalCodec, "blocks of codec %#x cannot be made", codec)
		}
		links, err := k.scan(codec, data)
		if err != nil {
			return 0, err
		}
		b.Links = links
	}
	if err := k.gas.Apply(k.prices.OnBlockCreate(len(data), len(b.Links))); err != nil {
		return 0, err
	}
	if !k.allowedCodec(codec) {
		return 0, execerr.Syscallf(execerr.IllegalCodec, "blocks of codec %#x cannot be made", codec)
	}
	b.Data = append([]byte(nil), data...)
	return k.Blocks.PutChecked(b)
}

// BlockLink writes a block to the store and returns its CID.
func (k *Kernel) BlockLink(id BlockID, hashFun uint64, hashLen uint32) (cid.Cid, error) {
	if hashFun != blake2b256 || hashLen != 32 {
		return cid.Undef, execerr.Syscallf(execerr.IllegalCid, "links are 32-byte blake2b, not function %#x with %d bytes", hashFun, hashLen)
	}
	b, err := k.Blocks.Get(id)
	if err != nil {
		return cid.Undef, err
	}
	if err := k.gas.Apply(k.prices.OnBlockLink(hashFun, len(b.Data))); err != nil {
		return cid.Undef, err
	}
	c := links.Blake2bCID(b.Codec, crypto.Blake2b256(b.Data))
	k.m.Store.PutRaw(c, b.Data)
	k.Blocks.MarkReachable(c)
	k.calls.TraceIPLD(true, c, len(b.Data))
	return c, nil
}

// BlockRead copies a block's bytes from offset on into buf. It returns how many
// bytes lie beyond what fits, or a negative number if buf was longer than what was left.
func (k *Kernel) BlockRead(id BlockID, offset uint32, buf []byte) (int32, error) {
	end := uint64(offset) + uint64(len(buf))
	if end > 1<<31-1 {
		return 0, execerr.Syscallf(execerr.IllegalArgument, "offset plus length is beyond 31 bits: %d", end)
	}
	b, err := k.Blocks.Get(id)
	if err != nil {
		return 0, err
	}
	n := 0
	if int64(offset) < int64(len(b.Data)) {
		n = min(len(b.Data)-int(offset), len(buf))
	}
	if err := k.gas.Apply(k.prices.OnBlockRead(n)); err != nil {
		return 0, err
	}
	if n > 0 {
		copy(buf, b.Data[offset:int(offset)+n])
	}
	return int32(len(b.Data)) - int32(end), nil
}

// BlockStat describes a block.
func (k *Kernel) BlockStat(id BlockID) (BlockStat, error) {
	if err := k.gas.Apply(k.prices.OnBlockStat()); err != nil {
		return BlockStat{}, err
	}
	b, err := k.Blocks.Get(id)
	if err != nil {
		return BlockStat{}, err
	}
	return b.Stat(), nil
}

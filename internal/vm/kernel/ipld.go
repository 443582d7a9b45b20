package kernel

import (
	"context"

	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/links"
	"github.com/edgefvm/fvm/internal/vm/machine"
)

// allowedCodec reports that actors may have blocks of a codec.
func (k *Kernel) allowedCodec(codec uint64) bool {
	if k.m.Profile.OnlyDagCBOR {
		return codec == cbor.CodecDagCBOR
	}
	return codec == cbor.CodecCBOR || codec == cbor.CodecRaw || codec == cbor.CodecDagCBOR
}

// BlockOpen reads a block from the store.
func (k *Kernel) BlockOpen(ctx context.Context, c cid.Cid) (BlockID, BlockStat, error) {
	if err := k.gas.Apply(k.prices.OnBlockOpenBase()); err != nil {
		return 0, BlockStat{}, err
	}
	var b *Block
	var err error
	if k.m.Profile.Reachability {
		b, err = k.openReachable(ctx, c)
	} else {
		b, err = k.openAny(ctx, c)
	}
	if err != nil {
		return 0, BlockStat{}, err
	}
	id, err := k.Blocks.PutReachable(b)
	return id, b.Stat(), err
}

// openReachable reads a block that the actor can have learnt of, so that the state has it: if the store lacks it, this node fails.
func (k *Kernel) openReachable(ctx context.Context, c cid.Cid) (*Block, error) {
	if !k.Blocks.Reachable(c) {
		return nil, execerr.Syscallf(execerr.NotFound, "the block %s is not reachable", c)
	}
	data, err := k.m.Store.GetRaw(ctx, c)
	if err != nil {
		return nil, execerr.Nodef("reading the block %s: %w", c, err)
	}
	k.calls.TraceIPLD(false, c, len(data))
	b := &Block{Codec: c.Prefix().Codec, Data: data}
	if b.Links, err = k.scan(b.Codec, data); err != nil {
		return nil, err
	}
	return b, k.gas.Apply(k.prices.OnBlockOpen(len(data), len(b.Links)))
}

// openAny reads whatever block the actor names (until nv20).
func (k *Kernel) openAny(ctx context.Context, c cid.Cid) (*Block, error) {
	data, err := k.readAny(ctx, c)
	if err != nil {
		return nil, err
	}
	k.calls.TraceIPLD(false, c, len(data))
	if err := k.gas.Apply(k.prices.OnBlockOpen(len(data), 0)); err != nil {
		return nil, err
	}
	b := &Block{Codec: c.Prefix().Codec, Data: data}
	if !k.allowedCodec(b.Codec) {
		return nil, execerr.Syscallf(execerr.IllegalCodec, "blocks of codec %#x cannot be opened", b.Codec)
	}
	return b, nil
}

// readAny is the bytes of a block that the state need not have: if the store lacks it, the message fails.
func (k *Kernel) readAny(ctx context.Context, c cid.Cid) ([]byte, error) {
	data, err := k.m.Store.GetRaw(ctx, c)
	switch {
	case err == nil:
		return data, nil
	case format.IsNotFound(err):
		return nil, execerr.Guestf("the state lacks the block %s: %w", c, err)
	}
	return nil, execerr.Nodef("reading the block %s: %w", c, err)
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
	var links []cid.Cid
	var err error
	if k.m.Profile.Reachability {
		links, err = k.checkLinks(codec, data)
	} else {
		err = k.checkCodec(codec, data)
	}
	if err != nil {
		return 0, err
	}
	return k.Blocks.PutChecked(&Block{Codec: codec, Data: append([]byte(nil), data...), Links: links})
}

// checkLinks finds the links of a new block, and charges for it.
func (k *Kernel) checkLinks(codec uint64, data []byte) ([]cid.Cid, error) {
	if !k.allowedCodec(codec) {
		return nil, execerr.Syscallf(execerr.IllegalCodec, "blocks of codec %#x cannot be made", codec)
	}
	found, err := k.scan(codec, data)
	if err != nil {
		return nil, err
	}
	return found, k.gas.Apply(k.prices.OnBlockCreate(len(data), len(found)))
}

// checkCodec charges for a new block before it looks at its codec, and not at its links (until nv20).
func (k *Kernel) checkCodec(codec uint64, data []byte) error {
	if err := k.gas.Apply(k.prices.OnBlockCreate(len(data), 0)); err != nil {
		return err
	}
	if !k.allowedCodec(codec) {
		return execerr.Syscallf(execerr.IllegalCodec, "blocks of codec %#x cannot be made", codec)
	}
	return nil
}

// BlockLink writes a block to the store and returns its CID.
func (k *Kernel) BlockLink(id BlockID, hashFun uint64, hashLen uint32) (cid.Cid, error) {
	if hashFun != crypto.BLAKE2b256 || hashLen != 32 {
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

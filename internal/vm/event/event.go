// Package event holds the events that actors emit, and their encodings (FIP-0049).
//
// The kernel makes events, call collects them and executor commits to them in the receipt; package fvm has the same types for
// its callers. It calls cbor. What an event may hold is checked by the kernel.
package event

import (
	"context"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
)

// Stamped is an event with the actor that emitted it.
type Stamped struct {
	Emitter abi.ActorID
	Entries []Entry
}

// Entry is a key and a value of an event.
type Entry struct {
	Flags uint64 // bit 0: the key is indexed, bit 1: the value is
	Key   string
	Codec uint64 // of the value
	Value []byte
}

const (
	eventFields = 2
	entryFields = 4
)

// AppendCBOR appends the event's encoding: [emitter, [[flags, key, codec, value]...]].
func (e *Stamped) AppendCBOR(dst []byte) []byte {
	dst = AppendHead(dst, e.Emitter, len(e.Entries))
	for i := range e.Entries {
		dst = e.Entries[i].AppendCBOR(dst)
	}
	return dst
}

// AppendHead appends what comes before an event's n entries.
func AppendHead(dst []byte, emitter abi.ActorID, n int) []byte {
	return cbor.AppendArray(cbor.AppendUint(cbor.AppendArray(dst, eventFields), uint64(emitter)), n)
}

// AppendCBOR appends the entry's encoding: [flags, key, codec, value].
func (e *Entry) AppendCBOR(dst []byte) []byte {
	dst = cbor.AppendUint(cbor.AppendArray(dst, entryFields), e.Flags)
	dst = cbor.AppendUint(cbor.AppendText(dst, e.Key), e.Codec)
	return cbor.AppendBytes(dst, e.Value)
}

// The AMT of a receipt's events: 2^5 children a node.
const (
	amtBits  = 5
	amtWidth = 1 << amtBits
	amtMap   = amtWidth / 8 // bytes of a node's bitmap
)

// Root is the root of the AMT (version 3, bit width 5) that holds the events in order, nil if there are none. Its nodes are
// stored nowhere. The error is ctx's once that is done.
func Root(ctx context.Context, events []Stamped) (*cid.Cid, error) {
	if len(events) == 0 {
		return nil, nil
	}
	// Level by level from the leaves: encoded values first, then links to the nodes of the level before.
	level := make([][]byte, len(events))
	for i := range events {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		level[i] = events[i].AppendCBOR(nil)
	}
	height := 0
	for ; len(level) > amtWidth; height++ {
		next := make([][]byte, 0, (len(level)+amtWidth-1)/amtWidth)
		for rest := level; len(rest) > 0; {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			n := min(len(rest), amtWidth)
			node := appendNode(nil, rest[:n], height == 0)
			c := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(node))
			next, rest = append(next, cbor.AppendCID(nil, c)), rest[n:]
		}
		level = next
	}
	root := cbor.AppendUint(cbor.AppendArray(nil, 4), amtBits)
	root = cbor.AppendUint(cbor.AppendUint(root, uint64(height)), uint64(len(events)))
	root = appendNode(root, level, height == 0)
	c := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(root))
	return &c, nil
}

// appendNode appends an AMT node, [bitmap, links, values], with its first places taken by items.
func appendNode(dst []byte, items [][]byte, leaf bool) []byte {
	bitmap := uint32(1<<len(items) - 1)
	dst = cbor.AppendArray(dst, 3)
	dst = cbor.AppendBytes(dst, []byte{byte(bitmap), byte(bitmap >> 8), byte(bitmap >> 16), byte(bitmap >> 24)}[:amtMap])
	links, values := len(items), 0
	if leaf {
		links, values = 0, len(items)
	}
	dst = cbor.AppendArray(dst, links)
	if leaf {
		dst = cbor.AppendArray(dst, values)
	}
	for _, it := range items {
		dst = append(dst, it...)
	}
	if !leaf {
		dst = cbor.AppendArray(dst, values)
	}
	return dst
}

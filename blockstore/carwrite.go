package blockstore

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// WriteCAR writes an archive of version 1 with the given roots and blocks, in the order they come. An error of
// the sequence ends the writing and is returned. Blocks are not checked.
func WriteCAR(w io.Writer, roots []cid.Cid, bs iter.Seq2[blocks.Block, error]) error {
	head := cbor.AppendHeader(nil, cbor.Map, 2)
	head = cbor.AppendArray(cbor.AppendText(head, "roots"), len(roots))
	for _, c := range roots {
		head = cbor.AppendCID(head, c)
	}
	head = cbor.AppendUint(cbor.AppendText(head, "version"), carVersion)
	out := bufio.NewWriter(w)
	if err := writeSection(out, head, nil); err != nil {
		return err
	}
	for b, err := range bs {
		if err != nil {
			return err
		}
		if err := writeSection(out, b.Cid().Bytes(), b.RawData()); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing a CAR: %w", err)
	}
	return nil
}

func writeSection(out *bufio.Writer, a, b []byte) error {
	length := binary.AppendUvarint(nil, uint64(len(a)+len(b)))
	for _, part := range [][]byte{length, a, b} {
		if _, err := out.Write(part); err != nil {
			return fmt.Errorf("writing a CAR: %w", err)
		}
	}
	return nil
}

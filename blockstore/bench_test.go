package blockstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"iter"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// small makes n blocks of 60 bytes.
func small(n int) iter.Seq2[blocks.Block, error] {
	return func(yield func(blocks.Block, error) bool) {
		for i := range n {
			data := binary.BigEndian.AppendUint64(make([]byte, 52, 60), uint64(i))
			if !yield(blocks.NewBlockWithCid(data, cbor.Blake2bCID(cbor.CodecRaw, blake2b.Sum256(data)))) {
				return
			}
		}
	}
}

// What it costs to have an archive of small blocks as a store.
func BenchmarkSmallBlocks(b *testing.B) {
	const n = 100_000
	var car bytes.Buffer
	if err := WriteCAR(&car, nil, small(n)); err != nil {
		b.Fatal(err)
	}
	in := bytes.NewReader(car.Bytes())
	b.Run("LoadCAR", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			in.Seek(0, 0)
			if _, err := LoadCAR(context.Background(), in, NewMemory(), CAROptions{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/block")
	})
	b.Run("OpenCAR", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := OpenCAR(in, int64(car.Len()), CAROptions{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/block")
	})
}

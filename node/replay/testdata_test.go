package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
)

var update = flag.Bool("update", false, "cut the chains of testdata anew from ../shared/chains")

// cuts are the chains of testdata: the first epochs of shared ones, without the actors' code, which the bundles have. Lines of
// expected values are those of the whole chain.
var cuts = []struct {
	name string
	to   abi.ChainEpoch
}{{"upgrades16", 70}, {"two29", 40}, {"real28", 60}}

// Cuts a chain: what an export with its head at an epoch would be.
func TestCutTestdata(t *testing.T) {
	if !*update {
		t.Skip("only with -update")
	}
	for _, c := range cuts {
		store, roots := open(t, filepath.Join(shared, c.name+".car.zst"))
		s := chain.NewStore(store)
		head, err := s.Head(t.Context(), roots)
		if err != nil {
			t.Fatal(err)
		}
		line := chain.NewLine(s, head)
		for head.Height() > c.to {
			if head, err = s.Parent(t.Context(), head); err != nil {
				t.Fatal(err)
			}
		}
		genesis, err := line.At(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := blockstore.WriteCAR(&out, head.CIDs, walk(t, store, append(head.CIDs, genesis.ParentStateRoot()))); err != nil {
			t.Fatal(err)
		}
		z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
		if err != nil {
			t.Fatal(err)
		}
		write := func(name string, data []byte) {
			if err := os.WriteFile(filepath.Join("testdata", name), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		write(c.name+".car.zst", z.EncodeAll(out.Bytes(), nil))
		describe, err := os.ReadFile(filepath.Join(shared, c.name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		write(c.name+".json", describe)
		var lines []json.RawMessage
		data, err := os.ReadFile(filepath.Join(shared, c.name+".tipsets.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &lines); err != nil {
			t.Fatal(err)
		}
		keep := lines[:0]
		for _, l := range lines {
			var w want
			if err := json.Unmarshal(l, &w); err != nil {
				t.Fatal(err)
			}
			if w.Epoch <= c.to {
				keep = append(keep, l)
			}
		}
		if data, err = json.Marshal(keep); err != nil {
			t.Fatal(err)
		}
		write(c.name+".tipsets.json", data)
	}
}

// walk gives all blocks below roots but raw ones and those of states that are not there.
func walk(t *testing.T, from blockstore.Blockstore, roots []cid.Cid) iter.Seq2[blocks.Block, error] {
	return func(yield func(blocks.Block, error) bool) {
		seen := map[cid.Cid]bool{}
		for todo := append([]cid.Cid{}, roots...); len(todo) > 0; {
			c := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if seen[c] || c.Prefix().Codec == cid.Raw {
				continue
			}
			seen[c] = true
			b, err := from.Get(context.Background(), c)
			if err != nil {
				continue
			}
			if !yield(b, nil) {
				return
			}
			if err := cbor.Links(b.RawData(), &cbor.LinkRules{}, func(raw []byte) error {
				l, _, err := cbor.ParseCID(raw)
				if err == nil {
					todo = append(todo, l)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

package bundle

import (
	"bytes"
	"strings"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// An archive may hold blocks whose hash nobody checks; actors' code goes by none of these.
func TestHashOfCode(t *testing.T) {
	code := []byte("\x00asm")
	for _, tt := range []struct {
		name string
		hash uint64
		size int
		well bool
	}{
		{"blake2b-256", multihash.BLAKE2B_MIN + 31, 32, true},
		{"sha2-256", multihash.SHA2_256, 32, true},
		{"sha2-256, a few bytes of it", multihash.SHA2_256, 4, false},
		{"murmur3", multihash.MURMUR3X64_64, 8, false},
		{"a function that is not known", 0x7ffff0, 32, false},
	} {
		digest := bytes.Repeat([]byte{1}, tt.size)
		if h, err := multihash.Sum(code, tt.hash, tt.size); err == nil {
			digest = h[len(h)-tt.size:]
		}
		h, err := multihash.Encode(digest, tt.hash)
		if err != nil {
			t.Fatal(err)
		}
		put := func(c cid.Cid, data []byte) blocks.Block {
			b, err := blocks.NewBlockWithCid(data, c)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		wasm := put(cid.NewCidV1(cid.Raw, h), code)
		list := cbor.AppendCID(cbor.AppendText(cbor.AppendArray(cbor.AppendArray(nil, 1), 2), "system"), wasm.Cid())
		listed := put(cbor.Blake2bCID(cbor.CodecDagCBOR, blake2b.Sum256(list)), list)
		manifest := cbor.AppendCID(cbor.AppendUint(cbor.AppendArray(nil, 2), 1), listed.Cid())
		root := put(cbor.Blake2bCID(cbor.CodecDagCBOR, blake2b.Sum256(manifest)), manifest)
		var car bytes.Buffer
		if err := blockstore.WriteCAR(&car, []cid.Cid{root.Cid()}, func(yield func(blocks.Block, error) bool) {
			_ = yield(root, nil) && yield(listed, nil) && yield(wasm, nil)
		}); err != nil {
			t.Fatal(err)
		}
		_, err = LoadCAR(t.Context(), &car, blockstore.NewMemory())
		if tt.well != (err == nil) || err != nil && !strings.Contains(err.Error(), "hash function") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

package crypto

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
)

// testPieces are pieces of these sizes; the root of the i-th is 32 bytes i+1.
func testPieces(sizes ...uint64) []abi.PieceInfo {
	pieces := make([]abi.PieceInfo, len(sizes))
	for i, size := range sizes {
		root := bytes.Repeat([]byte{byte(i + 1)}, 32)
		pieces[i] = abi.PieceInfo{Size: abi.PaddedPieceSize(size), PieceCID: commitmentCID(unsealedCodec, unsealedHash, root)}
	}
	return pieces
}

func commitmentCID(codec, hash uint64, root []byte) cid.Cid {
	mh, err := multihash.Encode(root, hash)
	if err != nil {
		panic(err)
	}
	return cid.NewCidV1(codec, mh)
}

func times(n int, size uint64) []uint64 {
	sizes := make([]uint64, n)
	for i := range sizes {
		sizes[i] = size
	}
	return sizes
}

// The expected CIDs come from the reference implementation; those without pieces are in wide use.
func TestComputeUnsealedSectorCID(t *testing.T) {
	for _, c := range []struct {
		proof abi.RegisteredSealProof
		sizes []uint64
		want  string
	}{
		{0, nil, "baga6ea4seaqpy7usqklokfx2vxuynmupslkeutzexe2uqurdg5vhtebhxqmpqmy"},
		{1, nil, "baga6ea4seaqgl4u6lwmnerwdrm4iz7ag3mpwwaqtapc2fciabpooqmvjypweeha"},
		{2, nil, "baga6ea4seaqdsvqopmj2soyhujb72jza76t4wpq5fzifvm3ctz47iyytkewnubq"},
		{3, nil, "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"},
		{4, nil, "baga6ea4seaqomqafu276g53zko4k23xzh4h4uecjwicbmvhsuqi7o4bhthhm4aq"},
		{5, nil, "baga6ea4seaqpy7usqklokfx2vxuynmupslkeutzexe2uqurdg5vhtebhxqmpqmy"},
		{18, nil, "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"},
		{0, []uint64{2048}, "baga6ea4seaqacaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcai"},
		{0, []uint64{128}, "baga6ea4seaqbwa2kiewynw37verp2oppaz3qwndla5pldru5a2z2mx73nsasipq"},
		{0, []uint64{128, 256}, "baga6ea4seaqattsqfb4nozzafoetpt5ezoqayhapdrzluywvqaaf6o24sahdybi"},
		{0, []uint64{1024, 1024}, "baga6ea4seaqpqgfp2n5g3q54sl5ui4yqcetxabw3j35g5ebdzv2grqbdgxjcudi"},
		{0, times(16, 128), "baga6ea4seaqbdoql5liviqsgqhph2xmrvfhnujutawxmeqzcgqaq2xwrmtfxgea"},
		{0, []uint64{1024, 128, 256}, "baga6ea4seaqgn5zlcpozth3tmhxdcafxqiy37qrtptsumah4xix632cqu5jfoiq"},
		{3, []uint64{1 << 35}, "baga6ea4seaqacaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcai"},
		{4, []uint64{128, 1 << 35}, "baga6ea4seaqpix54n2n2rfceoxe7hvzy2ucqppab5cbyl3zezpnaiinswg2iypy"},
		{3, []uint64{128, 1 << 33}, "baga6ea4seaqjqsio2qxsybaxizy6mjg3hifbbzeejmog5irralutjenrwagzsbq"},
	} {
		t.Run(fmt.Sprint(c.proof, c.sizes), func(t *testing.T) {
			got, err := ComputeUnsealedSectorCID(context.Background(), c.proof, testPieces(c.sizes...))
			if err != nil || got.String() != c.want {
				t.Errorf("%s, %v, want %s", got, err, c.want)
			}
		})
	}
}

// Nodes add sizes modulo 2^64, so that sixteen pieces of 2^60 bytes fit in a sector of 2 KiB.
func TestQuirkPieceSizesWrap(t *testing.T) {
	for _, c := range []struct {
		proof abi.RegisteredSealProof
		sizes []uint64
		want  string
	}{
		{0, times(16, 1<<60), "baga6ea4seaqbdoql5liviqsgqhph2xmrvfhnujutawxmeqzcgqaq2xwrmtfxgea"},
		{6, times(32, 1<<60), "baga6ea4seaqoyd62oubzzy5mum2ivs7hafyayjk2zgv5koskx7ohhs4vzx74umq"},
	} {
		got, err := ComputeUnsealedSectorCID(context.Background(), c.proof, testPieces(c.sizes...))
		if err != nil || got.String() != c.want {
			t.Errorf("%s, %v, want %s", got, err, c.want)
		}
	}
	for _, sizes := range [][]uint64{times(15, 1<<60), times(17, 1<<60), times(8, 1<<61), times(2, 1<<63), times(12, 1<<63)} {
		if got, err := ComputeUnsealedSectorCID(context.Background(), 0, testPieces(sizes...)); !errors.Is(err, ErrPieces) {
			t.Errorf("%d of %d: %s, %v", len(sizes), sizes[0], got, err)
		}
	}
}

func TestComputeUnsealedSectorCIDRefuses(t *testing.T) {
	for _, proof := range []abi.RegisteredSealProof{-1, 20, math.MinInt64, math.MaxInt64} {
		if _, err := ComputeUnsealedSectorCID(context.Background(), proof, nil); !errors.Is(err, ErrSealProof) {
			t.Errorf("proof %d: %v", proof, err)
		}
	}
	for name, sizes := range map[string][]uint64{
		"empty":                   {0},
		"empty after a piece":     {128, 0},
		"too small":               {64},
		"two halves of a piece":   {64, 64},
		"an unpadded size":        {127},
		"no power of two":         {129},
		"no power of two, big":    {384},
		"beyond the sector":       {4096},
		"full and one more":       {2048, 128},
		"too many":                times(17, 128),
		"does not fit, aligned":   {128, 1024, 1024},
		"does not fit, aligned 2": {1024, 128, 1024},
		"gap beyond 2^41":         {1 << 42, 1 << 50},
		"far too many":            times(100_000, 128),
	} {
		if got, err := ComputeUnsealedSectorCID(context.Background(), 0, testPieces(sizes...)); !errors.Is(err, ErrPieces) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	root := make([]byte, 32)
	for name, c := range map[string]cid.Cid{
		"undefined":      cid.Undef,
		"version 0":      cid.NewCidV0(append(multihash.Multihash{multihash.SHA2_256, 32}, root...)),
		"replica":        commitmentCID(cid.FilCommitmentSealed, multihash.POSEIDON_BLS12_381_A1_FC1, root),
		"other hash":     commitmentCID(unsealedCodec, multihash.SHA2_256, root),
		"other codec":    commitmentCID(cid.Raw, unsealedHash, root),
		"digest too big": commitmentCID(unsealedCodec, unsealedHash, append(root, 0)),
		"too small":      commitmentCID(unsealedCodec, unsealedHash, root[:31]),
	} {
		if got, err := ComputeUnsealedSectorCID(context.Background(), 0, []abi.PieceInfo{{Size: 2048, PieceCID: c}}); !errors.Is(err, ErrPieces) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if _, err := ComputeUnsealedSectorCID(context.Background(), 0, []abi.PieceInfo{{Size: 2048, PieceCID: commitmentCID(unsealedCodec, unsealedHash, root)}}); err != nil {
		t.Error("a root of zeros:", err)
	}
}

// A sector's root is that of its two halves, wherever the pieces lie.
func TestComputeUnsealedSectorCIDJoins(t *testing.T) {
	pieces := testPieces(256, 512, 128, 1024)
	root := func(p abi.PieceInfo) *commitment {
		c, ok := dataCommitment(p.PieceCID)
		if !ok {
			t.Fatal(p)
		}
		return &c
	}
	zero := func(size uint64) *commitment { c := zeroRoot(size); return &c }
	pair := func(l, r *commitment) *commitment { c := HashPair(l, r); return &c }
	// 256, a gap of 256, 512, then in the next KiB 128, a gap; the last piece is left out.
	left := pair(pair(root(pieces[0]), zero(256)), root(pieces[1]))
	right := pair(pair(pair(root(pieces[2]), zero(128)), zero(256)), zero(512))
	want := commitmentCID(unsealedCodec, unsealedHash, pair(left, right)[:])
	if got, err := ComputeUnsealedSectorCID(context.Background(), 0, pieces[:3]); err != nil || got != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

func TestZeroRoots(t *testing.T) {
	for size, want := range map[uint64]string{
		32:      "0000000000000000000000000000000000000000000000000000000000000000",
		128:     "3731bb99ac689f66eef5973e4a94da188f4ddcae580724fc6f3fd60dfd488333",
		1 << 41: "aaaa8c4cb40aacee1e02dc65424b2a6c8e99f803b72f7929c4101d7fae6bff32",
	} {
		if got := zeroRoot(size); hex.EncodeToString(got[:]) != want {
			t.Errorf("%d bytes: %x, want %s", size, got, want)
		}
	}
}

func TestPadded(t *testing.T) {
	for n := uint64(0); n < 70; n++ {
		if want := (n*8 + 2*(n*8/254) + 7) / 8; padded(n) != want {
			t.Errorf("%d: %d, want %d", n, padded(n), want)
		}
	}
	for i := 7; i <= 60; i++ {
		if size := uint64(1) << i; padded(unpadded(size)) != size {
			t.Errorf("2^%d: %d", i, padded(unpadded(size)))
		}
	}
}

func TestQuirkPaddedRounds(t *testing.T) {
	for n, want := range map[uint64]uint64{
		127<<53 - 15:   1 << 60,             // rounded up to a float
		127<<53 - 127:  1<<60 - 128,         // a float as it is
		127<<45 - 1:    1<<52 - 1,           // rounded to the bit, then up to the byte
		127<<54 - 1:    1 << 61,             // just below 2^64 bits, rounded up to them
		127 << 54:      0,                   // 2^64 bits
		127 << 55:      2287686765046657024, // 2^65 bits
		math.MaxUint64: 18156244167036960,
	} {
		if got := padded(n); want != got {
			t.Errorf("%d: %d, want %d", n, got, want)
		}
	}
}

func FuzzComputeUnsealedSectorCID(f *testing.F) {
	f.Add(int64(0), []byte{11})
	f.Add(int64(3), []byte{7, 20, 7, 33})
	f.Add(int64(0), bytes.Repeat([]byte{60}, 16))
	f.Fuzz(func(t *testing.T, proof int64, sizes []byte) {
		if len(sizes) > 100 {
			return
		}
		var list []uint64
		for _, s := range sizes {
			size := uint64(1) << (s & 63)
			if s&0x80 != 0 {
				size--
			}
			list = append(list, size)
		}
		pieces := testPieces(list...)
		got, err := ComputeUnsealedSectorCID(context.Background(), abi.RegisteredSealProof(proof), pieces)
		if err != nil {
			return
		}
		if _, ok := dataCommitment(got); !ok {
			t.Fatal(got)
		}
	})
}

func BenchmarkComputeUnsealedSectorCID(b *testing.B) {
	pieces := testPieces(1<<34, 1<<20, 1<<30)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ComputeUnsealedSectorCID(context.Background(), 3, pieces); err != nil {
			b.Fatal(err)
		}
	}
}

// Whenever the context is done, there is an error and no commitment.
func TestComputeUnsealedSectorCIDWhile(t *testing.T) {
	pieces := slices.Repeat(testPieces(1024), piecesPart+1)
	for n := 0; ; n++ {
		got, err := ComputeUnsealedSectorCID(&execerrtest.Countdown{Context: t.Context(), Left: n}, 3, pieces)
		switch {
		case err == nil && got.Defined() && n >= 4: // twice while they are put in their places, twice or more while they are hashed
			return
		case !errors.Is(err, context.Canceled) || got.Defined():
			t.Fatalf("after %d looks: %v, %v", n, got, err)
		}
	}
}

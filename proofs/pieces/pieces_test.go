package pieces_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/proofs/pieces"
)

// content is what the vectors' sectors hold: SHA-256 of a label and a counter.
func content(label string, n int) []byte {
	var out []byte
	for i := 0; len(out) < n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "edgefvm proof vectors 1/%s#%d", label, i))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

func link(t testing.TB, root string) cid.Cid {
	t.Helper()
	b, err := hex.DecodeString(root)
	if err != nil {
		t.Fatal(err)
	}
	mh, err := multihash.Encode(b, multihash.SHA2_256_TRUNC254_PADDED)
	if err != nil {
		t.Fatal(err)
	}
	return cid.NewCidV1(cid.FilCommitmentUnsealed, mh)
}

// Pieces and sectors as filecoin-proofs 19.1.0 added them to the sectors of the proof vectors (seal.json, debug).
var sealed = []struct {
	name   string
	pieces []struct {
		size int
		root string
	}
	sector string
}{
	{"s-v11-0", []struct {
		size int
		root string
	}{{2032, "45540b6f19e96bb4073422f10ab35ed8ad45e56991680d28b838e70d1c095406"}}, "45540b6f19e96bb4073422f10ab35ed8ad45e56991680d28b838e70d1c095406"},
	{"s-v11-1", []struct {
		size int
		root string
	}{
		{1016, "9663e89983cf0aaf74a239188904ca86a7f4d339c552e4c79c12954552894507"},
		{1016, "b889f5a4b31cad0cb27bb136422733f6d5f8343df4152eb41791ea70d2aa790a"},
	}, "5065bf9ef723262b7190c5526ea8bfaf85b60e59ce06b694d72cc4c20cd72b22"},
	{"s-syn-0", []struct {
		size int
		root string
	}{
		{127, "44dc95d974f30be9bc2801180392d416e00ca78b5c8fe3d431222c8b4992b936"},
		{127, "9b0c21a2dc9f6889363b8c3535e98e5c68dc6db78d861df7b07ab6aee8913a18"},
		{254, "eac485b24febe230cabd6ee772d1791ddc1b0b08ab5b1d3e700ebced08855926"},
		{508, "7447a5e575a62ae0b9743825a7155fd6690e561796f39da24e10d65d1163d502"},
		{1016, "6275efd6be0940ac2960345cfc7e52fc97ceb08f4b7f18d664448f2687c6a417"},
	}, "3aef1c97626ed9dd5332abf38d3aa4f19d779e4ff6f2704a1308d8e899cfd32e"},
}

func TestPiecesOfSealedSectors(t *testing.T) {
	for _, s := range sealed {
		var infos []abi.PieceInfo
		for i, p := range s.pieces {
			data := content(fmt.Sprintf("%s/piece/%d", s.name, i), p.size)
			c, err := pieces.Commit(t.Context(), bytes.NewReader(append(data, "more is not read"...)), abi.UnpaddedPieceSize(p.size))
			if err != nil || c != link(t, p.root) {
				t.Errorf("%s: piece %d: %v, %v, want %s", s.name, i, c, err, p.root)
			}
			infos = append(infos, abi.PieceInfo{Size: abi.UnpaddedPieceSize(p.size).Padded(), PieceCID: c})
		}
		for _, typ := range []abi.RegisteredSealProof{0, 5, 10, 15} {
			if c, err := pieces.SectorCommitment(t.Context(), typ, infos); err != nil || c != link(t, s.sector) {
				t.Errorf("%s, type %d: %v, %v, want %s", s.name, typ, c, err, s.sector)
			}
		}
	}
}

// Padding is 254 bits of data and two zeroes, over and over, in numbers whose least significant bits come first.
func TestPad(t *testing.T) {
	data := content("pad", 3*pieces.Unpadded)
	want := make([]byte, 0, 3*pieces.Padded)
	all := number(data)
	for range 12 {
		scalar := new(big.Int).And(all, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 254), big.NewInt(1)))
		all.Rsh(all, 254)
		b := scalar.FillBytes(make([]byte, 32))
		for i := range b {
			want = append(want, b[31-i])
		}
	}
	got := make([]byte, 3*pieces.Padded)
	pieces.Pad(got, data)
	if !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	back := make([]byte, len(data))
	pieces.Unpad(back, got)
	if !bytes.Equal(back, data) {
		t.Errorf("and back: %x, want %x", back, data)
	}
}

// number reads bytes, the least significant first.
func number(b []byte) *big.Int {
	reversed := make([]byte, len(b))
	for i := range b {
		reversed[len(b)-1-i] = b[i]
	}
	return new(big.Int).SetBytes(reversed)
}

// The root over zeroes of 8 MiB, known from the network's empty sectors.
func TestZeroes(t *testing.T) {
	const size = 8 << 20
	want, err := pieces.SectorCommitment(t.Context(), abi.RegisteredSealProof_StackedDrg8MiBV1_1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want.String() != "baga6ea4seaqgl4u6lwmnerwdrm4iz7ag3mpwwaqtapc2fciabpooqmvjypweeha" {
		t.Errorf("an empty sector of 8 MiB: %s", want)
	}
	got, err := pieces.Commit(t.Context(), zeroes{}, abi.PaddedPieceSize(size).Unpadded())
	if err != nil || got != want {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func TestSizes(t *testing.T) {
	for _, size := range []abi.UnpaddedPieceSize{0, 1, 126, 128, 381, 127*3 + 1, 1 << 63} {
		if _, err := pieces.Commit(t.Context(), zeroes{}, size); !errors.Is(err, pieces.ErrSize) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	if _, err := pieces.Commit(t.Context(), bytes.NewReader(make([]byte, 253)), 254); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("one byte less: %v", err)
	}
	if _, err := pieces.Commit(t.Context(), bytes.NewReader(nil), 127); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("nothing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pieces.Commit(ctx, zeroes{}, 127<<40); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestSectorsThatAreNone(t *testing.T) {
	c := link(t, sealed[0].sector)
	for name, infos := range map[string][]abi.PieceInfo{
		"larger than the sector": {{Size: 4096, PieceCID: c}},
		"no power of two":        {{Size: 384, PieceCID: c}},
		"no commitment to data":  {{Size: 2048, PieceCID: cid.NewCidV1(cid.Raw, c.Hash())}},
		"no CID":                 {{Size: 2048}},
		"of no bytes":            {{Size: 0, PieceCID: c}},
	} {
		if got, err := pieces.SectorCommitment(t.Context(), 5, infos); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	if _, err := pieces.SectorCommitment(t.Context(), 20, nil); err == nil {
		t.Error("a seal type that there is not")
	}
}

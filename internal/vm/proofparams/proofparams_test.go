package proofparams

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"
)

var (
	sealedCID    = "0182e20381e80220" + strings.Repeat("07", 32)
	unsealedCID  = "0181e203922020" + strings.Repeat("08", 32)
	sealedLink   = "d82a582900" + sealedCID
	unsealedLink = "d82a582800" + unsealedCID
	sealed       = mustCID(sealedCID)
	unsealed     = mustCID(unsealedCID)
)

func mustCID(s string) cid.Cid {
	c, err := cid.Cast(raw(s))
	if err != nil {
		panic(err)
	}
	return c
}

// raw reads hex; spaces are for the reader.
func raw(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func check[T any](t *testing.T, got T, err error, want T) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func TestDecodeWindowPoSt(t *testing.T) {
	got, err := DecodeWindowPoSt(raw("84 420102 82 820d4103 822440 81 83 08 1903e8" + sealedLink + " 1a000186a0"))
	check(t, got, err, proof.WindowPoStVerifyInfo{
		Randomness:        []byte{1, 2},
		Proofs:            []proof.PoStProof{{PoStProof: 13, ProofBytes: []byte{3}}, {PoStProof: -5}},
		ChallengedSectors: []proof.SectorInfo{{SealProof: 8, SectorNumber: 1000, SealedCID: sealed}},
		Prover:            100000,
	})
	got, err = DecodeWindowPoSt(raw("84 40 80 80 00"))
	check(t, got, err, proof.WindowPoStVerifyInfo{})
}

func TestDecodeAggregateSeals(t *testing.T) {
	got, err := DecodeAggregateSeals(raw("85 05 08 01 4109 81 85 07 4101 4102" + sealedLink + unsealedLink))
	check(t, got, err, proof.AggregateSealVerifyProofAndInfos{
		Miner: 5, SealProof: 8, AggregateProof: 1, Proof: []byte{9},
		Infos: []proof.AggregateSealVerifyInfo{{
			Number: 7, Randomness: []byte{1}, InteractiveRandomness: []byte{2}, SealedCID: sealed, UnsealedCID: unsealed,
		}},
	})
}

func TestDecodeSeals(t *testing.T) {
	got, err := DecodeSeals(raw("81 88 1b7fffffffffffffff 82 05 1bffffffffffffffff 82 01 02 40 4102 4103" + sealedLink + unsealedLink))
	check(t, got, err, []proof.SealVerifyInfo{{
		SealProof: math.MaxInt64, SectorID: abi.SectorID{Miner: 5, Number: math.MaxUint64}, DealIDs: []abi.DealID{1, 2},
		InteractiveRandomness: []byte{2}, Proof: []byte{3}, SealedCID: sealed, UnsealedCID: unsealed,
	}})
	got, err = DecodeSeals(raw("80"))
	check(t, got, err, nil)
}

func TestDecodePieces(t *testing.T) {
	got, err := DecodePieces(raw("82 82 1880" + unsealedLink + "82 00" + sealedLink))
	check(t, got, err, []abi.PieceInfo{{Size: 128, PieceCID: unsealed}, {Size: 0, PieceCID: sealed}})
}

func TestQuirkReplicaUpdateProofIsAList(t *testing.T) {
	links := sealedLink + sealedLink + unsealedLink
	got, err := DecodeReplicaUpdate(raw("85 03" + links + "83 01 1803 18ff"))
	check(t, got, err, proof.ReplicaUpdateInfo{
		UpdateProofType: 3, OldSealedSectorCID: sealed, NewSealedSectorCID: sealed, NewUnsealedSectorCID: unsealed,
		Proof: []byte{1, 3, 255},
	})
	for name, tail := range map[string]string{
		"byte string": "43010203", "octet of two bytes": "81 190001", "negative": "81 20", "octet cut": "81 18",
	} {
		if _, err := DecodeReplicaUpdate(raw("85 03" + links + tail)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// one wraps the encoding of a sector number, as a piece size, in an argument that is otherwise good.
func one(size, link string) []byte { return raw("81 82" + size + link) }

func TestNumbersNeedNotBeShortest(t *testing.T) {
	for _, size := range []string{"05", "1805", "190005", "1a00000005", "1b0000000000000005"} {
		got, err := DecodePieces(one(size, unsealedLink))
		check(t, got, err, []abi.PieceInfo{{Size: 5, PieceCID: unsealed}})
	}
	if _, err := DecodePieces(raw("9b0000000000000001 9a00000002 05" + unsealedLink)); err != nil {
		t.Error(err)
	}
}

func TestProofTypeRange(t *testing.T) {
	for enc, want := range map[string]int64{
		"3b7fffffffffffffff": math.MinInt64, "1b7fffffffffffffff": math.MaxInt64, "20": -1, "3800": -1,
	} {
		got, err := DecodeWindowPoSt(raw("84 40 81 82" + enc + "40 80 00"))
		if err != nil || int64(got.Proofs[0].PoStProof) != want {
			t.Errorf("%s: %v, %v", enc, got.Proofs, err)
		}
	}
	for _, enc := range []string{"3b8000000000000000", "1b8000000000000000", "3c", "1f", "f6", "60"} {
		if _, err := DecodeWindowPoSt(raw("84 40 81 82" + enc + "40 80 00")); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", enc, err)
		}
	}
}

func TestQuirkHeadersOfAnotherMajorType(t *testing.T) {
	const chunk = "d82a" // a link's tag
	for name, b := range map[string]string{
		"array as unsigned":         "01 02 05" + unsealedLink,
		"tag as unsigned":           "81 82 05 182a" + unsealedLink[4:],
		"tag as byte string":        "81 82 05 582a" + unsealedLink[4:],
		"tag as array":              "81 82 05 982a" + unsealedLink[4:],
		"array as wide unsigned":    "1801 1a00000002 05" + unsealedLink,
		"tag in nine bytes":         "81 82 05 db000000000000002a" + unsealedLink[4:],
		"chunk headers as unsigned": "81 82 05" + chunk + "5f 01 00 1827" + unsealedLink[10:] + "ff",
	} {
		got, err := DecodePieces(raw(b))
		if err != nil || len(got) != 1 || got[0].Size != 5 || got[0].PieceCID != unsealed {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, b := range map[string]string{
		"array as negative":        "21 82 05" + unsealedLink,
		"array as byte string":     "41 82 05" + unsealedLink,
		"number as array":          "81 82 85" + unsealedLink,
		"number as negative":       "81 82 25" + unsealedLink,
		"tag as negative":          "81 82 05 382a" + unsealedLink[4:],
		"link's bytes as unsigned": "81 82 05 d82a 1828" + unsealedLink[8:],
	} {
		if got, err := DecodePieces(raw(b)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := DecodeWindowPoSt(raw("84 020102 80 80 00")); err != nil || !bytes.Equal(got.Randomness, []byte{1, 2}) {
		t.Errorf("byte string as unsigned: %v, %v", got, err)
	}
}

func TestChunkedByteStrings(t *testing.T) {
	for name, b := range map[string]string{
		"two chunks": "5f 4101 4102 ff", "empty chunk": "5f 40 420102 ff", "chunks of chunks": "5f 5f 4101 ff 5f 5f 4102 ff ff ff",
	} {
		got, err := DecodeWindowPoSt(raw("84" + b + "80 80 00"))
		if err != nil || !bytes.Equal(got.Randomness, []byte{1, 2}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	nest := func(n int) []byte {
		return raw("84" + strings.Repeat("5f", n) + "40" + strings.Repeat("ff", n) + "80 80 00")
	}
	if _, err := DecodeWindowPoSt(nest(255)); err != nil {
		t.Error(err)
	}
	if _, err := DecodeWindowPoSt(nest(256)); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func TestLinks(t *testing.T) {
	v0 := "1220" + strings.Repeat("09", 32)
	for name, c := range map[string]struct{ link, want string }{
		"version 0":               {"5823 00" + v0, v0},
		"version 0, bytes after":  {"5824 00" + v0 + "ff", v0},
		"version 1, bytes after":  {"48 00 015500024444 aa", "015500024444"},
		"digest of no bytes":      {"45 00 01550000", "01550000"},
		"digest of 64 bytes":      {"5845 00 01550040" + strings.Repeat("06", 64), "01550040" + strings.Repeat("06", 64)},
		"codec of 64 bits":        {"4e 00 01 ffffffffffffffffff01 0000", "01ffffffffffffffffff010000"},
		"version in ten bytes":    {"4e 00 81808080808080808002 55 0000", "01550000"},
		"hash code of 64 bits":    {"4e 00 01 55 ffffffffffffffffff01 00", "0155ffffffffffffffffff0100"},
		"size in ten bytes, zero": {"4e 00 01 55 00 80808080808080808002", "01550000"},
	} {
		link := c.link
		if b := raw(link); int(b[0]&0x1f) < 24 { // fix the length up: the cases above are easier to read without counting
			b[0] = 0x40 | byte(len(b)-1)
			link = hex.EncodeToString(b)
		}
		got, err := DecodePieces(one("05", "d82a"+link))
		if err != nil || hex.EncodeToString(got[0].PieceCID.Bytes()) != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for name, link := range map[string]string{
		"other tag":                    "d82b" + unsealedLink[4:],
		"no tag":                       unsealedLink[4:],
		"text":                         "d82a 62 0001",
		"no bytes":                     "d82a 40",
		"zero byte alone":              "d82a 41 00",
		"no zero byte":                 "d82a 45 01550000 00",
		"version 2":                    "d82a 45 00 02550000",
		"explicit version 0":           "d82a 45 00 00700000",
		"version 0, digest cut":        "d82a 43 00 1220",
		"version 0 of another hash":    "d82a 5823 00 1320" + strings.Repeat("09", 32),
		"digest cut":                   "d82a 46 00 01550002 01",
		"digest of 65 bytes":           "d82a 5846 00 01550041" + strings.Repeat("06", 65),
		"codec not in shortest form":   "d82a 46 00 01 d500 0000",
		"version missing":              "d82a 42 00 81",
		"codec missing":                "d82a 42 00 01",
		"hash code missing":            "d82a 43 00 0155",
		"size missing":                 "d82a 44 00 015500",
		"cut":                          "d82a 44 00",
		"nothing":                      "",
		"indefinite bytes, unfinished": "d82a 5f 41 00",
	} {
		if got, err := DecodePieces(one("05", link)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, b := range map[string]string{
		"empty":                 "",
		"bytes after":           "80 00",
		"indefinite array":      "9f ff",
		"map":                   "a0",
		"null":                  "f6",
		"tuple too short":       "81 81 05",
		"tuple too long":        "81 83 05" + unsealedLink + "00",
		"list cut":              "82 82 05" + unsealedLink,
		"list of 2^64-1":        "9bffffffffffffffff",
		"byte string of 2^64-1": "81 82 05 d82a 5bffffffffffffffff 00",
	} {
		if got, err := DecodePieces(raw(b)); !errors.Is(err, ErrMalformed) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestCutShort cuts good arguments at every length.
func TestCutShort(t *testing.T) {
	b := raw("85 05 08 01 4109 81 85 07 4101 4102" + sealedLink + unsealedLink)
	for n := range b {
		if _, err := DecodeAggregateSeals(b[:n]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

func TestResultSharesNoMemory(t *testing.T) {
	b := raw("84 420102 80 80 00")
	got, err := DecodeWindowPoSt(b)
	if err != nil {
		t.Fatal(err)
	}
	b[2] = 9
	if got.Randomness[0] != 1 {
		t.Fatal("the result changed with the input")
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"84 420102 82 820d4103 822440 81 83 08 1903e8" + sealedLink + " 1a000186a0",
		"85 05 08 01 4109 81 85 07 4101 4102" + sealedLink + unsealedLink,
		"85 03" + sealedLink + sealedLink + unsealedLink + "83 01 1803 18ff",
		"81 88 08 82 05 06 82 01 02 40 4102 4103" + sealedLink + unsealedLink,
		"82 82 1880" + unsealedLink + "82 00" + sealedLink,
		"84 5f 5f 4101 ff ff 80 80 00",
	} {
		f.Add(raw(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		DecodeWindowPoSt(b)
		DecodeAggregateSeals(b)
		DecodeReplicaUpdate(b)
		DecodeSeals(b)
		pieces, err := DecodePieces(b)
		if err != nil && (!errors.Is(err, ErrMalformed) || pieces != nil) {
			t.Fatal(pieces, err)
		}
		if !bytes.Equal(in, b) {
			t.Fatal("the input changed")
		}
	})
}

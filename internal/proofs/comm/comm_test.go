package comm_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/internal/proofs/comm"
)

func link(t *testing.T, codec, hash uint64, digest []byte) cid.Cid {
	t.Helper()
	mh, err := multihash.Encode(digest, hash)
	if err != nil {
		t.Fatal(err)
	}
	return cid.NewCidV1(codec, mh)
}

// Which CIDs are commitments: CIDv1, codec 0xf102, hash 0xb401, 32 bytes of replicas; 0xf101, 0x1012 of data.
func TestCommitments(t *testing.T) {
	digest := bytes.Repeat([]byte{7}, 32)
	for _, c := range []struct {
		name             string
		c                cid.Cid
		sealed, unsealed bool
	}{
		{"of a replica", link(t, 0xf102, 0xb401, digest), true, false},
		{"of data", link(t, 0xf101, 0x1012, digest), false, true},
		{"none", cid.Undef, false, false},
		{"another codec", link(t, cid.Raw, 0xb401, digest), false, false},
		{"codecs exchanged", link(t, 0xf101, 0xb401, digest), false, false},
		{"hashes exchanged", link(t, 0xf102, 0x1012, digest), false, false},
		{"SHA-256 that is not cut", link(t, 0xf101, multihash.SHA2_256, digest), false, false},
		{"31 bytes", link(t, 0xf102, 0xb401, digest[:31]), false, false},
		{"33 bytes", link(t, 0xf102, 0xb401, append(digest, 7)), false, false},
		{"no bytes", link(t, 0xf102, 0xb401, nil), false, false},
		{"version 0", cid.NewCidV0(link(t, cid.DagProtobuf, multihash.SHA2_256, digest).Hash()), false, false},
	} {
		s, err := comm.Sealed(c.c)
		if (err == nil) != c.sealed || c.sealed && !bytes.Equal(s[:], digest) {
			t.Errorf("%s: as sealed %x, %v", c.name, s, err)
		}
		u, err := comm.Unsealed(c.c)
		if (err == nil) != c.unsealed || c.unsealed && !bytes.Equal(u[:], digest) {
			t.Errorf("%s: as unsealed %x, %v", c.name, u, err)
		}
	}
}

// Provers as the proof vectors have them (inputs.json).
func TestProver(t *testing.T) {
	for miner, want := range map[uint64]string{0: "00", 1000: "e807", 1234: "d209", 1 << 50: "8080808080808002", 1<<64 - 1: "ffffffffffffffffff01"} {
		p := comm.Prover(abi.ActorID(miner))
		b, err := hex.DecodeString(want)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(p[:], append(b, make([]byte, 32-len(b))...)) {
			t.Errorf("%d: %x, want %s and zeroes", miner, p, want)
		}
	}
}

func TestScalar(t *testing.T) {
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"0000000000000000000000000000000000000000000000000000000000000000", true},
		{"00000000fffffffffe5bfeff02a4bd5305d8a10908d83933487d9d2953a7ed73", true}, // one below the order
		{"01000000fffffffffe5bfeff02a4bd5305d8a10908d83933487d9d2953a7ed73", false},
		{"0000000000000000000000000000000000000000000000000000000000000080", false},
		{"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
	} {
		b, err := hex.DecodeString(c.text)
		if err != nil {
			t.Fatal(err)
		}
		s, err := comm.Scalar("it", [32]byte(b))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v, want %v", c.text, err, c.ok)
		}
		back := s.Bytes()
		for i := range b {
			if c.ok && back[31-i] != b[i] {
				t.Errorf("%s: it is %x", c.text, back)
				break
			}
		}
	}
}

func TestBytes32(t *testing.T) {
	for _, n := range []int{0, 1, 31, 32, 33, 64} {
		if _, err := comm.Bytes32("it", make([]byte, n)); (err == nil) != (n == 32) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

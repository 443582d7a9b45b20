package keys

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/externs"
)

// srsExample is the beginning of a reference string: two elements of each vector.
func srsExample(t testing.TB) (two []byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "proofs", "testdata", "keys", srsName))
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{48, 48, 96, 96} {
		two = append(binary.BigEndian.AppendUint32(two, 2), b[4:4+2*width]...)
		b = b[4+width*int(binary.BigEndian.Uint32(b)):]
	}
	return two
}

// Offsets of the vectors of the example, in bytes.
var srsVectors = []int{0, 4 + 2*48, 2 * (4 + 2*48), 2*(4+2*48) + 4 + 2*96}

func TestParseSRS(t *testing.T) {
	good := srsExample(t)
	srs, err := parseSRS(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range [][]byte{compressed(srs.G.Bytes()), compressed(srs.GAlpha.Bytes()), compressed(srs.G.Bytes()), compressed(srs.GBeta.Bytes())} {
		if at := srsVectors[i/2] + 4 + i%2*48; !bytes.Equal(p, good[at:at+48]) {
			t.Errorf("point %d is another one", i)
		}
	}
	for i, p := range [][96]byte{srs.H.Bytes(), srs.HAlpha.Bytes(), srs.H.Bytes(), srs.HBeta.Bytes()} {
		if at := srsVectors[2+i/2] + 4 + i%2*96; !bytes.Equal(p[:], good[at:at+96]) {
			t.Errorf("point %d of G2 is another one", i)
		}
	}
	if srs.MaxProofs != 1 { // two elements of each vector
		t.Errorf("room for %d proofs", srs.MaxProofs)
	}
	for n := range good {
		if _, err := parseSRS(bytes.NewReader(good[:n]), int64(n)); err == nil {
			t.Fatalf("cut at byte %d: no error", n)
		}
	}
}

func compressed(b [48]byte) []byte { return b[:] }

func TestParseSRSRefuses(t *testing.T) {
	good := srsExample(t)
	count := func(vector int, n uint32) []byte {
		b := bytes.Clone(good)
		binary.BigEndian.PutUint32(b[srsVectors[vector]:], n)
		return b
	}
	infinity := bytes.Clone(good)
	for _, v := range srsVectors[:2] {
		copy(infinity[v+4:], append([]byte{0xc0}, make([]byte, 47)...))
	}
	swapped := slices.Concat(good[srsVectors[1]:srsVectors[2]], good[:srsVectors[1]], good[srsVectors[2]:])
	copy(swapped[4:4+48], good[4+48:]) // g^α where g should be
	for name, b := range map[string][]byte{
		"no elements":             count(0, 0),
		"one element":             count(1, 1),
		"three elements":          count(3, 3),
		"2^31 elements":           count(0, 1<<31),
		"2^32-1 elements":         count(2, 1<<32-1),
		"no point":                append(append(bytes.Clone(good[:4]), 0x01), good[5:]...),
		"a generator at infinity": infinity,
		"two generators":          swapped,
	} {
		if _, err := parseSRS(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestSRSDigest: another reference string than the published one is taken only if the operator says so.
func TestSRSDigest(t *testing.T) {
	dir := t.TempDir()
	if _, err := New(dir, true).SRS(t.Context()); !errors.Is(err, ErrMissing) || !errors.Is(err, externs.ErrNodeFailure) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, srsName), srsExample(t), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(dir, false).SRS(t.Context())
	if !errors.Is(err, ErrDigest) || !errors.Is(err, externs.ErrNodeFailure) || !strings.Contains(err.Error(), srsDigest) {
		t.Errorf("another digest: %v", err)
	}
	if _, err := New(dir, true).SRS(t.Context()); err != nil {
		t.Errorf("a development network's: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(dir, true).SRS(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
}

func FuzzParseSRS(f *testing.F) {
	good := srsExample(f)
	f.Add(good)
	f.Add(good[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		srs, err := parseSRS(bytes.NewReader(b), int64(len(b)))
		if err == nil && (srs.G.IsInfinity() || srs.H.IsInfinity() || !srs.GAlpha.IsInSubGroup() || !srs.HBeta.IsInSubGroup()) {
			t.Error("it is no reference string")
		}
	})
}

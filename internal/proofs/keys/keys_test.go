package keys

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Every name that is derived ends with the hash that the parameters file has for it.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, kind := range Kinds() {
		for _, size := range registered.Sizes() {
			name := FileName(kind, size)
			want := "-" + publishedKeys[kind][size.Index()].hash + ".vk"
			if !strings.HasPrefix(name, "v28-") || !strings.HasSuffix(name, want) {
				t.Errorf("%s of %s: %s, want …%s", kind, size.Name, name, want)
			}
			if seen[name] {
				t.Errorf("%s twice", name)
			}
			seen[name] = true
		}
	}
	// Three of them whole, as they lie in folders of nodes.
	for _, c := range []struct {
		kind Kind
		size int
		name string
	}{
		{Seal, 3, "v28-stacked-proof-of-replication-merkletree-poseidon_hasher-8-8-0-sha256_hasher-82a357d2f2ca81dc61bb45f4a762807aedee1b0a53fd6c4e77b46a01bfef7820.vk"},
		{Window, 4, "v28-proof-of-spacetime-fallback-merkletree-poseidon_hasher-8-8-2-2627e4006b67f99cef990c0a47d5426cb7ab0a0ad58fc1061547bf2d28b09def.vk"},
		{Update, 0, "v28-empty-sector-update-merkletree-poseidon_hasher-8-0-0-fb9e095bebdd77511c0269b967b4d87ba8b8a525edaa0e165de23ba454510194.vk"},
	} {
		if got := FileName(c.kind, registered.Sizes()[c.size]); got != c.name {
			t.Errorf("%s, want %s", got, c.name)
		}
	}
}

// The lengths of the published files follow from the numbers of public inputs.
func TestLengths(t *testing.T) {
	for kind, want := range map[Kind][5]int{
		Seal:    {4708, 4708, 4708, 32356, 32356},
		Winning: {13636, 13636, 13636, 13636, 13636},
		Window:  {3076, 3076, 3076, 2481508, 2429764},
		Update:  {1348, 1348, 1348, 1348, 1348},
	} {
		for _, size := range registered.Sizes() {
			if got := groth16.KeyLen(kind.Inputs(size)); got != want[size.Index()] {
				t.Errorf("%s of %s: %d bytes, want %d", kind, size.Name, got, want[size.Index()])
			}
		}
	}
	for _, f := range Files() {
		if b, err := hex.DecodeString(f.Digest); err != nil || len(b) != digestLen || !strings.HasPrefix(f.CID, "Qm") || len(f.CID) != 46 {
			t.Errorf("%+v", f)
		}
	}
	if n := len(Files()); n != 21 {
		t.Errorf("%d files", n)
	}
}

// keyOf makes a key of that many inputs, of small multiples of the generators.
func keyOf(inputs int) []byte {
	scalars := make([]fr.Element, inputs+5)
	for i := range scalars {
		scalars[i].SetUint64(uint64(i)*2654435761 + 3)
	}
	_, _, g1, g2 := bls12381.Generators()
	points := bls12381.BatchScalarMultiplicationG1(&g1, scalars)
	two := bls12381.BatchScalarMultiplicationG2(&g2, scalars[:3])
	var b []byte
	one := func(i int) { raw := points[i].RawBytes(); b = append(b, raw[:]...) }
	of2 := func(i int) { raw := two[i].RawBytes(); b = append(b, raw[:]...) }
	one(0)
	one(1)
	of2(0)
	of2(1)
	one(2)
	of2(2)
	b = binary.BigEndian.AppendUint32(b, uint32(inputs+1))
	for i := range inputs + 1 {
		one(i + 3)
	}
	return b
}

// folder has one file.
func folder(t testing.TB, name string, data []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// pretend has a file pass for the published one.
func pretend(t testing.TB, kind Kind, size *registered.Size, data []byte) {
	t.Helper()
	p := &publishedKeys[kind][size.Index()]
	before := *p
	sum := blake2b.Sum512(data)
	p.digest = hex.EncodeToString(sum[:digestLen])
	t.Cleanup(func() { *p = before })
}

// Every way in which a key is not to be had is a failure of the node that names the file and says what to do.
func TestKeysThatAreNotThere(t *testing.T) {
	size := registered.Sizes()[0]
	name := FileName(Update, size)
	good := keyOf(4)
	ctx := t.Context()
	for _, c := range []struct {
		what  string
		dir   func(t *testing.T) string
		trust bool
		is    error
		words []string
	}{
		{"no folder", func(t *testing.T) string { return filepath.Join(t.TempDir(), "none") }, true, ErrMissing, []string{name, "lotus fetch-params", "QmaQsTLL3nc5dw6wAvaioJSBfd1jhQrA2o6ucFf7XeV74P"}},
		{"no file", func(t *testing.T) string { return t.TempDir() }, true, fs.ErrNotExist, []string{name}},
		{"another digest", func(t *testing.T) string { return folder(t, name, good) }, false, ErrDigest, []string{name, "eadad9784969890d30f2749708c79771", "TrustParams", "lotus fetch-params"}},
		{"cut, trusted", func(t *testing.T) string { return folder(t, name, good[:len(good)-1]) }, true, groth16.ErrKey, []string{name, "cut short"}},
		{"empty, trusted", func(t *testing.T) string { return folder(t, name, nil) }, true, groth16.ErrKey, []string{name}},
		{"for other proofs, trusted", func(t *testing.T) string { return folder(t, name, keyOf(5)) }, true, nil, []string{name, "5 public inputs", "have 4"}},
		{"a folder of its name", func(t *testing.T) string {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
				t.Fatal(err)
			}
			return dir
		}, true, nil, []string{"no regular file"}},
		{"far too long", func(t *testing.T) string {
			dir := folder(t, name, nil)
			if err := os.Truncate(filepath.Join(dir, name), 1<<40); err != nil {
				t.Skip(err)
			}
			return dir
		}, true, nil, []string{"more than any file"}},
		{"not to be read", func(t *testing.T) string {
			dir := folder(t, name, good)
			if err := os.Chmod(filepath.Join(dir, name), 0); err != nil || os.Getuid() == 0 {
				t.Skip("root reads everything")
			}
			return dir
		}, true, fs.ErrPermission, []string{name}},
	} {
		t.Run(c.what, func(t *testing.T) {
			k, err := New(c.dir(t), c.trust).Key(ctx, Update, size)
			if k != nil || !errors.Is(err, externs.ErrNodeFailure) || c.is != nil && !errors.Is(err, c.is) {
				t.Fatalf("%v", err)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the error does not say %q: %v", w, err)
				}
			}
		})
	}
}

// A published key is taken, and read once; one that comes later is found.
func TestKeyIsReadOnce(t *testing.T) {
	size := registered.Sizes()[1]
	good := keyOf(4)
	pretend(t, Update, size, good)
	dir := t.TempDir()
	s := New(dir, false)
	if _, err := s.Key(t.Context(), Update, size); !errors.Is(err, ErrMissing) {
		t.Fatal(err)
	}
	path := filepath.Join(dir, FileName(Update, size))
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := s.Key(t.Context(), Update, size)
	if err != nil || k.Inputs() != 4 {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Key(t.Context(), Update, size); err != nil || again != k {
		t.Errorf("the second time: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Key(ctx, Update, size); !externs.IsNodeFailure(err) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := New(dir, true).Key(t.Context(), Update, size); !errors.Is(err, ErrMissing) {
		t.Errorf("another store: %v", err)
	}
}

func TestCheck(t *testing.T) {
	size := registered.Sizes()[2]
	good := keyOf(4)
	name := FileName(Update, size)
	file := func() File { return fileOf(Update, size) }
	of := func(data []byte, trust bool) Status {
		t.Helper()
		st, err := New(folder(t, name, data), trust).Check(t.Context(), file())
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	if st := of(good, false); st.State != Other || !errors.Is(st.Err, ErrDigest) || st.Bytes != int64(len(good)) {
		t.Errorf("another digest: %+v", st)
	}
	if st := of(good, true); st.State != Other || st.Err != nil {
		t.Errorf("another digest, trusted: %+v", st)
	}
	if st := of(good[:1000], true); st.State != Wrong || st.Err == nil {
		t.Errorf("cut: %+v", st)
	}
	if st, err := New(t.TempDir(), false).Check(t.Context(), file()); err != nil || st.State != Missing {
		t.Errorf("missing: %+v, %v", st, err)
	}
	pretend(t, Update, size, good)
	if st := of(good, false); st.State != Published || st.Err != nil {
		t.Errorf("published: %+v", st)
	}
}

// A key of the size of a 32 GiB window PoSt's: published, and an operator's own, of which every point is checked.
func BenchmarkLoadWindow32GiB(b *testing.B) {
	size := registered.Sizes()[3]
	data := keyOf(Window.Inputs(size))
	dir := folder(b, FileName(Window, size), data)
	b.Run("own", func(b *testing.B) {
		for b.Loop() {
			if _, err := New(dir, true).Key(b.Context(), Window, size); err != nil {
				b.Fatal(err)
			}
		}
	})
	pretend(b, Window, size, data)
	b.Run("published", func(b *testing.B) {
		for b.Loop() {
			if _, err := New(dir, false).Key(b.Context(), Window, size); err != nil {
				b.Fatal(err)
			}
		}
	})
}

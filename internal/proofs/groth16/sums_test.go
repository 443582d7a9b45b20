package groth16

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

// someKey is one of the keys of 2 KiB sectors of ../shared/proofs/keys-simulated.
func someKey(t testing.TB, pattern string) *Key {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "..", "proofs", "testdata", "keys", pattern))
	if err != nil || len(names) != 1 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	b, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseKey(b, false)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func randomScalars(r *rand.Rand, n int) []curve.Scalar {
	list := make([]curve.Scalar, n)
	for i := range list {
		for k := range list[i] {
			list[i][k] = r.Uint64()
		}
		list[i][3] >>= 2
		if i%3 == 0 {
			list[i].SetUint64(r.Uint64() >> 33) // a node
		}
	}
	return list
}

// TestSumIC compares keys with a table, and one without, with the plain sum.
func TestSumIC(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for pattern, table := range map[string]bool{"*sha256_hasher*": true, "*fallback*0170db1f*": true, "*fallback*3ea05428*": true, "*update*": true} {
		key := someKey(t, pattern)
		if (key.table != nil) != table {
			t.Errorf("%s, %d inputs: a table is there: %t", pattern, key.Inputs(), key.table != nil)
		}
		scalars := randomScalars(r, len(key.IC))
		want := curve.Sum(key.IC, scalars)
		if got := key.SumIC(scalars); !got.Equal(&want) {
			t.Errorf("%s: another sum", pattern)
		}
	}
	few := &Key{IC: someKey(t, "*update*").IC[:3]}
	scalars := randomScalars(r, 3)
	want := curve.Sum(few.IC, scalars)
	if got := few.SumIC(scalars); !got.Equal(&want) {
		t.Error("without a table: another sum")
	}
}

// TestSums: the sums of statements together are the same however they are given.
func TestSums(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	key := someKey(t, "*sha256_hasher*")
	const n = 4
	coefficients := randomScalars(r, n)
	var want curve.G1
	plain := make([]Statement, n)
	for i := range plain {
		plain[i].Inputs = randomScalars(r, key.Inputs())
		one := curve.Sum(key.IC[1:], plain[i].Inputs)
		one.Add(&one, &key.IC[0])
		one = curve.Sum([]curve.G1{one}, coefficients[i:i+1])
		want.Add(&want, &one)
	}
	for known := range 1 << n { // which sums are known already
		statements := append([]Statement(nil), plain...)
		for i := range statements {
			if known>>i&1 == 1 {
				sum := key.sum(plain[i])
				statements[i] = Statement{Sum: &sum}
			}
		}
		if got := key.sums(statements, coefficients); !got.Equal(&want) {
			t.Errorf("with known sums %04b: another sum", known)
		}
	}
	one := key.sum(plain[0])
	if got := key.sums(plain[:1], coefficients[:1]); !got.Equal(&one) {
		t.Error("one statement alone has a coefficient")
	}
}

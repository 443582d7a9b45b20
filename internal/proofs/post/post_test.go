package post

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// inputVectors are statements with the inputs that the reference derived (../shared/proofs/vectors/inputs.json).
type inputVectors struct {
	Vectors []struct {
		Name, Kind string
		Input      struct {
			Type       abi.RegisteredPoStProof `json:"post_proof"`
			Randomness string
			Sectors    int
			Miner      abi.ActorID
			Eligible   string
		}
		Expect struct {
			Inputs     [][]string
			SHA256     string `json:"inputs_sha256"`
			Each       int    `json:"inputs_per_partition"`
			Partitions int
			First      []string `json:"first_partition"`
			Last       []string `json:"last_partition"`
			Chosen     []string
		}
	}
}

func readInputs(t *testing.T) *inputVectors {
	b, err := os.ReadFile("testdata/inputs.json")
	if err != nil {
		t.Fatal(err)
	}
	var f inputVectors
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	return &f
}

func bytes32(t *testing.T, text string) [32]byte {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 32 {
		t.Fatalf("%s: %v", text, err)
	}
	return [32]byte(b)
}

func TestInputs(t *testing.T) {
	for _, v := range readInputs(t).Vectors {
		t.Run(v.Name, func(t *testing.T) {
			r := bytes32(t, v.Input.Randomness)
			if v.Kind == "challenge" {
				eligible, err := strconv.ParseUint(v.Input.Eligible, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				got, err := WinningChallenge(v.Input.Miner, r, eligible)
				if err != nil || !slices.Equal(v.Expect.Chosen, []string{strconv.FormatUint(got, 10)}) {
					t.Errorf("%d (%v), want %v", got, err, v.Expect.Chosen)
				}
				return
			}
			sectors := make([]Sector, v.Input.Sectors)
			for i := range sectors {
				sectors[i] = Sector{Number: abi.SectorNumber(10*i + 5), CommR: sha256.Sum256(fmt.Appendf(nil, "edgefvm proof vectors 1/%s/comm_r/%d", v.Name, i))}
				sectors[i].CommR[31] &= 0x3f
			}
			slices.Reverse(sectors) // the order must not matter
			var got [][]curve.Scalar
			var err error
			if size, werr := registered.Winning(v.Input.Type); werr == nil {
				got = make([][]curve.Scalar, 1)
				got[0], err = (&Winning{Size: size, Randomness: r, Sectors: sectors}).Inputs()
			} else {
				size, v11, werr := registered.Window(v.Input.Type)
				if werr != nil {
					t.Fatal(werr)
				}
				got, err = (&Window{Size: size, V11: v11, Randomness: r, Sectors: sectors}).Inputs()
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != v.Expect.Partitions || len(got[0]) != v.Expect.Each {
				t.Fatalf("%d partitions of %d, want %d of %d", len(got), len(got[0]), v.Expect.Partitions, v.Expect.Each)
			}
			for k, want := range v.Expect.Inputs {
				compare(t, fmt.Sprint("partition ", k), got[k], want)
			}
			compare(t, "the first partition", got[0], v.Expect.First)
			compare(t, "the last partition", got[len(got)-1], v.Expect.Last)
			if digest := digestOf(got); digest != v.Expect.SHA256 {
				t.Errorf("the digest of the inputs is %s, want %s", digest, v.Expect.SHA256)
			}
		})
	}
}

func compare(t *testing.T, what string, got []curve.Scalar, want []string) {
	for i := range want {
		if shown := "0x" + got[i].BigInt(new(big.Int)).Text(16); shown != want[i] {
			t.Fatalf("%s: input %d is %s, want %s", what, i, shown, want[i])
		}
	}
}

func digestOf(inputs [][]curve.Scalar) string {
	h := sha256.New()
	for _, partition := range inputs {
		for i := range partition {
			b := partition[i].Bytes()
			slices.Reverse(b[:])
			h.Write(b[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// someKey is a key of points that mean nothing.
func someKey(inputs int) *groth16.Key {
	_, _, g, _ := bls12381.Generators()
	scalars := make([]curve.Scalar, inputs+1)
	for i := range scalars {
		scalars[i].SetUint64(uint64(i)*0x9e3779b97f4a7c15 + 7)
	}
	return &groth16.Key{IC: bls12381.BatchScalarMultiplicationG1(&g, scalars)}
}

func someSectors(n int) []Sector {
	sectors := make([]Sector, n)
	for i := range sectors {
		sectors[i] = Sector{Number: abi.SectorNumber(3*i + 1), CommR: sha256.Sum256(fmt.Appendf(nil, "sector %d", i))}
		sectors[i].CommR[31] &= 0x3f
	}
	return sectors
}

// TestSums compares the quick way to a statement's sum with the plain one, Σ over all inputs, with a size of few inputs a
// partition and one of many.
func TestSums(t *testing.T) {
	compareSums(t, 5, []int{1, 2, 4, 5, 6, 9, 10, 11, 16})
	compareSums(t, 100, []int{1, 2, 99, 100, 101, 199, 200, 201})
}

func compareSums(t *testing.T, per int, counts []int) {
	size := &registered.Size{Name: "invented", Bytes: 1 << 36, WindowSectors: per}
	key := NewWindowKey(someKey(per * inputsPerSector))
	for _, v11 := range []bool{false, true} {
		for _, n := range counts {
			w := Window{Size: size, V11: v11, Randomness: [32]byte{1, 2, 3}, Sectors: someSectors(n)}
			checked, err := w.check()
			if err != nil {
				t.Fatal(err)
			}
			if want := (n + per - 1) / per; checked.partitions != want {
				t.Fatalf("%d sectors: %d partitions, want %d", n, checked.partitions, want)
			}
			statements, err := checked.statements(key)
			if err != nil {
				t.Fatal(err)
			}
			inputs, err := w.Inputs()
			if err != nil {
				t.Fatal(err)
			}
			for k := range inputs {
				want := curve.Sum(key.IC[1:], inputs[k])
				want.Add(&want, &key.IC[0])
				got := statements[k].Sum
				if got == nil { // then the inputs are given
					if !slices.Equal(statements[k].Inputs, inputs[k]) {
						t.Errorf("%d sectors, V1_1 %t: the inputs of partition %d are others", n, v11, k)
					}
					continue
				}
				if !got.Equal(&want) {
					t.Errorf("%d sectors, V1_1 %t: the sum of partition %d is another one", n, v11, k)
				}
			}
		}
	}
}

func TestWinningSum(t *testing.T) {
	key := someKey(2 * registered.WinningSectors)
	w := Winning{Size: &registered.Size{Bytes: 1 << 36}, Randomness: [32]byte{4, 5, 6}, Sectors: someSectors(1)}
	s, err := w.check()
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.winningSum(key)
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := w.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	want := curve.Sum(key.IC[1:], inputs)
	want.Add(&want, &key.IC[0])
	if !got.Equal(&want) {
		t.Error("the sum is another one")
	}
}

func TestErrors(t *testing.T) {
	order, _ := new(big.Int).SetString("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001", 16)
	var r [32]byte
	order.FillBytes(r[:])
	slices.Reverse(r[:])
	below := r
	below[0]--
	size := registered.Sizes()[0]
	one := someSectors(1)
	with := func(commR [32]byte) []Sector { return []Sector{{Number: 7, CommR: commR}} }
	cases := []struct {
		name       string
		randomness [32]byte
		sectors    []Sector
		want       string // in the error of both kinds; "" for none
	}{
		{"good", below, one, ""},
		{"no sectors", below, nil, "no sectors"},
		{"randomness is the order", r, one, "randomness"},
		{"randomness of ones", [32]byte(slices.Repeat([]byte{0xff}, 32)), one, "randomness"},
		{"comm_r is zero", below, with([32]byte{}), "comm_r is zero"},
		{"comm_r is the order", below, with(r), "comm_r"},
		{"comm_r just below", below, with(below), ""},
		{"a zero that a later entry replaces", below, append(with([32]byte{}), with(below)...), ""},
		{"a zero that replaces", below, append(with(below), with([32]byte{})...), "comm_r is zero"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, window := (&Window{Size: size, Randomness: c.randomness, Sectors: c.sectors}).Inputs()
			_, winning := (&Winning{Size: size, Randomness: c.randomness, Sectors: c.sectors}).Inputs()
			for kind, err := range map[string]error{"window": window, "winning": winning} {
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: %v, want %q", kind, err, c.want)
				}
			}
		})
	}
	if _, err := (&Winning{Size: size, Randomness: below, Sectors: someSectors(2)}).Inputs(); err == nil {
		t.Error("two sectors of a winning PoSt are no error")
	}
	if _, err := WinningChallenge(1000, below, 0); err == nil {
		t.Error("no eligible sectors are no error")
	}
	if _, err := WinningChallenge(1000, r, 1); err == nil {
		t.Error("randomness that is no scalar is no error")
	}
	w := Window{Size: size, Randomness: below, Sectors: one}
	checked, err := w.check()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := checked.statements(NewWindowKey(someKey(21))); !errors.Is(err, groth16.ErrInputs) {
		t.Errorf("a key of 21 inputs: %v", err)
	}
	if _, err := checked.winningSum(someKey(3)); err == nil {
		t.Error("a key of 3 inputs for a winning PoSt is no error")
	}
}

func TestByNumber(t *testing.T) {
	list := []Sector{{Number: 5}, {Number: 1, CommR: [32]byte{1}}, {Number: 1<<63 + 1}, {Number: 1, CommR: [32]byte{2}}, {Number: 0}, {Number: 1, CommR: [32]byte{3}}}
	before := slices.Clone(list)
	want := []Sector{{Number: 0}, {Number: 1, CommR: [32]byte{3}}, {Number: 5}, {Number: 1<<63 + 1}}
	if got := byNumber(list); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if !slices.Equal(list, before) {
		t.Error("the caller's list was changed")
	}
}

func TestMask(t *testing.T) {
	all := [32]byte(slices.Repeat([]byte{0xff}, 32))
	want := all
	want[31] = 0x3f
	if got := Mask(all); got != want || all[31] != 0xff {
		t.Errorf("%x", got)
	}
}

// FuzzWindow: any sectors and any bytes of a proof give a verdict or an error, and the same when the sectors are given in
// another order.
func FuzzWindow(f *testing.F) {
	key := NewWindowKey(someKey(2 * inputsPerSector))
	key.Key.Alpha, key.Key.Beta = key.IC[0], generator2()
	key.Key.Gamma, key.Key.Delta = key.Beta, key.Beta
	f.Add([]byte{1, 2, 3}, []byte{3, 1, 2, 1}, false, []byte("no proof"))
	f.Add([]byte{}, []byte{}, true, []byte{})
	f.Fuzz(func(t *testing.T, randomness, numbers []byte, v11 bool, proof []byte) {
		w := Window{Size: registered.Sizes()[0], V11: v11}
		copy(w.Randomness[:], randomness)
		seen := map[byte]bool{}
		for i, n := range numbers {
			if !seen[n] { // the order of repetitions does matter
				w.Sectors = append(w.Sectors, Sector{Number: abi.SectorNumber(n), CommR: [32]byte{n, byte(i)}})
			}
			seen[n] = true
		}
		ok, err := w.Verify(key, proof)
		slices.Reverse(w.Sectors)
		if again, err2 := w.Verify(key, proof); again != ok || (err == nil) != (err2 == nil) {
			t.Errorf("%t (%v), in another order %t (%v)", ok, err, again, err2)
		}
	})
}

func generator2() curve.G2 { _, _, _, h := bls12381.Generators(); return h }

func BenchmarkTails(b *testing.B) {
	key := someKey(2349 * inputsPerSector)
	for b.Loop() {
		NewWindowKey(key).tails()
	}
}

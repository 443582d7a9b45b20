package update

import (
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"slices"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/proofs/comm"
	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// TestInputs compares with what the reference derived (../shared/proofs/vectors/inputs.json).
func TestInputs(t *testing.T) {
	b, err := os.ReadFile("testdata/inputs.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Vectors []struct {
			Name  string
			Input struct {
				Type    abi.RegisteredUpdateProof `json:"update_proof"`
				OldR    string                    `json:"old_sealed_cid"`
				NewR    string                    `json:"new_sealed_cid"`
				NewData string                    `json:"new_unsealed_cid"`
			}
			Expect struct{ Inputs [][]string }
		}
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	for _, v := range f.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			var u Update
			if u.Size, err = registered.Update(v.Input.Type); err != nil {
				t.Fatal(err)
			}
			if u.OldR, err = comm.Sealed(cid.MustParse(v.Input.OldR)); err != nil {
				t.Fatal(err)
			}
			if u.NewR, err = comm.Sealed(cid.MustParse(v.Input.NewR)); err != nil {
				t.Fatal(err)
			}
			if u.NewData, err = comm.Unsealed(cid.MustParse(v.Input.NewData)); err != nil {
				t.Fatal(err)
			}
			got, err := u.Inputs()
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(v.Expect.Inputs) {
				t.Fatalf("%d partitions, want %d", len(got), len(v.Expect.Inputs))
			}
			for k := range got {
				shown := make([]string, len(got[k]))
				for i := range shown {
					shown[i] = "0x" + got[k][i].BigInt(new(big.Int)).Text(16)
				}
				if !slices.Equal(shown, v.Expect.Inputs[k]) {
					t.Errorf("partition %d: %v, want %v", k, shown, v.Expect.Inputs[k])
				}
			}
		})
	}
}

// TestFirstInputs: the h-value's bit stands above the partition's number (../shared/reference/proofs.md, section 6).
func TestFirstInputs(t *testing.T) {
	for i, want := range [][2]uint64{{1, 1}, {32, 35}, {128, 143}, {128, 143}, {128, 143}} {
		u := Update{Size: registered.Sizes()[i]}
		inputs, err := u.Inputs() // commitments of zero are no error
		if err != nil {
			t.Fatal(err)
		}
		if first, last := inputs[0][0].Uint64(), inputs[len(inputs)-1][0].Uint64(); first != want[0] || last != want[1] {
			t.Errorf("%s: from %d to %d, want %v", u.Size.Name, first, last, want)
		}
	}
}

func TestErrors(t *testing.T) {
	order := [32]byte(slices.Repeat([]byte{0xff}, 32))
	for name, u := range map[string]Update{"old comm_r": {OldR: order}, "new comm_r": {NewR: order}, "new comm_d": {NewData: order}} {
		u.Size = registered.Sizes()[0]
		if _, err := u.Inputs(); err == nil {
			t.Errorf("the %s is no scalar, and no error", name)
		}
	}
}

// FuzzVerify: any bytes give a verdict or an error.
func FuzzVerify(f *testing.F) {
	_, _, g, h := bls12381.Generators()
	key := &groth16.Key{Alpha: g, Beta: h, Gamma: h, Delta: h, IC: []curve.G1{g, g, g, g, g}}
	a, b := g.Bytes(), h.Bytes()
	f.Add(slices.Concat(a[:], b[:], a[:]), []byte{1})
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, proof, data []byte) {
		u := Update{Size: registered.Sizes()[0]}
		copy(u.NewData[:], data)
		if ok, err := u.Verify(key, proof); ok && err != nil || err == nil && len(proof) != groth16.ProofLen {
			t.Errorf("%t (%v) of %d bytes", ok, err, len(proof))
		}
	})
}

func TestKeyOfAnotherKind(t *testing.T) {
	_, _, g, h := bls12381.Generators()
	key := &groth16.Key{Alpha: g, Beta: h, Gamma: h, Delta: h, IC: []curve.G1{g, g}}
	a, b := g.Bytes(), h.Bytes()
	u := Update{Size: registered.Sizes()[0]}
	if _, err := u.Verify(key, slices.Concat(a[:], b[:], a[:])); !errors.Is(err, groth16.ErrInputs) {
		t.Errorf("%v", err)
	}
}

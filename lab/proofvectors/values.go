package proofvectors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/proofs/comm"
	"github.com/edgefvm/fvm/internal/proofs/porep"
	"github.com/edgefvm/fvm/internal/proofs/post"
	"github.com/edgefvm/fvm/internal/proofs/registered"
	"github.com/edgefvm/fvm/internal/proofs/update"
)

// graph compares the parents of nodes.
func graph(v *Vector) error {
	parents, err := porep.Graph(v.SealProof)
	if err != nil {
		return err
	}
	for _, n := range v.Parents {
		got := parents(n.Node)
		if !slices.Equal(got[:], n.Parents) {
			return fmt.Errorf("node %d has the parents %v, want %v", n.Node, got, n.Parents)
		}
	}
	if len(v.Parents) == 0 {
		return errors.New("it has no nodes")
	}
	return nil
}

// inputs compares the public inputs of an invented statement.
func inputs(_ context.Context, f *File, v *Vector) error {
	in, err := f.input(v)
	if err != nil {
		return err
	}
	if v.Expect == nil {
		return errors.New("it expects nothing")
	}
	switch v.Kind {
	case "challenge":
		eligible, err := strconv.ParseUint(in.Eligible, 10, 64)
		if err != nil {
			return fmt.Errorf("its input: eligible: %w", err)
		}
		r, err := comm.Bytes32("randomness", in.Randomness)
		if err != nil {
			return err
		}
		got, err := post.WinningChallenge(in.Miner, r, eligible)
		if err != nil {
			return err
		}
		if want := []string{strconv.FormatUint(got, 10)}; !slices.Equal(want, v.Expect.Chosen) {
			return fmt.Errorf("it chooses %v, want %v", want, v.Expect.Chosen)
		}
		return nil
	case "post":
		// Invented sectors: number 10·i + 5, comm_r from the vector's name.
		for i := range in.Sectors.Count {
			in.Sectors.List = append(in.Sectors.List, input{Number: abi.SectorNumber(10*i + 5)})
		}
		return comparePoSt(in, v.Expect, func(i int) ([32]byte, error) {
			sum := sha256.Sum256(fmt.Appendf(nil, "edgefvm proof vectors 1/%s/comm_r/%d", v.Name, i))
			sum[31] &= 0x3f
			return sum, nil
		})
	}
	return compare(v.Kind, f, in, v.Expect)
}

// compare compares what is computed on the way to a verdict.
func compare(kind string, f *File, in *input, want *Values) error {
	switch kind {
	case "seal":
		return compareSeal(in, want)
	case "aggregate":
		return compareAggregate(in, want)
	case "window", "winning":
		return comparePoSt(in, want, func(i int) ([32]byte, error) { return comm.Sealed(in.Sectors.List[i].SealedCID.Cid) })
	case "update":
		return compareUpdate(in, want)
	}
	return fmt.Errorf("values of the kind %q are unknown", kind)
}

func compareSeal(in *input, want *Values) error {
	s := porep.Seal{Type: in.SealProof, Miner: in.Miner, Number: in.Number}
	var err error
	if s.CommR, err = comm.Sealed(in.SealedCID.Cid); err != nil {
		return err
	}
	if s.CommD, err = comm.Unsealed(in.Unsealed.Cid); err != nil {
		return err
	}
	if s.Ticket, err = comm.Bytes32("ticket", in.Randomness); err != nil {
		return err
	}
	if s.Seed, err = comm.Bytes32("seed", in.Seed); err != nil {
		return err
	}
	id, prover := s.ReplicaID(), comm.Prover(in.Miner)
	for _, c := range []struct {
		what, want string
		got        []byte
	}{
		{"replica id", want.ReplicaID, id[:]}, {"prover id", want.ProverID, prover[:]}, {"comm_r", want.CommR, s.CommR[:]}, {"comm_d", want.CommD, s.CommD[:]},
	} {
		if got := hex.EncodeToString(c.got); c.want != "" && got != c.want {
			return fmt.Errorf("%s %s, want %s", c.what, got, c.want)
		}
	}
	got, err := s.Inputs()
	if err != nil {
		return err
	}
	return compareInputs(got, want)
}

func compareAggregate(in *input, want *Values) error {
	if len(want.Sectors) != len(in.Infos) {
		return fmt.Errorf("values of %d sectors, it has %d", len(want.Sectors), len(in.Infos))
	}
	for i := range in.Infos {
		info := in.Infos[i]
		info.SealProof, info.Miner = in.SealProof, in.Miner
		if err := compareSeal(&info, &want.Sectors[i]); err != nil {
			return fmt.Errorf("sector %d of the list: %w", i, err)
		}
	}
	return nil
}

func comparePoSt(in *input, want *Values, commR func(i int) ([32]byte, error)) error {
	randomness, err := comm.Bytes32("randomness", in.Randomness)
	if err != nil {
		return err
	}
	typ := in.PoStProof
	if len(in.Proofs) > 0 {
		typ = in.Proofs[0].PoStProof
	}
	if len(in.Sectors.List) > 0 && in.Sectors.Count == 0 && want.PerPart == 2*registered.WinningSectors {
		typ = abi.RegisteredPoStProof(in.Sectors.List[0].SealProof % 5) // the entry's type is not looked at
	}
	list := make([]post.Sector, len(in.Sectors.List))
	for i, s := range in.Sectors.List {
		list[i].Number = s.Number
		if list[i].CommR, err = commR(i); err != nil {
			return err
		}
	}
	if in.Mask {
		randomness = post.Mask(randomness)
	}
	if size, err := registered.Winning(typ); err == nil {
		got, err := (&post.Winning{Size: size, Randomness: randomness, Sectors: list}).Inputs()
		if err != nil {
			return err
		}
		return compareInputs([][]fr.Element{got}, want)
	}
	size, v11, err := registered.Window(typ)
	if err != nil {
		return err
	}
	got, err := (&post.Window{Size: size, V11: v11, Randomness: randomness, Sectors: list}).Inputs()
	if err != nil {
		return err
	}
	return compareInputs(got, want)
}

func compareUpdate(in *input, want *Values) error {
	size, err := registered.Update(in.Update)
	if err != nil {
		return err
	}
	u := update.Update{Size: size}
	if u.OldR, err = comm.Sealed(in.OldSealed.Cid); err != nil {
		return err
	}
	if u.NewR, err = comm.Sealed(in.NewSealed.Cid); err != nil {
		return err
	}
	if u.NewData, err = comm.Unsealed(in.NewData.Cid); err != nil {
		return err
	}
	got, err := u.Inputs()
	if err != nil {
		return err
	}
	return compareInputs(got, want)
}

// compareInputs compares public inputs as far as they are known.
func compareInputs(got [][]fr.Element, want *Values) error {
	if want.SHA256 == "" {
		return errors.New("it has no digest of public inputs")
	}
	if len(got) != want.Partitions {
		return fmt.Errorf("%d partitions, want %d", len(got), want.Partitions)
	}
	for k, in := range got {
		if len(in) != want.PerPart {
			return fmt.Errorf("partition %d has %d public inputs, want %d", k, len(in), want.PerPart)
		}
	}
	listed := map[int][]string{}
	for k, in := range want.Inputs {
		listed[k] = in
	}
	if len(want.First) > 0 {
		listed[0] = want.First
	}
	if len(want.Last) > 0 {
		listed[len(got)-1] = want.Last
	}
	for k := range got {
		for i, w := range listed[k] {
			if g := "0x" + got[k][i].Text(16); g != w {
				return fmt.Errorf("partition %d: public input %d is %s, want %s", k, i, g, w)
			}
		}
	}
	h := sha256.New()
	for _, in := range got {
		for i := range in {
			b := in[i].Bytes()
			slices.Reverse(b[:])
			h.Write(b[:])
		}
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != want.SHA256 {
		return fmt.Errorf("the digest of all public inputs is %s, want %s", sum, want.SHA256)
	}
	return nil
}

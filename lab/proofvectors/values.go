package proofvectors

import (
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
func inputs(f *File, v *Vector) error {
	in, err := f.input(v)
	if err != nil {
		return err
	}
	if v.Expect == nil {
		return errors.New("it expects nothing")
	}
	if err := in.invent(v.Name); err != nil {
		return err
	}
	got, err := valuesOf(v.Kind, in)
	if err != nil {
		return err
	}
	return got.compare(v.Expect)
}

// invent makes up the sectors of a PoSt: number 10·i + 5, comm_r from the vector's name. That of the first is given; where it is
// another one, the vectors were made from another seed, and nobody knows those of the others.
func (in *input) invent(name string) error {
	for i := range in.Sectors.Count {
		commR := sha256.Sum256(fmt.Appendf(nil, "edgefvm proof vectors 1/%s/comm_r/%d", name, i))
		commR[31] &= 0x3f
		if i == 0 && len(in.CommR0) == len(commR) {
			given := [32]byte(in.CommR0)
			if given != commR && in.Sectors.Count > 1 {
				return fmt.Errorf("%w: its sectors were made up from a seed that is not known", errSkip)
			}
			commR = given
		}
		in.Sectors.invented = append(in.Sectors.invented, post.Sector{Number: abi.SectorNumber(10*i + 5), CommR: commR})
	}
	return nil
}

// valuesOf computes what stands between a question and its verdict.
func valuesOf(kind string, in *input) (*Values, error) {
	switch kind {
	case "seal":
		return sealValues(in)
	case "aggregate":
		return aggregateValues(in)
	case "post", "window", "winning":
		return postValues(kind, in)
	case "update":
		return updateValues(in)
	case "challenge":
		return challengeValues(in)
	}
	return nil, fmt.Errorf("values of the kind %q are unknown", kind)
}

func sealValues(in *input) (*Values, error) {
	s := porep.Seal{Type: in.SealProof, Miner: in.Miner, Number: in.Number}
	var err error
	if s.CommR, err = comm.Sealed(in.SealedCID.Cid); err != nil {
		return nil, err
	}
	if s.CommD, err = comm.Unsealed(in.Unsealed.Cid); err != nil {
		return nil, err
	}
	if s.Ticket, err = comm.Bytes32("ticket", in.Randomness); err != nil {
		return nil, err
	}
	if s.Seed, err = comm.Bytes32("seed", in.Seed); err != nil {
		return nil, err
	}
	all, err := s.Inputs()
	if err != nil {
		return nil, err
	}
	v := ofInputs(all)
	id, prover, porepID := s.ReplicaID(), comm.Prover(in.Miner), porep.ID(in.SealProof)
	v.ReplicaID, v.ProverID, v.PorepID = hex.EncodeToString(id[:]), hex.EncodeToString(prover[:]), hex.EncodeToString(porepID[:])
	v.CommR, v.CommD = hex.EncodeToString(s.CommR[:]), hex.EncodeToString(s.CommD[:])
	return v, nil
}

func aggregateValues(in *input) (*Values, error) {
	var v Values
	_, variant, err := registered.Seal(in.SealProof)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	for i := range in.Infos {
		info := in.Infos[i]
		info.SealProof, info.Miner = in.SealProof, in.Miner
		s, err := sealValues(&info)
		if err != nil {
			return nil, fmt.Errorf("sector %d of the list: %w", i, err)
		}
		commR, err := comm.Sealed(info.SealedCID.Cid)
		if err != nil {
			return nil, err
		}
		if variant != registered.NI {
			h.Write(info.Seed)
		}
		h.Write(commR[:])
		v.Sectors = append(v.Sectors, *s)
	}
	v.Include = hex.EncodeToString(h.Sum(nil))
	return &v, nil
}

func postValues(kind string, in *input) (*Values, error) {
	randomness, err := comm.Bytes32("randomness", in.Randomness)
	if err != nil {
		return nil, err
	}
	if in.masked() {
		randomness = post.Mask(randomness)
	}
	list := in.Sectors.invented
	for _, s := range in.Sectors.List {
		commR, err := comm.Sealed(s.SealedCID.Cid)
		if err != nil {
			return nil, err
		}
		list = append(list, post.Sector{Number: s.Number, CommR: commR})
	}
	typ := in.PoStProof
	switch {
	case kind == "winning" && len(in.Sectors.List) > 0: // the type of the proof is not looked at
		typ = abi.RegisteredPoStProof(in.Sectors.List[0].SealProof % 5)
	case len(in.Proofs) > 0:
		typ = in.Proofs[0].PoStProof
	}
	if size, err := registered.Winning(typ); err == nil {
		got, err := (&post.Winning{Size: size, Randomness: randomness, Sectors: list}).Inputs()
		if err != nil {
			return nil, err
		}
		return ofInputs([][]fr.Element{got}), nil
	}
	size, v11, err := registered.Window(typ)
	if err != nil {
		return nil, err
	}
	got, err := (&post.Window{Size: size, V11: v11, Randomness: randomness, Sectors: list}).Inputs()
	if err != nil {
		return nil, err
	}
	return ofInputs(got), nil
}

func updateValues(in *input) (*Values, error) {
	size, err := registered.Update(in.Update)
	if err != nil {
		return nil, err
	}
	u := update.Update{Size: size}
	if u.OldR, err = comm.Sealed(in.OldSealed.Cid); err != nil {
		return nil, err
	}
	if u.NewR, err = comm.Sealed(in.NewSealed.Cid); err != nil {
		return nil, err
	}
	if u.NewData, err = comm.Unsealed(in.NewData.Cid); err != nil {
		return nil, err
	}
	got, err := u.Inputs()
	if err != nil {
		return nil, err
	}
	return ofInputs(got), nil
}

func challengeValues(in *input) (*Values, error) {
	eligible, err := strconv.ParseUint(in.Eligible, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("its input: eligible: %w", err)
	}
	r, err := comm.Bytes32("randomness", in.Randomness)
	if err != nil {
		return nil, err
	}
	chosen, err := post.WinningChallenge(in.Miner, r, eligible)
	if err != nil {
		return nil, err
	}
	return &Values{Chosen: []string{strconv.FormatUint(chosen, 10)}}, nil
}

// ofInputs shows public inputs.
func ofInputs(all [][]fr.Element) *Values {
	v := Values{Partitions: len(all), Inputs: make([][]string, len(all))}
	h := sha256.New()
	for k, in := range all {
		v.PerPart = len(in)
		v.Inputs[k] = make([]string, len(in))
		for i := range in {
			b := in[i].Bytes()
			slices.Reverse(b[:])
			h.Write(b[:])
			v.Inputs[k][i] = "0x" + in[i].Text(16)
		}
	}
	v.SHA256 = hex.EncodeToString(h.Sum(nil))
	return &v
}

// compare compares everything that want has.
func (v *Values) compare(want *Values) error {
	for _, c := range []struct{ what, got, want string }{
		{"prover id", v.ProverID, want.ProverID}, {"porep id", v.PorepID, want.PorepID}, {"replica id", v.ReplicaID, want.ReplicaID},
		{"comm_r", v.CommR, want.CommR}, {"comm_d", v.CommD, want.CommD}, {"transcript's include", v.Include, want.Include},
	} {
		if c.want != "" && c.got != c.want {
			return fmt.Errorf("%s %s, want %s", c.what, c.got, c.want)
		}
	}
	if len(want.Chosen) > 0 && !slices.Equal(v.Chosen, want.Chosen) {
		return fmt.Errorf("chosen %v, want %v", v.Chosen, want.Chosen)
	}
	if len(want.Sectors) > 0 && len(v.Sectors) != len(want.Sectors) {
		return fmt.Errorf("%d sectors, want %d", len(v.Sectors), len(want.Sectors))
	}
	for i := range want.Sectors {
		if err := v.Sectors[i].compare(&want.Sectors[i]); err != nil {
			return fmt.Errorf("sector %d of the list: %w", i, err)
		}
	}
	return v.compareInputs(want)
}

// compareInputs names the first public input that differs.
func (v *Values) compareInputs(want *Values) error {
	if want.SHA256 == "" {
		return nil
	}
	if v.Partitions != want.Partitions || v.PerPart != want.PerPart {
		return fmt.Errorf("%d partitions of %d public inputs, want %d of %d", v.Partitions, v.PerPart, want.Partitions, want.PerPart)
	}
	listed := map[int][]string{}
	for k, in := range want.Inputs {
		listed[k] = in
	}
	if len(want.First) > 0 {
		listed[0] = want.First
	}
	if len(want.Last) > 0 {
		listed[v.Partitions-1] = want.Last
	}
	for k := range v.Inputs {
		for i, w := range listed[k] {
			if i >= len(v.Inputs[k]) || v.Inputs[k][i] != w {
				return fmt.Errorf("partition %d: public input %d is %s, want %s", k, i, v.Inputs[k][min(i, len(v.Inputs[k])-1)], w)
			}
		}
	}
	if v.SHA256 != want.SHA256 {
		return fmt.Errorf("the digest of all public inputs is %s, want %s", v.SHA256, want.SHA256)
	}
	return nil
}

// Package registered holds what the network fixed by number for each registered proof: sizes, layers, challenges,
// partitions. It is all tables; nothing is computed from sectors.
//
// Sources, by crate: filecoin-proofs 19.1.0 constants.rs and types/porep_config.rs, storage-proofs-update 19.1.0
// constants.rs, filecoin-proofs-api 19.1.0 registry.rs.
package registered

import (
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
)

// Size is what belongs to a sector size.
type Size struct {
	index int    // in the order of the registered proofs' numbers
	Name  string // as people say: 32GiB
	Bytes uint64
	Shape string // of the replica's tree: arity of the base, of its upper and of its top part

	Layers           int    // of the stacked graph
	SealPartitions   int    // of V1, V1_1 and synthetic seals
	SealChallenges   int    // a partition of them
	NIPartitions     int    // of non-interactive seals
	NIChallenges     int    // a partition of them
	WindowSectors    int    // a partition of a window PoSt
	UpdatePartitions int    // partitions of a sector update
	UpdateH          uint64 // selects the h-value: a bit of the high half of the first input
}

// Nodes is how many nodes of 32 bytes a sector has.
func (s *Size) Nodes() uint64 { return s.Bytes / 32 }

// Index is the size's place among the sizes, which is the registered proofs' number modulo five.
func (s *Size) Index() int { return s.index }

// Numbers that are the same for every size.
const (
	WindowChallenges  = 10 // a sector of a window PoSt
	WinningSectors    = 66 // copies of the one sector of a winning PoSt
	WinningChallenges = 1  // a copy

	BaseParents     = 6 // of a node of the stacked graph, in its own layer
	ExpanderParents = 8 // in the layer before
)

// Sizes are the sector sizes of the network, in the order of the registered proofs' numbers.
var sizes = [5]Size{
	{0, "2KiB", 2 << 10, "8-0-0", 2, 1, 2, 13, 2, 2, 1, 1},
	{1, "8MiB", 8 << 20, "8-0-0", 2, 1, 2, 13, 2, 2, 4, 8},
	{2, "512MiB", 512 << 20, "8-0-0", 2, 1, 2, 13, 2, 2, 16, 8},
	{3, "32GiB", 32 << 30, "8-8-0", 11, 10, 18, 126, 18, 2349, 16, 8},
	{4, "64GiB", 64 << 30, "8-8-2", 11, 10, 18, 126, 18, 2300, 16, 8},
}

// Sizes are the sector sizes of the network, smallest first, in the order of the registered proofs' numbers. They must
// not be written to.
func Sizes() []*Size {
	all := make([]*Size, len(sizes))
	for i := range sizes {
		all[i] = &sizes[i]
	}
	return all
}

// Variant is how a seal's challenges are drawn and its graph is built.
type Variant int

// Variants, in the order of the registered seal proofs: number = 5·variant + size.
const (
	V1   Variant = iota // until network version 7: another order of parents, expander parents cut to 32 bits
	V1_1                // interactive
	Synthetic
	NI // non-interactive
)

func (v Variant) String() string {
	switch v {
	case V1:
		return "V1"
	case V1_1:
		return "V1_1"
	case Synthetic:
		return "V1_1 synthetic"
	case NI:
		return "V1_2 non-interactive"
	}
	return fmt.Sprintf("variant %d", int(v))
}

// Seal is the size and the variant of a seal proof.
func Seal(typ abi.RegisteredSealProof) (*Size, Variant, error) {
	if typ < 0 || typ >= 20 {
		return nil, 0, fmt.Errorf("unknown seal proof type %d", typ)
	}
	return &sizes[typ%5], Variant(typ / 5), nil
}

// Partitions and challenges a partition of a seal of that variant.
func (s *Size) Partitions(v Variant) (partitions, challenges int) {
	if v == NI {
		return s.NIPartitions, s.NIChallenges
	}
	return s.SealPartitions, s.SealChallenges
}

// Winning is the size of a winning PoSt's type.
func Winning(typ abi.RegisteredPoStProof) (*Size, error) {
	if typ < 0 || typ >= 5 {
		return nil, fmt.Errorf("type %d is no winning PoSt", typ)
	}
	return &sizes[typ], nil
}

// Window is the size of a window PoSt's type, and whether it is of version V1_1 (V1P1, numbers 10 to 14) and not V1.
func Window(typ abi.RegisteredPoStProof) (size *Size, v11 bool, err error) {
	if typ < 5 || typ >= 15 {
		return nil, false, fmt.Errorf("type %d is no window PoSt", typ)
	}
	return &sizes[typ%5], typ >= 10, nil
}

// Update is the size of a sector update's type.
func Update(typ abi.RegisteredUpdateProof) (*Size, error) {
	if typ < 0 || typ >= 5 {
		return nil, fmt.Errorf("unknown type %d of a sector update", typ)
	}
	return &sizes[typ], nil
}

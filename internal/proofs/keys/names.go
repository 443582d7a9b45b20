package keys

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Kind is what a key verifies.
type Kind int

// Kinds of keys. Each has a key for every sector size.
const (
	Seal    Kind = iota // of all variants
	Winning             // PoSt
	Window              // PoSt, of both versions
	Update              // of a sector's data
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{Seal, Winning, Window, Update} }

func (k Kind) String() string {
	switch k {
	case Seal:
		return "seal"
	case Winning:
		return "winning PoSt"
	case Window:
		return "window PoSt"
	case Update:
		return "sector update"
	}
	return fmt.Sprintf("kind %d", int(k))
}

// Inputs is how many public inputs a proof (one partition) of that kind has.
func (k Kind) Inputs(size *registered.Size) int {
	switch k {
	case Seal:
		const nodes = 4 + registered.BaseParents + registered.ExpanderParents // a challenge: itself four times, its parents
		return 3 + nodes*size.SealChallenges
	case Winning:
		return registered.WinningSectors * (1 + registered.WinningChallenges)
	case Window:
		return size.WindowSectors * (1 + registered.WindowChallenges)
	default:
		return 4
	}
}

// version is in front of every file name: of the trusted setup.
const version = "v28"

// FileName is the name of a key's file. Its last part is the SHA-256 of a text that names the circuit.
func FileName(kind Kind, size *registered.Size) string {
	tree := "merkletree-poseidon_hasher-" + size.Shape
	var prefix, circuit string
	switch kind {
	case Seal:
		prefix = "stacked-proof-of-replication-" + tree + "-sha256_hasher"
		circuit = fmt.Sprintf("layered_drgporep::PublicParams{ graph: stacked_graph::StackedGraph{expansion_degree: %d base_graph: drgraph::BucketGraph{size: %d; degree: %d; hasher: poseidon_hasher} }, "+
			"challenges: LayerChallenges { layers: %d, max_count: %d }, tree: %s }",
			registered.ExpanderParents, size.Nodes(), registered.BaseParents, size.Layers, size.SealChallenges, tree)
	case Winning:
		prefix = "proof-of-spacetime-fallback-" + tree
		circuit = postCircuit(size, registered.WinningChallenges, registered.WinningSectors)
	case Window:
		prefix = "proof-of-spacetime-fallback-" + tree
		circuit = postCircuit(size, registered.WindowChallenges, size.WindowSectors)
	case Update:
		prefix = "empty-sector-update-" + tree
		circuit = fmt.Sprintf("empty_sector_update::PublicParams{ sector_nodes: %d }", size.Nodes())
	}
	sum := sha256.Sum256([]byte(circuit))
	return version + "-" + prefix + "-" + hex.EncodeToString(sum[:]) + ".vk"
}

func postCircuit(size *registered.Size, challenges, sectors int) string {
	return fmt.Sprintf("FallbackPoSt::PublicParams{sector_size: %d, challenge_count: %d, sector_count: %d}", size.Bytes, challenges, sectors)
}

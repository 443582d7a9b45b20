package porep

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/proofs/feistel"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Parents are the nodes that a node's label is made of: the base parents in its own layer, then the expander parents in the
// layer before.
type Parents [registered.BaseParents + registered.ExpanderParents]uint64

// graph is the stacked graph of a seal type (storage-proofs-core drgraph.rs, storage-proofs-porep graph.rs).
type graph struct {
	nodes uint64
	v1    bool     // Quirk: of the first version, see baseParents and expanderParents
	seed  [28]byte // of the base parents
	edges *feistel.Network
}

// Graph gives the parents of the nodes of a seal type's graph. Node must be one of the sector's.
func Graph(typ abi.RegisteredSealProof) (parents func(node uint64) Parents, err error) {
	size, variant, err := registered.Seal(typ)
	if err != nil {
		return nil, err
	}
	return newGraph(typ, size, variant).parents, nil
}

func newGraph(typ abi.RegisteredSealProof, size *registered.Size, variant registered.Variant) *graph {
	g := &graph{nodes: size.Nodes(), v1: variant == registered.V1}
	id := ID(typ)
	copy(g.seed[:], hash([]byte("Filecoin_DRSample"), id[:]))
	seed := hash([]byte("Filecoin_Feistel"), id[:])
	var keys feistel.Keys // the seed has four, of which three are used
	for i := range keys {
		keys[i] = binary.LittleEndian.Uint64(seed[8*i:])
	}
	half := 1 // bits of half an edge's number
	for ; 1<<(2*half) < registered.ExpanderParents*g.nodes; half++ {
	}
	g.edges = feistel.Of(keys, half)
	return g
}

// ID is the porep id of a seal type, which the network made of the type's number.
func ID(typ abi.RegisteredSealProof) (id [32]byte) {
	binary.LittleEndian.PutUint64(id[:], uint64(typ))
	return id
}

func hash(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func (g *graph) parents(node uint64) (all Parents) {
	g.baseParents(node, all[:registered.BaseParents])
	for i := range registered.ExpanderParents {
		all[registered.BaseParents+i] = g.expanderParent(node, i)
	}
	return all
}

// baseParents draws five nodes before the node, near ones more often (depth-robust sampling), and adds the one just before it:
// at the front. Quirk: in the first version at the end.
func (g *graph) baseParents(node uint64, to []uint64) {
	if node < 2 {
		clear(to)
		return
	}
	drawn := to[1:]
	to[0] = node - 1
	if g.v1 {
		drawn = to[:len(to)-1]
		to[len(to)-1] = node - 1
	}
	var key [32]byte
	copy(key[:], g.seed[:])
	binary.LittleEndian.PutUint32(key[len(g.seed):], uint32(node))
	stream := newChaCha8(&key)

	degree := uint64(len(drawn))
	meta := node * degree
	buckets := uint64(bits.Len64(meta - 1)) // ceil(log2(meta))
	for i := range drawn {
		k := stream.next()%buckets + 1
		high := min(meta, 1<<k)
		low := max(2, high/2)
		parent := (meta - (low + stream.next()%(high-low+1))) / degree
		if parent == node {
			parent--
		}
		drawn[i] = parent
	}
}

// expanderParent is parent i by a permutation of all edges: a Feistel network, repeated until the result is an edge.
func (g *graph) expanderParent(node uint64, i int) uint64 {
	edges := g.nodes * registered.ExpanderParents
	u := node*registered.ExpanderParents + uint64(i)
	for first := true; first || u >= edges; first = false {
		u = g.edges.Permute(u)
	}
	if g.v1 {
		u = uint64(uint32(u)) // Quirk: the first version kept 32 bits of an edge, and there are 2³³ and more in large sectors
	}
	return u / registered.ExpanderParents
}

package porep

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/chacha20"

	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Texts that keep the hashes of the later variants apart (storage-proofs-porep challenges.rs).
const (
	tagNI         = "filecoin.io|PoRep|1|NonInteractive|1"
	tagGeneration = "filecoin.io|PoRep|1|Synthetic|1|Generation"
	tagSelection  = "filecoin.io|PoRep|1|Synthetic|1|Selection"
)

// maxSynthetic is how many challenges a synthetic seal chooses from, if the sector has as many nodes.
const maxSynthetic = 1 << 18

// challenges are the nodes that all partitions are about, in their order. None is node 0.
func challenges(s *Seal, id ReplicaID, size *registered.Size, variant registered.Variant) ([]uint64, error) {
	partitions, each := size.Partitions(variant)
	nodes := make([]uint64, partitions*each)
	if variant == registered.Synthetic {
		return nodes, synthetic(nodes, s, id, size)
	}
	before, after := []byte(nil), s.Seed[:]
	if variant == registered.NI {
		before, after = []byte(tagNI), s.CommR[:] // the seed is not used at all
	}
	for j := range nodes {
		nodes[j] = node(hash(before, id[:], after, binary.LittleEndian.AppendUint32(nil, uint32(j))), size)
	}
	return nodes, nil
}

// node is a digest as a number, least significant byte first, modulo one less than the number of nodes, plus one.
func node(digest []byte, size *registered.Size) uint64 {
	m := size.Nodes() - 1
	var rest uint64 // below 2³¹, so that four bytes more fit
	for i := len(digest) - 4; i >= 0; i -= 4 {
		rest = (rest<<32 | uint64(binary.LittleEndian.Uint32(digest[i:]))) % m
	}
	return rest + 1
}

// synthetic chooses challenges among many that a seal committed itself to.
func synthetic(nodes []uint64, s *Seal, id ReplicaID, size *registered.Size) error {
	generation, err := digestOf(tagGeneration, id, s.CommR)
	if err != nil {
		return err
	}
	selection, err := digestOf(tagSelection, id, s.Seed)
	if err != nil {
		return err
	}
	chosen := make([]byte, 4*len(nodes))
	if err := stream(selection, 0, chosen); err != nil {
		return err
	}
	count := uint32(min(size.Nodes(), maxSynthetic))
	for j := range nodes {
		index := binary.LittleEndian.Uint32(chosen[4*j:]) % count
		const digest, block = 32, 64 // bytes
		var b [block]byte
		if err := stream(generation, index/(block/digest), b[:]); err != nil {
			return err
		}
		at := index % (block / digest) * digest
		nodes[j] = node(b[at:at+digest], size)
	}
	return nil
}

// digestOf is the BLAKE2b-256 of two values, keyed with a text.
func digestOf(tag string, id ReplicaID, other [32]byte) ([]byte, error) {
	h, err := blake2b.New256([]byte(tag))
	if err != nil {
		return nil, fmt.Errorf("drawing synthetic challenges: %w", err)
	}
	h.Write(id[:])
	h.Write(other[:])
	return h.Sum(nil), nil
}

// stream fills to, which must be zero, with ChaCha20's key stream from a block on.
func stream(key []byte, block uint32, to []byte) error {
	c, err := chacha20.NewUnauthenticatedCipher(key, []byte("synth-porep\x00"))
	if err != nil {
		return fmt.Errorf("drawing synthetic challenges: %w", err)
	}
	c.SetCounter(block)
	c.XORKeyStream(to, to)
	return nil
}

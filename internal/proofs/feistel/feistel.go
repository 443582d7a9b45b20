// Package feistel is the permutation by which the stacked graph's expander parents are drawn (storage-proofs-core
// crypto/feistel.rs), with a memory for its hashes.
//
// The round function sees half an edge's number only, so that it has few values: 3·2¹⁷ for the largest sectors, while an
// aggregate of many seals asks for millions. What is remembered decides nothing: each value is what the hash gives.
package feistel

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/blake2b"
)

// Keys are the keys of the rounds.
type Keys [3]uint64

// Network is a permutation of the numbers of 2·half bits. It is safe for concurrent use.
type Network struct {
	keys  Keys
	half  int
	known []atomic.Uint32 // values of the round function plus one, by round, then by its argument; zero: not known yet
}

// maxHalf bounds the memory: 1.5 MB for a network of 17 bits, as the largest sectors have.
const maxHalf = 17

var networks sync.Map // by identity

type identity struct {
	keys Keys
	half int
}

// Of is the network with these keys, one for all callers. There are as many as types of seals. half is from 1 to 17.
func Of(keys Keys, half int) *Network {
	if half < 1 || half > maxHalf {
		panic("feistel: no sector has so many edges")
	}
	id := identity{keys, half}
	if n, ok := networks.Load(id); ok {
		return n.(*Network)
	}
	n, _ := networks.LoadOrStore(id, &Network{keys, half, make([]atomic.Uint32, len(keys)<<half)})
	return n.(*Network)
}

// Permute gives the number's image. Bits above 2·half do not count.
func (n *Network) Permute(u uint64) uint64 {
	mask := uint64(1)<<n.half - 1
	left, right := u>>n.half&mask, u&mask
	for round := range n.keys {
		left, right = right, left^n.value(round, right)
	}
	return left<<n.half | right
}

// value is the round function: the low bits of a hash of half a number and the round's key.
func (n *Network) value(round int, right uint64) uint64 {
	place := &n.known[uint64(round)<<n.half|right]
	if v := place.Load(); v != 0 {
		return uint64(v - 1)
	}
	var data [16]byte
	binary.BigEndian.PutUint64(data[:8], right)
	binary.BigEndian.PutUint64(data[8:], n.keys[round])
	sum := blake2b.Sum512(data[:])
	v := binary.BigEndian.Uint64(sum[:8]) & (1<<n.half - 1)
	place.Store(uint32(v) + 1)
	return v
}

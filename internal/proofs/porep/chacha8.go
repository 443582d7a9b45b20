package porep

import (
	"encoding/binary"
	"math/bits"
)

// chacha8 is the key stream of ChaCha with 8 rounds as its author defined it: a block counter of 64 bits and a nonce of 64
// bits, both zero here, read as numbers of 64 bits. (crypto/rand/v2's ChaCha8 is another generator, x/crypto's ChaCha20
// has 20 rounds.) Source: D. J. Bernstein, ChaCha, a variant of Salsa20, 2008.
type chacha8 struct {
	state [16]uint32
	block [16]uint32
	used  int // words of the block
}

func newChaCha8(key *[32]byte) *chacha8 {
	c := &chacha8{used: 16}
	copy(c.state[:], []uint32{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}) // "expand 32-byte k"
	for i := range 8 {
		c.state[4+i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	return c
}

// next is the next number of the stream, least significant byte first.
func (c *chacha8) next() uint64 {
	if c.used == len(c.block) {
		c.refill()
	}
	n := uint64(c.block[c.used]) | uint64(c.block[c.used+1])<<32
	c.used += 2
	return n
}

func (c *chacha8) refill() {
	x := c.state
	for range 4 { // a column round and a diagonal round each
		for i := range 4 {
			quarter(&x[i], &x[4+i], &x[8+i], &x[12+i])
		}
		for i := range 4 {
			quarter(&x[i], &x[4+(i+1)%4], &x[8+(i+2)%4], &x[12+(i+3)%4])
		}
	}
	for i := range x {
		c.block[i] = x[i] + c.state[i]
	}
	c.used = 0
	if c.state[12]++; c.state[12] == 0 {
		c.state[13]++
	}
}

func quarter(a, b, c, d *uint32) {
	*a += *b
	*d = bits.RotateLeft32(*d^*a, 16)
	*c += *d
	*b = bits.RotateLeft32(*b^*c, 12)
	*a += *b
	*d = bits.RotateLeft32(*d^*a, 8)
	*c += *d
	*b = bits.RotateLeft32(*b^*c, 7)
}

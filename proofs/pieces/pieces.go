// Package pieces commits to the data of deals and sectors: the padding of bits that makes scalars of bytes, and the root of
// the binary tree of SHA-256 over them. It needs no keys and proves nothing.
//
// Source: fr32 and piece commitments of filecoin-proofs 19.1.0 (pieces.rs, fr32 crate).
package pieces

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/vm/crypto"
)

// Padding works on quads of scalars: 127 bytes of data become 128.
const (
	Unpadded = 127 // bytes
	Padded   = 128
)

// ErrSize is wrapped by the errors of sizes that pieces cannot have.
var ErrSize = errors.New("no size of a piece")

// Pad pads data: every 254 bits are followed by two zero bits. len(data) must be a multiple of Unpadded, and len(to) the
// length after padding.
func Pad(to, data []byte) {
	if len(data)%Unpadded != 0 || len(to) != len(data)/Unpadded*Padded {
		panic("pieces.Pad: wrong lengths")
	}
	for ; len(data) > 0; to, data = to[Padded:], data[Unpadded:] {
		padQuad((*[Padded]byte)(to), (*[Unpadded]byte)(data))
	}
}

// padQuad moves the second, third and fourth scalar by two, four and six bits.
func padQuad(to *[Padded]byte, data *[Unpadded]byte) {
	const scalar, top = 32, 0x3f
	copy(to[:scalar], data[:scalar])
	to[scalar-1] &= top
	for i := 1; i < 4; i++ {
		shift := 2 * i
		for j := i * scalar; j < (i+1)*scalar; j++ {
			var high byte
			if j < Unpadded {
				high = data[j] << shift
			}
			to[j] = data[j-1]>>(8-shift) | high
		}
		to[(i+1)*scalar-1] &= top
	}
}

// Unpad is the reverse of Pad.
func Unpad(to, data []byte) {
	if len(data)%Padded != 0 || len(to) != len(data)/Padded*Unpadded {
		panic("pieces.Unpad: wrong lengths")
	}
	for ; len(data) > 0; to, data = to[Unpadded:], data[Padded:] {
		unpadQuad((*[Unpadded]byte)(to), (*[Padded]byte)(data))
	}
}

func unpadQuad(to *[Unpadded]byte, data *[Padded]byte) {
	const scalar = 32
	clear(to[:])
	for i := range 4 {
		shift := 2 * i // how far a scalar's bits lie before their place among the padded ones
		for j := i * scalar; j < (i+1)*scalar; j++ {
			b := data[j]
			if j%scalar == scalar-1 {
				b &= 0x3f
			}
			if j < Unpadded {
				to[j] |= b >> shift
			}
			if shift > 0 {
				to[j-1] |= b << (8 - shift)
			}
		}
	}
}

// Commit is the CID of a piece: of the first size bytes of r, before padding. It is an error if r has fewer. size must be
// 127·2ⁿ bytes.
func Commit(ctx context.Context, r io.Reader, size abi.UnpaddedPieceSize) (cid.Cid, error) {
	if size < Unpadded || size%Unpadded != 0 || bits.OnesCount64(uint64(size/Unpadded)) != 1 {
		return cid.Undef, fmt.Errorf("%w: %d bytes, want 127 times a power of two", ErrSize, size)
	}
	root, err := commit(ctx, r, uint64(size)/Unpadded)
	if err != nil {
		return cid.Undef, fmt.Errorf("committing to a piece of %d bytes: %w", size, err)
	}
	return crypto.UnsealedCID(root)
}

type node = [32]byte

// What is read and hashed at once: a power of two of subtrees, each of a power of two of quads.
const (
	treeQuads = 4096 // half a megabyte
	maxTrees  = 32
)

// commit reads quads, a power of two of them.
func commit(ctx context.Context, r io.Reader, quads uint64) (node, error) {
	perTree := min(quads, treeQuads)
	trees := min(quads/perTree, maxTrees)
	buf := make([]byte, trees*perTree*Unpadded)
	roots := make([]node, trees)
	var stack []node // of complete subtrees, the largest first
	for done := uint64(0); done < quads; done += trees * perTree {
		if err := ctx.Err(); err != nil {
			return node{}, err
		}
		if _, err := io.ReadFull(r, buf); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return node{}, err
		}
		curve.Parallel(int(trees), func(i int) {
			each := int(perTree) * Unpadded
			padded := make([]byte, perTree*Padded)
			Pad(padded, buf[i*each:(i+1)*each])
			roots[i] = rootOf(padded)
		})
		p := reduce(roots)
		for n := done / (trees * perTree); n&1 == 1; n >>= 1 {
			p = crypto.HashPair(&stack[len(stack)-1], &p)
			stack = stack[:len(stack)-1]
		}
		stack = append(stack, p)
	}
	return stack[0], nil
}

// rootOf is the root over scalars, a power of two of them, which it overwrites.
func rootOf(b []byte) node {
	for len(b) > 32 {
		for i := 0; i < len(b); i += 64 {
			sum := sha256.Sum256(b[i : i+64])
			sum[31] &= 0x3f
			copy(b[i/2:], sum[:])
		}
		b = b[:len(b)/2]
	}
	return node(b)
}

// reduce is the root over nodes, a power of two of them.
func reduce(nodes []node) node {
	level := append([]node(nil), nodes...)
	for len(level) > 1 {
		for i := 0; i < len(level); i += 2 {
			level[i/2] = crypto.HashPair(&level[i], &level[i+1])
		}
		level = level[:len(level)/2]
	}
	return level[0]
}

// SectorCommitment is the commitment to the data of a sector (comm_d) of pieces that fill it from the front, each at a
// multiple of its size. Gaps between and after them are filled with zeroes as far as the tree needs them. It is an error if
// the pieces are larger than the sector, or one is no power of two.
func SectorCommitment(ctx context.Context, typ abi.RegisteredSealProof, all []abi.PieceInfo) (cid.Cid, error) {
	return crypto.JoinPieces(ctx, typ, all)
}

package crypto

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/bits"
	"strings"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// Codes of Filecoin's commitments (multicodec table). The hash is SHA-256 with the last two bits cleared.
const (
	unsealedCodec = cid.FilCommitmentUnsealed
	unsealedHash  = multihash.SHA2_256_TRUNC254_PADDED
	commitmentLen = 32
	minPieceSize  = 128     // bytes, padded: the smallest piece that padding is made of
	maxZeroPiece  = 1 << 41 // bytes, padded: the largest
)

// Errors of ComputeUnsealedSectorCID. The actor hears of an illegal argument, whichever it is.
var (
	ErrSealProof = errors.New("unknown seal proof type")
	ErrPieces    = errors.New("pieces do not make a sector")
)

// piecesPart is how many pieces are dealt with between two looks at the context: a millisecond or less.
const piecesPart = 1024

type commitment = [commitmentLen]byte

// piece is a part of a sector: a subtree of its hash tree. size is in bytes before bit padding (127 for a padded
// piece of 128 bytes), the unit in which nodes calculate; that shows with sizes that are no power of two or exceed
// the sector, see TestQuirkPieceSizesWrap.
type piece struct {
	root commitment
	size uint64
}

// ComputeUnsealedSectorCID is the commitment to the data of a sector that holds pieces in this order, each moved up to
// a multiple of its size, with zeros between and after (FIP-0013's CommD).
//
// proofType tells the sector's size. Types 15 to 19 (non-interactive PoRep) exist from network version 21 on; callers of
// an earlier one must refuse them. The error is ErrSealProof or ErrPieces, or ctx's once that is done.
func ComputeUnsealedSectorCID(ctx context.Context, proofType abi.RegisteredSealProof, pieces []abi.PieceInfo) (cid.Cid, error) {
	sector, err := proofType.SectorSize()
	if err != nil {
		return cid.Undef, ErrSealProof
	}
	all, err := alignPieces(ctx, uint64(sector), pieces)
	if err != nil {
		return cid.Undef, err
	}
	return sectorCID(ctx, uint64(sector), all)
}

// JoinPieces is ComputeUnsealedSectorCID for pieces that stand as they are: no zeroes go in between to move them to multiples
// of their sizes, but what hashing needs.
func JoinPieces(ctx context.Context, proofType abi.RegisteredSealProof, pieces []abi.PieceInfo) (cid.Cid, error) {
	sector, err := proofType.SectorSize()
	if err != nil {
		return cid.Undef, ErrSealProof
	}
	var all []piece
	for _, p := range pieces {
		root, ok := dataCommitment(p.PieceCID)
		if !ok || len(all) > maxPieces(uint64(sector)) {
			return cid.Undef, ErrPieces
		}
		all = append(all, piece{root, unpadded(uint64(p.Size))})
	}
	if len(all) == 0 {
		all = []piece{{zeroRoot(uint64(sector)), unpadded(uint64(sector))}}
	}
	return sectorCID(ctx, uint64(sector), all)
}

// sectorCID is the CID of a sector that holds pieces.
func sectorCID(ctx context.Context, sector uint64, all []piece) (cid.Cid, error) {
	root, err := joinPieces(ctx, sector, all)
	if err != nil {
		return cid.Undef, err
	}
	return UnsealedCID(root)
}

// UnsealedCID is the CID of a commitment to data, of a piece or a sector.
func UnsealedCID(root [commitmentLen]byte) (cid.Cid, error) {
	mh, err := multihash.Encode(root[:], unsealedHash)
	if err != nil {
		return cid.Undef, err
	}
	return cid.NewCidV1(unsealedCodec, mh), nil
}

// alignPieces puts zero pieces between and after the pieces, so that each starts at a multiple of its size
// and all together end at the end of the sector.
func alignPieces(ctx context.Context, sector uint64, pieces []abi.PieceInfo) ([]piece, error) {
	if len(pieces) == 0 {
		return []piece{{zeroRoot(sector), unpadded(sector)}}, nil
	}
	var all []piece
	var end uint64 // wraps, as the nodes' does
	pad := func(to uint64) (ok bool) {
		for gap := -end % to; gap != 0; gap &= gap - 1 {
			size := gap & -gap
			if size < minPieceSize || size > maxZeroPiece {
				return false
			}
			all = append(all, piece{zeroRoot(size), unpadded(size)})
			end += size
		}
		return true
	}
	for i, p := range pieces {
		if i%piecesPart == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		size := uint64(p.Size)
		if size == 0 || len(all) > maxPieces(sector) || !pad(size) {
			return nil, ErrPieces
		}
		root, ok := dataCommitment(p.PieceCID)
		if !ok {
			return nil, ErrPieces
		}
		all = append(all, piece{root, unpadded(size)})
		end += size
	}
	if !pad(sector) {
		return nil, ErrPieces
	}
	return all, nil
}

// joinPieces hashes pieces up to one root.
func joinPieces(ctx context.Context, sector uint64, pieces []piece) (commitment, error) {
	if len(pieces) > maxPieces(sector) {
		return commitment{}, ErrPieces
	}
	var sum uint64 // wraps, as the nodes' does
	for _, p := range pieces {
		sum += padded(p.size)
	}
	if sum > sector {
		return commitment{}, ErrPieces
	}
	var stack []piece
	push := func(p piece) {
		for len(stack) > 0 && stack[len(stack)-1].size == p.size {
			left := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			p = piece{HashPair(&left.root, &p.root), left.size + p.size}
		}
		stack = append(stack, p)
	}
	double := func() bool {
		size := stack[len(stack)-1].size
		n := padded(size)
		if !isPowerOfTwo(n) || n < 2*commitmentLen {
			return false
		}
		push(piece{zeroRoot(n), size})
		return true
	}
	for i, p := range pieces {
		if i%piecesPart == 0 && ctx.Err() != nil {
			return commitment{}, ctx.Err()
		}
		if !isPowerOfTwo(padded(p.size)) {
			return commitment{}, ErrPieces
		}
		for i > 0 && stack[len(stack)-1].size < p.size {
			if !double() {
				return commitment{}, ErrPieces
			}
		}
		push(p)
	}
	for len(stack) > 1 {
		if !double() {
			return commitment{}, ErrPieces
		}
	}
	return stack[0].root, nil
}

// maxPieces is how many pieces a sector can hold, zero pieces included.
func maxPieces(sector uint64) int { return int(sector / minPieceSize) }

// dataCommitment takes a commitment out of its CID; ok is false for any other CID.
func dataCommitment(c cid.Cid) (root commitment, ok bool) {
	// Version 1, codec 0xf101, hash 0x1012, 32 bytes.
	digest, ok := strings.CutPrefix(c.KeyString(), "\x01\x81\xe2\x03\x92\x20\x20")
	return root, ok && copy(root[:], digest) == commitmentLen && len(digest) == commitmentLen
}

func isPowerOfTwo(n uint64) bool { return bits.OnesCount64(n) == 1 }

// unpadded is how many bytes of data go into n bytes after bit padding.
func unpadded(n uint64) uint64 { return n - n/minPieceSize }

// padded is the length of n bytes of data after bit padding: two bits go in after every 254.
//
// Quirk: nodes calculate in bits modulo 2^64 and round to the 53 bits of a float, so that sizes from 2^61 bytes on are
// nonsense (and no power of two), and some odd sizes from 2^50 on count as the power of two above them.
func padded(n uint64) uint64 {
	const data, element = 254, 256
	inBits := n * 8
	inBits = inBits/data*element + inBits%data
	if extra := bits.Len64(inBits) - 53; extra > 0 {
		half, low := uint64(1)<<(extra-1), inBits&(1<<extra-1)
		inBits >>= extra
		if low > half || low == half && inBits&1 == 1 {
			inBits++
		}
		if extra >= 3 {
			return inBits << (extra - 3)
		}
		inBits <<= extra
	}
	return (inBits + 7) / 8
}

// HashPair is the parent of two nodes of a tree over data.
func HashPair(left, right *commitment) commitment {
	var both [2 * commitmentLen]byte
	copy(both[:], left[:])
	copy(both[commitmentLen:], right[:])
	sum := sha256.Sum256(both[:])
	sum[commitmentLen-1] &= 0x3f
	return sum
}

// zeroRoot is the root over size zero bytes; size is a power of two, 32 at least.
func zeroRoot(size uint64) commitment { return zeroRoots()[bits.TrailingZeros64(size/commitmentLen)] }

// zeroRoots holds the roots over 2^i leaves of zeros.
var zeroRoots = sync.OnceValue(func() (roots [60]commitment) {
	for i := range roots[1:] {
		roots[i+1] = HashPair(&roots[i], &roots[i])
	}
	return roots
})

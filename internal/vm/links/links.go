// Package links finds the links of blocks as actors may use them, and what finding them costs.
//
// The kernel calls it for each block that an actor opens or makes, and syscalls for CIDs in guest memory. It
// calls cbor. The walk over new blocks when the state is flushed is blockstore's; HAMTs are hamt's.
package links

import (
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/execerr"
)

// ParseCID reads the CID that b begins with, of version 0 or 1, and says how many bytes it has. Varints are in
// their shortest form and a digest has at most 64 bytes. Unlike go-cid it takes codecs and hash codes of 2^63
// and more.
func ParseCID(b []byte) (c cid.Cid, n int, err error) { return cbor.ParseCID(b) }

// Blake2bCID is the CID of a block with the given codec and blake2b-256 digest.
func Blake2bCID(codec uint64, digest [32]byte) cid.Cid { return cbor.Blake2bCID(codec, digest) }

// ScanLinks finds the links of a block that an actor opens or makes (network version 21 and later, FIP-0071).
// Only DAG-CBOR blocks have links; CBOR and raw blocks are not looked into. Pieces and sectors are no links; what
// an identity CID holds inline is scanned in its place.
//
// perField is taken for each CBOR item and perCID for each link, out of available, all three in one unit (gas.Gas at
// the kernel). used is what was taken, also when err is not nil, and all of available if it did not suffice: err is then
// execerr.ErrOutOfGas. Any other error is an *execerr.Syscall.
func ScanLinks[G ~uint64](codec uint64, data []byte, perField, perCID, available G) (links []cid.Cid, used G, err error) {
	s := scanner{perField: uint64(perField), perCID: uint64(perCID), left: uint64(available)}
	if err := s.block(codec, data); err != nil {
		return nil, available - G(s.left), err
	}
	return s.links, available - G(s.left), nil
}

type scanner struct {
	perField, perCID, left uint64
	links                  []cid.Cid
}

func (s *scanner) charge(g uint64) error {
	if s.left < g {
		s.left = 0
		return execerr.ErrOutOfGas
	}
	s.left -= g
	return nil
}

func (s *scanner) block(codec uint64, data []byte) error {
	switch codec {
	case cbor.CodecDagCBOR:
		return s.dagCBOR(data)
	case cbor.CodecRaw, cbor.CodecCBOR:
		return nil
	}
	return execerr.Syscallf(execerr.IllegalCodec, "blocks of codec %#x are not allowed", codec)
}

func malformed(what string) error {
	return execerr.Syscallf(execerr.Serialization, "a DAG-CBOR block %s", what)
}

func header(data []byte) (major byte, arg uint64, rest []byte, err error) {
	major, arg, n := cbor.Header(data)
	if n <= 0 {
		return 0, 0, nil, malformed("is cut short or has a reserved header")
	}
	return major, arg, data[n:], nil
}

// dagCBOR walks one item and all in it. Each is paid for before it is looked at.
func (s *scanner) dagCBOR(data []byte) error {
	for left := uint64(1); left > 0; {
		// As many one-byte items as there is gas for.
		if n := cbor.Scalars(data, min(left, s.left/max(s.perField, 1))); n > 0 {
			s.left -= uint64(n) * s.perField
			data, left = data[n:], left-uint64(n)
			continue
		}
		left--
		if err := s.charge(s.perField); err != nil {
			return err
		}
		major, arg, rest, err := header(data)
		if err != nil {
			return err
		}
		data = rest
		var more uint64
		switch major {
		case cbor.Bytes, cbor.Text:
			if arg > uint64(len(data)) {
				return malformed("has a string that is longer than the block")
			}
			data = data[arg:]
		case cbor.Array:
			more = arg
		case cbor.Map:
			if more = 2 * arg; more < arg {
				return malformed("has more than 2^64 items")
			}
		case cbor.Tag:
			if arg != cbor.TagCID {
				more = 1
				break
			}
			if data, err = s.link(data); err != nil {
				return err
			}
		}
		if left += more; left < more {
			return malformed("has more than 2^64 items")
		}
	}
	if len(data) > 0 {
		return malformed("has bytes after its only item")
	}
	return nil
}

// link reads a link whose tag has been read and returns what follows it.
func (s *scanner) link(data []byte) ([]byte, error) {
	if err := s.charge(s.perCID); err != nil {
		return nil, err
	}
	major, arg, data, err := header(data)
	switch {
	case err != nil:
		return nil, err
	case major != cbor.Bytes:
		return nil, malformed("has a link that is no byte string")
	case arg > uint64(len(data)):
		return nil, malformed("has a link that is longer than the block")
	case arg == 0 || data[0] != 0:
		return nil, malformed("has a link that does not begin with a zero byte")
	}
	raw := data[1:arg]
	p, n, err := cbor.SplitCID(raw)
	if err != nil || n != len(raw) {
		return nil, malformed("has a link that is no CID")
	}
	return data[arg:], s.visit(&p, raw)
}

// visit keeps a link, or looks into it, or refuses it. A CID that no block can have is one that is not found.
func (s *scanner) visit(p *cbor.CIDParts[[]byte], raw []byte) error {
	switch p.Codec {
	case cbor.CodecFilCommitmentUnsealed, cbor.CodecFilCommitmentSealed:
		return nil // whatever its hash function
	case cbor.CodecDagCBOR, cbor.CodecRaw, cbor.CodecCBOR:
	default:
		return execerr.Syscallf(execerr.NotFound, "a block links to a CID of codec %#x", p.Codec)
	}
	switch {
	case p.Hash == cbor.HashIdentity:
		// A digest of at most 64 bytes bounds how deep this goes.
		return s.block(p.Codec, p.Digest)
	case !p.Linkable():
		return execerr.Syscallf(execerr.NotFound, "a block links to a CID by hash function %#x of %d bytes", p.Hash, len(p.Digest))
	}
	s.links = append(s.links, p.CID(raw))
	return nil
}

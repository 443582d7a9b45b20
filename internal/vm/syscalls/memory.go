package syscalls

import (
	"encoding/binary"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/links"
)

// guestMemory is a guest's memory.
type guestMemory []byte

// memory is the guest's memory during one syscall. Tape notes or has what a syscall looks at; nil: nobody asks for that.
type memory struct {
	guestMemory
	tape *windows
}

// slice is the window [off, off+n).
func (m memory) slice(off, n uint32) ([]byte, error) {
	if m.tape != nil {
		return m.tape.slice(m.guestMemory, off, n)
	}
	return m.guestMemory.slice(off, n)
}

// cid reads a CID that begins at off; it may be as long as the memory goes.
func (m memory) cid(off uint32) (cid.Cid, error) {
	if m.tape != nil {
		return m.tape.cid(m.guestMemory, off)
	}
	c, _, err := m.guestMemory.cid(off)
	return c, err
}

// slice is the window [off, off+n).
func (m guestMemory) slice(off, n uint32) ([]byte, error) {
	if uint64(off)+uint64(n) > uint64(len(m)) {
		return nil, execerr.Syscallf(execerr.IllegalArgument, "the buffer at %d of %d bytes leaves the memory", off, n)
	}
	end := uint64(off) + uint64(n)
	return m[off:end:end], nil
}

// cid reads a CID of n bytes that begins at off.
func (m guestMemory) cid(off uint32) (c cid.Cid, n int, err error) {
	if uint64(off) > uint64(len(m)) {
		return cid.Undef, 0, execerr.Syscallf(execerr.IllegalArgument, "the CID at %d is outside the memory", off)
	}
	c, n, err = links.ParseCID(m[off:])
	if err != nil {
		return cid.Undef, 0, execerr.Syscallf(execerr.IllegalArgument, "reading a CID: %v", err)
	}
	return c, n, nil
}

// putCID writes a CID into a buffer and returns its length.
func (m memory) putCID(c cid.Cid, off, n uint32) (uint32, error) {
	buf, err := m.slice(off, n)
	if err != nil {
		return 0, err
	}
	if s := c.KeyString(); len(s) <= len(buf) {
		return uint32(copy(buf, s)), nil
	}
	return 0, execerr.Syscallf(execerr.BufferTooSmall, "a CID of %d bytes does not fit into %d", c.ByteLen(), n)
}

func (m memory) address(off, n uint32) (address.Address, error) {
	buf, err := m.slice(off, n)
	if err != nil {
		return address.Undef, err
	}
	a, err := addr.ParseAddress(buf)
	if err != nil {
		return address.Undef, execerr.Syscallf(execerr.IllegalArgument, "reading an address: %v", err)
	}
	return a, nil
}

// address reads an address that the network of the guest knows.
func (s *sys) address(off, n uint32) (address.Address, error) {
	a, err := s.mem.address(off, n)
	if err == nil && !s.k.KnownAddress(a) {
		return address.Undef, execerr.Syscallf(execerr.IllegalArgument, "reading an address: the network has none of protocol %d", a.Protocol())
	}
	return a, err
}

// putTokens writes an amount as 128 bits, little-endian. An amount that does
// not fit is a failure that every node has.
func putTokens(out []byte, what string, v abi.TokenAmount) error {
	if v.Int == nil {
		clear(out[:16])
		return nil
	}
	if v.Sign() < 0 || v.BitLen() > 128 {
		return execerr.Guestf("the %s %s does not fit into 128 bits", what, v)
	}
	var be [16]byte
	v.FillBytes(be[:])
	binary.LittleEndian.PutUint64(out, binary.BigEndian.Uint64(be[8:]))
	binary.LittleEndian.PutUint64(out[8:], binary.BigEndian.Uint64(be[:8]))
	return nil
}

// tokens is the amount of two 64-bit halves.
func tokens(hi, lo uint64) abi.TokenAmount {
	if hi == 0 {
		return big.NewIntUnsigned(lo)
	}
	v := big.NewIntUnsigned(hi)
	v.Lsh(v.Int, 64)
	v.Or(v.Int, big.NewIntUnsigned(lo).Int)
	return v
}

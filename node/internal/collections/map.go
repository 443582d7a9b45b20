package collections

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/ipfs/go-cid"
)

// Format is how a map is laid out.
type Format int

const (
	// HAMT is the map of the Filecoin specification, keys placed by their SHA-256, buckets of 3.
	HAMT Format = iota
	// KAMT is the map of fvm_ipld_kamt: keys of 32 bytes are placed as they are, and a link may skip places that all keys
	// below share.
	KAMT
)

const (
	keyBytes = 32 // of a KAMT's key, and of SHA-256
	keyBits  = 8 * keyBytes
)

// Map is a HAMT or KAMT in a store. Values are CBOR as they stand in the nodes; keys of a KAMT have 32 bytes.
type Map struct {
	Source
	Root   cid.Cid
	Format Format
	// Bits is how many bits of a key choose the place in a node, 1 to 8. Nodes do not tell.
	Bits int
}

func (m *Map) what() string {
	if m.Format == KAMT {
		return "KAMT"
	}
	return "HAMT"
}

// place are the bits that say where a key belongs.
func (m *Map) place(key []byte) (runOfBits, error) {
	if m.Bits < 1 || m.Bits > 8 {
		return runOfBits{}, fmt.Errorf("%s %s: its width is not known", m.what(), m.Root)
	}
	if m.Format == KAMT {
		if len(key) > keyBytes {
			return runOfBits{}, fmt.Errorf("a key of %d bytes, more than %d", len(key), keyBytes)
		}
		return bitsOf(pad(key)), nil
	}
	sum := sha256.Sum256(key)
	return bitsOf(sum[:]), nil
}

// Get looks a key up.
func (m *Map) Get(ctx context.Context, key []byte) (value []byte, ok bool, err error) {
	where, err := m.place(key)
	if err != nil {
		return nil, false, err
	}
	if m.Format == KAMT {
		key = pad(key)
	}
	for at := m.Root; ; {
		n, err := m.node(ctx, at)
		if err != nil || n == nil {
			return nil, false, err
		}
		place, err := where.next(m.Bits)
		if err != nil {
			return nil, false, malformed(m.what(), at, err)
		}
		s := n.find(place)
		if !s.isLink() {
			for _, e := range s.entries {
				if bytes.Equal(e.key, key) {
					return e.value, true, nil
				}
			}
			return nil, false, nil
		}
		part := where
		part.end = min(part.end, part.off+s.skip.len())
		if !part.equal(s.skip) {
			return nil, false, nil
		}
		where.off += s.skip.len()
		at = s.link
	}
}

// ForEach calls fn for each entry, in the order of places: that of hashes in a HAMT, that of keys in a KAMT. Key and value
// are not changed later. A key that does not belong where it stands is an error.
func (m *Map) ForEach(ctx context.Context, fn func(key, value []byte) error) error {
	return m.each(ctx, slot{link: m.Root}, prefix{}, func(e entry) error { return fn(e.key, e.value) })
}

// each calls fn for all entries of a slot whose keys begin with p.
func (m *Map) each(ctx context.Context, s slot, p prefix, fn func(entry) error) error {
	for _, e := range s.entries {
		if err := m.belongs(e.key, p); err != nil {
			return err
		}
		if err := fn(e); err != nil {
			return err
		}
	}
	if !s.isLink() {
		return nil
	}
	n, err := m.node(ctx, s.link)
	if err != nil || n == nil {
		return err
	}
	if err := p.addRun(s.skip); err != nil {
		return malformed(m.what(), s.link, err)
	}
	for i, sub := range n.slots {
		below := p
		if err := below.add(n.at[i], m.Bits); err != nil {
			return malformed(m.what(), s.link, err)
		}
		if err := m.each(ctx, sub, below, fn); err != nil {
			return err
		}
	}
	return nil
}

// belongs checks that a key stands where it would be looked for. Without it nothing would bound a
// walk by what the store holds.
func (m *Map) belongs(key []byte, p prefix) error {
	where, err := m.place(key)
	if err != nil {
		return err
	}
	if !p.of(where) {
		return fmt.Errorf("%w %s %s: the key %x does not belong where it stands", ErrMalformed, m.what(), m.Root, key)
	}
	return nil
}

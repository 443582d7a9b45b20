package chain

import (
	"context"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// Head is the tipset that an archive's roots name: its blocks themselves, or the metadata of a snapshot (FRC-0108), which is one
// root.
func (s *Store) Head(ctx context.Context, roots []cid.Cid) (*Tipset, error) {
	if len(roots) == 0 {
		return nil, fmt.Errorf("%w: the archive names no root, so no head of a chain", ErrTipset)
	}
	if len(roots) == 1 {
		data, err := s.raw(ctx, roots[0])
		if err != nil {
			return nil, fmt.Errorf("the archive's root: %w", err)
		}
		if major, _, _ := cbor.Header(data); major == cbor.Map {
			head, err := snapshotHead(data)
			if err != nil {
				return nil, fmt.Errorf("%w: the archive's root %s: %w", ErrMalformed, roots[0], err)
			}
			roots = head
		}
	}
	t, err := s.Tipset(ctx, roots...)
	if err != nil {
		return nil, fmt.Errorf("the head of the chain: %w", err)
	}
	return t, nil
}

// snapshotHead reads a snapshot's metadata: a map with Version, HeadTipsetKey and F3Data.
func snapshotHead(data []byte) (head []cid.Cid, err error) {
	const version = 2
	var got uint64
	r := cbor.NewReader(data)
	for n := r.MapLen(); n > 0 && !r.Failed(); n-- {
		switch r.Text() {
		case "Version":
			got = r.Uint()
		case "HeadTipsetKey":
			for n := r.Len(); n > 0 && !r.Failed(); n-- {
				head = append(head, r.CID())
			}
		default:
			r.Raw()
		}
	}
	if err := r.End(); err != nil {
		return nil, err
	}
	if got != version {
		return nil, fmt.Errorf("a snapshot of version %d: want %d", got, version)
	}
	if len(head) == 0 {
		return nil, fmt.Errorf("a snapshot that names no head")
	}
	return head, nil
}

package chain

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
)

// ErrTipset is wrapped by errors about blocks that make no tipset.
var ErrTipset = errors.New("these blocks are no tipset")

// Key names a tipset: the CIDs of its blocks, one after the other, in the tipset's order. It may be compared.
type Key string

// NewKey puts a key together.
func NewKey(blocks ...cid.Cid) Key {
	var b strings.Builder
	for _, c := range blocks {
		b.WriteString(c.KeyString())
	}
	return Key(b.String())
}

// CIDs are the blocks of the key. The error is that of a key that NewKey did not make.
func (k Key) CIDs() ([]cid.Cid, error) {
	var list []cid.Cid
	for rest := []byte(k); len(rest) > 0; {
		c, n, err := cbor.ParseCID(rest)
		if err != nil {
			return nil, fmt.Errorf("the key of a tipset: %w", err)
		}
		list, rest = append(list, c), rest[n:]
	}
	return list, nil
}

// CID is that of the key's block, which is what contracts see of a tipset (FIP-0054): a byte string of the key.
func (k Key) CID() (cid.Cid, error) { return sum(cbor.AppendBytes(nil, k)) }

// String lists the CIDs.
func (k Key) String() string {
	list, err := k.CIDs()
	if err != nil {
		return fmt.Sprintf("%x", string(k))
	}
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = c.String()
	}
	return strings.Join(parts, " ")
}

// Tipset is the blocks of an epoch that were mined on the same parents. It is not changed once it is made.
type Tipset struct {
	Blocks []*Header // in order: by the hash of the ticket, then by CID
	CIDs   []cid.Cid // of Blocks
}

// NewTipset puts blocks in order. They must be of one height, on the same parents, by different miners, and have a ticket and an
// election proof. The error wraps ErrTipset.
func NewTipset(blocks []*Header) (*Tipset, error) {
	if len(blocks) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrTipset)
	}
	type place struct {
		h      *Header
		c      cid.Cid
		ticket [32]byte
	}
	places, miners, first := make([]place, len(blocks)), map[address.Address]bool{}, blocks[0]
	for i, h := range blocks {
		c, err := h.CID()
		if err != nil {
			return nil, fmt.Errorf("%w: block %d: %w", ErrTipset, i, err)
		}
		switch {
		case h.Ticket == nil:
			return nil, fmt.Errorf("%w: block %s has no ticket", ErrTipset, c)
		case h.Height > 0 && h.ElectionProof == nil:
			return nil, fmt.Errorf("%w: block %s has no election proof", ErrTipset, c)
		case h.Height < 0:
			return nil, fmt.Errorf("%w: block %s has the height %d", ErrTipset, c, h.Height)
		case h.Height != first.Height:
			return nil, fmt.Errorf("%w: block %s is at height %d, another at %d", ErrTipset, c, h.Height, first.Height)
		case !slices.Equal(h.Parents, first.Parents):
			return nil, fmt.Errorf("%w: block %s has other parents than another", ErrTipset, c)
		case miners[h.Miner]:
			return nil, fmt.Errorf("%w: two blocks are by miner %s", ErrTipset, h.Miner)
		}
		miners[h.Miner] = true
		places[i] = place{h, c, crypto.Blake2b256(h.Ticket.VRFProof)}
	}
	slices.SortFunc(places, func(a, b place) int {
		if d := bytes.Compare(a.ticket[:], b.ticket[:]); d != 0 {
			return d
		}
		return strings.Compare(a.c.KeyString(), b.c.KeyString())
	})
	t := &Tipset{}
	for _, p := range places {
		t.Blocks, t.CIDs = append(t.Blocks, p.h), append(t.CIDs, p.c)
	}
	return t, nil
}

// Height is the epoch.
func (t *Tipset) Height() abi.ChainEpoch { return t.Blocks[0].Height }

// Key names the tipset.
func (t *Tipset) Key() Key { return NewKey(t.CIDs...) }

// Parents names the parent tipset. Of a genesis it is whatever its maker wrote.
func (t *Tipset) Parents() Key { return NewKey(t.Blocks[0].Parents...) }

// ParentStateRoot is the state that the tipset is executed on, migrations aside.
func (t *Tipset) ParentStateRoot() cid.Cid { return t.Blocks[0].ParentStateRoot }

// ParentReceipts is the root of the receipts of the parent tipset's messages.
func (t *Tipset) ParentReceipts() cid.Cid { return t.Blocks[0].ParentMessageReceipts }

// BaseFee is what the tipset is executed with, in attoFIL a unit of gas.
func (t *Tipset) BaseFee() abi.TokenAmount { return t.Blocks[0].ParentBaseFee }

// Timestamp is the earliest of the blocks', in seconds since 1970.
func (t *Tipset) Timestamp() uint64 {
	least := t.Blocks[0].Timestamp
	for _, h := range t.Blocks {
		least = min(least, h.Timestamp)
	}
	return least
}

// TicketDigest is the randomness of the tipset's least ticket.
func (t *Tipset) TicketDigest() [32]byte { return crypto.Blake2b256(t.Blocks[0].Ticket.VRFProof) }

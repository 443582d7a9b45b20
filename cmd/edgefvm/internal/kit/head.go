package kit

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/layout"
)

// Head is what the headers of a tipset say about the state that its messages run on.
type Head struct {
	// Blocks are the headers' CIDs, in the order in which the archive names them.
	Blocks []cid.Cid
	// Parents are the tipset before.
	Parents []cid.Cid
	// Epoch is the tipset's height.
	Epoch int64
	// Timestamp is the tipset's, in seconds since 1970: of its blocks the least, as nodes take it.
	Timestamp uint64
	// StateRoot is the headers' ParentStateRoot: the state after the tipset before, on which this one's messages run, after
	// cron of the null rounds between them if there are any. The state after this tipset's own messages is in its child's.
	StateRoot cid.Cid
	// BaseFee is the headers' ParentBaseFee, in attoFIL: what this tipset's messages pay.
	BaseFee *big.Int
	// F3 says that the archive is a snapshot by FRC-0108 with data of F3, which nothing here reads.
	F3 bool
}

// HeadOf reads the head that blocks' headers are.
func (s *State) HeadOf(ctx context.Context, blocks []cid.Cid) (*Head, error) {
	return readHead(ctx, s, blocks)
}

// String says whose state it is.
func (h *Head) String() string {
	return fmt.Sprintf("tipset of epoch %d, %d %s: its parents' state, on which the messages of epoch %d run", h.Epoch, len(h.Blocks), layout.Plural(len(h.Blocks), "block"), h.Epoch)
}

// rootKind is what a root turns out to be.
type rootKind int

const (
	otherRoot rootKind = iota
	stateRoot
	headerRoot
	snapshotRoot // metadata of FRC-0108
	bundleRoot   // the manifest of actors
)

// A state root is [version, actors, info]; a header has 16 fields; the metadata of FRC-0108 is a map; a manifest of actors is
// [version, list].
const (
	stateFields  = 3
	headerFields = 16
	bundleFields = 2
)

// kindOf tells what the block of a root is. Nothing of it is believed before it is read by its own reader.
func kindOf(data []byte) rootKind {
	major, n, _ := cbor.Header(data)
	switch {
	case major == cbor.Array && n == stateFields:
		r := cbor.NewReader(data)
		r.Tuple(stateFields)
		r.Uint()
		r.LinkBytes()
		r.LinkBytes()
		if r.End() == nil {
			return stateRoot
		}
	case major == cbor.Array && n == bundleFields:
		r := cbor.NewReader(data)
		r.Tuple(bundleFields)
		r.Uint()
		r.LinkBytes()
		if r.End() == nil {
			return bundleRoot
		}
	case major == cbor.Array && n == headerFields:
		return headerRoot
	case major == cbor.Map:
		if _, err := readSnapshot(data); err == nil {
			return snapshotRoot
		}
	}
	return otherRoot
}

// snapshot is the metadata of a chain's snapshot (FRC-0108): a map with the keys Version, HeadTipsetKey and F3Data.
type snapshot struct {
	head []cid.Cid
	f3   bool
}

func readSnapshot(data []byte) (s snapshot, err error) {
	r := cbor.NewReader(data)
	for range r.MapLen() {
		switch r.Text() {
		case "Version":
			r.Uint()
		case "HeadTipsetKey":
			n := r.Len()
			for i := 0; i < n && !r.Failed(); i++ {
				s.head = append(s.head, r.CID())
			}
		case "F3Data":
			if !r.Null() {
				r.LinkBytes()
				s.f3 = true
			}
		default:
			r.Raw()
		}
		if r.Failed() {
			break
		}
	}
	if err := r.End(); err != nil {
		return s, err
	}
	if len(s.head) == 0 {
		return s, fmt.Errorf("it names no head")
	}
	return s, nil
}

// readHeader takes what matters here from a block's header.
func readHeader(data []byte) (h Head, err error) {
	r := cbor.NewReader(data)
	r.Tuple(headerFields)
	for range 5 { // miner, ticket, election proof, beacon entries, proofs
		r.Raw()
	}
	n := r.Len()
	for i := 0; i < n && !r.Failed(); i++ {
		h.Parents = append(h.Parents, r.CID())
	}
	r.Raw() // weight
	height := r.Uint()
	h.StateRoot = r.CID()
	for range 3 { // receipts, messages, aggregated signature
		r.Raw()
	}
	h.Timestamp = r.Uint()
	r.Raw() // signature
	r.Raw() // fork signalling
	fee := r.Bytes()
	if err := r.End(); err != nil {
		return h, err
	}
	h.Epoch = int64(height)
	h.BaseFee = new(big.Int)
	if len(fee) > 0 {
		h.BaseFee.SetBytes(fee[1:])
	}
	if h.Epoch < 0 || len(fee) > 0 && fee[0] != 0 || len(fee) > 128 {
		return h, fmt.Errorf("its height or base fee is absurd")
	}
	return h, nil
}

// readHead reads the headers of a tipset. They must agree on what they share.
func readHead(ctx context.Context, store blockstore.Blockstore, keys []cid.Cid) (*Head, error) {
	var all *Head
	for _, c := range keys {
		b, err := store.Get(ctx, c)
		if format.IsNotFound(err) {
			return nil, fmt.Errorf("the header %s is not there", c)
		}
		if err != nil {
			return nil, err
		}
		h, err := readHeader(b.RawData())
		if err != nil {
			return nil, fmt.Errorf("the block %s is no header: %w", c, err)
		}
		if all == nil {
			all = &h
		} else if all.Epoch != h.Epoch || all.StateRoot != h.StateRoot || all.BaseFee.Cmp(h.BaseFee) != 0 {
			return nil, fmt.Errorf("the headers %s and %s are of different tipsets: name one", keys[0], c)
		}
		all.Timestamp = min(all.Timestamp, h.Timestamp)
	}
	if all == nil {
		return nil, fmt.Errorf("no header is named")
	}
	all.Blocks = keys
	return all, nil
}

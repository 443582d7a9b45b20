package chain

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain/amt"
)

// AppendReceipt appends a message's receipt as the chain has it: [exit code, return, gas used], and since network version 18 the root
// of its events or null (FIP-0049).
func AppendReceipt(dst []byte, v network.Version, r *fvm.Result) []byte {
	fields := 3
	if v >= network.Version18 {
		fields = 4
	}
	dst = cbor.AppendArray(dst, fields)
	dst = cbor.AppendInt(dst, int64(r.ExitCode))
	dst = cbor.AppendBytes(dst, r.Return)
	dst = cbor.AppendInt(dst, r.GasUsed)
	switch {
	case fields == 3:
	case r.EventsRoot == nil:
		dst = append(dst, cbor.Null)
	default:
		dst = cbor.AppendCID(dst, *r.EventsRoot)
	}
	return dst
}

// ReceiptsRoot is the root of the receipts of a tipset's messages, in the order in which they were applied. put gets the blocks of
// their array; nil: nobody wants them.
func ReceiptsRoot(v network.Version, receipts []*fvm.Result, put func(cid.Cid, []byte) error) (cid.Cid, error) {
	if put == nil {
		put = func(cid.Cid, []byte) error { return nil }
	}
	items := make([][]byte, len(receipts))
	for i, r := range receipts {
		items[i] = AppendReceipt(nil, v, r)
	}
	root, err := amt.Build(items, put)
	if err != nil {
		return cid.Undef, fmt.Errorf("the list of receipts: %w", err)
	}
	return root, nil
}

// Receipts are the receipts under a root, each the bytes of a CBOR item. Exports have none; stores of replays do.
func (s *Store) Receipts(ctx context.Context, root cid.Cid) ([][]byte, error) {
	return amt.Values(ctx, s.raw, root, 2*maxMessages)
}

// ReceiptText prints a receipt.
func ReceiptText(data []byte) string {
	r := cbor.NewReader(data)
	n := r.Len()
	if n != 3 && n != 4 {
		return fmt.Sprintf("%x", data)
	}
	var exit int64
	if r.Peek() == cbor.Uint {
		exit = int64(r.Uint())
	} else {
		r.Raw()
		exit = -1
	}
	ret, gas, events := r.Bytes(), r.Uint(), ""
	if n == 4 && !r.Null() {
		events = ", events " + r.CID().String()
	}
	if r.End() != nil {
		return fmt.Sprintf("%x", data)
	}
	return fmt.Sprintf("exit code %d, return %x, gas %d%s", exit, ret, gas, events)
}

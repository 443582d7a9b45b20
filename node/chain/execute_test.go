package chain

import (
	"errors"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain/amt"
)

// messages writes lists of messages and gives the CID for a header.
func (w *world) messages(bls, secp [][]byte) cid.Cid {
	w.t.Helper()
	var roots []cid.Cid
	for _, list := range [][][]byte{bls, secp} {
		var items [][]byte
		for _, m := range list {
			items = append(items, cbor.AppendCID(nil, w.put(m)))
		}
		root, err := amt.Build(items, func(_ cid.Cid, data []byte) error {
			w.put(data)
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
		roots = append(roots, root)
	}
	meta, err := encode(&MsgMeta{roots[0], roots[1]})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.put(meta)
}

// A tipset that cannot be executed is an error that says why, before a machine is made.
func TestPlanRefuses(t *testing.T) {
	message, err := encode(paying(t, 1, []int64{1}, []int64{2}, 3)[0].Secp[0].Message)
	if err != nil {
		t.Fatal(err)
	}
	robust, err := address.NewActorAddress([]byte("miner"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*world, *Header)
		is     error
		says   string
	}{
		{"good", func(*world, *Header) {}, nil, ""},
		{"absurd height", func(_ *world, h *Header) { h.Height = 1 << 62 }, ErrTipset, "no network was quiet"},
		{"below its parent", func(_ *world, h *Header) { h.Height = 4 }, ErrTipset, "epoch 5"},
		{"a negative win count", func(_ *world, h *Header) { h.ElectionProof.WinCount = -1 }, ErrTipset, "win count of -1"},
		{"a miner by another address", func(_ *world, h *Header) { h.Miner = robust }, ErrTipset, "not named by ID"},
		{"no messages", func(w *world, h *Header) { h.Messages = cidOf(w.t, "nowhere") }, nil, "missing"},
		{"messages that are none", func(w *world, h *Header) { h.Messages = w.put([]byte{0x82, 0x01, 0x02}) }, ErrMalformed, "lists of messages"},
		{"a signed message among the others", func(w *world, h *Header) { h.Messages = w.messages([][]byte{{0x82, 0x01, 0x02}}, nil) }, ErrMalformed, "message"},
		{"an unsigned message among the signed", func(w *world, h *Header) { h.Messages = w.messages(nil, [][]byte{message}) }, ErrMalformed, "signed message"},
		{"more after a message", func(w *world, h *Header) {
			h.Messages = w.messages([][]byte{append(message[:len(message):len(message)], 0)}, nil)
		}, ErrMalformed, "message"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.mineAt(0, 5)
			h := w.header(6, "ticket")
			h.Messages = w.messages([][]byte{message}, nil)
			c.change(w, h)
			ts := w.mine(h)
			rules := Rules{Network: w.externs().Network, State: w.blocks}
			p, err := rules.Plan(t.Context(), NewLine(w.store, ts), ts)
			if c.says == "" {
				if err != nil || len(p.Run.Blocks) != 1 || len(p.Run.Blocks[0].Messages) != 1 || p.Run.Blocks[0].Messages[0].ChainLength != len(message) || p.Run.ParentEpoch != 5 {
					t.Errorf("%+v, %v", p, err)
				}
				return
			}
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %v with %q", err, c.is, c.says)
			}
		})
	}
}

package replay

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/crypto"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/validate"
)

// All blocks of a chain are valid, and what cannot be judged is told: of a replay that begins in the middle the result of the tipset before.
func TestValidate(t *testing.T) {
	c := load(t, "testdata", "two29")
	o := c.options(t)
	o.Validate, o.Store = true, blockstore.NewMemory()
	o.To = 20
	rep, err := Run(t.Context(), o)
	v := rep.Validation
	if err != nil || rep.Passed != 9 || v == nil || v.Invalid != 0 || v.Blocks < 9 || len(v.Unjudged) != 0 || !strings.Contains(v.WinningPoSts, "valid proof") {
		t.Fatalf("%+v, %+v, %v", rep, v, err)
	}
	o.To = 0
	rep, err = Run(t.Context(), o) // goes on after epoch 20
	if v = rep.Validation; err != nil || rep.Passed != 22 || rep.Resumed != 20 || v == nil || v.Invalid != 0 || len(v.Unjudged) != 2 {
		t.Fatalf("%+v, %+v, %v", rep, v, err)
	}
	for _, u := range v.Unjudged {
		if u.Blocks > 5 || u.Why != "the tipset before was not executed" {
			t.Errorf("%+v", u)
		}
	}
}

// A head with a damaged block fails, though nothing stands on it and so nothing contradicts it. Without Validate it is not noticed.
func TestValidateDamagedHead(t *testing.T) {
	c := load(t, "testdata", "two29")
	s := chain.NewStore(c.archive)
	head, err := s.Head(t.Context(), c.roots)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := *head.Blocks[0]
	spoilt.BLSAggregate = &crypto.Signature{Type: crypto.SigTypeBLS, Data: bytes.Clone(spoilt.BLSAggregate.Data)}
	spoilt.Timestamp++
	spoilt.ElectionProof = &chain.ElectionProof{WinCount: spoilt.ElectionProof.WinCount + 1, VRFProof: spoilt.ElectionProof.VRFProof}
	var data bytes.Buffer
	if err := spoilt.MarshalCBOR(&data); err != nil {
		t.Fatal(err)
	}
	id, err := spoilt.CID()
	if err != nil {
		t.Fatal(err)
	}
	block, err := blocks.NewBlockWithCid(data.Bytes(), id)
	if err != nil {
		t.Fatal(err)
	}
	top := blockstore.NewMemory()
	if err := top.Put(t.Context(), block); err != nil {
		t.Fatal(err)
	}
	o := c.options(t)
	o.Archive, o.Roots = &blockstore.Overlay{Top: top, Base: c.archive}, append([]cid.Cid{id}, head.CIDs[1:]...)
	if rep, err := Run(t.Context(), o); err != nil || rep.Failed != 0 {
		t.Fatalf("%+v, %v", rep, err)
	}
	o.Validate = true
	rep, err := Run(t.Context(), o)
	if err != nil || rep.Good() || rep.Failed != 1 || rep.Failure == nil || rep.Failure.Epoch != head.Height() {
		t.Fatalf("%+v, %v", rep, err)
	}
	var checks []validate.Check
	for _, f := range rep.Failure.Faults {
		if f.Block != id.String() || f.Reason == "" {
			t.Errorf("%v", f)
		}
		checks = append(checks, f.Check)
	}
	if !slices.Equal(checks, []validate.Check{validate.Timestamp, validate.WinCount, validate.BlockSig}) {
		t.Errorf("%v", rep.Failure.Faults)
	}
}

// A block made of any bytes is judged without a panic, and only the true one is valid. It stands on the genesis, whose state is there.
func FuzzBlock(f *testing.F) {
	c := load(f, "testdata", "real28")
	s := chain.NewStore(c.archive)
	head, err := s.Head(f.Context(), c.roots)
	if err != nil {
		f.Fatal(err)
	}
	line := chain.NewLine(s, head)
	genesis, err := line.At(f.Context(), 0)
	if err != nil {
		f.Fatal(err)
	}
	first, err := line.At(f.Context(), 1)
	if err != nil {
		f.Fatal(err)
	}
	n := c.network.WithGenesis(genesis.CIDs[0], genesis.Timestamp())
	rules := validate.Rules{
		Network: n, State: c.archive, MockWinning: true, Result: &validate.Result{State: genesis.ParentStateRoot(), Receipts: genesis.ParentReceipts()},
	}
	messages, err := s.Messages(f.Context(), first.Blocks[0])
	if err != nil {
		f.Fatal(err)
	}
	var data bytes.Buffer
	if err := first.Blocks[0].MarshalCBOR(&data); err != nil {
		f.Fatal(err)
	}
	var m []byte
	if all := messages.All(); len(all) > 0 {
		if block, err := c.archive.Get(f.Context(), all[0].CID); err == nil {
			m = block.RawData()
		}
	}
	f.Add(data.Bytes(), m, false)
	f.Add(data.Bytes(), m, true)
	f.Add(data.Bytes()[:100], []byte{}, true)
	f.Fuzz(func(t *testing.T, header, message []byte, signed bool) {
		h, err := chain.DecodeHeader(header)
		if err != nil {
			return
		}
		base, err := rules.On(t.Context(), line, s, genesis, h.Height)
		if err != nil {
			if h.Height > 0 && h.Height < 1<<40 {
				t.Fatal(err)
			}
			return
		}
		list := &chain.BlockMessages{}
		id, err := h.CID()
		if err != nil {
			return
		}
		read := chain.DecodeUnsigned
		if signed {
			read = chain.DecodeSigned
		}
		one, unread := read(id, message)
		if unread == nil && signed {
			list.Secp = append(list.Secp, one)
		} else if unread == nil {
			list.BLS = append(list.BLS, one)
		}
		v, err := base.Block(t.Context(), h, list, unread)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Faults) == 0 && !id.Equals(first.CIDs[0]) {
			t.Fatalf("a block of any bytes is valid: %x", header)
		}
	})
}

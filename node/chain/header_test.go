package chain

import (
	"bytes"
	"errors"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"
)

func cidOf(t testing.TB, data string) cid.Cid {
	t.Helper()
	c, err := sum([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// block is a header with something in each field.
func block(t testing.TB) *Header {
	t.Helper()
	return &Header{
		Miner: id(t, 1000), Ticket: &Ticket{[]byte("ticket")}, ElectionProof: &ElectionProof{2, []byte("election")},
		BeaconEntries: []BeaconEntry{{7, []byte("beacon")}, {8, nil}}, WinPoStProof: []proof.PoStProof{{PoStProof: 3, ProofBytes: []byte("proof")}},
		Parents: []cid.Cid{cidOf(t, "a"), cidOf(t, "b")}, ParentWeight: big.NewInt(9), Height: 10, ParentStateRoot: cidOf(t, "state"),
		ParentMessageReceipts: cidOf(t, "receipts"), Messages: cidOf(t, "messages"), BLSAggregate: &crypto.Signature{Type: crypto.SigTypeBLS, Data: []byte("all")},
		Timestamp: 11, BlockSig: &crypto.Signature{Type: crypto.SigTypeBLS, Data: []byte("mine")}, ForkSignaling: 12, ParentBaseFee: big.NewInt(100),
	}
}

func encoded(t testing.TB, h *Header) []byte {
	t.Helper()
	data, err := encode(h)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A header is read as it was written; nil fields are null.
func TestHeader(t *testing.T) {
	bare := block(t)
	bare.Ticket, bare.ElectionProof, bare.BLSAggregate, bare.BlockSig, bare.BeaconEntries, bare.WinPoStProof, bare.Parents = nil, nil, nil, nil, nil, nil, nil
	bare.Height = -1
	for _, h := range []*Header{block(t), bare} {
		data := encoded(t, h)
		if data[0] != 0x90 {
			t.Errorf("it begins with %x, not with a list of 16", data[0])
		}
		got, err := DecodeHeader(data)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encoded(t, got), data) || got.Height != h.Height || (got.BlockSig == nil) != (h.BlockSig == nil) {
			t.Errorf("%+v became %+v", h, got)
		}
		signing, err := h.SigningBytes()
		if err != nil {
			t.Fatal(err)
		}
		unsigned := *h
		unsigned.BlockSig = nil
		if !bytes.Equal(signing, encoded(t, &unsigned)) || h.BlockSig != nil && bytes.Equal(signing, data) {
			t.Error("what is signed is not the header without its signature")
		}
	}
}

// The bounds are those of nodes: at them a header is read, above them not.
func TestHeaderBounds(t *testing.T) {
	many := func(n int) []cid.Cid {
		list := make([]cid.Cid, n)
		for i := range list {
			list[i] = cidOf(t, "a")
		}
		return list
	}
	for _, c := range []struct {
		name   string
		change func(*Header, int)
		most   int
	}{
		{"ticket", func(h *Header, n int) { h.Ticket.VRFProof = make([]byte, n) }, 2 << 20},
		{"election proof", func(h *Header, n int) { h.ElectionProof.VRFProof = make([]byte, n) }, 2 << 20},
		{"beacon entry", func(h *Header, n int) { h.BeaconEntries[0].Data = make([]byte, n) }, 2 << 20},
		{"beacon entries", func(h *Header, n int) { h.BeaconEntries = make([]BeaconEntry, n) }, 8192},
		{"proofs", func(h *Header, n int) { h.WinPoStProof = make([]proof.PoStProof, n) }, 8192},
		{"parents", func(h *Header, n int) { h.Parents = many(n) }, 8192},
	} {
		h := block(t)
		c.change(h, c.most)
		if _, err := DecodeHeader(encoded(t, h)); err != nil {
			t.Errorf("%s of %d: %v", c.name, c.most, err)
		}
		c.change(h, c.most+1)
		if _, err := encode(h); err == nil {
			t.Errorf("%s of %d is written", c.name, c.most+1)
		}
	}
}

// What is no header is an error that says so, however large the numbers in it.
func TestMalformedHeaders(t *testing.T) {
	good := encoded(t, block(t))
	edit := func(at int, b ...byte) []byte {
		data := bytes.Clone(good)
		copy(data[at:], b)
		return data
	}
	beacon := bytes.Index(good, []byte("\x82\x07\x46beacon")) - 1
	long := append(append(bytes.Clone(good[:beacon]), 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), good[beacon+1:]...)
	height := bytes.Index(good, []byte{0x42, 0x00, 0x09, 0x0a}) + 3
	wide := append(append(bytes.Clone(good[:height]), 0x18, 0x0a), good[height+1:]...)
	for name, data := range map[string][]byte{
		"empty": nil, "another type": {0x01}, "15 fields": edit(0, 0x8f), "17 fields": edit(0, 0x91), "a list without end": edit(0, 0x9f),
		"2^64-1 beacon entries": long, "a number that is not in its shortest form": wide, "more after it": append(bytes.Clone(good), 0),
	} {
		if _, err := DecodeHeader(data); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := range good {
		if _, err := DecodeHeader(good[:n]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

// A header is refused that is not in the form whose hash its CID is: an amount with a zero before it.
func TestHeaderForm(t *testing.T) {
	good := encoded(t, block(t))
	data := append(bytes.Clone(good[:len(good)-3]), 0x43, 0x00, 0x00, 0x64)
	var h Header
	if err := h.UnmarshalCBOR(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeHeader(data); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

// Blocks of a tipset are in the order of their tickets' hashes, then of their CIDs.
func TestTipsetOrder(t *testing.T) {
	make := func(miner uint64, ticket string) *Header {
		h := block(t)
		h.Miner, h.Ticket = id(t, miner), &Ticket{[]byte(ticket)}
		return h
	}
	// By b2sum -l 256, BLAKE2b-256 of a begins with 8928aae6, of b with 6e5c1f45, of c with ed540229.
	a, b, c, d := make(1, "a"), make(2, "b"), make(3, "c"), make(4, "c")
	want := []*Header{b, a, c, d}
	x, y := mustCID(t, c), mustCID(t, d)
	if bytes.Compare(x.Bytes(), y.Bytes()) > 0 {
		want[2], want[3] = d, c
	}
	for _, list := range [][]*Header{{a, b, c, d}, {d, c, b, a}, {b, d, a, c}} {
		ts, err := NewTipset(list)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if ts.Blocks[i] != want[i] || !ts.CIDs[i].Equals(mustCID(t, want[i])) {
				t.Fatalf("block %d is miner %s's", i, ts.Blocks[i].Miner)
			}
		}
		back, err := ts.Key().CIDs()
		if err != nil || NewKey(back...) != ts.Key() || len(back) != 4 {
			t.Errorf("the key %s came back as %v, %v", ts.Key(), back, err)
		}
	}
}

func mustCID(t testing.TB, h *Header) cid.Cid {
	t.Helper()
	c, err := h.CID()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Blocks that cannot stand beside each other are no tipset.
func TestNoTipset(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Header)
	}{
		{"the same miner", func(h *Header) { h.Miner = id(t, 1000) }},
		{"another height", func(h *Header) { h.Height++ }},
		{"other parents", func(h *Header) { h.Parents = h.Parents[:1] }},
		{"parents in another order", func(h *Header) { h.Parents = []cid.Cid{h.Parents[1], h.Parents[0]} }},
		{"no ticket", func(h *Header) { h.Ticket = nil }},
		{"no election proof", func(h *Header) { h.ElectionProof = nil }},
	} {
		second := block(t)
		second.Miner = id(t, 1001)
		if _, err := NewTipset([]*Header{block(t), second}); err != nil {
			t.Fatal(err)
		}
		c.change(second)
		if _, err := NewTipset([]*Header{block(t), second}); !errors.Is(err, ErrTipset) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := NewTipset(nil); !errors.Is(err, ErrTipset) {
		t.Error("no block is a tipset")
	}
	below := block(t)
	below.Height = -1
	if _, err := NewTipset([]*Header{below}); !errors.Is(err, ErrTipset) {
		t.Error("a block below epoch 0 is a tipset")
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(encoded(f, block(f)))
	f.Add([]byte{0x90})
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := DecodeHeader(data)
		if err != nil {
			return
		}
		if !bytes.Equal(encoded(t, h), data) {
			t.Error("it is written in another form than it was read from")
		}
		if _, err := NewTipset([]*Header{h}); err != nil && !errors.Is(err, ErrTipset) {
			t.Error(err)
		}
	})
}

func FuzzMsgMeta(f *testing.F) {
	meta, err := encode(&MsgMeta{cidOf(f, "a"), cidOf(f, "b")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(meta)
	f.Fuzz(func(t *testing.T, data []byte) {
		var m MsgMeta
		if decode(data, &m) != nil {
			return
		}
		if _, err := encode(&m); err != nil {
			t.Error(err)
		}
	})
}

// FuzzTipset makes tipsets of two headers that differ in what the input says.
func FuzzTipset(f *testing.F) {
	f.Add([]byte("a"), []byte("b"), uint64(1), int64(10))
	f.Fuzz(func(t *testing.T, x, y []byte, miner uint64, height int64) {
		a, b := block(t), block(t)
		a.Ticket, b.Ticket, b.Miner, b.Height = &Ticket{x}, &Ticket{y}, id(t, miner>>1), abi.ChainEpoch(height)
		one, err := NewTipset([]*Header{a, b})
		two, again := NewTipset([]*Header{b, a})
		if (err == nil) != (again == nil) {
			t.Fatalf("%v, but the other way round %v", err, again)
		}
		if err == nil && one.Key() != two.Key() {
			t.Error("the order depends on the order of the blocks that are given")
		}
	})
}

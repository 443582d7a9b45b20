package chain

import (
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/bls"
	"github.com/edgefvm/fvm/externs"
)

// The three kinds of fault, and what is none.
func TestConsensusFaults(t *testing.T) {
	w := newWorld(t)
	w.mineAt(0, 5, 9, 10, 12)
	stranger := bls.KeyFromSeed([32]byte{2})
	own := func(h *Header) []byte { return w.sign(h, w.worker) }
	at := func(height abi.ChainEpoch, ticket string, parents ...cid.Cid) *Header {
		h := w.header(height, ticket)
		h.Parents = parents
		return h
	}
	p, q := cidOf(t, "p"), cidOf(t, "q")
	// For parent grinding: a and c are siblings, b is c's child and left out a.
	a, c := at(8, "a", p), at(8, "c", p)
	c.Miner = id(t, 2000)
	sibling := encoded(t, c)
	b := at(9, "b", mustCID(t, c), q)
	both := at(9, "b", mustCID(t, c), signedCID(t, w, a))
	secp := at(8, "y", q)
	secp.BlockSig = &crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: make([]byte, 65)}
	unsigned := at(8, "y", q)
	unsigned.BlockSig = nil
	foreign := at(8, "y", q)
	foreign.Miner = id(t, 2000)
	for _, f := range []struct {
		name         string
		h1, h2, more []byte
		kind         uint32
		epoch        abi.ChainEpoch
	}{
		{"double fork", own(at(8, "x", p)), own(at(8, "y", q)), nil, doubleFork, 8},
		{"double fork on the same parents", own(at(8, "x", p)), own(at(8, "y", p)), nil, doubleFork, 8},
		{"time offset", own(at(7, "x", p, q)), own(at(9, "y", p, q)), nil, timeOffset, 9},
		{"time offset, parents in another order", own(at(7, "x", p, q)), own(at(9, "y", q, p)), nil, timeOffset, 9},
		{"parent grinding", own(a), own(b), sibling, parentGrinding, 9},
		{"a witness that shows nothing, of a double fork", own(at(8, "x", p)), own(at(8, "y", q)), sibling, doubleFork, 8},
		{"bytes after a header", append(own(at(8, "x", p)), 1, 2), own(at(8, "y", q)), nil, doubleFork, 8},
		{"the same block", own(at(8, "x", p)), own(at(8, "x", p)), nil, 0, 0},
		{"two blocks that may be", own(at(7, "x", p)), own(at(8, "y", q)), nil, 0, 0},
		{"the later one first", own(at(9, "x", p)), own(at(7, "y", p)), nil, 0, 0},
		{"another miner", own(at(8, "x", p)), own(foreign), nil, 0, 0},
		{"parent grinding without the witness", own(a), own(b), nil, 0, 0},
		{"parent grinding, but a is a parent too", own(a), own(both), sibling, 0, 0},
		{"a witness that is no header", own(at(8, "x", p)), own(at(8, "y", q)), []byte{1}, 0, 0},
		{"the first is no header", []byte{1}, own(at(8, "y", q)), nil, 0, 0},
		{"the second is no header", own(at(8, "x", p)), nil, nil, 0, 0},
		{"the first is signed by another", w.sign(at(8, "x", p), stranger), own(at(8, "y", q)), nil, 0, 0},
		{"the second is signed by another", own(at(8, "x", p)), w.sign(at(8, "y", q), stranger), nil, 0, 0},
		{"a signature of another type", own(at(8, "x", p)), encoded(t, secp), nil, 0, 0},
		{"no signature", own(at(8, "x", p)), encoded(t, unsigned), nil, 0, 0},
		{"a block of the future", own(at(8, "x", p)), own(at(913, "y", p)), nil, 0, 0},
		{"a block of the future whose maker is known", own(at(8, "x", p)), own(at(911, "y", p)), nil, timeOffset, 911},
	} {
		t.Run(f.name, func(t *testing.T) {
			got, err := w.externs().VerifyConsensusFault(t.Context(), f.h1, f.h2, f.more)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case f.kind == 0 && got != nil:
				t.Errorf("%+v, want no fault", got)
			case f.kind != 0 && (got == nil || got.Type != f.kind || got.Epoch != f.epoch || got.Target != theMiner):
				t.Errorf("%+v, want type %d at %d", got, f.kind, f.epoch)
			}
		})
	}
}

func signedCID(t *testing.T, w *world, h *Header) cid.Cid {
	c, err := sum(w.sign(h, w.worker))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Quirk: repeated parents in the second block hide others, so that blocks with different parents are a time offset.
func TestQuirkRepeatedParents(t *testing.T) {
	w := newWorld(t)
	w.mineAt(0, 12)
	p, q := cidOf(t, "p"), cidOf(t, "q")
	x, y := w.header(7, "x"), w.header(9, "y")
	x.Parents, y.Parents = []cid.Cid{p, q}, []cid.Cid{p, p}
	got, err := w.externs().VerifyConsensusFault(t.Context(), w.sign(x, w.worker), w.sign(y, w.worker), nil)
	if err != nil || got == nil || got.Type != timeOffset {
		t.Errorf("%+v, %v", got, err)
	}
	x.Parents, y.Parents = y.Parents, x.Parents
	if got, err = w.externs().VerifyConsensusFault(t.Context(), w.sign(x, w.worker), w.sign(y, w.worker), nil); err != nil || got != nil {
		t.Errorf("the other way round: %+v, %v", got, err)
	}
}

// Quirk: near calibnet's upgrade WatermelonFix nothing is a fault.
func TestQuirkNoFaultsNearWatermelonFix(t *testing.T) {
	w := newWorld(t)
	w.mineAt(0, 2000)
	for _, c := range []struct {
		fix   abi.ChainEpoch
		fault bool
	}{{-1, true}, {1100, true}, {1101, false}, {1950, false}, {2899, false}, {2900, true}} {
		x := w.externs()
		n := *x.Network
		n.Constants.WatermelonFix = c.fix
		x.Network = &n
		got, err := x.VerifyConsensusFault(t.Context(), w.sign(w.header(2000, "x"), w.worker), w.sign(w.header(2000, "y"), w.worker), nil)
		if err != nil || (got != nil) != c.fault {
			t.Errorf("an upgrade at %d: %v, %v", c.fix, got, err)
		}
	}
}

// The worker is that of the state 900 epochs before the block, and the block is not older than 900 epochs.
func TestFaultLookback(t *testing.T) {
	w := newWorld(t)
	old := w.worker
	w.mineAt(0, 100)
	w.worker = bls.KeyFromSeed([32]byte{3})
	w.state = w.makeState(w.worker)
	w.mineAt(101, 1500, 2500)
	for _, c := range []struct {
		height abi.ChainEpoch
		key    bls.PrivateKey
		now    cid.Cid
		fault  bool
	}{
		{2000, w.worker, w.state, true}, {1600, w.worker, w.state, true}, {1599, w.worker, w.state, false}, {2000, old, w.state, false},
	} {
		x := w.externs()
		x.Root = c.now
		got, err := x.VerifyConsensusFault(t.Context(), w.sign(w.header(c.height, "x"), c.key), w.sign(w.header(c.height, "y"), c.key), nil)
		if err != nil || (got != nil) != c.fault {
			t.Errorf("height %d: %v, %v", c.height, got, err)
		}
	}
}

// A block that the archive lacks is a failure of this node, not a report without a fault.
func TestFaultWithoutState(t *testing.T) {
	w := newWorld(t)
	w.mineAt(0, 12)
	x := w.externs()
	x.Root = cidOf(t, "a state that is not there")
	_, err := x.VerifyConsensusFault(t.Context(), w.sign(w.header(8, "x"), w.worker), w.sign(w.header(8, "y"), w.worker), nil)
	if !externs.IsNodeFailure(err) {
		t.Errorf("%v", err)
	}
}

package chain

import (
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bls"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/network"
)

// world is a small chain over one state: the miner f01000 has the worker f0101, whose key is worker.
type world struct {
	t      testing.TB
	blocks *blockstore.Memory
	store  *Store
	worker bls.PrivateKey
	state  cid.Cid
	tips   map[abi.ChainEpoch]*Tipset
	head   *Tipset
}

const theMiner = 1000

func newWorld(t testing.TB) *world {
	w := &world{t: t, blocks: blockstore.NewMemory(), worker: bls.KeyFromSeed([32]byte{1}), tips: map[abi.ChainEpoch]*Tipset{}}
	w.store = NewStore(w.blocks)
	w.state = w.makeState(w.worker)
	return w
}

func (w *world) put(data []byte) cid.Cid {
	w.t.Helper()
	c, err := sum(data)
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := blocks.NewBlockWithCid(data, c)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.blocks.Put(w.t.Context(), b); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// makeState is a state in which the worker's key is another.
func (w *world) makeState(worker bls.PrivateKey) cid.Cid {
	w.t.Helper()
	pub, ok := bls.PublicKeyOf(worker)
	if !ok {
		w.t.Fatal("no key")
	}
	key, err := address.NewBLSAddress(pub[:])
	if err != nil {
		w.t.Fatal(err)
	}
	codes := map[string]cid.Cid{}
	list := cbor.AppendArray(nil, 3)
	for _, name := range []string{"system", "account", "storageminer"} {
		codes[name] = cidOf(w.t, "code of "+name)
		list = cbor.AppendCID(cbor.AppendText(cbor.AppendArray(list, 2), name), codes[name])
	}
	tuple := func(fields ...[]byte) cid.Cid {
		b := cbor.AppendArray(nil, len(fields))
		for _, f := range fields {
			b = append(b, f...)
		}
		return w.put(b)
	}
	info := tuple(cbor.AppendBytes(nil, id(w.t, 100).Bytes()), cbor.AppendBytes(nil, id(w.t, 101).Bytes()), cbor.AppendUint(nil, 0))
	buf := blockstore.NewBuffered(w.blocks)
	tree := state.New(buf)
	for actor, st := range map[abi.ActorID]state.ActorState{
		0:        {Code: codes["system"], Head: tuple(cbor.AppendCID(nil, w.put(list)))},
		101:      {Code: codes["account"], Head: tuple(cbor.AppendBytes(nil, key.Bytes()))},
		theMiner: {Code: codes["storageminer"], Head: tuple(cbor.AppendCID(nil, info), cbor.AppendUint(nil, 0))},
	} {
		st.Balance = big.Zero()
		if err := tree.SetActor(actor, st); err != nil {
			w.t.Fatal(err)
		}
	}
	root, err := tree.Flush(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := buf.FlushAll(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return root
}

// header is a block of the miner on the tipset below a height, not signed and not on the chain.
func (w *world) header(height abi.ChainEpoch, ticket string) *Header {
	h := block(w.t)
	h.Miner, h.Height, h.Ticket, h.ParentStateRoot, h.BeaconEntries = id(w.t, theMiner), height, &Ticket{[]byte(ticket)}, w.state, nil
	h.Parents = []cid.Cid{cidOf(w.t, "nothing")}
	if w.head != nil {
		h.Parents = w.head.CIDs
	}
	return h
}

// mine makes the next tipset of blocks.
func (w *world) mine(list ...*Header) *Tipset {
	w.t.Helper()
	t, err := NewTipset(list)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range t.Blocks {
		w.put(encoded(w.t, h))
	}
	w.head, w.tips[t.Height()] = t, t
	return t
}

// mineAt makes tipsets of a block each.
func (w *world) mineAt(heights ...abi.ChainEpoch) {
	for _, h := range heights {
		w.mine(w.header(h, "ticket"))
	}
}

// sign signs a header by a key and gives its CBOR.
func (w *world) sign(h *Header, key bls.PrivateKey) []byte {
	w.t.Helper()
	data, err := h.SigningBytes()
	if err != nil {
		w.t.Fatal(err)
	}
	sig, ok := bls.Sign(key, data)
	if !ok {
		w.t.Fatal("no key")
	}
	signed := *h
	signed.BlockSig = &crypto.Signature{Type: crypto.SigTypeBLS, Data: sig[:]}
	return encoded(w.t, &signed)
}

func (w *world) view() *View { return NewLine(w.store, w.head).View(w.head) }

// externs are those of a machine at the head.
func (w *world) externs() *Externs {
	n, _ := network.ByName("itests")
	return &Externs{View: w.view(), Network: n.WithGenesis(cidOf(w.t, "genesis"), 1_700_000_000), State: w.blocks, Epoch: w.head.Height(), Root: w.state}
}

package machine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/hamt"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// Network versions 16 and 17 read state trees of version 3 and 4, whose actors have no f4 address, and write the version that they
// read. Their manifest has no actors of Ethereum's, and no block is written when a machine is made.
func TestTreesBefore18(t *testing.T) {
	for _, version := range []uint64{3, 4} {
		w := world{blockstore.NewMemory()}
		b := blockstore.NewBuffered(w.store)
		actors := hamt.New(b)
		entry := func(code, head string) []byte {
			data := cbor.AppendCID(cbor.AppendCID(cbor.AppendArray(nil, 4), unknown(code)), unknown(head))
			return cbor.AppendBytes(cbor.AppendUint(data, 0), "")
		}
		system := cbor.AppendCID(cbor.AppendCID(cbor.AppendArray(nil, 4), unknown("code of system")), w.systemState(t, w.manifest(t, "system", "init", "account")))
		for id, data := range map[byte][]byte{0: cbor.AppendBytes(cbor.AppendUint(system, 0), ""), 7: entry("c", "h")} {
			if err := actors.Set(t.Context(), []byte{0, id}, data); err != nil {
				t.Fatal(err)
			}
		}
		tree, err := actors.Flush(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		root := w.root(t, version, tree) // which writes the block of the empty array
		if err := b.FlushAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		store := broken{w.store, nil, errDisk} // nothing can be put
		m, err := machine.New(t.Context(), machine.Context{NetworkVersion: 17}, machine.Setup{Root: root, Base: store})
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		if m.Tree.Version() != version {
			t.Errorf("version %d became %d", version, m.Tree.Version())
		}
		if got, err := m.Flush(t.Context(), false); err != nil || got != root {
			t.Errorf("version %d: flush of nothing: %s, %v; want %s", version, got, err, root)
		}
		st, err := m.Tree.Actor(t.Context(), 7)
		if err != nil || st == nil || st.Code != unknown("c") || st.Delegated != nil {
			t.Errorf("version %d: %+v, %v", version, st, err)
		}
		for _, nv := range []network.Version{18, 28} {
			if _, err := machine.New(t.Context(), machine.Context{NetworkVersion: nv}, machine.Setup{Root: root, Base: w.store}); err == nil || !strings.Contains(err.Error(), "version is") {
				t.Errorf("nv%d reads a tree of version %d: %v", nv, version, err)
			}
		}
	}
}

// The flush of network versions 16 and 17 refuses DAG-CBOR that is not in its shortest form.
func TestStrictFlush(t *testing.T) {
	long := []byte{0x18, 0x01} // 1, in two bytes
	for nv, fails := range map[network.Version]bool{17: true, 18: false} {
		w := world{blockstore.NewMemory()}
		b := blockstore.NewBuffered(w.store)
		names := []string{"system", "init", "account", "placeholder", "eam", "ethaccount"}
		fields, version := 4, uint64(4)
		if nv >= 18 {
			fields, version = 5, 5
		}
		data := cbor.AppendCID(cbor.AppendCID(cbor.AppendArray(nil, fields), unknown("code of system")), w.systemState(t, w.manifest(t, names...)))
		data = cbor.AppendBytes(cbor.AppendUint(data, 0), "")
		if fields == 5 {
			data = append(data, cbor.Null)
		}
		actors := hamt.New(b)
		if err := actors.Set(t.Context(), []byte{0, 0}, data); err != nil {
			t.Fatal(err)
		}
		tree, err := actors.Flush(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		root := w.root(t, version, tree)
		if err := b.FlushAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		m, err := machine.New(t.Context(), machine.Context{NetworkVersion: nv}, machine.Setup{Root: root, Base: w.store})
		if err != nil {
			t.Fatal(err)
		}
		head := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(long))
		m.Store.PutRaw(head, long)
		if err := m.Tree.SetActor(100, state.ActorState{Code: unknown("c"), Head: head, Balance: big.Zero()}); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Flush(t.Context(), false); errors.Is(err, blockstore.ErrFlush) != fails {
			t.Errorf("nv%d: %v", nv, err)
		}
	}
}

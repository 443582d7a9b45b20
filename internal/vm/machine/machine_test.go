package machine_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/ipld/hamt"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/nv"
	"github.com/edgefvm/fvm/internal/vm/state"
)

func TestProfileFor(t *testing.T) {
	for _, c := range []struct {
		nv      network.Version
		preview bool
		name    string // "": refused
		refusal string
	}{
		{0, true, "", "network version 0 is not supported: 16 to 29"},
		{15, true, "", "network version 15 is not supported"},
		{16, false, "E2", ""}, {17, false, "E2", ""}, {17, true, "E2", ""},
		{18, false, "E3", ""}, {19, false, "E3", ""}, {20, false, "E3", ""},
		{21, false, "E4", ""}, {22, false, "E4", ""}, {23, false, "E4", ""}, {24, false, "E4", ""}, {25, false, "E4", ""},
		{26, false, "E4", ""}, {27, false, "E4", ""}, {28, false, "E4", ""}, {29, false, "E4", ""}, {29, true, "E4", ""},
		{30, false, "", "network version 30 is a preview"},
		{30, true, "E4", ""},
		{31, true, "", "network version 31 is not supported"},
		{1 << 31, true, "", "is not supported"},
	} {
		p, err := machine.ProfileFor(c.nv, c.preview)
		_, perr := gas.PricesFor(c.nv, c.preview)
		switch {
		case (err == nil) != (perr == nil):
			t.Errorf("nv%d: the profile says %v, the price list %v", c.nv, err, perr)
		case c.name == "" && (err == nil || !strings.Contains(err.Error(), c.refusal)):
			t.Errorf("nv%d, preview %v: error %v, want %q", c.nv, c.preview, err, c.refusal)
		case c.name != "" && (err != nil || p.Name != c.name):
			t.Errorf("nv%d, preview %v: %v, %v; want %s", c.nv, c.preview, p, err, c.name)
		}
	}
}

// The rules of each era, written out a second time.
func TestProfiles(t *testing.T) {
	for nv, want := range map[network.Version]machine.Profile{
		16: {
			Name: "E2", ABI: machine.ABI2, From: 16, To: 17, OldestTree: 3, NewestTree: 4, CallDepth: 1025,
			InstanceMemory: 4 << 30, MessageMemory: 128 << 30, TableElements: 10_000_000, MaxSealProof: 9, WindowV1: true,
			Until17: machine.Until17{
				SignedGas: true, FirstPass: true, OnlyBuiltins: true, FatalStart: true, SettleMarks: true, SendFirst: true, TraceFirst: true,
				LateZeroKey: true, OnlyDagCBOR: true, HashFirst: true, ResolveSigner: true, FreeBatches: true, StrictFlush: true, NoMemoryLimits: true,
			},
		},
		18: {
			Name: "E3", ABI: machine.ABI3, From: 18, To: 20, OldestTree: 5, NewestTree: 5, CallDepth: 1024,
			InstanceMemory: 512 << 20, MessageMemory: 2 << 30, TableElements: 20_000, MaxSealProof: 14, CalibnetPoStEpoch: 498691, WindowV1: true, WindowV1P1: true,
			Since18:       machine.Since18{Ethereum: true, WriteEmptyArray: true},
			From18Until20: machine.From18Until20{TipsetFinality: true, DepthKeepsLimit: true, TraceImplicit: true},
		},
		21: {
			Name: "E4", ABI: machine.ABI4, From: 21, To: 29, OldestTree: 5, NewestTree: 5, CallDepth: 1024,
			InstanceMemory: 512 << 20, MessageMemory: 2 << 30, TableElements: 20_000, MaxSealProof: 19, WindowV1P1: true,
			Since18: machine.Since18{Ethereum: true, WriteEmptyArray: true},
			Since21: machine.Since21{Reachability: true, MissingInvokeExits: true, LooseInvoke: true, TraceBlocks: true, ReturnCodec: true},
		},
	} {
		if got, err := machine.ProfileFor(nv, false); err != nil || *got != want {
			t.Errorf("nv%d: %+v, %v; want %+v", nv, got, err, want)
		}
	}
}

// Flags of a group hold at the same time, which is the time that the group is named for.
func TestFlagsGoTogether(t *testing.T) {
	for v := nv.Oldest; v <= nv.Newest; v++ {
		p, err := machine.ProfileFor(v, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range []struct {
			flags any
			want  bool
		}{
			{p.Until17, v <= 17}, {p.Since18, v >= 18}, {p.From18Until20, v >= 18 && v <= 20}, {p.Since21, v >= 21},
		} {
			flags := reflect.ValueOf(group.flags)
			for i := range flags.NumField() {
				if flags.Field(i).Bool() != group.want {
					t.Errorf("nv%d: %s of %s is %v", v, flags.Type().Field(i).Name, flags.Type().Name(), !group.want)
				}
			}
		}
	}
}

// world makes states block by block.
type world struct{ store *blockstore.Memory }

func (w world) put(t *testing.T, data []byte) cid.Cid {
	t.Helper()
	b := blockstore.NewBuffered(w.store)
	c := cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256(data))
	b.PutRaw(c, data)
	if err := b.FlushAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func unknown(s string) cid.Cid {
	return cbor.Blake2bCID(cbor.CodecDagCBOR, crypto.Blake2b256([]byte(s)))
}

func (w world) manifest(t *testing.T, names ...string) cid.Cid {
	t.Helper()
	data := cbor.AppendArray(nil, len(names))
	for _, n := range names {
		data = cbor.AppendCID(cbor.AppendText(cbor.AppendArray(data, 2), n), unknown("code of "+n))
	}
	return w.put(t, data)
}

// systemState is the state of a system actor that points at a manifest.
func (w world) systemState(t *testing.T, manifest cid.Cid) cid.Cid {
	t.Helper()
	return w.put(t, cbor.AppendCID(cbor.AppendArray(nil, 1), manifest))
}

// tree is a state root with one actor, undefined head: none.
func (w world) tree(t *testing.T, systemHead cid.Cid) cid.Cid {
	t.Helper()
	b := blockstore.NewBuffered(w.store)
	tree := state.New(b)
	if systemHead.Defined() {
		if err := tree.SetActor(0, state.ActorState{Code: unknown("code of system"), Head: systemHead, Balance: big.Zero()}); err != nil {
			t.Fatal(err)
		}
	}
	root, err := tree.Flush(t.Context())
	if err == nil {
		err = b.FlushAll(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// root is a state root of any version over any map of actors.
func (w world) root(t *testing.T, version uint64, actors cid.Cid) cid.Cid {
	t.Helper()
	return w.put(t, cbor.AppendCID(cbor.AppendCID(cbor.AppendUint(cbor.AppendArray(nil, 3), version), actors), w.put(t, []byte{0x80})))
}

var names = []string{"system", "init", "account", "placeholder", "eam", "ethaccount"}

var errDisk = errors.New("the disk is broken")

// broken fails at what it is told to.
type broken struct {
	blockstore.Blockstore
	has, put error
}

func (b broken) Has(ctx context.Context, c cid.Cid) (bool, error) {
	if b.has != nil {
		return false, b.has
	}
	return b.Blockstore.Has(ctx, c)
}

func (b broken) Put(ctx context.Context, blk blocks.Block) error {
	if b.put != nil {
		return b.put
	}
	return b.Blockstore.Put(ctx, blk)
}

// Whatever is wrong with a state, the error names what and which CID.
func TestNewRefuses(t *testing.T) {
	w := world{blockstore.NewMemory()}
	gone := unknown("gone")
	emptyMap := func() cid.Cid {
		b := blockstore.NewBuffered(w.store)
		c, err := hamt.New(b).Flush(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := b.FlushAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c
	}()
	text := w.put(t, cbor.AppendText(nil, "no state"))
	good := w.tree(t, w.systemState(t, w.manifest(t, names...)))
	noEAM := w.manifest(t, "system", "init", "account", "placeholder", "ethaccount")
	old := w.root(t, 4, emptyMap)
	lost := w.root(t, 5, gone)
	for name, c := range map[string]struct {
		nv   network.Version
		root cid.Cid
		base blockstore.Blockstore
		want []string
	}{
		"good":                 {28, good, w.store, nil},
		"unknown version":      {15, good, w.store, []string{"network version 15"}},
		"tree too new":         {17, good, w.store, []string{"version is 5", good.String()}},
		"preview not asked":    {30, good, w.store, []string{"network version 30", "preview"}},
		"no root":              {28, cid.Undef, w.store, []string{"no state root"}},
		"root not there":       {28, gone, w.store, []string{"does not have the state root", gone.String()}},
		"store cannot tell":    {28, good, broken{w.store, errDisk, nil}, []string{errDisk.Error(), good.String()}},
		"store cannot write":   {28, good, broken{w.store, nil, errDisk}, []string{errDisk.Error(), "empty array"}},
		"root of another kind": {28, text, w.store, []string{"state root", text.String()}},
		"tree of version 4":    {18, old, w.store, []string{"version is 4", old.String()}},
		"tree of version 6":    {28, w.root(t, 6, emptyMap), w.store, []string{"version is 6"}},
		"no actors":            {28, lost, w.store, []string{"actors", lost.String(), gone.String()}},
		"no system actor":      {28, w.tree(t, cid.Undef), w.store, []string{"manifest", "no system actor"}},
		"no system state":      {28, w.tree(t, gone), w.store, []string{"system actor's state", gone.String()}},
		"other system state":   {28, w.tree(t, text), w.store, []string{"system actor's state", text.String()}},
		"no manifest":          {28, w.tree(t, w.systemState(t, gone)), w.store, []string{"manifest", gone.String()}},
		"manifest lacks eam":   {28, w.tree(t, w.systemState(t, noEAM)), w.store, []string{"manifest", noEAM.String(), `"eam"`}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := machine.New(t.Context(), machine.Context{NetworkVersion: c.nv}, machine.Setup{Root: c.root, Base: c.base})
			if c.want == nil {
				if err != nil || m.Profile == nil || m.Prices == nil {
					t.Fatalf("machine %+v, error %v", m, err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the error %q does not say %q", err, w)
				}
			}
		})
	}
}

// New writes the empty array's block, which new actors point at; Flush writes
// the tree, and all that was made only if it is told to.
func TestFlush(t *testing.T) {
	w := world{blockstore.NewMemory()}
	root := w.tree(t, w.systemState(t, w.manifest(t, names...)))
	m, err := machine.New(t.Context(), machine.Context{NetworkVersion: 28}, machine.Setup{Root: root, Base: w.store})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := w.store.Get(t.Context(), machine.EmptyArray()); err != nil || string(b.RawData()) != "\x80" {
		t.Errorf("the empty array: %v, %v", b, err)
	}
	if got, err := m.Flush(t.Context(), false); err != nil || got != root {
		t.Errorf("flush of nothing: %s, %v; want %s", got, err, root)
	}
	stray := unknown("stray")
	m.Store.PutRaw(stray, []byte("stray"))
	if err := m.Tree.SetActor(100, state.ActorState{Code: unknown("c"), Head: machine.EmptyArray(), Balance: abi.NewTokenAmount(1)}); err != nil {
		t.Fatal(err)
	}
	for _, all := range []bool{false, true} {
		got, err := m.Flush(t.Context(), all)
		if err != nil || got == root {
			t.Errorf("all %v: flush %s, %v", all, got, err)
		}
		if has, _ := w.store.Has(t.Context(), got); !has {
			t.Errorf("all %v: the root was not written", all)
		}
		if has, _ := w.store.Has(t.Context(), stray); has != all {
			t.Errorf("all %v: a block that nothing links to: written %v", all, has)
		}
	}
}

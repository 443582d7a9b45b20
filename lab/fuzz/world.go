package fuzz

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/fuzz/internal/script"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/vector"
)

//go:embed worlds
var worldFiles embed.FS

// worldInfo is what worlds.json says of a state.
type worldInfo struct {
	NV       network.Version `json:"nv"`
	Bundle   string          `json:"bundle"`
	Epoch    abi.ChainEpoch  `json:"epoch"`
	Script   cid.Cid         `json:"-"`
	Code     string          `json:"script"`
	Unlinked string          `json:"unlinked"` // a block in the store that nothing links to
	State    string          `json:"state"`    // of the script actors
	Pool     []uint64        `json:"pool"`     // script actors that receive messages
	Partners []uint64        `json:"partners"` // others, one for each of these
	Poor     uint64          `json:"poor"`     // one without a balance
	Accounts []account       `json:"accounts"`
}

// account is an account whose messages are valid: nobody checks signatures below the chain.
type account struct {
	Kind  string      `json:"kind"` // secp, bls, eth, placeholder, root or poor
	ID    abi.ActorID `json:"id"`
	Addr  string      `json:"addr"`
	Nonce uint64      `json:"nonce"`
}

func (a *account) address() address.Address {
	addr, err := address.NewFromString(a.Addr)
	if err != nil {
		panic(err) // of an embedded file
	}
	return addr
}

// world is a state of a network version, for all cases that begin from it. It is not changed.
type world struct {
	worldInfo
	root     cid.Cid
	base     duel.Base // the state
	code     duel.Base // the builtin actors
	manifest *actors.Manifest
	entries  []actors.Entry // of the manifest, if the world is slim
	// slim is the same world with fewer builtin actors in its manifest. The reference compiles all of a manifest before its
	// first message, which takes it many seconds; those of a slim one take little.
	slim *world
}

// worlds opens the states as they are asked for. Safe for concurrent use.
type worlds struct {
	actors *vector.Actors
	mu     sync.Mutex
	open   map[network.Version]*world
	infos  []worldInfo
}

func newWorlds(a *vector.Actors) (*worlds, error) {
	text, err := worldFiles.ReadFile("worlds/worlds.json")
	if err != nil {
		return nil, err
	}
	w := &worlds{actors: a, open: map[network.Version]*world{}}
	if err := json.Unmarshal(text, &w.infos); err != nil {
		return nil, fmt.Errorf("worlds: %w", err)
	}
	return w, nil
}

// at is the state of a network version.
func (w *worlds) at(ctx context.Context, nv network.Version) (*world, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if x := w.open[nv]; x != nil {
		return x, nil
	}
	for _, info := range w.infos {
		if info.NV != nv {
			continue
		}
		x, err := loadWorld(ctx, info, w.actors)
		if err != nil {
			return nil, fmt.Errorf("the state of network version %d: %w", nv, err)
		}
		w.open[nv] = x
		return x, nil
	}
	return nil, fmt.Errorf("there is no state of network version %d to fuzz on", nv)
}

// treeVersions are those of state trees before and from nv18 on.
var treeVersions = []uint64{4, 5}

func loadWorld(ctx context.Context, info worldInfo, a *vector.Actors) (*world, error) {
	car, err := worldFiles.ReadFile(fmt.Sprintf("worlds/nv%d.car.gz", info.NV))
	if err != nil {
		return nil, err
	}
	store := blockstore.NewMemory()
	roots, err := blockstore.LoadCAR(ctx, bytes.NewReader(car), store, blockstore.CAROptions{})
	if err != nil {
		return nil, err
	}
	if info.Script, err = cid.Decode(info.Code); err != nil {
		return nil, err
	}
	code, err := a.Store(ctx, info.Bundle)
	if err != nil {
		return nil, err
	}
	x := &world{
		worldInfo: info, root: roots[0],
		base: duel.Base{Name: fmt.Sprintf("world nv%d", info.NV), Store: store}, code: duel.Base{Name: "bundle " + info.Bundle, Store: code},
	}
	buf := blockstore.NewBuffered(x.store())
	tree, err := state.Load(ctx, buf, x.root, treeVersions...)
	if err != nil {
		return nil, err
	}
	if x.manifest, err = actors.LoadManifest(ctx, tree, buf, slimActors[:3]...); err != nil {
		return nil, err
	}
	return x, x.makeSlim(ctx)
}

// slimActors are those that the machine itself knows, and one that scripts create.
var slimActors = []string{"system", "init", "account", "multisig", "placeholder", "eam", "ethaccount"}

// makeSlim adds the slim world. Before nv18 only code of the manifest runs, so that the script actor is in it.
func (w *world) makeSlim(ctx context.Context) error {
	var entries []actors.Entry
	for _, name := range slimActors {
		if code, ok := w.manifest.ByName(name); ok {
			entries = append(entries, actors.Entry{Name: name, Code: code})
		} else if w.NV >= 18 {
			return fmt.Errorf("bundle %s has no actor %q", w.Bundle, name)
		}
	}
	if w.NV < 18 {
		entries = append(entries, actors.Entry{Name: "script", Code: w.Script})
	}
	manifest, system := listing(entries)
	root, made, err := w.changed(ctx, []oracle.Block{manifest, system}, func(t *state.Tree) error {
		if err := setHead(ctx, t, systemID, system.CID); err != nil || w.NV >= 18 {
			return err
		}
		return hideCode(ctx, t, entries)
	})
	if err != nil {
		return err
	}
	for _, b := range made {
		blk, err := blocks.NewBlockWithCid(b.Data, b.CID)
		if err != nil {
			return err
		}
		if err := w.base.Store.Put(ctx, blk); err != nil {
			return err
		}
	}
	slim := *w
	slim.root, slim.slim, slim.entries = root, nil, entries
	slim.manifest, err = actors.NewManifest(entries, slimActors[:3]...)
	w.slim = &slim
	return err
}

// hideCode gives the actors whose code the manifest does not list code that nobody has. Before nv18 such code does not run;
// but the reference keeps what it compiled for other manifests, and a process that saw the whole one would run it.
func hideCode(ctx context.Context, t *state.Tree, entries []actors.Entry) error {
	unlisted := map[abi.ActorID]state.ActorState{}
	err := t.ForEach(ctx, func(id abi.ActorID, st *state.ActorState) error {
		if !slices.ContainsFunc(entries, func(e actors.Entry) bool { return e.Code == st.Code }) {
			unlisted[id] = *st
		}
		return nil
	})
	for id, st := range unlisted {
		st.Code = block(cid.Raw, append([]byte("not "), st.Code.Bytes()...)).CID
		err = errors.Join(err, t.SetActor(id, st))
	}
	return err
}

// listing is a manifest of fewer than 24 entries, and the system actor's state that names it.
func listing(entries []actors.Entry) (manifest, system oracle.Block) {
	list := []byte{0x80 | byte(len(entries))}
	for _, e := range entries {
		list = append(append(list, 0x82, 0x60|byte(len(e.Name))), e.Name...)
		list = append(list, link(e.Code.Bytes())...)
	}
	manifest = dagCBOR(list)
	return manifest, dagCBOR(append([]byte{0x81}, link(manifest.CID.Bytes())...))
}

func setHead(ctx context.Context, t *state.Tree, id abi.ActorID, head cid.Cid) error {
	st, err := t.Actor(ctx, id)
	if err != nil {
		return err
	}
	st.Head = head
	return t.SetActor(id, *st)
}

// dagCBOR is a block of encoded DAG-CBOR.
func dagCBOR(data []byte) oracle.Block { return block(cid.DagCBOR, data) }

func block(codec uint64, data []byte) oracle.Block {
	c, err := cid.Cast(script.CIDOf(codec, data))
	if err != nil {
		panic(err) // it is whole
	}
	return oracle.Block{CID: c, Data: data}
}

func (w *world) store() blockstore.Blockstore {
	return &blockstore.Overlay{Top: w.base.Store, Base: w.code.Store}
}

// of are the accounts of a kind.
func (w *world) of(kind string) []*account {
	var list []*account
	for i := range w.Accounts {
		if w.Accounts[i].Kind == kind {
			list = append(list, &w.Accounts[i])
		}
	}
	return list
}

// duel is a case on this world.
func (w *world) duel(r *oracle.Request) *duel.Case {
	return &duel.Case{Request: r, Bases: []duel.Base{w.code, w.base}, Bundle: w.Bundle}
}

// collector keeps what is written, in order.
type collector struct {
	blockstore.Blockstore
	got []oracle.Block
}

func (c *collector) Put(ctx context.Context, b blocks.Block) error {
	return c.PutMany(ctx, []blocks.Block{b})
}

func (c *collector) PutMany(ctx context.Context, bs []blocks.Block) error {
	for _, b := range bs {
		c.got = append(c.got, oracle.Block{CID: b.Cid(), Data: b.RawData()})
	}
	return c.Blockstore.PutMany(ctx, bs)
}

// changed is the world with some actors changed: the new root, and the blocks that make it.
func (w *world) changed(ctx context.Context, extra []oracle.Block, change func(*state.Tree) error) (cid.Cid, []oracle.Block, error) {
	c := &collector{Blockstore: &blockstore.Overlay{Top: blockstore.NewMemory(), Base: w.store()}, got: extra}
	buf := blockstore.NewBuffered(c)
	tree, err := state.Load(ctx, buf, w.root, treeVersions...)
	if err != nil {
		return cid.Undef, nil, err
	}
	if err := change(tree); err != nil {
		return cid.Undef, nil, err
	}
	root, err := tree.Flush(ctx)
	if err != nil {
		return cid.Undef, nil, err
	}
	if err := buf.Flush(ctx, root); err != nil {
		return cid.Undef, nil, err
	}
	return root, c.got, nil
}

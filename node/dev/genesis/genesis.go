package genesis

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/node/network"
)

// Genesis is a state for epoch 0: the first tipset that is executed is at epoch 1.
type Genesis struct {
	// Root of the state.
	Root cid.Cid
	// Store has the state and the actors' code: reads go to the caller's store and then to the bundle, writes to the caller's.
	Store blockstore.Blockstore
	// Bundle is the actors' name, such as "v18/testing-fake-proofs", and Manifest the list that the system actor has.
	Bundle   string
	Manifest cid.Cid

	NetworkVersion netver.Version
	ChainID        uint64
	// Network describes the chain to package chain: one version from the genesis on, all heights of upgrades behind it.
	Network *network.Network

	// Accounts of the mnemonic, in its order.
	Accounts []Account
	// RootKey is the root key of the verified registry, Faucet has what nobody else has, Reserve the reserve.
	RootKey, Faucet, Reserve Account
	// Miners with power.
	Miners []Miner
	// Create2 and Multicall3 are the contracts that are there from the beginning.
	Create2, Multicall3 Contract

	engine *fvm.Engine
	seed   []byte // of the mnemonic
}

// Account is a key with the actors that are its accounts.
type Account struct {
	Key
	// EthID is the Ethereum account's at the key's f410 address, 0 where there is none; ID that of the account at its f1 address.
	EthID, ID abi.ActorID
}

// Contract is an EVM actor of the genesis.
type Contract struct {
	Eth [20]byte
	ID  abi.ActorID
}

// Make makes the state in a store that takes blocks. The actors' code is not written to it.
func Make(ctx context.Context, store blockstore.Blockstore, o Options) (*Genesis, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	seed, err := seedOf(o.Mnemonic)
	if err != nil {
		return nil, err
	}
	w := &world{Genesis: &Genesis{NetworkVersion: o.NetworkVersion, ChainID: o.ChainID, engine: o.Engine, seed: seed}, memo: openMemo(&o)}
	if err := w.actors(ctx, store, &o); err != nil {
		return nil, err
	}
	if err := w.describe(&o); err != nil {
		return nil, err
	}
	for _, step := range []struct {
		what string
		do   func(context.Context, *Options) error
	}{
		{"the singletons", w.singletons}, {"the accounts", w.accounts}, {"the contracts", w.contracts}, {"the miners", w.miners},
	} {
		if err := step.do(ctx, &o); err != nil {
			return nil, fmt.Errorf("making %s of a genesis of network version %d: %w", step.what, o.NetworkVersion, err)
		}
	}
	w.memo.write()
	return w.Genesis, nil
}

// actors finds the bundle.
func (w *world) actors(ctx context.Context, store blockstore.Blockstore, o *Options) error {
	version, err := bundle.VersionFor(o.NetworkVersion)
	if err != nil {
		return err
	}
	w.Bundle = fmt.Sprintf("v%d/%s", version, o.Flavour)
	set := o.Bundles
	if set == nil {
		if set, err = bundle.Open(ctx, bundle.Options{}); err != nil {
			return err
		}
	}
	code, err := set.Store(ctx, version, o.Flavour)
	if err != nil {
		return err
	}
	root, err := w.manifest(ctx, set, version, o.Flavour)
	if err != nil {
		return err
	}
	blk, err := code.Get(ctx, root)
	if err != nil {
		return err
	}
	r := cbor.NewReader(blk.RawData())
	r.Tuple(2)
	r.Uint()
	w.Manifest = r.CID()
	if err := r.End(); err != nil {
		return fmt.Errorf("the manifest of %s: %w", w.Bundle, err)
	}
	list, err := bundle.ReadManifest(ctx, code, root)
	if err != nil {
		return err
	}
	w.codes = map[string]cid.Cid{}
	for _, a := range list {
		w.codes[a.Name] = a.Code
	}
	w.store = &blockstore.Overlay{Top: store, Base: code}
	w.Store = w.store
	return nil
}

// manifest is the CID of a bundle's manifest. Of those that would have to be unpacked to know it, it is known after that.
func (w *world) manifest(ctx context.Context, set *bundle.Set, version int, flavour string) (cid.Cid, error) {
	entries, err := set.List(ctx)
	if err != nil {
		return cid.Undef, err
	}
	for _, e := range entries {
		if e.Version == version && e.Network == flavour && e.Manifest != "" {
			return cid.Decode(e.Manifest)
		}
	}
	b, err := set.Load(ctx, version, flavour, blockstore.NewMemory())
	if err != nil {
		return cid.Undef, err
	}
	return b.ManifestCID, nil
}

// describe makes the network's description.
func (w *world) describe(o *Options) error {
	n, ok := network.ByName("2k")
	mock, known := network.ByName("itests")
	if !ok || !known {
		return fmt.Errorf("the networks for development are not known")
	}
	n.Name, n.ChainID, n.Actors, n.BlockDelay, n.GenesisTime = o.Name, o.ChainID, o.Flavour, 30, o.Timestamp
	n.Upgrades, n.Beacons = []network.Upgrade{{Height: -1, Version: o.NetworkVersion}}, mock.Beacons
	c := &n.Constants
	c.ActorDebugging, c.InitialFilReserved, c.TeepInitialFilReserved = false, fil(reserveFIL), fil(reserveFIL)
	w.Network = n
	return nil
}

// singletons makes the actors that are there from the beginning and runs their constructors.
func (w *world) singletons(ctx context.Context, o *Options) error {
	kinds := []struct {
		id   abi.ActorID
		kind string
	}{
		{initID, "init"}, {rewardID, "reward"}, {cronID, "cron"}, {powerID, "storagepower"}, {marketID, "storagemarket"},
		{verifregID, "verifiedregistry"}, {datacapID, "datacap"}, {eamID, "eam"},
	}
	err := w.edit(ctx, func(t *state.Tree, b *blockstore.Buffered) error {
		if err := w.put(t, b, systemID, actor{kind: "system", state: cbor.AppendCID(cbor.AppendArray(nil, 1), w.Manifest)}); err != nil {
			return err
		}
		if err := w.put(t, b, burntID, accountOf(idAddress(burntID))); err != nil {
			return err
		}
		for _, k := range kinds {
			a := actor{kind: k.kind}
			if k.id == rewardID {
				a.balance = fil(rewardFIL)
			}
			if err := w.put(t, b, k.id, a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	constructor := func(id abi.ActorID, params []byte) call {
		return call{from: idAddress(systemID), to: idAddress(id), method: 1, params: params}
	}
	_, err = w.run(ctx,
		constructor(initID, cbor.AppendText(cbor.AppendArray(nil, 1), o.Name)),
		constructor(rewardID, cbor.AppendBytes(nil, "")), // no power is realized yet
		constructor(cronID, cronTable()),
		constructor(powerID, nil),
		constructor(marketID, nil),
		constructor(verifregID, appendAddress(nil, idAddress(rootKeyID))),
		constructor(datacapID, appendAddress(nil, idAddress(verifregID))),
		constructor(eamID, nil),
	)
	return err
}

// cronTable has who is called at the end of each epoch: the power actor's OnEpochTickEnd, then the market's CronTick.
func cronTable() []byte {
	dst := cbor.AppendArray(cbor.AppendArray(nil, 1), 2)
	for _, e := range []struct {
		id     abi.ActorID
		method uint64
	}{{powerID, 5}, {marketID, 9}} {
		dst = cbor.AppendUint(appendAddress(cbor.AppendArray(dst, 2), idAddress(e.id)), e.method)
	}
	return dst
}

// accountOf is an account: its state is its key's address.
func accountOf(key address.Address) actor {
	return actor{kind: "account", state: appendAddress(cbor.AppendArray(nil, 1), key)}
}

package vector

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
)

// keepBundles is how many bundles stay open or in memory, of about 8 MB each.
const keepBundles = 6

// Actors gives vectors the actors' code that their CARs lack. Safe for concurrent use.
type Actors struct {
	cars []string
	open func(context.Context) (*bundle.Set, error)

	mu     sync.Mutex
	set    *bundle.Set
	loaded []*loadedBundle // the one used last comes last
}

type loadedBundle struct {
	name  string
	once  sync.Once
	store blockstore.Blockstore
	err   error
}

// NewActors gives bundles from the files, if there are any, and else those that
// opts lead to, looked for when a vector first needs one.
func NewActors(opts bundle.Options, cars ...string) *Actors {
	return &Actors{cars: cars, open: func(ctx context.Context) (*bundle.Set, error) { return bundle.Open(ctx, opts) }}
}

// NoBundle as the name of a vector's bundle says that all code is in its CAR.
const NoBundle = "none"

// BundleFor is the name of the bundle that a variant needs.
func (v *Vector) BundleFor(variant Variant) (string, error) {
	switch name := v.Bundle(); name {
	case NoBundle:
		return "", errors.New("the vector needs no bundle")
	case "":
	default:
		return name, nil
	}
	version, err := bundle.VersionFor(variant.NV)
	if err != nil {
		return "", err
	}
	return bundle.Entry{Version: version, Network: "mainnet"}.Name(), nil
}

// storeFor is a store with the actors' code for a variant. Not to be written to.
func (a *Actors) storeFor(ctx context.Context, v *Vector, variant Variant) (blockstore.Blockstore, error) {
	if v.Bundle() == NoBundle {
		return blockstore.NewMemory(), nil
	}
	if len(a.cars) > 0 {
		return a.Code(ctx, "")
	}
	name, err := v.BundleFor(variant)
	if err != nil {
		return nil, err
	}
	return a.Code(ctx, name)
}

// Code is a store with the actors' code of a bundle, such as "v18/mainnet", or of the files given, which reads what is asked
// for. Not to be written to.
func (a *Actors) Code(ctx context.Context, name string) (blockstore.Blockstore, error) {
	if len(a.cars) > 0 {
		return a.Store(ctx, "")
	}
	l := a.claim("code of " + name)
	l.once.Do(func() {
		var set *bundle.Set
		var version int
		var network string
		if version, network, set, l.err = a.named(ctx, name); l.err == nil {
			l.store, l.err = set.Store(ctx, version, network)
		}
	})
	return l.store, l.err
}

// Store has all the blocks of a bundle, or of the files given, in memory. Not to be written to.
func (a *Actors) Store(ctx context.Context, name string) (*blockstore.Memory, error) {
	if len(a.cars) > 0 {
		name = givenFiles
	}
	l := a.claim(name)
	l.once.Do(func() { l.store, l.err = a.load(ctx, name) })
	if l.err != nil {
		return nil, l.err
	}
	return l.store.(*blockstore.Memory), nil
}

const givenFiles = "the files given"

// claim finds a bundle's place, or makes one, and forgets the bundle that was not used for longest.
func (a *Actors) claim(name string) *loadedBundle {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, l := range a.loaded {
		if l.name == name {
			a.loaded = append(append(a.loaded[:i:i], a.loaded[i+1:]...), l)
			return l
		}
	}
	if len(a.loaded) >= keepBundles {
		a.loaded = a.loaded[1:]
	}
	l := &loadedBundle{name: name}
	a.loaded = append(a.loaded, l)
	return l
}

func (a *Actors) load(ctx context.Context, name string) (*blockstore.Memory, error) {
	store := blockstore.NewMemory()
	for _, path := range a.cars {
		if _, err := bundle.LoadCARFile(ctx, path, store); err != nil {
			return nil, err
		}
	}
	if len(a.cars) > 0 {
		return store, nil
	}
	version, network, set, err := a.named(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, err := set.Load(ctx, version, network, store); err != nil {
		return nil, fmt.Errorf("the vector's actors: %w", err)
	}
	return store, nil
}

// named is what a bundle's name says, and where bundles are.
func (a *Actors) named(ctx context.Context, name string) (version int, network string, set *bundle.Set, err error) {
	if version, network, err = bundle.ParseName(name); err == nil {
		set, err = a.bundles(ctx)
	}
	return version, network, set, err
}

func (a *Actors) bundles(ctx context.Context) (*bundle.Set, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.set == nil {
		set, err := a.open(ctx)
		if err != nil {
			return nil, err
		}
		a.set = set
	}
	return a.set, nil
}

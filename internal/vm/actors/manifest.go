// Package actors knows the builtin actors: their code in the state at hand, their names, and the IDs of those
// that exist once.
//
// machine loads the manifest; call, kernel and executor ask it what a code is. It calls state and cbor. What the actors do
// does not belong here: that is their bytecode.
package actors

import (
	"context"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// The IDs of the actors that exist once, the same on every network.
const (
	SystemActor   = 0
	InitActor     = 1
	RewardActor   = 2
	CronActor     = 3
	PowerActor    = 4
	MarketActor   = 5
	VerifregActor = 6
	DatacapActor  = 7
	EAM           = 10 // the Ethereum address manager; also its namespace of f4 addresses
	BurntFunds    = 99
)

// The names of actors that the machine itself has to do with.
const (
	nameSystem      = "system"
	nameInit        = "init"
	nameAccount     = "account"
	namePlaceholder = "placeholder"
	nameEthAccount  = "ethaccount"
	nameEAM         = "eam"
)

// Required are the actors that every manifest must have.
func Required() []string { return []string{nameSystem, nameInit, nameAccount} }

// RequiredEthereum are those that a manifest must have from network version 18 on.
func RequiredEthereum() []string { return append(Required(), namePlaceholder, nameEAM, nameEthAccount) }

// singletons names the actors of which nobody can make a second one (until network version 17).
func singletons() []string {
	return []string{nameSystem, nameInit, "reward", "cron", "storagepower", "storagemarket", "verifiedregistry"}
}

// Entry is a builtin actor.
type Entry struct {
	Name string
	Code cid.Cid
}

// Manifest is the list of builtin actors. It does not change, and any number of goroutines may use it.
type Manifest struct {
	entries []Entry
	byCode  map[cid.Cid]uint32
	byName  map[string]cid.Cid
}

// NewManifest makes a manifest. The actors' type numbers count from 1 in the order of the entries; 0 is every other actor.
//
// It must have the actors of required; none means RequiredEthereum.
//
// Quirk: of two entries with one code or one name the later one counts, though both keep their numbers.
func NewManifest(entries []Entry, required ...string) (*Manifest, error) {
	m := &Manifest{entries: entries, byCode: make(map[cid.Cid]uint32, len(entries)), byName: make(map[string]cid.Cid, len(entries))}
	for i, e := range entries {
		m.byCode[e.Code] = uint32(i) + 1
		m.byName[e.Name] = e.Code
	}
	if len(required) == 0 {
		required = RequiredEthereum()
	}
	for _, name := range required {
		if _, ok := m.byName[name]; !ok {
			return nil, fmt.Errorf("the manifest of builtin actors lacks %q", name)
		}
	}
	return m, nil
}

// LoadManifest reads the manifest that the state of the system actor points at; for required see NewManifest. The error is
// an *execerr.Fatal.
func LoadManifest(ctx context.Context, tree *state.Tree, store *blockstore.Buffered, required ...string) (*Manifest, error) {
	system, err := tree.Actor(ctx, SystemActor)
	if err != nil {
		return nil, err
	}
	if system == nil {
		return nil, execerr.Guestf("there is no system actor")
	}
	data, err := store.GetRaw(ctx, system.Head)
	if err != nil {
		return nil, execerr.Nodef("reading the system actor's state %s: %w", system.Head, err)
	}
	r := cbor.NewReader(data)
	r.Tuple(1)
	root := r.CID()
	if err := r.End(); err != nil {
		return nil, execerr.Guestf("the system actor's state %s: %w", system.Head, err)
	}
	return ReadManifest(ctx, store, root, required...)
}

// ReadManifest reads a manifest, a list of [name, code]; for required see NewManifest. The error is an *execerr.Fatal.
func ReadManifest(ctx context.Context, store *blockstore.Buffered, root cid.Cid, required ...string) (*Manifest, error) {
	data, err := store.GetRaw(ctx, root)
	if err != nil {
		return nil, execerr.Nodef("reading the manifest of builtin actors %s: %w", root, err)
	}
	r := cbor.NewReader(data)
	n := r.Len()
	entries := make([]Entry, 0, min(n, 64))
	for i := 0; i < n && !r.Failed(); i++ {
		r.Tuple(2)
		entries = append(entries, Entry{Name: r.Text(), Code: r.CID()})
	}
	if err := r.End(); err != nil {
		return nil, execerr.Guestf("the manifest of builtin actors %s: %w", root, err)
	}
	m, err := NewManifest(entries, required...)
	if err != nil {
		return nil, execerr.Guestf("the manifest of builtin actors %s: %w", root, err)
	}
	return m, nil
}

// CodeByID returns the code of a type number.
func (m *Manifest) CodeByID(id uint32) (cid.Cid, bool) {
	if id == 0 || uint64(id) > uint64(len(m.entries)) {
		return cid.Undef, false
	}
	return m.entries[id-1].Code, true
}

// IDByCode returns the type number of a code, 0 if it is no builtin actor's.
func (m *Manifest) IDByCode(code cid.Cid) uint32 { return m.byCode[code] }

// Name returns the name of a builtin actor's code.
func (m *Manifest) Name(code cid.Cid) (string, bool) {
	id := m.byCode[code]
	if id == 0 {
		return "", false
	}
	return m.entries[id-1].Name, true
}

// ByName returns the code of a builtin actor.
func (m *Manifest) ByName(name string) (cid.Cid, bool) {
	c, ok := m.byName[name]
	return c, ok
}

// Codes returns the codes of all builtin actors, in the order of their type numbers.
func (m *Manifest) Codes() []cid.Cid {
	codes := make([]cid.Cid, len(m.entries))
	for i, e := range m.entries {
		codes[i] = e.Code
	}
	return codes
}

// Singleton reports the code of an actor of which there is to be one only (until network version 17).
func (m *Manifest) Singleton(code cid.Cid) bool {
	for _, name := range singletons() {
		if c, ok := m.byName[name]; ok && c == code {
			return true
		}
	}
	return false
}

// System is the code of the system actor.
func (m *Manifest) System() cid.Cid { return m.byName[nameSystem] }

// Init is the code of the init actor.
func (m *Manifest) Init() cid.Cid { return m.byName[nameInit] }

// Account is the code of accounts with f1 and f3 addresses.
func (m *Manifest) Account() cid.Cid { return m.byName[nameAccount] }

// Placeholder is the code of actors with an f4 address that have received funds but not yet code.
func (m *Manifest) Placeholder() cid.Cid { return m.byName[namePlaceholder] }

// EthAccount is the code of accounts with an Ethereum address.
func (m *Manifest) EthAccount() cid.Cid { return m.byName[nameEthAccount] }

// EAMCode is the code of the Ethereum address manager.
func (m *Manifest) EAMCode() cid.Cid { return m.byName[nameEAM] }

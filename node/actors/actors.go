package actors

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/textform"
)

// The versions of the builtin actors that are known here.
const (
	OldestVersion = 8
	NewestVersion = 19
)

// VersionFor is the version of the actors that a network version calls for, as the network's upgrades have it. From network
// version 29 on that is 19, whose own code no network runs yet: bundles that bear the number hold the code of 18. Of a state
// one can tell by [ActorByCode].
func VersionFor(nv network.Version) (int, error) {
	v, err := bundle.VersionFor(nv)
	if err != nil {
		return 0, err
	}
	if v < OldestVersion || v > NewestVersion {
		return 0, fmt.Errorf("network version %d has actors v%d; known are v%d to v%d", nv, v, OldestVersion, NewestVersion)
	}
	return v, nil
}

// tables are the methods by version and actor, made on first use.
var tables [NewestVersion + 1]func() map[string]*table

func init() {
	for v, d := range [...]func() declared{8: v8, 9: v9, 10: v10, 11: v11, 12: v12, 13: v13, 14: v14, 15: v15, 16: v16, 17: v17, 18: v18, 19: v19} {
		if d != nil {
			tables[v] = sync.OnceValue(func() map[string]*table { return makeTables(v, d()) })
		}
	}
}

// Names are the builtin actors of a version, by their names in a manifest, sorted.
func Names(version int) ([]string, error) {
	t, err := tablesOf(version)
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

func tablesOf(version int) (map[string]*table, error) {
	if version < OldestVersion || version > NewestVersion {
		return nil, fmt.Errorf("actors v%d are not known; known are v%d to v%d", version, OldestVersion, NewestVersion)
	}
	return tables[version](), nil
}

// short are other names that people have for actors.
var short = map[string]string{
	"market": "storagemarket", "miner": "storageminer", "power": "storagepower", "verifreg": "verifiedregistry", "paych": "paymentchannel", "msig": "multisig",
}

// singletons are the actors that there is one of, by their ids.
var singletons = map[uint64]string{
	0: "system", 1: "init", 2: "reward", 3: "cron", 4: "storagepower", 5: "storagemarket", 6: "verifiedregistry", 7: "datacap", 10: "eam", 99: "account",
}

// UnknownActorError is the error of a name that no builtin actor of the version has.
type UnknownActorError struct {
	Name    string
	Version int
	Known   []string // in manifests
	Short   []string // names of their packages, where those are others
}

func (e *UnknownActorError) Error() string {
	return fmt.Sprintf("actors v%d have no %q", e.Version, e.Name)
}

// ParseActor reads what names a kind of builtin actor: its name in a manifest ("storageminer"), the name of its package
// ("miner"), the address of a singleton in any form ("f05", "0xff...05"), the CID of its code. Other addresses tell no kind: that is in the state.
func ParseActor(version int, s string) (string, error) {
	names, err := Names(version)
	if err != nil {
		return "", err
	}
	if a, err := textform.Address(s); err == nil {
		if a.Protocol() == address.ID {
			if id, err := address.IDFromAddress(a); err == nil && singletons[id] != "" {
				s = singletons[id]
				return s, known(version, s, names)
			}
		}
		return "", fmt.Errorf("what kind of actor %s is stands in the state, not in its address; name the kind, such as storageminer", s)
	}
	if c, err := textform.CID(s); err == nil {
		actor, _, ok := ActorByCode(c)
		if !ok {
			return "", fmt.Errorf("%s is the code of no builtin actor of the networks' bundles v%d to v%d", c, OldestVersion, NewestVersion)
		}
		return actor, known(version, actor, names)
	}
	if long := short[s]; long != "" {
		s = long
	}
	return s, known(version, s, names)
}

func known(version int, name string, names []string) error {
	if !slices.Contains(names, name) {
		return &UnknownActorError{Name: name, Version: version, Known: names, Short: slices.Sorted(maps.Keys(short))}
	}
	return nil
}

// ActorByCode tells by the CID of an actor's code which builtin actor it is, and of which versions, the oldest first: code
// that did not change between two versions has both, and what bundles call v19 so far is that of v18. The CIDs are those of
// the networks' bundles in Lotus v1.36.3, testing ones among them.
func ActorByCode(c cid.Cid) (actor string, versions []int, ok bool) {
	k, ok := bundle.CodeOf(c)
	return k.Actor, slices.Clone(k.Versions), ok
}

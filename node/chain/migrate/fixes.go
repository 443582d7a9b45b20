package migrate

import (
	"context"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/network"
)

// calibnet is the name that calibnet's state has for its network.
const calibnet = "calibrationnet"

// bundleAt is the name of the actors that an upgrade brings, usually the network's own.
//
// Quirk: calibnet came to versions 12 and 13 by actors with mistakes, which later upgrades replaced. So did networks with an upgrade
// TockFix to version 16. States made with those are part of the chain.
func (m *Migrator) bundleAt(ctx context.Context, u network.Upgrade, actors int, root cid.Cid) (string, error) {
	tock := actors == 16 && m.network.Constants.TockFix > 0
	if actors != 12 && actors != 13 && !tock {
		return m.network.Actors, nil
	}
	st, err := tree.Load(ctx, m.store, root)
	if err != nil {
		return "", err
	}
	name, err := st.Network(ctx)
	if err != nil {
		return "", err
	}
	switch {
	case tock:
		return name + "-v16.0.0", nil
	case name == calibnet && actors == 12:
		return calibnet + "-12-rc1", nil
	case name == calibnet:
		return calibnet + "-13-rc3", nil
	}
	return m.network.Actors, nil
}

// fixes are upgrades that only give actors other code, by name: the bundles that they bring. "" is the network's own name.
var fixes = map[string]struct {
	actors int
	name   string
}{
	"WatermelonFix":        {12, calibnet + "-12-rc2"},
	"WatermelonFix2":       {12, calibnet},
	"CalibrationDragonFix": {13, calibnet},
	"TockFix":              {16, ""},
}

// fix is the bundle of an upgrade that mends a network's actors; nil for another.
func (m *Migrator) fix(ctx context.Context, u network.Upgrade) (*bundle.Bundle, error) {
	if m.network.VersionAt(u.Height) != u.Version {
		return nil, nil
	}
	f, ok := fixes[u.Name]
	if !ok {
		return nil, fmt.Errorf("%w: the upgrade %q at epoch %d changes no version", ErrUnknown, u.Name, u.Height)
	}
	if f.name == "" {
		f.name = m.network.Actors
	}
	return m.bundles.Load(ctx, f.actors, f.name, m.store)
}

package devnode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/blockstore/pebble"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
)

// openState opens the folder of --state, or makes it: blocks in a database, and beside it the journal that says which of them are the
// chain. What is returned closes the database; the node closes the journal.
func openState(folder string, o *dev.Options) (func(), error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fmt.Errorf("--state: %w", err)
	}
	store, err := pebble.Open(filepath.Join(folder, "blocks"))
	if err != nil {
		return nil, fmt.Errorf("--state %s: %w; one node at a time may use a folder", folder, err)
	}
	journal, err := dev.OpenJournal(filepath.Join(folder, "journal"), false)
	if err != nil {
		_ = store.Close()
		return nil, fmt.Errorf("--state %s: %w", folder, err)
	}
	o.Store, o.Journal = store, journal
	return func() { _ = store.Close() }, nil
}

// explainOptions says which flag an error is about.
func explainOptions(ctx context.Context, bundles *bundle.Set, x *flags, err error) error {
	switch {
	case errors.Is(err, genesis.ErrMnemonic):
		return kit.Usagef("--mnemonic: %w", err)
	case errors.Is(err, genesis.ErrOptions), errors.Is(err, dev.ErrOptions):
		return kit.AsUsage(err)
	case errors.Is(err, dev.ErrJournal):
		return fmt.Errorf("--state %s: %w: a chain goes on with the flags that it was begun with; name another folder for a new one", x.state, err)
	}
	name := ""
	if v, verr := bundle.VersionFor(network.Version(x.nv)); verr == nil {
		name = fmt.Sprintf("v%d/%s", v, x.flavour)
	}
	return kit.BundleHint(ctx, bundles, name, err)
}

package devnode

import (
	"context"
	"errors"
	"fmt"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
)

// openState opens the folder of --state.
func openState(folder string, o *dev.Options) (func(), error) {
	return nil, fmt.Errorf("--state %s: not yet", folder)
}

// explainOptions says which flag an error is about.
func explainOptions(ctx context.Context, bundles *bundle.Set, x *flags, err error) error {
	switch {
	case errors.Is(err, genesis.ErrMnemonic):
		return kit.Usagef("--mnemonic: %w", err)
	case errors.Is(err, genesis.ErrOptions), errors.Is(err, dev.ErrOptions):
		return kit.AsUsage(err)
	}
	return err
}

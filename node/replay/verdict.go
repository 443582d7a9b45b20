package replay

import (
	"context"
	"errors"

	"github.com/edgefvm/fvm/node/chain"
)

func (r *run) verdict(ctx context.Context, t *Tipset, child *chain.Tipset) string { return "" }

func (r *run) vector(ctx context.Context, t *Tipset) (string, error) {
	return "", errors.New("not yet")
}

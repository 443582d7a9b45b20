package fork

import (
	"context"

	"github.com/edgefvm/fvm"
)

// ahead fetches what a block's machine will read, as far as it can be told before.
func (s *Source) ahead(ctx context.Context, cfg fvm.Config) {}

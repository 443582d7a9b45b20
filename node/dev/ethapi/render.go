package ethapi

import (
	"bytes"
	"context"
	"fmt"

	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
)

// render says a block in Ethereum's words, in the API's manner.
func (a *API) render(ctx context.Context, b *dev.Block) (*eth.Rendered, error) {
	return a.chain.Render(ctx, b, a.manner)
}

// contractData are the bytes that a contract returned, out of their CBOR.
func contractData(returned []byte) (eth.Data, error) {
	if len(returned) == 0 {
		return nil, nil
	}
	data, err := cbg.ReadByteArray(bytes.NewReader(returned), uint64(len(returned)))
	if err != nil {
		return nil, fmt.Errorf("what was called returned no bytes, but data of an actor's own: %w", err)
	}
	return data, nil
}

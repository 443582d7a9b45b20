package edit

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// Call is a message of the system's own: from whomever it names, without fees and nonce.
type Call struct {
	From, To address.Address
	Method   abi.MethodNum
	Value    abi.TokenAmount // in attoFIL. Default: nothing
	Params   []byte
}

// gasLimit is that of implicit messages, as nodes send them.
const gasLimit = 1 << 50

// Run executes calls on the state as it is, in the setting of cfg, whose root and store are not asked for. Each must succeed, or nothing
// has happened. It gives what they returned.
func (e *Editor) Run(ctx context.Context, cfg fvm.Config, calls ...Call) ([][]byte, error) {
	nonce, err := e.NextNonce(ctx)
	if err != nil {
		return nil, err
	}
	root, err := e.Flush(ctx)
	if err != nil {
		return nil, err
	}
	cfg.StateRoot, cfg.Blockstore = root, e.base
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	var returns [][]byte
	for i, c := range calls {
		if c.Value.Int == nil {
			c.Value = big.Zero()
		}
		res, err := m.ApplyImplicit(ctx, &fvm.Message{
			From: c.From, To: c.To, Nonce: nonce + uint64(i), Method: c.Method, Value: c.Value, Params: c.Params, GasLimit: gasLimit, GasFeeCap: big.Zero(), GasPremium: big.Zero(),
		})
		if err != nil {
			return nil, fmt.Errorf("call %d, method %d of %s: %w", i, c.Method, addr.String(c.To), err)
		}
		if res.ExitCode != 0 {
			return nil, fmt.Errorf("call %d, method %d of %s: exit code %d: %s", i, c.Method, addr.String(c.To), res.ExitCode, res.Failure)
		}
		returns = append(returns, res.Return)
	}
	if root, err = m.Flush(ctx); err != nil {
		return nil, err
	}
	return returns, e.load(ctx, root)
}

// NextNonce is a nonce that no message of Run or of genesis.Later has had if an actor was made since: the addresses of new actors are made of it.
func (e *Editor) NextNonce(ctx context.Context) (next uint64, err error) {
	err = e.Patch(ctx, initID, map[int]func([]byte) ([]byte, error){1: func(item []byte) ([]byte, error) {
		r := cbor.NewReader(item)
		next = r.Uint() << 20
		return item, r.End()
	}})
	return next, err
}

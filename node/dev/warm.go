package dev

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
)

// Warm loads the code of those actors that nearly every block needs, which else the first block and the first contract wait for. It
// changes nothing, and may run beside anything else.
func (n *Node) Warm(ctx context.Context) error {
	on := n.Latest()
	set := n.settings()
	t := n.next(&set, on).time
	_, _, err := n.make(ctx, &plan{ // reward and cron, and whom cron calls
		parent: on, epoch: on.Epoch() + 1, time: t, baseFee: on.NextBaseFee, preview: true,
		states: &blockstore.Overlay{Top: blockstore.NewMemory(), Base: on.states},
	})
	if err != nil || len(n.genesis.Accounts) == 0 {
		return err
	}
	who := n.genesis.Accounts[0].F410
	eam, err := address.NewIDAddress(10)
	if err != nil {
		return err
	}
	for _, msg := range []fvm.Message{
		{To: eam, Method: 4, Params: []byte{0x40}},          // CreateExternal, of a contract without code
		{To: who, Method: 3844450837, Value: big.NewInt(1)}, // InvokeEVM
	} {
		msg.From, msg.GasLimit, msg.GasFeeCap, msg.GasPremium = who, callGas, big.Zero(), big.Zero()
		if msg.Value.Int == nil {
			msg.Value = big.Zero()
		}
		if _, err := n.Call(ctx, on, &msg, CallOptions{}); err != nil {
			return err
		}
	}
	return nil
}

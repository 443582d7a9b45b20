package ethapi

import (
	"context"
	"fmt"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
)

// poolTransaction is a transaction that waits; nil if there is none.
func (a *API) poolTransaction(ctx context.Context, h eth.Hash) (*eth.Transaction, error) {
	w, ok := a.chain.PoolMessage(h)
	if !ok {
		return nil, nil
	}
	return a.chain.RenderWaiting(ctx, &w, a.manner)
}

// poolStatus is txpool_status.
func (a *API) poolStatus() map[string]eth.Quantity {
	s := map[string]eth.Quantity{"pending": 0, "queued": 0}
	for _, w := range a.chain.Pool() {
		s[place(&w)]++
	}
	return s
}

// place is where Ethereum's pool would keep a message.
func place(w *dev.Waiting) string {
	if w.Ready {
		return "pending"
	}
	return "queued"
}

// poolBy is the pool by place, sender and nonce, each transaction as show has it.
func (a *API) poolBy(ctx context.Context, show func(*eth.Transaction) any) (map[string]map[string]map[string]any, error) {
	all := map[string]map[string]map[string]any{"pending": {}, "queued": {}}
	for _, w := range a.chain.Pool() {
		tx, err := a.chain.RenderWaiting(ctx, &w, a.manner)
		if err != nil {
			return nil, err
		}
		list := all[place(&w)]
		from := tx.From.String()
		if list[from] == nil {
			list[from] = map[string]any{}
		}
		list[from][fmt.Sprint(uint64(tx.Nonce))] = show(tx)
	}
	return all, nil
}

// poolContent is txpool_content.
func (a *API) poolContent(ctx context.Context) (any, error) {
	return a.poolBy(ctx, func(tx *eth.Transaction) any { return tx })
}

// poolInspect is txpool_inspect.
func (a *API) poolInspect(ctx context.Context) (any, error) {
	return a.poolBy(ctx, func(tx *eth.Transaction) any {
		to := "contract creation"
		if tx.To != nil {
			to = tx.To.String()
		}
		price := tx.MaxFeePerGas
		if price == nil {
			price = tx.GasPrice
		}
		return fmt.Sprintf("%s: %s wei + %d gas × %s wei", to, tx.Value.Big(), uint64(tx.Gas), price.Big())
	})
}

// pendingBlock is eth_getBlockByNumber of "pending": the latest block if nothing waits, else what would be the next.
func (a *API) pendingBlock(ctx context.Context, full bool) (*eth.Block, error) {
	latest := a.chain.Latest()
	var ready []dev.Waiting
	for _, w := range a.chain.Pool() {
		if w.Ready {
			ready = append(ready, w)
		}
	}
	shown, err := a.show(ctx, latest, full)
	if err != nil || len(ready) == 0 {
		return shown, err
	}
	next := *shown
	next.ParentHash, next.Hash, next.Number = shown.Hash, eth.Hash{}, shown.Number+1
	next.Timestamp, next.BaseFeePerGas, next.GasUsed, next.LogsBloom = eth.Quantity(a.chain.Time()), a.baseFee(), 0, eth.Bloom{}
	txs, hashes := []*eth.Transaction{}, []eth.Hash{}
	for i := range ready {
		tx, err := a.chain.RenderWaiting(ctx, &ready[i], a.manner)
		if err != nil {
			return nil, err
		}
		txs, hashes = append(txs, tx), append(hashes, tx.Hash)
	}
	next.Transactions = hashes
	if full {
		next.Transactions = txs
	}
	return &next, nil
}

package ethapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/eth"
)

const (
	maxFilters   = 10_000 // for tools, which make one a contract and forget it
	strictMost   = 100    // Lotus's default
	filterIdle   = time.Hour
	maxPoll      = 10_000 // entries an answer; the next has the rest
	maxWaiting   = 10_000 // hashes of pending transactions that a filter keeps
	forgottenAge = 5 * time.Minute
)

// filters are those that clients poll. A filter of blocks or logs keeps no results but the place from which on they were
// not told yet, so that one that is never read costs nothing.
type filters struct {
	mu   sync.Mutex
	most int
	byID map[string]*filter
	now  func() time.Time
}

type filterKind uint8

const (
	ofBlocks filterKind = iota
	ofLogs
	ofPending
)

type filter struct {
	kind filterKind
	logs eth.Filter
	used time.Time

	next    uint64     // epoch that was not told yet
	waiting []eth.Hash // of ofPending
}

func newFilters(m eth.Manner) *filters {
	f := &filters{most: maxFilters, byID: map[string]*filter{}, now: time.Now}
	if m == eth.Strict {
		f.most = strictMost
	}
	return f
}

// add keeps a filter, if need be in the place of the one that was forgotten the longest.
func (f *filters) add(n *filter) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if len(f.byID) >= f.most {
		oldest, at := "", now.Add(-forgottenAge)
		for id, x := range f.byID {
			if now.Sub(x.used) > filterIdle {
				delete(f.byID, id)
			} else if x.used.Before(at) {
				oldest, at = id, x.used
			}
		}
		if len(f.byID) >= f.most && oldest != "" {
			delete(f.byID, oldest)
		}
		if len(f.byID) >= f.most {
			return "", &eth.Error{Code: eth.CodeLimitExceeded, Message: "there are too many filters: take some away by eth_uninstallFilter"}
		}
	}
	var raw [32]byte
	_, _ = rand.Read(raw[:])
	id := "0x" + hex.EncodeToString(raw[:])
	n.used = now
	f.byID[id] = n
	return id, nil
}

func (f *filters) get(id string) (*filter, error) {
	x := f.byID[id]
	if x == nil || f.now().Sub(x.used) > filterIdle {
		delete(f.byID, id)
		return nil, &eth.Error{Code: eth.CodeServer, Message: "filter not found"}
	}
	x.used = f.now()
	return x, nil
}

func (f *filters) remove(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.get(id)
	delete(f.byID, id)
	return err == nil
}

// pending tells the filters of a new pending transaction.
func (f *filters) pending(h eth.Hash) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.byID {
		if x.kind == ofPending {
			if len(x.waiting) >= maxWaiting {
				x.waiting = x.waiting[1:]
			}
			x.waiting = append(x.waiting, h)
		}
	}
}

// back tells the filters that the chain goes on from an earlier block: what comes after it was not told yet.
func (f *filters) back(latest uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.byID {
		x.next = min(x.next, latest+1)
	}
}

// newFilter is eth_newFilter.
func (a *API) newFilter(f eth.Filter) (string, error) {
	next := uint64(a.chain.Latest().Epoch()) + 1
	if f.FromBlock != nil && f.FromBlock.Number != nil {
		next = max(next, uint64(*f.FromBlock.Number))
	}
	return a.filters.add(&filter{kind: ofLogs, logs: f, next: next})
}

// newBlockFilter is eth_newBlockFilter.
func (a *API) newBlockFilter() (string, error) {
	return a.filters.add(&filter{kind: ofBlocks, next: uint64(a.chain.Latest().Epoch()) + 1})
}

// newPendingFilter is eth_newPendingTransactionFilter.
func (a *API) newPendingFilter() (string, error) { return a.filters.add(&filter{kind: ofPending}) }

// filterChanges is eth_getFilterChanges: what came since the last time, once.
func (a *API) filterChanges(ctx context.Context, id string) (any, error) {
	latest := uint64(a.chain.Latest().Epoch())
	a.filters.mu.Lock()
	x, err := a.filters.get(id)
	if err != nil {
		a.filters.mu.Unlock()
		return nil, err
	}
	if x.kind == ofPending {
		hashes := x.waiting
		x.waiting = nil
		a.filters.mu.Unlock()
		return append([]eth.Hash{}, hashes...), nil
	}
	kind, want, first := x.kind, x.logs, x.next
	a.filters.mu.Unlock()
	var result any
	var next uint64
	if kind == ofBlocks {
		result, next = a.hashesFrom(first, latest)
	} else {
		last := latest
		if t := want.ToBlock; t != nil && t.Number != nil {
			last = min(last, uint64(*t.Number))
		}
		var logs []*eth.Log
		if logs, next, err = a.scan(ctx, &want, first, last, maxPoll); err == nil {
			result, next = logs, max(next, first)
		}
	}
	if err != nil {
		return nil, err
	}
	a.filters.mu.Lock()
	if x.next == first { // nobody else has told it meanwhile, and the chain was not set back
		x.next = next
	}
	a.filters.mu.Unlock()
	return result, nil
}

// hashesFrom are those of blocks, and the epoch to go on at.
func (a *API) hashesFrom(first, last uint64) (hashes []eth.Hash, next uint64) {
	hashes = []eth.Hash{}
	for next = first; next <= last && len(hashes) < maxPoll; next++ {
		if b := a.chain.BlockAt(abi.ChainEpoch(next)); b != nil {
			hashes = append(hashes, b.Hash)
		}
	}
	return hashes, next
}

// filterLogs is eth_getFilterLogs: all logs of the filter, told or not.
func (a *API) filterLogs(ctx context.Context, id string) (any, error) {
	a.filters.mu.Lock()
	x, err := a.filters.get(id)
	if err != nil {
		a.filters.mu.Unlock()
		return nil, err
	}
	kind, want := x.kind, x.logs
	a.filters.mu.Unlock()
	if kind != ofLogs {
		return a.filterChanges(ctx, id)
	}
	return a.logs(ctx, want)
}

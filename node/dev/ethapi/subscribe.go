package ethapi

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// subscribers are the clients that hear of what happens, by eth_subscribe. Telling them never waits: package jsonrpc ends
// the connection of one that does not read.
type subscribers struct {
	mu  sync.Mutex
	all map[*jsonrpc.Subscription]subscription
}

type subscription struct {
	kind filterKind
	logs eth.Filter
	full bool // pending transactions whole
}

// subscribe is eth_subscribe: of newHeads, logs, newPendingTransactions. Its parameters may stand in a list, as Lotus's
// clients send them.
func (a *API) subscribe(ctx context.Context, kind string, options jsonrpc.Optional[json.RawMessage]) (string, error) {
	var s subscription
	switch kind {
	case "newHeads":
	case "logs":
		s.kind = ofLogs
		if options.Set {
			if err := json.Unmarshal(options.Value, &s.logs); err != nil {
				return "", &eth.Error{Code: eth.CodeInvalidParams, Message: "eth_subscribe: the filter of logs: " + err.Error()}
			}
		}
	case "newPendingTransactions":
		s.kind = ofPending
		if options.Set && json.Unmarshal(options.Value, &s.full) != nil {
			return "", &eth.Error{Code: eth.CodeInvalidParams, Message: "eth_subscribe: newPendingTransactions takes true for whole transactions, or nothing"}
		}
	case "syncing":
		s.kind = ofNothing
	default:
		return "", &eth.Error{Code: eth.CodeInvalidParams, Message: "eth_subscribe: there is no subscription " + kind + ": want newHeads, logs or newPendingTransactions"}
	}
	sub, err := jsonrpc.Subscribe(ctx, "eth_subscription")
	if err != nil {
		return "", err
	}
	a.subscribers.mu.Lock()
	a.subscribers.all[sub] = s
	a.subscribers.mu.Unlock()
	go func() {
		<-sub.Done()
		a.subscribers.mu.Lock()
		delete(a.subscribers.all, sub)
		a.subscribers.mu.Unlock()
	}()
	return sub.ID(), nil
}

const ofNothing filterKind = 255

// tell notifies those whose subscription is of a kind. value makes what a subscriber hears, nil of nothing; it is made once
// where it is for all.
func (s *subscribers) tell(kind filterKind, value func(subscription) []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub, x := range s.all {
		if x.kind != kind {
			continue
		}
		for _, v := range value(x) {
			if sub.Notify(v) != nil {
				delete(s.all, sub)
				break
			}
		}
	}
}

func (s *subscribers) any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all) > 0
}

// onBlock tells of a block that was executed.
func (a *API) onBlock(r *eth.Rendered) {
	var head any = r.Block
	if a.manner == eth.Strict {
		head = r.Block.Full(r.Transactions)
	}
	var raw []any
	if b, err := json.Marshal(head); err == nil {
		raw = []any{json.RawMessage(b)}
	}
	a.subscribers.tell(ofBlocks, func(subscription) []any { return raw })
	a.tellLogs(r, false)
}

// tellLogs tells of a block's logs, or that they are gone.
func (a *API) tellLogs(r *eth.Rendered, removed bool) {
	a.subscribers.tell(ofLogs, func(s subscription) (told []any) {
		if !s.logs.MayMatch(&r.Block.LogsBloom) {
			return nil
		}
		for _, receipt := range r.Receipts {
			for _, l := range receipt.Logs {
				if s.logs.Match(l) {
					if removed {
						gone := *l
						gone.Removed = true
						l = &gone
					}
					told = append(told, l)
				}
			}
		}
		return told
	})
}

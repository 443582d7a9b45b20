package dev_test

import (
	"errors"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
)

// Logs are found by address, topics and epochs, in the order of the chain.
func TestLogs(t *testing.T) {
	n := devtest.New(t)
	one, two := n.Deploy(t, 0, devtest.Token()), n.Deploy(t, 1, devtest.Token())
	var want []eth.Hash
	for i := range 6 {
		at, from := &one, 0
		if i%2 == 1 {
			at, from = &two, 1
		}
		sent := n.Send(t, from, eth.Call{To: at, Input: devtest.Transfer(n.Account(2+i%3).Eth, uint64(i))})
		if from == 0 {
			want = append(want, sent.Hash)
		}
		n.Blocks(t, 1)
	}
	last := uint64(n.Latest().Epoch())
	logs := func(o dev.LogsOptions) []*eth.Log {
		t.Helper()
		list, err := n.Logs(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got := logs(dev.LogsOptions{Last: last}); len(got) != 6 {
		t.Errorf("%d logs", len(got))
	}
	got := logs(dev.LogsOptions{Filter: &eth.Filter{Addresses: []eth.Address{one}}, Last: last})
	for i, h := range want {
		if len(got) != len(want) || got[i].TransactionHash != h || got[i].Address != one {
			t.Errorf("log %d of %d is %+v", i, len(got), got)
		}
	}
	// The third topic is the receiver.
	var to eth.Hash
	copy(to[12:], n.Account(3).Eth[:])
	if got := logs(dev.LogsOptions{Filter: &eth.Filter{Topics: [][]eth.Hash{nil, nil, {to}}}, Last: last}); len(got) != 2 {
		t.Errorf("%d logs", len(got))
	}
	b, _, _ := n.Node.Transaction(want[1])
	if got := logs(dev.LogsOptions{First: uint64(b.Epoch()), Last: uint64(b.Epoch())}); len(got) != 1 || got[0].TransactionHash != want[1] {
		t.Errorf("%+v", got)
	}
	if got, err := n.BlockLogs(t.Context(), b, nil, eth.Tools); err != nil || len(got) != 1 {
		t.Errorf("%+v %v", got, err)
	}
	for _, o := range []dev.LogsOptions{{First: last + 1, Last: 1 << 63}, {First: 9, Last: 3}} {
		if got := logs(o); len(got) != 0 {
			t.Errorf("%+v: %d logs", o, len(got))
		}
	}
	var e *eth.Error
	if _, err := n.Logs(t.Context(), dev.LogsOptions{Last: last, Most: 5}); !errors.As(err, &e) || e.Code != eth.CodeLimitExceeded {
		t.Errorf("%v", err)
	}
	if _, err := n.Logs(t.Context(), dev.LogsOptions{Last: last, Most: 6}); err != nil {
		t.Errorf("%v", err)
	}
}

// What a block is in Ethereum's words stands upon its parent by hash, and the gas paid is what the receipts say.
func TestRender(t *testing.T) {
	n := devtest.New(t)
	devtest.Busy(t, n, 2)
	for b := n.Latest(); b.Epoch() > 0; b = n.Parent(b) {
		r, err := n.Render(t.Context(), b, eth.Tools)
		if err != nil {
			t.Fatal(err)
		}
		if r.Block.ParentHash != n.Parent(b).Hash || r.Block.Hash != b.Hash || uint64(r.Block.GasUsed) != uint64(b.GasUsed()) || len(r.Receipts) != len(b.Messages) {
			t.Errorf("epoch %d: %+v", b.Epoch(), r.Block)
		}
		for i, e := range b.Messages {
			if r.Receipts[i].TransactionHash != e.Hash || (r.Receipts[i].Status == 1) != (e.Result.ExitCode == 0) {
				t.Errorf("epoch %d, message %d: %+v", b.Epoch(), i, r.Receipts[i])
			}
		}
	}
}

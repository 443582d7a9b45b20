package dev_test

import (
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
)

// BenchmarkCall is eth_call of an ERC-20 balance.
func BenchmarkCall(b *testing.B) {
	n := devtest.New(b)
	at := n.Deploy(b, 0, devtest.Token())
	a := n.Account(0).Eth
	from := eth.Address(a)
	msg, err := (&eth.Call{From: &from, To: &at, Input: devtest.BalanceOf(a)}).Message(eth.Tools)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			res, err := n.Call(b.Context(), n.Latest(), msg, dev.CallOptions{})
			if err != nil || res.ExitCode != 0 {
				b.Error(res, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkTransfer is an ERC-20 transfer in a block of its own.
func BenchmarkTransfer(b *testing.B) {
	n := devtest.New(b)
	at := n.Deploy(b, 0, devtest.Token())
	gas := eth.Quantity(10_000_000)
	b.ReportAllocs()
	for b.Loop() {
		if sent := n.Send(b, 0, eth.Call{To: &at, Input: devtest.Transfer(n.Account(1).Eth, 1), Gas: &gas}); sent.Result.ExitCode != 0 {
			b.Fatal(sent.Result.Failure)
		}
	}
}

// BenchmarkMine is an empty block.
func BenchmarkMine(b *testing.B) {
	n := devtest.New(b)
	b.ReportAllocs()
	for b.Loop() {
		n.Blocks(b, 1)
	}
}

// BenchmarkNew is a node whose genesis was made before in this process.
func BenchmarkNew(b *testing.B) {
	devtest.New(b)
	b.ReportAllocs()
	for b.Loop() {
		n, err := dev.New(b.Context(), dev.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSnapshot is a snapshot and the way back to it.
func BenchmarkSnapshot(b *testing.B) {
	n := devtest.New(b)
	n.Blocks(b, 1000)
	for b.Loop() {
		id, err := n.Snapshot(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if ok, err := n.Revert(b.Context(), id); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkBlock is a block with 100 ERC-20 transfers, from the signed transactions on.
func BenchmarkBlock(b *testing.B) {
	n := devtest.New(b)
	at := n.Deploy(b, 0, devtest.Token())
	gas := eth.Quantity(10_000_000)
	nonce := uint64(1)
	for b.Loop() {
		b.StopTimer()
		var list []*ethtx.Transaction
		for i := range 100 {
			next := eth.Quantity(nonce)
			nonce++
			list = append(list, n.Transaction(b, 0, eth.Call{To: &at, Input: devtest.Transfer(n.Account(i%10).Eth, 1), Gas: &gas, Nonce: &next}))
		}
		n.SetAutomine(false)
		b.StartTimer()
		for _, tx := range list {
			if _, err := n.SubmitTransaction(b.Context(), tx); err != nil {
				b.Fatal(err)
			}
		}
		if block := n.Blocks(b, 1); len(block.Messages) != len(list) {
			b.Fatalf("%d messages", len(block.Messages))
		}
	}
}

package dev_test

import (
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
)

// deploy makes a contract of the first account, and gives its address.
func deploy(t testing.TB, n *dev.Node, init []byte) eth.Address {
	t.Helper()
	b, e := send(t, n, transaction(t, n, 0, eth.Call{Input: init}))
	if e.Result.ExitCode != 0 {
		t.Fatalf("exit code %d: %s", e.Result.ExitCode, e.Result.Failure)
	}
	r, err := n.Render(t.Context(), b, eth.Tools)
	if err != nil {
		t.Fatal(err)
	}
	if r.Receipts[0].ContractAddress == nil {
		t.Fatal("no address")
	}
	return *r.Receipts[0].ContractAddress
}

// balanceOf and transfer are calldata of ERC-20.
func balanceOf(a [20]byte) []byte { return append([]byte{0x70, 0xa0, 0x82, 0x31}, word(a[:])...) }
func transfer(to [20]byte, amount byte) []byte {
	return append(append([]byte{0xa9, 0x05, 0x9c, 0xbb}, word(to[:])...), word([]byte{amount})...)
}

// BenchmarkCall is eth_call of an ERC-20 balance.
func BenchmarkCall(b *testing.B) {
	n := start(b, dev.Options{})
	at := deploy(b, n, token(b))
	a := n.Genesis().Accounts[0].Eth
	from := eth.Address(a)
	msg, err := (&eth.Call{From: &from, To: &at, Input: balanceOf(a)}).Message(eth.Tools)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
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
	n := start(b, dev.Options{})
	at := deploy(b, n, token(b))
	to := n.Genesis().Accounts[1].Eth
	gas := eth.Quantity(10_000_000)
	b.ReportAllocs()
	for b.Loop() {
		_, e := send(b, n, transaction(b, n, 0, eth.Call{To: &at, Input: transfer(to, 1), Gas: &gas}))
		if e.Result.ExitCode != 0 {
			b.Fatal(e.Result.Failure)
		}
	}
}

// BenchmarkMine is an empty block.
func BenchmarkMine(b *testing.B) {
	n := start(b, dev.Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Mine(b.Context(), dev.MineOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

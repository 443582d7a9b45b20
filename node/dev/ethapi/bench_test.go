//go:build unix

package ethapi_test

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/ethapi"
)

// cpu is the time that the process has had of all processors, in nanoseconds: on a busy machine it says more than the clock does.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkCall asks for the balance of an ERC-20, from several clients at once.
func BenchmarkCall(b *testing.B) {
	w := start(b, dev.Options{}, ethapi.Options{})
	coin := load(b, "coin")
	c := w.deploy(coin, "")
	request := []byte(`{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"` + c + `","data":"` + coin.data(b, "balanceOf", w.me) + `"},"latest"]}`)
	w.server.Handle(b.Context(), request)
	b.ResetTimer()
	before := cpu(b)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			w.server.Handle(b.Context(), request)
		}
	})
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkTransfers makes a block of 100 ERC-20 transfers.
func BenchmarkTransfers(b *testing.B) {
	w := start(b, dev.Options{Manual: true}, ethapi.Options{})
	coin := load(b, "coin")
	mine := func() {
		if _, err := w.node.Mine(b.Context(), dev.MineOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	ask[string](w, "eth_sendTransaction", object{"from": w.me, "data": coin.Bytecode})
	mine()
	c := ask[[]receipt](w, "eth_getBlockReceipts", "latest")[0].ContractAddress
	used, n := int64(0), 0
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		for range 100 {
			n++
			ask[string](w, "eth_sendTransaction", object{"from": w.me, "to": c, "gas": "0x3000000", "data": coin.data(b, "transfer", fmt.Sprintf("0x%040x", 0xaa0000+n), "1")})
		}
		b.StartTimer()
		start := cpu(b)
		mine()
		used += cpu(b) - start
	}
	if got := ask[[]receipt](w, "eth_getBlockReceipts", "latest"); len(got) != 100 || got[99].Status != "0x1" {
		b.Fatalf("%d receipts, the last %+v", len(got), got[len(got)-1])
	}
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
}

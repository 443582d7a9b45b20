package ethapi_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/edgefvm/fvm/explain/evmtrace"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/ethapi"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtrace"
)

// BenchmarkTracers executes a block's message again with each tracer in turn, its JSON written, and reports how many times as long as without one it
// takes: the best of each.
func BenchmarkTracers(b *testing.B) {
	w := start(b, dev.Options{}, ethapi.Options{})
	coin := load(b, "coin")
	c := w.deploy(coin, "")
	loop := w.code("61ffff" + "5b60019003806003575000") // PUSH2 ffff, JUMPDEST, PUSH1 1, SWAP1, SUB, DUP1, PUSH1 3, JUMPI, POP, STOP
	for name, tx := range map[string]object{
		"transfer of an ERC-20": {"to": c, "data": coin.data(b, "transfer", "0x00000000000000000000000000000000000000bb", "5")},
		"loop":                  {"to": loop},
	} {
		b.Run(name, func(b *testing.B) {
			if r := w.send(tx); r.Status != "0x1" {
				b.Fatalf("%+v", r)
			}
			block := w.node.Latest()
			again := func(config *ethtrace.Config) time.Duration {
				begin := time.Now()
				watch := dev.Watch{Count: 1, Done: func(*dev.Again) error { return nil }}
				if config != nil {
					t, err := ethtrace.New(*config)
					if err != nil {
						b.Fatal(err)
					}
					watch.Hooks, watch.States = t.Hooks(), t.States()
					watch.Done = func(a *dev.Again) error {
						r, err := t.Result(b.Context(), &ethtrace.Done{Result: a.Result, Manner: eth.Tools, Name: a.Machine.ActorName, Before: a.Before, After: a.After, Store: a.Store})
						if err != nil {
							return err
						}
						if l, ok := r.(*evmtrace.Log); ok { // as package jsonrpc writes it
							_, err = l.AppendJSON(nil)
							return err
						}
						_, err = json.Marshal(r)
						return err
					}
				}
				if err := w.node.Retrace(b.Context(), block, watch); err != nil {
					b.Fatal(err)
				}
				return time.Since(begin)
			}
			configs := []*ethtrace.Config{nil, {Tracer: "callTracer"}, {}, {Tracer: "prestateTracer"}}
			names := []string{"untraced", "callTracer", "structLog", "prestateTracer"}
			best := make([]time.Duration, len(configs))
			for _, c := range configs { // compile
				again(c)
			}
			for b.Loop() {
				for i, c := range configs {
					if d := again(c); best[i] == 0 || d < best[i] {
						best[i] = d
					}
				}
			}
			b.ReportMetric(float64(best[0].Microseconds()), "µs/untraced")
			for i := range configs[1:] {
				b.ReportMetric(float64(best[i+1])/float64(best[0]), fmt.Sprintf("x/%s", names[i+1]))
			}
		})
	}
}

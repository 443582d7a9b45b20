package cheats

import (
	"fmt"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

func BenchmarkCheats(b *testing.B) {
	for name, params := range map[string]func(i int) (method string, list []any){
		"setBalance": func(i int) (string, []any) {
			return "anvil_setBalance", []any{fmt.Sprintf("0x%040x", 0x10000+i%100), i}
		},
		"setStorageAt": func(i int) (string, []any) {
			return "anvil_setStorageAt", []any{"0x00000000000000000000000000000000000c0de1", i % 1000, i + 1}
		},
		"snapshot": func(int) (string, []any) { return "evm_snapshot", nil },
		"mine":     func(int) (string, []any) { return "evm_mine", nil },
	} {
		b.Run(name, func(b *testing.B) {
			n, err := dev.New(b.Context(), dev.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer n.Close()
			ms := &jsonrpc.Methods{}
			Register(ms, n, Options{})
			c := jsonrpc.New(ms, jsonrpc.Options{}).Client()
			for i := 0; b.Loop(); i++ {
				method, list := params(i)
				if err := c.Call(b.Context(), nil, method, list...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

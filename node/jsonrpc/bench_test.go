package jsonrpc

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// The aim: 50,000 requests a second on two cores, in the process.
func BenchmarkHandle(b *testing.B) {
	s := New(testMethods(), Options{})
	for name, message := range map[string]string{"none": chainID, "two": `{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266","latest"]}`} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					s.Handle(b.Context(), []byte(message))
				}
			})
		})
	}
}

func BenchmarkHTTP(b *testing.B) {
	_, addr := serve(b, Options{})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	defer client.CloseIdleConnections()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			res, err := client.Post("http://"+addr, "application/json", strings.NewReader(chainID))
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	})
}

func BenchmarkWebSocket(b *testing.B) {
	_, addr := serve(b, Options{})
	c := dial(b, addr)
	for b.Loop() {
		say(b, c, chainID)
		hear(b, c)
	}
}

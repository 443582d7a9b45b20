package devtest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
)

// Parallel tests have chains of their own, which are alike.
func TestParallel(t *testing.T) {
	hashes := make(chan eth.Hash, 6)
	t.Run("nets", func(t *testing.T) {
		for i := range cap(hashes) {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				n := devtest.New(t)
				at := n.Deploy(t, 0, devtest.Token())
				sent := n.Send(t, 0, eth.Call{To: &at, Input: devtest.Transfer(n.Account(1).Eth, 4)})
				if got := n.Read(t, eth.Call{To: &at, Input: devtest.BalanceOf(n.Account(1).Eth)}); got[31] != 4 || sent.Block.Epoch() != 2 {
					t.Errorf("balance %x at epoch %d", got, sent.Block.Epoch())
				}
				hashes <- sent.Block.Hash
			})
		}
	})
	first := <-hashes
	for range cap(hashes) - 1 {
		if h := <-hashes; h != first {
			t.Errorf("block %s, another has %s", h, first)
		}
	}
}

// Requests come to a handler as over a connection.
func TestTransport(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprintf(w, "%s %s %s %s", r.Method, r.RequestURI, r.Host, body)
	})
	c := http.Client{Transport: devtest.Transport(echo)}
	res, err := c.Post("http://dev.invalid/rpc/v1?x=1", "application/json", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusTeapot || string(body) != "POST /rpc/v1?x=1 dev.invalid hello" {
		t.Errorf("%d %q %v", res.StatusCode, body, err)
	}
	if res, err = c.Get("http://dev.invalid"); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
}

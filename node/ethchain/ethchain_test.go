package ethchain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/dev/ethapi"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethchain"
	"github.com/edgefvm/fvm/node/filapi"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// two are the methods of one chain by two ways: those of the development node that made it, and those of an archive.
type two struct {
	t          *testing.T
	node, file *jsonrpc.Client
	compared   int
}

func both(t *testing.T, n *devtest.Net, manner eth.Manner) *two {
	t.Helper()
	var a jsonrpc.Methods
	own := ethapi.New(n.Node, ethapi.Options{Manner: manner})
	t.Cleanup(own.Close)
	own.Register(&a)
	api, err := ethchain.New(t.Context(), filapi.Node(n.Node), ethchain.Options{Manner: manner})
	if err != nil {
		t.Fatal(err)
	}
	var b jsonrpc.Methods
	api.Register(&b)
	return &two{t: t, node: jsonrpc.New(&a, jsonrpc.Options{}).Client(), file: jsonrpc.New(&b, jsonrpc.Options{}).Client()}
}

func answer(t *testing.T, c *jsonrpc.Client, method string, params []any) string {
	t.Helper()
	var out json.RawMessage
	err := c.Call(t.Context(), &out, method, params...)
	var e *jsonrpc.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("error %d: %s", e.Code, e.Message)
	}
	if err != nil {
		t.Fatal(err)
	}
	var short bytes.Buffer
	if err := json.Compact(&short, out); err != nil {
		t.Fatal(err)
	}
	return short.String()
}

// same asks both ways, and gives the answer.
func (w *two) same(method string, params ...any) string {
	w.t.Helper()
	w.compared++
	want, got := answer(w.t, w.node, method, params), answer(w.t, w.file, method, params)
	if got != want {
		w.t.Errorf("%s %v gives\n%.1500s\nand at the node\n%.1500s", method, params, got, want)
	}
	return want
}

type object = map[string]any

// All that Ethereum's clients ask of a chain is the same whether the node is asked that made it or an archive: two ways to the same
// answers, of which that of the node is compared with Lotus's elsewhere (package eth).
func TestAsTheNode(t *testing.T) {
	for _, manner := range []eth.Manner{eth.Tools, eth.Strict} {
		n := devtest.New(t, dev.Options{Genesis: genesis.Options{Miners: 1}})
		devtest.Busy(t, n, 7)
		around := n.Deploy(t, 2, devtest.World())
		n.Blocks(t, 2)
		w := both(t, n, manner)
		w.same("eth_blockNumber")
		w.same("eth_chainId")
		accounts := n.Genesis().Accounts
		who := []any{eth.Address(accounts[0].Eth).String(), eth.Address(accounts[3].Eth).String(), around.String(), "0x00000000000000000000000000000000000000aa", "0xff00000000000000000000000000000000000063"}
		for b := n.Latest(); b.Epoch() > 0; b = n.Parent(b) {
			number := fmt.Sprintf("%#x", int64(b.Epoch()))
			w.same("eth_getBlockByNumber", number, true)
			w.same("eth_getBlockReceipts", number)
			if len(b.Messages) > 0 {
				w.same("trace_block", number)
			}
			for i, m := range b.Messages {
				hash := m.Hash.String()
				w.same("eth_getTransactionByHash", hash)
				w.same("Filecoin.EthGetMessageCidByTransactionHash", hash)
				if i == 0 && b.Epoch()%3 == 0 {
					w.same("eth_getTransactionReceipt", hash)
					w.same("trace_transaction", hash)
					w.same("eth_getTransactionByBlockHashAndIndex", b.Hash.String(), "0x0")
				}
			}
			if b.Epoch()%5 > 0 {
				continue
			}
			w.same("eth_getBlockByHash", b.Hash.String(), false)
			for _, a := range who {
				w.same("eth_getBalance", a, number)
				w.same("eth_getTransactionCount", a, number)
				w.same("eth_getCode", a, number)
				w.same("eth_getStorageAt", a, "0x0", number)
			}
			w.same("eth_call", object{"to": around.String()}, number)
			w.same("eth_call", object{"from": who[3], "to": around.String(), "data": "0x12"}, number)
		}
		w.same("eth_call", object{"to": around.String(), "value": "0xffffffffffffffffffffffffff"}, "latest") // more than anybody has
		w.same("eth_getLogs", object{"fromBlock": "0x0", "toBlock": "latest"})
		w.same("eth_getBlockByNumber", fmt.Sprintf("%#x", int64(n.Latest().Epoch()+1)), false)
		w.same("eth_getTransactionByHash", "0x"+strings.Repeat("ab", 32))
		w.same("eth_getTransactionReceipt", "0x"+strings.Repeat("ab", 32))
		t.Logf("%d answers are the same", w.compared)
	}
}

// What an archive does not serve is refused in words.
func TestRefused(t *testing.T) {
	n := devtest.New(t)
	n.Blocks(t, 3)
	if err := n.SkipEpochs(4); err != nil {
		t.Fatal(err)
	}
	n.Blocks(t, 2)
	w := both(t, n, eth.Tools)
	for _, c := range []struct {
		method string
		params []any
		want   string
	}{
		{"eth_getBlockByNumber", []any{"0x5", false}, "error 12: requested epoch was a null round (5)"},
		{"eth_getBlockByNumber", []any{"0xffff", false}, "null"},
		{"eth_getBalance", []any{"0x00000000000000000000000000000000000000aa", "0xffff"}, "error -32602: BlockOutOfRangeError"},
		{"eth_sendRawTransaction", []any{"0x00"}, "error -32000: eth_sendRawTransaction: this chain is an archive"},
		{"eth_call", []any{object{"to": nil}, "latest", object{"0x00000000000000000000000000000000000000aa": object{"balance": "0x1"}}}, "error -32602: overrides"},
		{"debug_traceTransaction", []any{"0x" + strings.Repeat("ab", 32), object{"tracer": "callTracer"}}, "error -32000: transaction not found"},
		{"debug_traceTransaction", []any{"0x" + strings.Repeat("ab", 32)}, "error -32602: instructions one by one"},
		{"trace_replayBlockTransactions", []any{"latest", []string{"vmTrace"}}, "error -32602: only 'trace'"},
		{"eth_accounts", nil, "[]"},
	} {
		if got := answer(t, w.file, c.method, c.params); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %v gives %.300s, want %s", c.method, c.params, got, c.want)
		}
	}
}

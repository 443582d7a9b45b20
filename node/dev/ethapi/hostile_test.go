package ethapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/ethapi"
	"github.com/edgefvm/fvm/node/eth"
)

// serve opens a port.
func (w *world) serve() string {
	w.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() { _ = w.server.Serve(ctx, l); close(done) }()
	w.t.Cleanup(func() { cancel(); <-done })
	return l.Addr().String()
}

// Whatever a parameter is, there is an answer, and it is JSON: a result or an error with a code and words.
func TestNonsense(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	methods := []string{
		"eth_getBalance", "eth_getCode", "eth_getStorageAt", "eth_getTransactionCount", "eth_call", "eth_estimateGas", "eth_sendTransaction", "eth_sendRawTransaction",
		"eth_getBlockByNumber", "eth_getBlockByHash", "eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getBlockReceipts", "eth_feeHistory", "eth_getLogs", "eth_newFilter",
		"eth_getFilterChanges", "eth_getFilterLogs", "eth_uninstallFilter", "eth_subscribe", "eth_sign", "personal_sign", "eth_signTypedData_v4", "eth_signTransaction",
		"eth_fillTransaction", "debug_traceTransaction", "debug_traceCall", "trace_block", "trace_transaction", "trace_filter", "trace_replayBlockTransactions", "eth_createAccessList",
		"eth_simulateV1", "eth_callMany", "eth_getProof", "fvm_getProof", "trace_call", "trace_callMany", "trace_rawTransaction", "trace_replayTransaction", "trace_get", "debug_traceBlockByNumber",
		"web3_sha3", "Filecoin.FilecoinAddressToEthAddress", "Filecoin.EthGetTransactionHashByCid", "eth_sendUnsignedTransaction", "personal_ecRecover",
	}
	long := `"0x` + strings.Repeat("ff", 200_000) + `"`
	values := []string{
		`null`, `0`, `-1`, `1e400`, `""`, `"0x"`, `"0x0"`, `"latest"`, `"\u0000"`, `[]`, `{}`, `[[[[]]]]`, `true`, `"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"`,
		`{"to":"0x` + strings.Repeat("00", 20) + `","gas":"0xffffffffffffffff","value":"0x` + strings.Repeat("f", 64) + `","nonce":"0xffffffffffffffff"}`,
		`{"from":"` + w.me + `","gas":"0xffffffffffffffff","maxFeePerGas":"0x` + strings.Repeat("f", 64) + `"}`,
		`{"fromBlock":"0x0","toBlock":"0xffffffffffffffff","topics":[null,[],["0x` + strings.Repeat("0", 64) + `"]]}`, `{"address":{}}`, `{"tracer":1}`, long,
	}
	for _, method := range methods {
		for i, a := range values {
			for _, params := range []string{a, `[` + a + `]`, `[` + a + `,` + values[(i*7+3)%len(values)] + `]`, `[` + a + `,"latest",` + values[(i*5+1)%len(values)] + `]`} {
				answer := w.raw(`{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`)
				var v struct {
					Result json.RawMessage
					Error  *struct {
						Code    int
						Message string
					}
				}
				if err := json.Unmarshal([]byte(answer), &v); err != nil {
					t.Fatalf("%s %.100s: %v: %.200s", method, params, err, answer)
				}
				if v.Error == nil == (v.Result == nil) {
					t.Fatalf("%s %.100s: %.200s", method, params, answer)
				}
				if v.Error != nil && (v.Error.Code == 0 || v.Error.Message == "" || v.Error.Code == -32603 || strings.Contains(v.Error.Message, "fault of the server")) {
					t.Errorf("%s %.100s: %.300s", method, params, answer)
				}
			}
		}
	}
}

// Filters that nobody reads cost nothing, and go when there are too many; those that are read tell everything once.
func TestFilters(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	counter := load(t, "counter")
	c := w.deploy(counter, word("5"))
	logs := ask[string](w, "eth_newFilter", object{"address": c})
	blocks := ask[string](w, "eth_newBlockFilter")
	pending := ask[string](w, "eth_newPendingTransactionFilter")
	for range 3 {
		w.send(object{"to": c, "data": counter.data(t, "inc")})
	}
	for _, want := range []int{3, 0} {
		for name, id := range map[string]string{"logs": logs, "blocks": blocks, "pending": pending} {
			deadline := time.Now().Add(10 * time.Second)
			got := ask[[]any](w, "eth_getFilterChanges", id)
			for len(got) < want && time.Now().Before(deadline) { // pending ones are told by another goroutine
				time.Sleep(10 * time.Millisecond)
				got = append(got, ask[[]any](w, "eth_getFilterChanges", id)...)
			}
			// What was sent just before the filter was made may be told after.
			if len(got) != want && (name != "pending" || want == 0 || len(got) != want+1) {
				t.Errorf("%s: %d, want %d", name, len(got), want)
			}
		}
	}
	if got := ask[[]any](w, "eth_getFilterLogs", logs); len(got) != 1 { // without fromBlock it is of the latest block, as in go-ethereum
		t.Errorf("all logs of the filter: %d", len(got))
	}
	if got := ask[[]any](w, "eth_getLogs", object{"address": c, "fromBlock": "0x0"}); len(got) != 3 {
		t.Errorf("logs: %d", len(got))
	}
	if !ask[bool](w, "eth_uninstallFilter", logs) || ask[bool](w, "eth_uninstallFilter", logs) {
		t.Error("a filter was taken away twice, or never")
	}
	for range 12_000 {
		var id string
		if err := w.client.Call(t.Context(), &id, "eth_newBlockFilter"); err != nil {
			if !strings.Contains(err.Error(), "too many filters") {
				t.Fatal(err)
			}
			return
		}
	}
	t.Error("filters have no end")
}

// A filter's place follows the chain when that is set back.
func TestFilterAfterRevert(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	counter := load(t, "counter")
	c := w.deploy(counter, word("5"))
	id, err := w.node.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	filter := ask[string](w, "eth_newFilter", object{"address": c})
	for range 3 {
		w.send(object{"to": c, "data": counter.data(t, "inc")})
	}
	if got := ask[[]any](w, "eth_getFilterChanges", filter); len(got) != 3 {
		t.Fatalf("%d logs", len(got))
	}
	if _, err := w.node.Revert(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		// The watcher may not have heard of the revert yet: then the log of this block is told with the next.
		w.send(object{"to": c, "data": counter.data(t, "inc")})
		if got := ask[[]any](w, "eth_getFilterChanges", filter); len(got) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("logs after a revert are not told")
		}
	}
}

// A hundred clients at once, of which some cut their requests off, ask for the same and more, and each gets its own answer.
func TestManyClients(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	counter := load(t, "counter")
	c := w.deploy(counter, word("5"))
	at := w.serve()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 200}}
	defer client.CloseIdleConnections()
	post := func(body string) (string, error) {
		resp, err := client.Post("http://"+at, "application/json", strings.NewReader(body))
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return string(b), err
	}
	var wg sync.WaitGroup
	fail := make(chan string, 1000)
	for i := range 200 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if i%4 == 3 { // half a request
				conn, err := net.Dial("tcp", at)
				if err != nil {
					return
				}
				fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{\"jsonrpc\":")
				conn.Close()
				return
			}
			got, err := post(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"eth_call","params":[{"to":"%s","data":"%s"},"latest"]}`, i, c, counter.data(t, "x")))
			if want := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":"0x%s"}`, i, word("5")); err != nil || strings.TrimSpace(got) != want {
				fail <- fmt.Sprintf("%v %s, want %s", err, got, want)
			}
		}()
	}
	wg.Wait()
	close(fail)
	for f := range fail {
		t.Error(f)
	}
	batch := "[" + strings.TrimSuffix(strings.Repeat(`{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"},`, 10_000), ",") + "]"
	got, err := post(batch)
	if err != nil || strings.Count(got, `"result"`) != 10_000 {
		t.Errorf("a batch of 10,000: %v, %d results", err, strings.Count(got, `"result"`))
	}
	got, err = post(batch[:len(batch)-1] + `,{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}]`)
	if err != nil || !strings.Contains(got, `"code":-32600`) {
		t.Errorf("a batch of 10,001: %v %.200s", err, got)
	}
}

// A subscriber that does not read holds up nobody: the others hear of heads and logs, and of logs that are gone.
func TestSubscribers(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	counter := load(t, "counter")
	c := w.deploy(counter, word("5"))
	at := w.serve()
	open := func(kind string) *websocket.Conn {
		conn, _, err := websocket.Dial(t.Context(), "ws://"+at, nil)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetReadLimit(-1)
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":`+kind+`}`)); err != nil {
			t.Fatal(err)
		}
		_, b, err := conn.Read(t.Context())
		if err != nil || !bytes.Contains(b, []byte(`"result":"0x`)) {
			t.Fatalf("%v %s", err, b)
		}
		return conn
	}
	heads, logs, deaf := open(`["newHeads"]`), open(`["logs",{"address":"`+c+`"}]`), open(`["logs",{}]`)
	defer deaf.CloseNow()
	hash := w.send(object{"to": c, "data": counter.data(t, "inc")}).TransactionHash
	read := func(conn *websocket.Conn) string {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, b, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := read(heads); !strings.Contains(got, `"method":"eth_subscription"`) || !strings.Contains(got, `"number":"0x2"`) {
		t.Errorf("head %s", got)
	}
	if got := read(logs); !strings.Contains(got, hash) || !strings.Contains(got, `"removed":false`) {
		t.Errorf("log %s", got)
	}
	if _, err := w.node.Rollback(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if got := read(logs); !strings.Contains(got, hash) || !strings.Contains(got, `"removed":true`) {
		t.Errorf("log after a rollback %s", got)
	}
}

// FuzzCall feeds parameters of eth_call: whatever they are, reading them ends with a value or an error.
func FuzzCall(f *testing.F) {
	for _, s := range []string{`{}`, `{"to":null}`, `{"from":"0x00000000000000000000000000000000000000aa","data":"0x","value":"0x1"}`, `{"gas":"0x5208","accessList":[]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var c eth.Call
		if json.Unmarshal(data, &c) != nil {
			return
		}
		if m, err := c.Message(eth.Tools); err == nil && m.From.Empty() {
			t.Error("a message without a sender")
		}
	})
}

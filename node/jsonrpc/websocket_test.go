package jsonrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func dial(t testing.TB, addr string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "ws://"+addr+"/rpc/v1", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 30)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func say(t testing.TB, c *websocket.Conn, message string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

func hear(t testing.TB, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, b, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWebSocket(t *testing.T) {
	_, addr := serve(t, Options{})
	c := dial(t, addr)
	for _, x := range []struct{ name, in, want string }{
		{"request", chainID, chainIDAnswer},
		{"id byte for byte", `{"id": 1.50e1,"method":"eth_chainId"}`, `{"jsonrpc":"2.0","id":1.50e1,"result":"0x1df5e76"}`},
		{"batch", `[` + chainID + `,{"method":"nothing"},{"id":2,"method":"nothing"}]`, `[` + chainIDAnswer + `,{"jsonrpc":"2.0","id":2,"result":null}]`},
		{"unknown method", `{"id":1,"method":"no"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"the method no does not exist"}}`},
		{"no JSON", `{`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"the request is not JSON: at byte 1: unexpected end of JSON input"}}`},
		{"empty", ``, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the request is empty: send a JSON-RPC 2.0 request as JSON"}}`},
	} {
		say(t, c, x.in)
		if got := hear(t, c); got != x.want {
			t.Errorf("%s: got %s", x.name, got)
		}
	}
	say(t, c, `{"method":"nothing"}`)                                  // no answer
	say(t, c, `{"id":1,"result":5}`)                                   // an answer to nobody
	say(t, c, `{"jsonrpc":"2.0","method":"xrpc.cancel","params":[9]}`) // of nothing
	say(t, c, `{"jsonrpc":"2.0","method":"xrpc.cancel","params":{}}`)
	say(t, c, `{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1,2]}`)
	say(t, c, chainID)
	if got := hear(t, c); got != chainIDAnswer {
		t.Error(got)
	}
	if err := c.Write(t.Context(), websocket.MessageBinary, []byte(chainID)); err != nil || hear(t, c) != chainIDAnswer {
		t.Error("binary:", err)
	}
}

func TestWebSocketTooLarge(t *testing.T) {
	_, addr := serve(t, Options{Limits: Limits{Body: 1000}})
	c := dial(t, addr)
	say(t, c, `"`+strings.Repeat("x", 1000)+`"`)
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Error(err)
	}
}

func TestWebSocketAccess(t *testing.T) {
	_, addr := serve(t, Options{})
	for origin, ok := range map[string]bool{"": true, "http://localhost:5173": true, "https://evil.example": false, "null": false} {
		_, res, err := websocket.Dial(t.Context(), "ws://"+addr, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if (err == nil) != ok {
			t.Errorf("%s: %v", origin, err)
		}
		if !ok && res.StatusCode != 403 {
			t.Error(res.Status)
		}
	}
	if _, res, err := websocket.Dial(t.Context(), "ws://"+addr, &websocket.DialOptions{Host: "evil.example"}); err == nil || res.StatusCode != 403 {
		t.Error("rebound name taken")
	}
}

func TestSubscription(t *testing.T) {
	_, addr := serve(t, Options{})
	c := dial(t, addr)
	say(t, c, `{"id":7,"method":"eth_subscribe","params":["logs"]}`)
	var answer struct{ Result string }
	if err := json.Unmarshal([]byte(hear(t, c)), &answer); err != nil || len(answer.Result) != 66 { // the answer comes first
		t.Fatal(answer, err)
	}
	for i := range 3 {
		want := fmt.Sprintf(`{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"%s","result":"logs%d"}}`, answer.Result, i)
		if got := hear(t, c); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, want := range []string{"true", "false"} {
		say(t, c, `{"id":8,"method":"eth_unsubscribe","params":["`+answer.Result+`"]}`)
		if got := hear(t, c); got != `{"jsonrpc":"2.0","id":8,"result":`+want+`}` {
			t.Error(got)
		}
	}
}

func TestSubscriptionLimit(t *testing.T) {
	_, addr := serve(t, Options{Limits: Limits{Subs: 2}})
	c := dial(t, addr)
	for i := range 3 {
		say(t, c, `{"id":7,"method":"ticks","params":[0]}`)
		for {
			got := hear(t, c)
			if strings.Contains(got, "xrpc") {
				continue
			}
			if refused := strings.Contains(got, "-32005"); refused != (i == 2) {
				t.Errorf("%d: %s", i, got)
			}
			break
		}
	}
}

func TestChannel(t *testing.T) {
	_, addr := serve(t, Options{})
	c := dial(t, addr)
	say(t, c, `{"id":1,"method":"ticks","params":[2]}`)
	for _, want := range []string{
		`{"jsonrpc":"2.0","id":1,"result":1}`,
		`{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1,0]}`,
		`{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1,1]}`,
		`{"jsonrpc":"2.0","method":"xrpc.ch.close","params":[1]}`,
	} {
		if got := hear(t, c); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	say(t, c, `{"id":2,"method":"ticks","params":[-1]}`)
	if got := hear(t, c); got != `{"jsonrpc":"2.0","id":2,"error":{"code":7,"message":"negative"}}` {
		t.Error(got)
	}
	say(t, c, `{"id":1000000,"method":"ticks","params":[0]}`)
	if got := hear(t, c); got != `{"jsonrpc":"2.0","id":1000000,"result":2}` {
		t.Error(got)
	}
	say(t, c, `{"jsonrpc":"2.0","method":"xrpc.cancel","params":[1e+06]}`)
	for range 10_000_000 {
		if got := hear(t, c); got == `{"jsonrpc":"2.0","method":"xrpc.ch.close","params":[2]}` {
			return
		}
	}
}

func TestCancelOfACall(t *testing.T) {
	_, addr := serve(t, Options{})
	c := dial(t, addr)
	say(t, c, `{"id":"x","method":"waits"}`)
	say(t, c, `{"jsonrpc":"2.0","method":"xrpc.cancel","params":["x"]}`)
	if got := hear(t, c); !strings.Contains(got, "given up") {
		t.Error(got)
	}
}

// TestClientThatDoesNotRead checks that such a client is dropped, and others are served meanwhile.
func TestClientThatDoesNotRead(t *testing.T) {
	for _, method := range []string{`"eth_subscribe","params":["flood"]`, `"ticks","params":[0]`} {
		s, addr := serve(t, Options{Limits: Limits{Backlog: 1 << 20, Slow: time.Second}})
		bad, good := dial(t, addr), dial(t, addr)
		say(t, bad, `{"id":1,"method":`+method+`}`)
		deadline := time.Now().Add(20 * time.Second)
		for {
			say(t, good, chainID)
			if got := hear(t, good); got != chainIDAnswer {
				t.Fatal(got)
			}
			s.mu.Lock()
			n := len(s.sockets)
			s.mu.Unlock()
			if n == 1 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal(method, "still connected")
			}
			time.Sleep(time.Millisecond)
		}
		_ = bad.CloseNow()
		_ = good.CloseNow()
		leftovers(t)
	}
}

// leftovers waits for the goroutines of connections to end.
func leftovers(t *testing.T) {
	t.Helper()
	var stacks []byte
	for range 1000 {
		stacks = make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if !bytes.Contains(stacks, []byte("jsonrpc.(*Conn)")) && !bytes.Contains(stacks, []byte("jsonrpc.testMethods.")) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("goroutines are left:\n%s", stacks)
}

// TestAnswersNotRead checks that a client that asks and never reads is not asked for more questions.
func TestAnswersNotRead(t *testing.T) {
	s, addr := serve(t, Options{Limits: Limits{Backlog: 1 << 20, Slow: 300 * time.Millisecond}})
	c := dial(t, addr)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	message := []byte(`{"id":1,"method":"echo","params":["` + strings.Repeat("x", 1<<20) + `"]}`)
	n := 0
	for ; c.Write(ctx, websocket.MessageText, message) == nil; n++ {
		if n > 500 {
			t.Fatal("500 MB were taken")
		}
	}
	for range 1000 {
		s.mu.Lock()
		left := len(s.sockets)
		s.mu.Unlock()
		if left == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("still connected")
}

func TestManySockets(t *testing.T) {
	_, addr := serve(t, Options{})
	var wg sync.WaitGroup
	for range 200 {
		c := dial(t, addr)
		wg.Go(func() {
			for i := range 10 {
				if c.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `{"id":%d,"method":"eth_chainId"}`, i)) != nil {
					t.Error("cut")
					return
				}
			}
			var got []string
			for range 10 {
				_, b, err := c.Read(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				got = append(got, string(b))
			}
			sort.Strings(got)
			for i, g := range got {
				if g != fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":"0x1df5e76"}`, i) {
					t.Error(g)
				}
			}
		})
	}
	wg.Wait()
}

func TestShutdown(t *testing.T) {
	s := New(testMethods(), Options{Log: quiet()})
	pipe := NewPipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, pipe) }()
	c, _, err := websocket.Dial(t.Context(), "ws://in.the.process.localhost/", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: pipe.DialContext}}})
	if err != nil {
		t.Fatal(err)
	}
	say(t, c, chainID)
	if got := hear(t, c); got != chainIDAnswer {
		t.Error(got)
	}
	say(t, c, `{"id":5,"method":"waits"}`)
	cancel()
	for {
		_, _, err := c.Read(t.Context())
		if err == nil {
			continue
		}
		if websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Error(err)
		}
		break
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(8 * time.Second):
		t.Error("it stays")
	}
	if _, err := pipe.DialContext(t.Context(), "", ""); err != net.ErrClosed {
		t.Error(err)
	}
}

// TestBatchOfSubscriptions checks that notices come after the answer to the batch, and each subscription has its own.
func TestBatchOfSubscriptions(t *testing.T) {
	_, addr := serve(t, Options{})
	c := dial(t, addr)
	say(t, c, `[{"id":1,"method":"eth_subscribe","params":["a"]},{"id":2,"method":"ticks","params":[1]},{"id":3,"method":"eth_subscribe","params":["b"]}]`)
	var answers []struct{ Result any }
	if err := json.Unmarshal([]byte(hear(t, c)), &answers); err != nil || len(answers) != 3 || answers[1].Result != 1.0 {
		t.Fatal(answers, err)
	}
	count := map[string]int{}
	for range 8 {
		got := hear(t, c)
		for _, key := range []string{answers[0].Result.(string), answers[2].Result.(string), "xrpc.ch.val", "xrpc.ch.close"} {
			if strings.Contains(got, key) {
				count[key]++
			}
		}
	}
	if count[answers[0].Result.(string)] != 3 || count[answers[2].Result.(string)] != 3 || count["xrpc.ch.val"] != 1 || count["xrpc.ch.close"] != 1 {
		t.Error(count)
	}
}

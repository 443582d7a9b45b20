package jsonrpc

import (
	"bufio"
	"bytes"
	"compress/gzip"
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
)

// serve starts a server on a port of its own.
func serve(t testing.TB, opts Options) (s *Server, addr string) {
	t.Helper()
	if opts.Log == nil {
		opts.Log = quiet()
	}
	s = New(testMethods(), opts)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error("Serve:", err)
		}
	})
	return s, l.Addr().String()
}

const chainID = `{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}`
const chainIDAnswer = `{"jsonrpc":"2.0","id":1,"result":"0x1df5e76"}`

// exchange sends raw bytes and returns the response.
func exchange(t *testing.T, addr, raw string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	return r, string(body)
}

func post(host, headers, body string) string {
	return fmt.Sprintf("POST /rpc/v1 HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %d\r\n\r\n%s", host, headers, len(body), body)
}

func TestHTTP(t *testing.T) {
	_, addr := serve(t, Options{})
	for _, c := range []struct {
		name, raw string
		status    int
		body      string
	}{
		{"request", post("localhost:8545", "", chainID), 200, chainIDAnswer},
		{"any content type", post("localhost", "Content-Type: text/plain\r\n", chainID), 200, chainIDAnswer},
		{"unknown method is status 200", post("127.0.0.1", "", `{"id":1,"method":"no"}`), 200, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"the method no does not exist"}}`},
		{"notification", post("[::1]:5", "", `{"method":"no"}`), 204, ""},
		{"other machine by address", post("192.168.1.5:8545", "", chainID), 200, chainIDAnswer},
		{"rebound name", post("evil.example:8545", "", chainID), 403, "the host evil.example:8545 is not allowed"},
		{"name that looks local", post("localhost.evil.example", "", chainID), 403, "not allowed"},
		{"page of a website", post("localhost", "Origin: https://evil.example\r\n", chainID), 403, "origin https://evil.example are not allowed"},
		{"page that looks local", post("localhost", "Origin: http://localhost.evil.example\r\n", chainID), 403, "not allowed"},
		{"hidden origin", post("localhost", "Origin: null\r\n", chainID), 403, "not allowed"},
		{"page of this machine", post("localhost", "Origin: http://localhost:3000\r\n", chainID), 200, chainIDAnswer},
		{"wallet", post("localhost", "Origin: chrome-extension://abcdef\r\n", chainID), 200, chainIDAnswer},
		{"GET", "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "JSON-RPC 2.0 by POST"},
		{"PUT", "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405, "by POST"},
		{"no body", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 200, "-32600"},
		{"chunked", "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(chainID), chainID), 200, chainIDAnswer},
		{"length beyond the limit", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", 200, "-32600"},
		{"unknown encoding", post("localhost", "Content-Encoding: br\r\n", chainID), 200, "Content-Encoding br is not supported"},
		{"false gzip", post("localhost", "Content-Encoding: gzip\r\n", chainID), 200, "but is not"},
		{"HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 47\r\n\r\n" + chainID, 200, chainIDAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, body := exchange(t, addr, c.raw)
			if r.StatusCode != c.status || !strings.Contains(body, c.body) {
				t.Errorf("status %d, body %s", r.StatusCode, body)
			}
			if c.status == 200 && strings.HasPrefix(body, "{") && r.Header.Get("Content-Type") != "application/json" {
				t.Error(r.Header)
			}
		})
	}
}

func TestPreflight(t *testing.T) {
	_, addr := serve(t, Options{Access: Access{Token: "t", Origins: []string{"https://*.example"}, Hosts: []string{"*.node.example"}}})
	r, _ := exchange(t, addr, "OPTIONS / HTTP/1.1\r\nHost: a.node.example\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n"+
		"Access-Control-Request-Headers: content-type,x-own\r\nAccess-Control-Request-Private-Network: true\r\n\r\n")
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "https://app.example", "Access-Control-Allow-Headers": "content-type,x-own",
		"Access-Control-Allow-Methods": "POST, GET, HEAD, OPTIONS", "Access-Control-Allow-Private-Network": "true", "Vary": "Origin",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if r.StatusCode != 204 {
		t.Error(r.Status)
	}
	if r, _ := exchange(t, addr, "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.test\r\n\r\n"); r.StatusCode != 403 || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error(r.Status, r.Header)
	}
}

func TestToken(t *testing.T) {
	_, addr := serve(t, Options{Access: Access{Token: "secret"}})
	for _, c := range []struct {
		name, headers string
		status        int
	}{
		{"none", "", 401},
		{"wrong", "Authorization: Bearer secre\r\n", 401},
		{"right", "Authorization: Bearer secret\r\n", 200},
	} {
		if r, body := exchange(t, addr, post("localhost", c.headers, chainID)); r.StatusCode != c.status {
			t.Error(c.name, r.Status, body)
		}
	}
	if r, _ := exchange(t, addr, strings.Replace(post("localhost", "", chainID), "/rpc/v1", "/rpc/v1?token=secret", 1)); r.StatusCode != 200 {
		t.Error("query:", r.Status)
	}
}

func TestGzip(t *testing.T) {
	_, addr := serve(t, Options{Limits: Limits{Body: 1 << 20}})
	pack := func(s string) io.Reader {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, s)
		_ = z.Close()
		return &b
	}
	do := func(body io.Reader) (*http.Response, string) {
		r, _ := http.NewRequest(http.MethodPost, "http://"+addr, body)
		r.Header.Set("Content-Encoding", "gzip")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res, string(b)
	}
	want := `["` + strings.Repeat("abc", 100_000) + `"]`
	res, body := do(pack(`{"id":1,"method":"echo","params":` + want + `}`))
	if !res.Uncompressed || body != `{"jsonrpc":"2.0","id":1,"result":`+want+`}` {
		t.Errorf("packed: %v, %d bytes", res.Uncompressed, len(body))
	}
	if res, body := do(pack(chainID)); res.Uncompressed || body != chainIDAnswer {
		t.Error("small:", res.Uncompressed, body)
	}
	if _, body := do(pack(strings.Repeat(" ", 2<<20))); !strings.Contains(body, "more than the 1048576 bytes") {
		t.Error("large when unpacked:", body)
	}
}

func TestCutAndSlow(t *testing.T) {
	began, gone := make(chan struct{}), make(chan struct{})
	ms := &Methods{}
	ms.Register("naps", func(ctx context.Context) string {
		select {
		case <-ctx.Done():
			return "cancelled"
		case <-time.After(300 * time.Millisecond):
			return "done"
		}
	})
	ms.Register("watch", func(ctx context.Context) { close(began); <-ctx.Done(); close(gone) })
	_, addr := serve(t, Options{Limits: Limits{Slow: 100 * time.Millisecond}, Paths: map[string]*Methods{"/rpc/v1": ms}})
	t.Run("slow body", func(t *testing.T) {
		_, body := exchange(t, addr, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 47\r\n\r\n{\"id\"")
		if !strings.Contains(body, "after 5 bytes: it came too slowly") {
			t.Error(body)
		}
	})
	t.Run("method slower than the client's limit", func(t *testing.T) { // no deadline of the body may end it
		if _, body := exchange(t, addr, post("localhost", "", `{"id":1,"method":"naps"}`)); !strings.Contains(body, `"done"`) {
			t.Error(body)
		}
	})
	t.Run("cut", func(t *testing.T) {
		for n := 1; n < len(post("localhost", "", chainID)); n += 7 {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, post("localhost", "", chainID)[:n])
			_ = conn.Close()
		}
		if _, body := exchange(t, addr, strings.Replace(post("localhost", "", chainID), "/rpc/v1", "/", 1)); body != chainIDAnswer {
			t.Error(body)
		}
	})
	t.Run("client gone", func(t *testing.T) {
		conn, _ := net.Dial("tcp", addr)
		_, _ = io.WriteString(conn, post("localhost", "", `{"id":1,"method":"watch"}`))
		<-began
		_ = conn.Close()
		select {
		case <-gone:
		case <-time.After(5 * time.Second):
			t.Error("the method goes on")
		}
	})
}

func TestTooManyConns(t *testing.T) {
	_, addr := serve(t, Options{Limits: Limits{Conns: 2}})
	var conns []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, post("localhost", "", chainID))
		_, _ = c.Read(make([]byte, 1000)) // it is accepted
		conns = append(conns, c)
	}
	c, _ := net.Dial("tcp", addr)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || r.StatusCode != 503 {
		t.Error(r, err)
	}
	for _, c := range conns {
		_ = c.Close()
	}
	for range 100 {
		c, _ := net.Dial("tcp", addr)
		_, _ = io.WriteString(c, post("localhost", "", chainID))
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		_ = c.Close()
		if err == nil && r.StatusCode == 200 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("a place was not given back")
}

func TestManyClients(t *testing.T) {
	_, addr := serve(t, Options{})
	var wg sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 200, MaxIdleConnsPerHost: 200}}
	defer client.CloseIdleConnections()
	for i := range 200 {
		wg.Go(func() {
			for j := range 10 {
				want := fmt.Sprintf(`{"jsonrpc":"2.0","id":"%d-%d","result":[%d]}`, i, j, i)
				res, err := client.Post("http://"+addr, "application/json", strings.NewReader(fmt.Sprintf(`{"id":"%d-%d","method":"echo","params":[%d]}`, i, j, i)))
				if err != nil {
					t.Error(err)
					return
				}
				b, _ := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if string(b) != want {
					t.Errorf("got %s", b)
				}
			}
		})
	}
	wg.Wait()
}

func TestLargeBatch(t *testing.T) {
	_, addr := serve(t, Options{})
	batch := func(n int) []byte {
		return []byte("[" + strings.Repeat(chainID+",", n-1) + chainID + "]")
	}
	send := func(b []byte) []byte {
		res, err := http.Post("http://"+addr, "application/json", bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		out, _ := io.ReadAll(res.Body)
		return out
	}
	var answers []any
	if err := json.Unmarshal(send(batch(10_000)), &answers); err != nil || len(answers) != 10_000 {
		t.Error(err, len(answers))
	}
	if got := string(send(batch(10_001))); !strings.Contains(got, "at most 10000 are allowed") {
		t.Errorf("%.200s", got)
	}
}

func TestClient(t *testing.T) {
	c := New(testMethods(), Options{}).Client()
	var id string
	if err := c.Call(t.Context(), &id, "eth_chainId"); err != nil || id != "0x1df5e76" {
		t.Error(id, err)
	}
	var sum int
	if err := c.Call(t.Context(), &sum, "sum", 1, "2", uint64(3)); err != nil || sum != 6 {
		t.Error(sum, err)
	}
	err := c.Call(t.Context(), nil, "reverts")
	e, ok := err.(*Error)
	if !ok || e.Code != 3 || e.Message != "execution reverted: oops" || string(e.Data.(json.RawMessage)) != `"0x08c379a0"` {
		t.Errorf("%#v", err)
	}
}

func TestRoundTripper(t *testing.T) {
	s := New(testMethods(), Options{})
	client := &http.Client{Transport: s.RoundTripper()}
	res, err := client.Post("http://anything/rpc/v1", "application/json", strings.NewReader(chainID))
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(res.Body); string(b) != chainIDAnswer || res.StatusCode != 200 {
		t.Error(res.Status, string(b))
	}
}

func FuzzHandle(f *testing.F) {
	for _, seed := range []string{chainID, `[` + chainID + `,1]`, `{"id":{"a":[]},"method":"eth_call","params":[{"gas":1},null]}`,
		`{"id":1,"method":"eth_getBalance","params":{"address":"x"}}`, `{"id":"\u0000","method":"evm_mine","params":["0x1"]}`, `{}`, `[]`, `null`, ` `} {
		f.Add([]byte(seed))
	}
	ms := testMethods()
	delete(ms.table, "sleep")
	delete(ms.table, "waits")
	s := New(ms, Options{Log: quiet()})
	f.Fuzz(func(t *testing.T, message []byte) {
		out := s.Handle(t.Context(), message)
		if len(out) > 0 && !json.Valid(out) {
			t.Fatalf("no JSON: %q", out)
		}
		if trimmed := bytes.TrimSpace(message); len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(message) && len(out) == 0 {
			var members map[string]json.RawMessage
			if json.Unmarshal(message, &members) == nil && members["id"] != nil {
				t.Fatalf("a request with an id has no answer: %q", message)
			}
		}
	})
}

package lotusrpc

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
)

func TestParseAddress(t *testing.T) {
	const jwt = "eyJhbGciOiJI.eyJBbGxvdyI6WyJy.d4-_x"
	for _, c := range []struct{ text, url, token string }{
		{"http://127.0.0.1:1234", "http://127.0.0.1:1234/rpc/v1", ""},
		{" https://node.example/ ", "https://node.example/rpc/v1", ""},
		{"ws://[::1]:1234/rpc/v0", "ws://[::1]:1234/rpc/v0", ""},
		{"wss://node.example/x#y", "wss://node.example/x", ""},
		{"/ip4/127.0.0.1/tcp/1234/http", "ws://127.0.0.1:1234/rpc/v1", ""},
		{"/ip4/127.0.0.1/tcp/1234", "ws://127.0.0.1:1234/rpc/v1", ""},
		{"/ip6/::1/tcp/1234/http", "ws://[::1]:1234/rpc/v1", ""},
		{"/dns4/node.example/tcp/443/https", "wss://node.example:443/rpc/v1", ""},
		{jwt + ":/ip4/127.0.0.1/tcp/1234/http", "ws://127.0.0.1:1234/rpc/v1", jwt},
		{jwt + ":/dns/node.example/tcp/443/wss", "wss://node.example:443/rpc/v1", jwt},
		{jwt + ":http://127.0.0.1:1234/rpc/v1", "http://127.0.0.1:1234/rpc/v1", jwt},
	} {
		a, err := ParseAddress(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if a.URL.String() != c.url || a.Token != c.token || a.WebSocket() != strings.HasPrefix(c.url, "ws") {
			t.Errorf("%s: %s, token %q", c.text, a.URL, a.Token)
		}
	}
	for _, bad := range []string{
		"", "   ", "127.0.0.1:1234", "node.example.com:1234", "ftp://x", "http://", "/ip4/x/tcp/1/http", "/ip4/127.0.0.1/udp/1/http", "/ip4/127.0.0.1",
		"/onion/x/tcp/1", "/ip4/127.0.0.1/tcp/1/quic", "http://a b", "/dns/node/tcp/99999999/http", jwt + ":x",
	} {
		if a, err := ParseAddress(bad); err == nil {
			t.Errorf("%q is %s", bad, a.URL)
		} else if !strings.Contains(err.Error(), "want http://") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	// What is secret is never printed.
	a, err := ParseAddress(jwt + ":http://user:password@127.0.0.1:1234/x?token=abc")
	if err != nil || a.String() != "http://127.0.0.1:1234/x" {
		t.Error(a, err)
	}
	if _, err := ParseAddress("http://user:pass word@h"); err == nil || strings.Contains(err.Error(), "pass word") {
		t.Error(err)
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1:1234", "a.b.c:/ip4/127.0.0.1/tcp/1234/http", "/dns4/x/tcp/443/https", "ws://[::1]:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			return
		}
		if a.URL.Hostname() == "" || a.URL.Path == "" {
			t.Errorf("%q: %s", s, a.URL)
		}
	})
}

// What a node may say of tipsets and CIDs is read or refused.
func FuzzTipset(f *testing.F) {
	f.Add([]byte(`{"Cids":[{"/":"bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2"}],"Blocks":[{}],"Height":5}`))
	f.Add([]byte(`{"Cids":[],"Height":5}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v Tipset
		if json.Unmarshal(data, &v) == nil && (len(v.Blocks) == 0 || v.Height < 0) && string(bytes.TrimSpace(data)) != "null" {
			t.Errorf("%s: %+v", data, v)
		}
	})
}

// client of a server at a URL.
func client(t *testing.T, url string, o Options) *Client {
	t.Helper()
	a, err := ParseAddress(url)
	if err != nil {
		t.Fatal(err)
	}
	o.Address = a
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

var block = []byte("a block of a chain")

func blockCID(t testing.TB) cid.Cid {
	c, err := abi.CidBuilder.Sum(block)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answers is a server that answers each request with a status and words, in which ID stands for the request's.
func answers(t *testing.T, status int, words string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ ID json.RawMessage }
		_ = json.NewDecoder(r.Body).Decode(&in)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.ReplaceAll(words, "ID", string(in.ID)))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestAnswers(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(block)
	other := base64.StdEncoding.EncodeToString([]byte("another block"))
	for _, c := range []struct {
		name   string
		status int
		words  string
		is     error
		says   string
	}{
		{"the block", 200, `{"jsonrpc":"2.0","id":ID,"result":"` + good + `"}`, nil, ""},
		{"another block", 200, `{"id":ID,"result":"` + other + `"}`, ErrHash, "other bytes"},
		{"half the block", 200, `{"id":ID,"result":"` + good[:8] + `"}`, ErrHash, ""},
		{"no base64", 200, `{"id":ID,"result":"!!"}`, ErrAnswer, "base64"},
		{"a number", 200, `{"id":ID,"result":5}`, ErrAnswer, ""},
		{"a web page", 200, `<html>hello</html>`, ErrAnswer, "<html>"},
		{"half an answer", 200, `{"id":ID,"resul`, ErrAnswer, "no JSON-RPC"},
		{"another id", 200, `{"id":77777,"result":"` + good + `"}`, ErrAnswer, "77777"},
		{"neither result nor error", 200, `{"id":ID}`, ErrAnswer, "neither"},
		{"nothing", 200, ``, ErrAnswer, ""},
		{"too much", 200, `{"id":ID,"result":"` + strings.Repeat("x", 5000) + `"}`, ErrAnswer, "4096"},
		{"the node's error", 200, `{"id":ID,"error":{"code":1,"message":"blockstore: block not found"}}`, &NodeError{}, "block not found"},
		{"the node's error with a status", 500, `{"id":ID,"error":{"code":-32601,"message":"method 'Filecoin.X' not found"}}`, &NodeError{}, "not found"},
		{"an error with control characters", 200, `{"id":ID,"error":{"code":1,"message":"\u001b[31mred\nline"}}`, &NodeError{}, "[31mred line"},
		{"a wrong token", 401, ``, ErrDenied, "401"},
		{"a token without rights", 403, `no`, ErrDenied, "no"},
		{"a busy node", 429, `slow down`, ErrUnreachable, "slow down"},
		{"a proxy without a node", 502, `<html>Bad Gateway`, ErrUnreachable, "502"},
		{"no such page", 404, `not here`, ErrAnswer, "404"},
		{"a redirect", 302, ``, ErrAnswer, "302"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var heard []Request
			cl := client(t, answers(t, c.status, c.words), Options{MaxAnswer: 4096, OnRequest: func(r Request) { heard = append(heard, r) }})
			data, err := cl.ChainReadObj(t.Context(), blockCID(t))
			if len(heard) != 1 || heard[0].Method != "ChainReadObj" {
				t.Errorf("heard of %+v", heard)
			}
			if c.is == nil {
				if err != nil || !bytes.Equal(data, block) {
					t.Errorf("%q, %v", data, err)
				}
				return
			}
			var node *NodeError
			switch {
			case err == nil:
				t.Fatalf("no error, but %q", data)
			case errors.As(c.is, &node):
				if !errors.As(err, &node) {
					t.Errorf("%v", err)
				}
			case !errors.Is(err, c.is):
				t.Errorf("%v, want %v", err, c.is)
			}
			for _, want := range []string{c.says, "ChainReadObj at http://127.0.0.1", blockCID(t).String()} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("%q is not one plain line", err)
			}
		})
	}
}

// Blocks by other hashes are not asked for.
func TestOtherHash(t *testing.T) {
	c := client(t, "http://127.0.0.1:1", Options{})
	id := cid.MustParse("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
	if _, err := c.ChainReadObj(t.Context(), id); err == nil || !strings.Contains(err.Error(), id.String()) {
		t.Error(err)
	}
}

// A node that is not there, or never answers, or stops in the middle, is an error within the deadline.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	l.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < 100; i++ { // a byte at a time
			if _, err := w.Write([]byte(" ")); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}))
	defer slow.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"jsonrpc"`))
		panic(http.ErrAbortHandler)
	}))
	defer cut.Close()
	for name, at := range map[string]string{"gone": gone, "silent": silent.Addr().String(), "slow": slow.Listener.Addr().String(), "cut": cut.Listener.Addr().String()} {
		for _, scheme := range []string{"http", "ws"} {
			if scheme == "ws" && (name == "slow" || name == "cut") {
				continue // no WebSocket there
			}
			t.Run(name+" "+scheme, func(t *testing.T) {
				c := client(t, scheme+"://"+at, Options{Timeout: 300 * time.Millisecond})
				start := time.Now()
				_, err := c.ChainHead(t.Context())
				if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "ChainHead at "+scheme) {
					t.Errorf("%v", err)
				}
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("after %s", d)
				}
			})
		}
	}
	// A context that ends is told as such.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	c := client(t, "http://"+silent.Addr().String(), Options{})
	if _, err := c.ChainHead(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// socketServer speaks WebSocket with each client.
func socketServer(t *testing.T, speak func(ctx context.Context, ws *websocket.Conn)) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer a.wrong.one" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ws.SetReadLimit(1 << 20)
		speak(r.Context(), ws)
	}))
	t.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http")
}

const headJSON = `{"Cids":[{"/":"bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2"}],"Blocks":null,"Height":%d}`

// reply answers each request with words, in which ID stands for the request's id.
func reply(words string) func(context.Context, *websocket.Conn) {
	return func(ctx context.Context, ws *websocket.Conn) {
		for {
			_, data, err := ws.Read(ctx)
			if err != nil {
				return
			}
			var in struct{ ID json.RawMessage }
			_ = json.Unmarshal(data, &in)
			if ws.Write(ctx, websocket.MessageText, []byte(strings.ReplaceAll(words, "ID", string(in.ID)))) != nil {
				return
			}
		}
	}
}

func TestWebSocket(t *testing.T) {
	head := fmt.Sprintf(headJSON, 7)
	for _, c := range []struct {
		name, words string
		is          error
	}{
		{"an answer", `{"jsonrpc":"2.0","id":ID,"result":` + head + `}`, nil},
		{"garbage", `hello`, ErrAnswer},
		{"an answer that is too long", `{"id":ID,"result":"` + strings.Repeat("x", 5000) + `"}`, ErrAnswer},
		{"another id", `{"id":7777,"result":` + head + `}`, ErrUnreachable},
		{"nothing in it", `{"id":ID}`, ErrAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := client(t, socketServer(t, reply(c.words)), Options{MaxAnswer: 4096, Timeout: time.Second})
			for range 3 { // a connection that is gone is made anew
				got, err := cl.ChainHead(t.Context())
				if !errors.Is(err, c.is) || err == nil && got.Height != 7 {
					t.Errorf("%+v, %v", got, err)
				}
			}
		})
	}
	cl := client(t, "a.wrong.one:"+socketServer(t, reply("")), Options{})
	if _, err := cl.ChainHead(t.Context()); !errors.Is(err, ErrDenied) {
		t.Error(err)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	cl = client(t, "ws"+strings.TrimPrefix(plain.URL, "http"), Options{})
	if _, err := cl.ChainHead(t.Context()); !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
}

// A subscription hears of heads, and of its end.
func TestChainNotify(t *testing.T) {
	end := make(chan string, 1)
	url := socketServer(t, func(ctx context.Context, ws *websocket.Conn) {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return
		}
		var in struct{ ID json.RawMessage }
		_ = json.Unmarshal(data, &in)
		for _, m := range []string{
			`{"jsonrpc":"2.0","id":` + string(in.ID) + `,"result":5}`,
			`{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[5,[{"Type":"current","Val":` + fmt.Sprintf(headJSON, 1) + `}]]}`,
			`{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[6,[{"Type":"apply","Val":` + fmt.Sprintf(headJSON, 99) + `}]]}`, // nobody's
			`{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[5,[{"Type":"revert","Val":` + fmt.Sprintf(headJSON, 1) + `},{"Type":"apply","Val":` + fmt.Sprintf(headJSON, 1) + `},{"Type":"apply","Val":` + fmt.Sprintf(headJSON, 2) + `}]]}`,
		} {
			_ = ws.Write(ctx, websocket.MessageText, []byte(m))
		}
		_ = ws.Write(ctx, websocket.MessageText, []byte(<-end))
		<-ctx.Done()
	})
	for _, c := range []struct {
		words string
		is    error
	}{
		{`{"jsonrpc":"2.0","method":"xrpc.ch.close","params":[5]}`, ErrUnreachable},
		{`{"jsonrpc":"2.0","result":{"jsonrpc":"2.0","method":"xrpc.ch.close","params":[5]},"id":null}`, ErrUnreachable}, // Forest's
		{`{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[5,[{"Type":"apply","Val":{"Cids":[]}}]]}`, ErrAnswer},
		{`what`, ErrAnswer},
	} {
		heads := make(chan Tipset, 9)
		cl := client(t, url, Options{Timeout: 5 * time.Second})
		done, err := cl.ChainNotify(t.Context(), func(h Tipset) { heads <- h })
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []abi.ChainEpoch{1, 2} {
			if h := <-heads; h.Height != want {
				t.Errorf("%+v, want height %d", h, want)
			}
		}
		end <- c.words
		if err := <-done; !errors.Is(err, c.is) {
			t.Errorf("%s: %v", c.words, err)
		}
	}
	cl := client(t, socketServer(t, reply(`{"id":ID,"result":"x"}`)), Options{})
	if _, err := cl.ChainNotify(t.Context(), func(Tipset) {}); !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
}

// Forest's channels gave each step of the head alone.
func TestChainNotifySteps(t *testing.T) {
	url := socketServer(t, func(ctx context.Context, ws *websocket.Conn) {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return
		}
		var in struct{ ID json.RawMessage }
		_ = json.Unmarshal(data, &in)
		for _, m := range []string{
			`{"jsonrpc":"2.0","result":1,"id":` + string(in.ID) + `}`,
			`{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1,{"Type":"revert","Val":` + fmt.Sprintf(headJSON, 1) + `}]}`,
			`{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1,{"Type":"apply","Val":` + fmt.Sprintf(headJSON, 2) + `}]}`,
			`{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1, 5]}`,
		} {
			_ = ws.Write(ctx, websocket.MessageText, []byte(m))
		}
		<-ctx.Done()
	})
	cl, heads := client(t, url, Options{Timeout: 5 * time.Second}), make(chan Tipset, 9)
	done, err := cl.ChainNotify(t.Context(), func(h Tipset) { heads <- h })
	if err != nil {
		t.Fatal(err)
	}
	if h := <-heads; h.Height != 2 {
		t.Errorf("%+v, want height 2", h)
	}
	if err := <-done; !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
}

// A request that waits for its turn is an error within the deadline, too.
func TestQueue(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c := client(t, "http://"+silent.Addr().String(), Options{Parallel: 1, Timeout: 200 * time.Millisecond})
	done := make(chan error)
	start := time.Now()
	for range 10 {
		go func() { _, err := c.ChainHead(t.Context()); done <- err }()
	}
	for range 10 {
		if err := <-done; !errors.Is(err, ErrUnreachable) {
			t.Error(err)
		}
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("after %s", d)
	}
}

// Never more requests are at work than may be.
func TestParallel(t *testing.T) {
	working := make(chan struct{}, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		working <- struct{}{}
		time.Sleep(5 * time.Millisecond)
		if n := len(working); n > 3 {
			t.Errorf("%d at a time", n)
		}
		<-working
		var in struct{ ID json.RawMessage }
		_ = json.NewDecoder(r.Body).Decode(&in)
		_, _ = fmt.Fprintf(w, `{"id":%s,"result":true}`, in.ID)
	}))
	defer s.Close()
	c := client(t, s.URL, Options{Parallel: 3})
	done := make(chan error)
	for range 20 {
		go func() { _, err := c.ChainHasObj(t.Context(), blockCID(t)); done <- err }()
	}
	for range 20 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

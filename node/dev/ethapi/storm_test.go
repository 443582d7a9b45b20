package ethapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/ethapi"
)

// storm is what a client does who means no good, or does not know better: it is given the address, and what it got if it got an answer.
// The heavy ones are done by few of the clients.
var storm = []struct {
	name string
	do   func(s *stormy) error
}{
	{"a request cut in the middle", func(s *stormy) error {
		conn, err := net.Dial("tcp", s.at)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{\"jsonrpc\":\"2.0\",")
		return err
	}},
	{"an answer that nobody waits for", func(s *stormy) error {
		conn, err := net.Dial("tcp", s.at)
		if err != nil {
			return err
		}
		defer conn.Close()
		body := `{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["latest",true]}`
		_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		return err
	}},
	{"wrong JSON", func(s *stormy) error {
		return s.fails(`{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{{{`, -32700, -32600)
	}},
	{"no request", func(s *stormy) error { return s.fails(`7`, -32600) }},
	{"an unknown method", func(s *stormy) error { return s.fails(`{"jsonrpc":"2.0","id":1,"method":"eth_nothing"}`, -32601) }},
	{"calldata of a quarter of a megabyte", func(s *stormy) error {
		return s.answered(`{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"` + s.contract + `","data":"0x` + strings.Repeat("00", 1<<18) + `"},"latest"]}`)
	}},
	{"a number of a quarter of a megabyte", func(s *stormy) error {
		return s.fails(`{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["`+s.contract+`","0x`+strings.Repeat("f", 1<<18)+`"]}`, -32602)
	}},
	{"a raw transaction of a quarter of a megabyte", func(s *stormy) error {
		return s.fails(`{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x02`+strings.Repeat("f9", 1<<18)+`"]}`, -32602, -32000, -32003)
	}},
	{"filters that are never read", func(s *stormy) error {
		return s.answered("[" + strings.TrimSuffix(strings.Repeat(`{"jsonrpc":"2.0","id":1,"method":"eth_newFilter","params":[{"fromBlock":"0x0"}]},`, 100), ",") + "]")
	}},
	{"subscriptions that do not drain", func(s *stormy) error {
		conn, _, err := websocket.Dial(s.t.Context(), "ws://"+s.at, nil)
		if err != nil {
			return err
		}
		s.t.Cleanup(func() { conn.CloseNow() })
		for range 20 {
			if err := conn.Write(s.t.Context(), websocket.MessageText, []byte(`{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}`)); err != nil {
				return nil // it was thrown out, which is right
			}
		}
		return nil
	}},
	{"a batch of 10,000", func(s *stormy) error {
		return s.answered("[" + strings.TrimSuffix(strings.Repeat(`{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},`, 10_000), ",") + "]")
	}},
	{"a batch of 10,001", func(s *stormy) error {
		return s.fails("["+strings.TrimSuffix(strings.Repeat(`{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},`, 10_001), ",")+"]", -32600)
	}},
	{"a loop without end", func(s *stormy) error {
		return s.fails(`{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"data":"0x5b600056"},"latest"]}`, 3)
	}},
}

// heavy is how many at the end of storm are.
const heavy = 3

// stormy are those clients.
type stormy struct {
	t            *testing.T
	at, contract string
	client       *http.Client
}

func (s *stormy) post(body string) ([]byte, error) {
	resp, err := s.client.Post("http://"+s.at, "application/json", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP status %d", resp.StatusCode)
	}
	return io.ReadAll(resp.Body)
}

// answered wants JSON, whatever it says.
func (s *stormy) answered(body string) error {
	got, err := s.post(body)
	if err == nil && !json.Valid(got) {
		err = fmt.Errorf("no JSON: %.200s", got)
	}
	return err
}

// fails wants an error with one of the codes, and words.
func (s *stormy) fails(body string, codes ...int) error {
	got, err := s.post(body)
	if err != nil {
		return err
	}
	var v struct {
		Error *struct {
			Code    int
			Message string
		}
	}
	if err := json.Unmarshal(got, &v); err != nil || v.Error == nil || v.Error.Message == "" || len(v.Error.Message) > 2000 {
		return fmt.Errorf("%v: %.200s", err, got)
	}
	for _, c := range codes {
		if v.Error.Code == c {
			return nil
		}
	}
	return fmt.Errorf("the code %d, want one of %v: %.200s", v.Error.Code, codes, v.Error.Message)
}

// Two hundred clients at once do all of it, while blocks are made. Each gets a clear error or an answer, a client who asks properly gets
// what it asked for all the while, and nothing of it is left in memory.
func TestStorm(t *testing.T) {
	w := start(t, dev.Options{}, ethapi.Options{})
	counter := load(t, "counter")
	s := &stormy{t: t, at: w.serve(), contract: w.deploy(counter, word("5")), client: &http.Client{Transport: &http.Transport{MaxConnsPerHost: 200}}}
	heap, routines := memory(), runtime.NumGoroutine()

	var others sync.WaitGroup
	failed := make(chan string, 1000)
	for i := range 200 {
		one := storm[i%(len(storm)-heavy)]
		if i < 2*heavy {
			one = storm[len(storm)-1-i%heavy]
		}
		others.Go(func() {
			if err := one.do(s); err != nil {
				failed <- one.name + ": " + err.Error()
			}
		})
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	var asked atomic.Int64
	go func() {
		defer close(stopped)
		good := &stormy{t: t, at: s.at, client: &http.Client{}}
		for {
			select {
			case <-stop:
				return
			default:
			}
			got, err := good.post(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"%s","data":"%s"},"latest"]}`, s.contract, counter.data(t, "x")))
			if want := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":"0x%s"}`, word("5")); err != nil || strings.TrimSpace(string(got)) != want {
				failed <- fmt.Sprintf("the client that asks properly: %v %.200s", err, got)
				return
			}
			asked.Add(1)
		}
	}()
	if _, err := w.node.Mine(t.Context(), dev.MineOptions{Blocks: 100}); err != nil {
		t.Error(err)
	}
	others.Wait()
	close(stop)
	<-stopped
	close(failed)
	for f := range failed {
		t.Error(f)
	}
	if asked.Load() < 2 {
		t.Errorf("the client that asks properly got %d answers", asked.Load())
	}
	s.client.CloseIdleConnections()
	// Sockets that are not read may stay open; what waits for them is bounded, and a hundred blocks' states are not much.
	const most = 64 << 20
	end := time.Now().Add(time.Minute)
	for memory()-heap > most && time.Now().Before(end) {
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("%d answers meanwhile; %d KiB and %d goroutines more", asked.Load(), (memory()-heap)>>10, runtime.NumGoroutine()-routines)
	if more := memory() - heap; more > most {
		t.Errorf("%d MiB are left in memory", more>>20)
	}
}

func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

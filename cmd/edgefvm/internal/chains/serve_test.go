package chains_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// archiveServer is a chain serve at work.
type archiveServer struct {
	t   *testing.T
	url string
}

func serve(t *testing.T, args ...string) *archiveServer {
	t.Helper()
	clitest.NeedBundles(t)
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var stderr bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- edgefvm(ctx, append(args, "--port", "0", "--json"), in, &stderr)
		in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case c := <-code:
			if c != kit.ExitOK {
				t.Errorf("it ends with %d: %s", c, stderr.String())
			}
		case <-time.After(time.Minute):
			t.Error("the command does not end")
		}
	})
	var v struct{ URL string }
	if err := json.NewDecoder(out).Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return &archiveServer{t, v.URL}
}

// ask calls a method with parameters as they are sent.
func (s *archiveServer) ask(path, method, params string) (result json.RawMessage, failure *struct {
	Code    int
	Message string
}) {
	s.t.Helper()
	resp, err := http.Post(s.url+path, "application/json", strings.NewReader(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params)))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var v struct {
		Result json.RawMessage
		Error  *struct {
			Code    int
			Message string
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		s.t.Fatalf("%s %s: %v", method, params, err)
	}
	return v.Result, v.Error
}

func (s *archiveServer) must(path, method, params string) json.RawMessage {
	s.t.Helper()
	result, failure := s.ask(path, method, params)
	if failure != nil {
		s.t.Fatalf("%s %s: %+v", method, params, failure)
	}
	return result
}

// An archive that is served answers as Lotus's code recorded it, by both families of methods at once, and refuses what would change it.
func TestServe(t *testing.T) {
	list := theirs(t, testdata, "real28")
	s := serve(t, chainArgs(testdata, "real28", "serve", "--proofs", "assume")...)
	last := list[len(list)-2] // the latest block is below the head
	if got := string(s.must("/", "eth_blockNumber", "[]")); got != fmt.Sprintf(`"0x%x"`, last.Epoch) {
		t.Errorf("the latest block is %s, want %#x", got, last.Epoch)
	}
	for _, w := range list[:len(list)-1] {
		var b struct {
			Number       string
			Transactions []string
		}
		if err := json.Unmarshal(s.must("/rpc/v1", "eth_getBlockByNumber", fmt.Sprintf(`["%#x",false]`, w.Epoch)), &b); err != nil || len(b.Transactions) != len(w.Messages) {
			t.Errorf("epoch %d: %v, %d transactions, want %d", w.Epoch, err, len(b.Transactions), len(w.Messages))
		}
		var ts struct {
			Cids []struct {
				Root string `json:"/"`
			}
		}
		if err := json.Unmarshal(s.must("/rpc/v1", "Filecoin.ChainGetTipSetByHeight", fmt.Sprintf(`[%d,null]`, w.Epoch)), &ts); err != nil || len(ts.Cids) != len(w.Key) || ts.Cids[0].Root != w.Key[0] {
			t.Errorf("epoch %d: %v %+v, want %v", w.Epoch, err, ts, w.Key)
		}
	}
	for _, method := range []string{"eth_sendRawTransaction", "eth_subscribe", "eth_newFilter"} {
		if _, failure := s.ask("/", method, `["0x"]`); failure == nil || !strings.Contains(failure.Message, "archive") {
			t.Errorf("%s: %+v", method, failure)
		}
	}
	if _, failure := s.ask("/rpc/v0", "Filecoin.MpoolPush", `[{}]`); failure == nil {
		t.Error("a message is taken")
	}
}

func TestServeRefused(t *testing.T) {
	edgefvm.Fails(t, kit.ExitUsage, chainArgs(testdata, "two29", "serve", "--port", "99999"), "99999")
	edgefvm.Fails(t, kit.ExitUsage, chainArgs(testdata, "two29", "serve", "another"), "2 arguments")
	edgefvm.Fails(t, kit.ExitUsage, []string{"chain", "serve", "another", "--chain", testdata + "two29.car.zst"}, "another")
}

package page_test

import (
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/dev/ethapi"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/filapi"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/page"
	"github.com/edgefvm/fvm/vector"
)

// served is a development node with the page, as edgefvm dev has it.
type served struct {
	*devtest.Net
	rpc *jsonrpc.Server
	url string
}

func serve(t testing.TB, o dev.Options) *served {
	t.Helper()
	o.Genesis.Miners = 1
	n := devtest.New(t, o)
	keys := ethapi.Options{}
	for _, a := range n.Genesis().Accounts {
		keys.Keys = append(keys.Keys, a.Private)
	}
	api := ethapi.New(n.Node, keys)
	t.Cleanup(api.Close)
	lotus, err := filapi.OfNode(n.Node, filapi.NodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := page.New(page.Options{Source: page.OfNode(n.Node), Writable: true})
	methods := &jsonrpc.Methods{}
	api.Register(methods)
	lotus.Register(methods)
	p.Register(methods)
	server := jsonrpc.New(methods, jsonrpc.Options{Index: p})
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	return &served{n, server, h.URL}
}

func ask[T any](t testing.TB, s *jsonrpc.Server, method string, params ...any) (out T) {
	t.Helper()
	if err := s.Client().Call(t.Context(), &out, method, params...); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return out
}

// emitter logs its calldata's selector as an event with one topic, and keeps 1 at slot 0.
var emitter = []byte{
	0x60, 0x13, 0x60, 0x0c, 0x60, 0x00, 0x39, 0x60, 0x13, 0x60, 0x00, 0xf3, // copy the code below, return it
	0x60, 0x01, 0x60, 0x00, 0x55, // sstore(0, 1)
	0x60, 0x2a, 0x60, 0x00, 0x52, // mstore(0, 42)
	0x60, 0x07, 0x60, 0x20, 0x60, 0x00, 0xa1, // log1(0, 32, 7)
	0x00, 0x00,
}

// A page is for browsers: what asks for HTML gets it, others get what they got before, and JSON-RPC goes on to be posted.
func TestServed(t *testing.T) {
	t.Parallel()
	s := serve(t, dev.Options{})
	tests := map[string]struct {
		path, accept, origin string
		status               int
		kind, has            string
	}{
		"a browser":        {"/", "text/html,application/xhtml+xml", "", 200, "text/html; charset=utf-8", "<main id=\"main\""},
		"curl":             {"/", "*/*", "", 200, "text/plain; charset=utf-8", "JSON-RPC 2.0"},
		"a module":         {"/js/app.js", "*/*", "", 200, "text/javascript; charset=utf-8", "import"},
		"style":            {"/style.css", "text/css", "", 200, "text/css; charset=utf-8", ":root"},
		"nothing":          {"/js/../../../go.mod", "*/*", "", 404, "text/plain; charset=utf-8", "nothing is here"},
		"another website":  {"/", "text/html", "https://evil.example", 403, "application/json", "not allowed"},
		"a page of itself": {"/", "text/html", s.url, 200, "text/html; charset=utf-8", "<main"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.URL.Path = c.path
			req.Header.Set("Accept", c.accept)
			if c.origin != "" {
				req.Header.Set("Origin", c.origin)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != c.status || res.Header.Get("Content-Type") != c.kind || !strings.Contains(string(body), c.has) {
				t.Errorf("%d %s %.80s", res.StatusCode, res.Header.Get("Content-Type"), body)
			}
			if strings.HasPrefix(c.kind, "text/html") {
				policy := res.Header.Get("Content-Security-Policy")
				if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
					t.Errorf("policy %q", policy)
				}
			}
		})
	}
	t.Run("a copy that is still good", func(t *testing.T) {
		t.Parallel()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/style.css", nil)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		req.Header.Set("If-None-Match", res.Header.Get("Etag"))
		if res, err = http.DefaultClient.Do(req); err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusNotModified {
			t.Errorf("status %d", res.StatusCode)
		}
	})
	t.Run("JSON-RPC at the same path", func(t *testing.T) {
		t.Parallel()
		res, err := http.Post(s.url, "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}`))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body, _ := io.ReadAll(res.Body); !strings.Contains(string(body), "0x1df5e76") {
			t.Errorf("%s", body)
		}
	})
}

// Nothing of the page runs or shows what stands on a chain as anything but text, and it loads nothing from elsewhere.
func TestFilesAreHarmless(t *testing.T) {
	t.Parallel()
	bad := regexp.MustCompile(`(?i)innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|javascript:|<script[^>]*>[^<]|\son[a-z]+="|style="`)
	elsewhere := regexp.MustCompile(`https?://[^"' )]+`)
	files := os.DirFS("web")
	count := 0
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		count++
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if hit := bad.Find(data); hit != nil {
			t.Errorf("%s has %q", name, hit)
		}
		for _, u := range elsewhere.FindAll(data, -1) {
			if string(u) != "http://www.w3.org/2000/svg" { // the name of a language, not a place
				t.Errorf("%s names %s", name, u)
			}
		}
		return nil
	})
	if err != nil || count < 10 {
		t.Errorf("%d files: %v", count, err)
	}
}

type block struct {
	Epoch    int64 `json:"epoch"`
	Count    int   `json:"count"`
	GasUsed  int64 `json:"gas_used"`
	Failed   int   `json:"failed"`
	Messages []struct {
		CID, Hash, From, To, Name, Actor, Value string
		GasUsed                                 int64  `json:"gas_used"`
		Exit                                    *int64 `json:"exit_code"`
	} `json:"messages"`
}

func TestNode(t *testing.T) {
	t.Parallel()
	s := serve(t, dev.Options{})
	at := s.Deploy(t, 0, emitter)
	gas := eth.Quantity(30_000_000)
	sent := s.Send(t, 1, eth.Call{To: &at, Input: eth.Data{1, 2, 3, 4}, Gas: &gas})
	epoch := int64(sent.Block.Epoch())

	t.Run("blocks", func(t *testing.T) {
		list := ask[[]block](t, s.rpc, "fvm_blocks", nil, 2)
		if len(list) != 2 || list[0].Epoch != epoch || list[1].Epoch != epoch-1 || list[0].Count != 1 {
			t.Errorf("%+v", list)
		}
	})
	t.Run("block", func(t *testing.T) {
		b := ask[block](t, s.rpc, "fvm_block", epoch)
		m := b.Messages[0]
		if m.CID != sent.CID.String() || m.Hash != sent.Hash.String() || m.GasUsed != sent.Result.GasUsed || b.GasUsed != sent.Result.GasUsed || *m.Exit != 0 ||
			m.Name != "InvokeContract" || m.Actor != "evm" || !strings.EqualFold(m.To, at.String()) {
			t.Errorf("%+v", b)
		}
	})
	t.Run("explain", func(t *testing.T) {
		x := ask[struct {
			GasUsed int64 `json:"gas_used"`
			Calls   struct {
				Total int64 `json:"gas_total_milli"`
			} `json:"calls"`
			Decoded []struct {
				Log struct {
					Name string
					Args map[string]any
				}
			} `json:"events_decoded"`
		}](t, s.rpc, "fvm_explain", epoch, 0, json.RawMessage(`[{"type":"event","name":"Seen","anonymous":true,"inputs":[{"name":"id","type":"uint256","indexed":true},{"name":"what","type":"uint256"}]}]`))
		if x.GasUsed != sent.Result.GasUsed || (x.Calls.Total+999)/1000 != sent.Result.GasUsed {
			t.Errorf("gas %d, calls %d, the receipt says %d", x.GasUsed, x.Calls.Total, sent.Result.GasUsed)
		}
		if len(x.Decoded) != 1 {
			t.Errorf("events %+v", x.Decoded)
		}
	})
	t.Run("changes", func(t *testing.T) {
		c := ask[struct {
			Of      string
			Changes []struct{ Actor, Kind, Path string }
		}](t, s.rpc, "fvm_changes", epoch, 0)
		slot := false
		for _, x := range c.Changes {
			slot = slot || x.Kind == "evm" && strings.Contains(x.Path, "/ContractState/")
		}
		if c.Of != "block" || !slot {
			t.Errorf("%+v", c)
		}
	})
	t.Run("storage", func(t *testing.T) {
		a := ask[struct{ ID, Kind, Path string }](t, s.rpc, "fvm_actor", at.String())
		p := ask[struct{ Value string }](t, s.rpc, "fvm_state", a.Path+"/ContractState/0")
		if a.Kind != "evm" || !strings.HasSuffix(p.Value, "1") {
			t.Errorf("%+v %+v", a, p)
		}
		before := s.rpc.Client().Call(t.Context(), nil, "fvm_state", a.Path+"/ContractState/0", epoch-1)
		if before == nil {
			t.Error("the slot was there before it was written")
		}
	})
	t.Run("deadlines", func(t *testing.T) {
		d := ask[struct {
			SectorSize uint64 `json:"sector_size"`
			Deadlines  []struct {
				Live       uint64 `json:"live_sectors"`
				Partitions []struct{ All, Active uint64 }
			}
		}](t, s.rpc, "fvm_deadlines", "f01000")
		var live, active uint64
		for i, x := range d.Deadlines {
			live += x.Live
			for _, p := range x.Partitions {
				active += p.Active
			}
			list := ask[[]json.RawMessage](t, s.rpc, "Filecoin.StateMinerPartitions", "f01000", i, nil)
			if len(list) != len(x.Partitions) {
				t.Errorf("deadline %d: %d partitions, Filecoin's own method has %d", i, len(x.Partitions), len(list))
			}
		}
		sectors := ask[[]json.RawMessage](t, s.rpc, "Filecoin.StateMinerSectors", "f01000", nil, nil)
		if len(d.Deadlines) != 48 || int(live) != len(sectors) || live == 0 || active != live || d.SectorSize != 2048 {
			t.Errorf("%+v: %d live, %d active, %d sectors", d, live, active, len(sectors))
		}
	})
	t.Run("find", func(t *testing.T) {
		for text, want := range map[string]string{
			sent.Hash.String(): "message", sent.CID.String(): "message", sent.Block.Hash.String(): "block", sent.Block.CID().String(): "block", "1": "block",
			at.String(): "actor", "f04": "actor", "no such thing": "none", "<img>": "none", "0x12": "none",
		} {
			if f := ask[struct{ Kind string }](t, s.rpc, "fvm_find", text); f.Kind != want {
				t.Errorf("%q is %s, want %s", text, f.Kind, want)
			}
		}
	})
	t.Run("a call of a builtin actor", func(t *testing.T) {
		of := map[string]any{"actor": "storagepower", "version": 18, "method": "CreateMiner"}
		e := ask[struct {
			Hex    string
			Method uint64
		}](t, s.rpc, "fvm_encodeParams", of, json.RawMessage(`{"Owner":"f0100","Worker":"f0100","WindowPoStProofType":"StackedDrgWindow2KiBV1_1","Peer":"0x","Multiaddrs":[]}`))
		// [owner, worker, proof type, peer, multiaddrs] as CBOR: id addresses of 2 bytes, and 10 as in the network's list of proofs
		if e.Method != 2 || e.Hex != "0x854200644200640a4080" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("nonsense", func(t *testing.T) {
		for method, params := range map[string][]any{
			"fvm_block": {int64(1) << 40}, "fvm_blocks": {nil, -1}, "fvm_explain": {epoch, 5}, "fvm_changes": {int64(1) << 50}, "fvm_actor": {"what"}, "fvm_actors": {nil, -5},
			"fvm_state": {"actors/f04/state/NoSuchField"}, "fvm_deadlines": {"f04"}, "fvm_methods": {"storageminer@999999999999999999999"}, "fvm_encodeParams": {map[string]any{"actor": "x"}, nil},
			"fvm_abi": {json.RawMessage(`"no"`)}, "fvm_encodeCall": {nil, "f()", []any{}}, "fvm_find": {strings.Repeat("a", 1000)},
		} {
			if err := s.rpc.Client().Call(t.Context(), nil, method, params...); err == nil || strings.Contains(err.Error(), "fault of the server") {
				t.Errorf("%s %v: %v", method, params, err)
			}
		}
	})
}

// A vector's page says what the vector says.
func TestVector(t *testing.T) {
	t.Parallel()
	v, err := vector.Load("../../lab/conformance/testdata/nv28-onboard-035.json")
	if err != nil {
		t.Fatal(err)
	}
	src, err := page.OfVector(t.Context(), v, page.VectorOptions{Run: explain.VectorOptions{Actors: vector.NewActors(bundle.Options{})}})
	if err != nil {
		t.Fatal(err)
	}
	methods := &jsonrpc.Methods{}
	page.New(page.Options{Source: src}).Register(methods)
	s := jsonrpc.New(methods, jsonrpc.Options{})
	b := ask[block](t, s, "fvm_block")
	var want int64
	for i, r := range v.Receipts() {
		want += *r.GasUsed
		if b.Messages[i].GasUsed != *r.GasUsed || *b.Messages[i].Exit != *r.ExitCode {
			t.Errorf("message %d: %+v, the vector says %+v", i, b.Messages[i], r)
		}
	}
	if b.GasUsed != want || b.Count != len(v.Receipts()) {
		t.Errorf("%d gas, the vector says %d", b.GasUsed, want)
	}
	c := ask[struct {
		Of      string
		Changes []struct{ Kind, Path string }
	}](t, s, "fvm_changes", b.Epoch, 0)
	miner := false
	for _, x := range c.Changes {
		miner = miner || x.Kind == "storageminer" && strings.Contains(x.Path, "/state/")
	}
	if c.Of != "message" || !miner {
		t.Errorf("changes %+v", c)
	}
}

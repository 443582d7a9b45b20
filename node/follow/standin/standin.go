// Package standin is a node for tests of who follows one: it serves a chain of an archive by JSON-RPC, as Lotus does, with as much of it
// as the test says, and does what nodes should not do when it is told to.
//
// The states that the archive lacks are made by a replay, which compares them with the chain's headers.
package standin

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/replay"
	"github.com/edgefvm/fvm/node/textform"
)

// Chain is a chain with all its states.
type Chain struct {
	Name    string
	Network *network.Network // without genesis, as a file describes it
	Blocks  *blockstore.Memory
	Store   *chain.Store
	Tipsets []*chain.Tipset // the genesis first
	codes   []blockstore.Blockstore
}

// Load reads FOLDER/NAME.car.zst and its description, and makes its states.
func Load(t testing.TB, folder, name string, engine *fvm.Engine) *Chain {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(filepath.Join(folder, name+".car.zst"))
	must(err)
	defer f.Close()
	z, err := zstd.NewReader(bufio.NewReader(f))
	must(err)
	defer z.Close()
	c := &Chain{Name: name, Blocks: blockstore.NewMemory()}
	roots, err := blockstore.LoadCAR(ctx, z, c.Blocks, blockstore.CAROptions{})
	must(err)
	c.Network, err = network.Load(filepath.Join(folder, strings.TrimSuffix(name, "-with-forks")+".json"))
	must(err)
	set, err := bundle.Open(ctx, bundle.Options{Progress: os.Stderr})
	if err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
	for v := 8; v <= 19; v++ {
		if s, err := set.Store(ctx, v, c.Network.Actors); err == nil {
			c.codes = append(c.codes, s)
		}
	}
	made := blockstore.NewMemory()
	rep, err := replay.Run(ctx, replay.Options{Archive: c.Blocks, Roots: roots, Network: c.Network, Store: made, Engines: []*fvm.Engine{engine}, Bundles: set})
	must(err)
	if !rep.Good() {
		t.Fatalf("%s: %+v", name, rep.Failure)
	}
	for _, id := range made.Keys() {
		b, err := made.Get(ctx, id)
		must(err)
		must(c.Blocks.Put(ctx, b))
	}
	c.Store = chain.NewStore(c.Blocks)
	head, err := c.Store.Head(ctx, roots)
	must(err)
	must(chain.NewLine(c.Store, head).Tipsets(ctx, 0, func(ts, _ *chain.Tipset) error {
		c.Tipsets = append(c.Tipsets, ts)
		return nil
	}))
	return c
}

// Get is a block of the chain.
func (c *Chain) Get(id cid.Cid) ([]byte, error) {
	b, err := c.Blocks.Get(context.Background(), id)
	for i := 0; err != nil && i < len(c.codes) && id.Prefix().Codec == cid.Raw; i++ {
		b, err = c.codes[i].Get(context.Background(), id)
	}
	if err != nil {
		return nil, err
	}
	return b.RawData(), nil
}

// key is the block of a tipset's key.
func (c *Chain) key(id cid.Cid, not error) ([]byte, error) {
	for _, t := range c.Tipsets {
		k := t.Key()
		if of, err := k.CID(); err == nil && of == id {
			return cbor.AppendBytes(nil, k), nil
		}
	}
	return nil, not
}

// At is the tipset at an epoch, which must not be null.
func (c *Chain) At(t testing.TB, epoch abi.ChainEpoch) *chain.Tipset {
	t.Helper()
	for _, ts := range c.Tipsets {
		if ts.Height() == epoch {
			return ts
		}
	}
	t.Fatalf("no tipset at epoch %d", epoch)
	return nil
}

// Node serves a chain.
type Node struct {
	t     testing.TB
	chain *Chain
	addr  string

	mu     sync.Mutex
	head   *chain.Tipset
	subs   map[chan []change]bool
	fault  func(method string, params []json.RawMessage) *Fault
	stop   context.CancelFunc
	served chan struct{}
	conns  map[net.Conn]bool

	// Requests counts those of all methods, and Objects those for blocks.
	Requests, Objects atomic.Int64
	// Network is what the node calls it, and Params what it says of it.
	Network string
	Params  any
	// Token that callers must have; "" for none.
	Token string
	// Delay before each answer.
	Delay time.Duration
}

// Fault is what goes wrong with a request. Of its fields one counts.
type Fault struct {
	Body  []byte        // instead of an answer, by HTTP
	Code  int           // the HTTP status of the Body; 0: 200
	Wait  time.Duration // before the answer
	Drop  bool          // the connection is cut, by HTTP
	Error string        // the node's error
	Block []byte        // instead of the block
}

type change struct {
	Type string
	Val  any
}

// Start serves a chain, with a tipset as head, on a port of its own until the test ends.
func Start(t testing.TB, c *Chain, head *chain.Tipset) *Node {
	t.Helper()
	n := &Node{t: t, chain: c, head: head, subs: map[chan []change]bool{}, addr: "127.0.0.1:0", Network: c.Name}
	n.Up()
	t.Cleanup(n.Down)
	return n
}

// URL of the node, with a scheme.
func (n *Node) URL(scheme string) string { return scheme + "://" + n.addr + "/rpc/v1" }

// Faulty sets what goes wrong; nil: nothing.
func (n *Node) Faulty(f func(method string, params []json.RawMessage) *Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = f
}

// SetHead makes a tipset the head and tells who listens.
func (n *Node) SetHead(head *chain.Tipset) {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := []change{{"revert", tipset(n.head)}, {"apply", tipset(head)}}
	n.head = head
	for s := range n.subs {
		select {
		case s <- list:
		default:
		}
	}
}

// Add puts a block of the test's into the node, such as the header of a fork.
func (n *Node) Add(h *chain.Header) *chain.Tipset {
	n.t.Helper()
	ts, err := chain.NewTipset([]*chain.Header{h})
	if err != nil {
		n.t.Fatal(err)
	}
	if err := put(n.chain.Blocks, h); err != nil {
		n.t.Fatal(err)
	}
	return ts
}

func tipset(t *chain.Tipset) any {
	var cids []map[string]string
	for _, c := range t.CIDs {
		cids = append(cids, map[string]string{"/": c.String()})
	}
	return map[string]any{"Cids": cids, "Blocks": []any{}, "Height": t.Height()}
}

// Up begins to serve, at the port of before.
func (n *Node) Up() {
	n.t.Helper()
	var l net.Listener
	var err error
	for range 100 {
		if l, err = net.Listen("tcp", n.addr); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		n.t.Fatal(err)
	}
	n.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	n.stop, n.served, n.conns = cancel, make(chan struct{}), map[net.Conn]bool{}
	s := jsonrpc.New(n.methods(), jsonrpc.Options{Access: jsonrpc.Access{Token: n.Token}, Log: slog.New(slog.DiscardHandler)})
	h := &http.Server{Handler: n.faults(s), ReadHeaderTimeout: time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	h.ConnState = func(c net.Conn, st http.ConnState) {
		n.mu.Lock()
		defer n.mu.Unlock()
		if st == http.StateClosed {
			delete(n.conns, c)
		} else {
			n.conns[c] = true
		}
	}
	served := n.served
	go func() { defer close(served); _ = h.Serve(l) }()
	context.AfterFunc(ctx, func() { _ = h.Close() })
}

// Down is the end of the process: connections are cut as they are.
func (n *Node) Down() {
	n.mu.Lock()
	for c := range n.conns {
		_ = c.Close()
	}
	n.mu.Unlock()
	n.stop()
	<-n.served
}

func put(s *blockstore.Memory, h *chain.Header) error {
	b, err := block(h)
	if err != nil {
		return err
	}
	return s.Put(context.Background(), b)
}

// methods are those of a node that a follower asks for.
func (n *Node) methods() *jsonrpc.Methods {
	ms := &jsonrpc.Methods{PlainCode: 1}
	add := func(name string, fn any, o ...jsonrpc.MethodOption) { ms.Register("Filecoin."+name, fn, o...) }
	head := func() any {
		n.mu.Lock()
		defer n.mu.Unlock()
		return tipset(n.head)
	}
	add("ChainHead", head)
	add("ChainGetGenesis", func() any { return tipset(n.chain.Tipsets[0]) })
	add("ChainReadObj", func(l link) (string, error) {
		n.Objects.Add(1)
		if f := n.faultOf("ChainReadObj", l); f != nil && f.Block != nil {
			return base64.StdEncoding.EncodeToString(f.Block), nil
		}
		id, err := cid.Decode(l.CID)
		if err != nil {
			return "", err
		}
		data, err := n.chain.Get(id)
		if err != nil {
			data, err = n.chain.key(id, err) // nodes keep the keys of tipsets, too
		}
		if err != nil {
			return "", fmt.Errorf("blockstore get: %w", err)
		}
		return base64.StdEncoding.EncodeToString(data), nil
	})
	add("ChainHasObj", func(l link) (bool, error) {
		id, err := cid.Decode(l.CID)
		if err != nil {
			return false, err
		}
		if f := n.faultOf("ChainReadObj", l); f != nil && f.Error != "" {
			return false, nil
		}
		_, err = n.chain.Get(id)
		if format.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
	add("ChainGetTipSetAfterHeight", func(epoch abi.ChainEpoch, from []link) (any, error) {
		top := n.tipsetOf(from)
		if top == nil || epoch > top.Height() {
			return nil, fmt.Errorf("looking for tipset with height greater than start point")
		}
		for _, t := range n.chain.Tipsets {
			if t.Height() >= epoch {
				return tipset(t), nil
			}
		}
		return nil, fmt.Errorf("no tipset at %d", epoch)
	})
	add("EthGetMessageCidByTransactionHash", func(hash string) any {
		for i, t := range n.chain.Tipsets {
			for _, m := range n.messages(t) {
				h, err := textform.EthHash(m.CID, m.Message, m.Signature, n.chain.Network.ChainID)
				if err == nil && fmt.Sprintf("0x%x", h) == hash && i > 0 {
					return link{m.CID.String()}
				}
			}
		}
		return nil
	})
	add("StateSearchMsg", func(from []link, message link, _ int64, _ bool) (any, error) {
		for i, t := range n.chain.Tipsets {
			for _, m := range n.messages(t) {
				if m.CID.String() != message.CID || i+1 >= len(n.chain.Tipsets) {
					continue
				}
				child := n.chain.Tipsets[i+1]
				if top := n.tipsetOf(from); top == nil || child.Height() > top.Height() {
					return nil, nil
				}
				return map[string]any{"Message": message, "TipSet": links(child), "Height": child.Height()}, nil
			}
		}
		return nil, nil
	})
	add("StateNetworkName", func() string { return n.Network })
	add("Version", func() any { return map[string]any{"Version": "standin", "BlockDelay": 30} })
	if n.Params != nil {
		add("StateGetNetworkParams", func() any { return n.Params })
	}
	add("ChainNotify", func(ctx context.Context) <-chan []change {
		in, out := make(chan []change, 64), make(chan []change)
		n.mu.Lock()
		in <- []change{{"current", tipset(n.head)}}
		n.subs[in] = true
		n.mu.Unlock()
		go func() {
			defer close(out)
			defer func() { n.mu.Lock(); delete(n.subs, in); n.mu.Unlock() }()
			for {
				select {
				case v := <-in:
					select {
					case out <- v:
					case <-ctx.Done():
						return
					}
				case <-ctx.Done():
					return
				}
			}
		}()
		return out
	})
	return ms
}

// messages are those of a tipset's blocks.
func (n *Node) messages(t *chain.Tipset) (out []chain.Message) {
	lists, err := n.chain.Store.TipsetMessages(context.Background(), t)
	if err != nil {
		return nil
	}
	for _, l := range lists {
		out = append(out, l.All()...)
	}
	return out
}

type link struct {
	CID string `json:"/"`
}

func links(t *chain.Tipset) (out []link) {
	for _, c := range t.CIDs {
		out = append(out, link{c.String()})
	}
	return out
}

// tipsetOf is the tipset of the chain with a key, the head's without one.
func (n *Node) tipsetOf(key []link) *chain.Tipset {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(key) == 0 {
		return n.head
	}
	for _, t := range n.chain.Tipsets {
		if t.CIDs[0].String() == key[0].CID {
			return t
		}
	}
	return nil
}

func (n *Node) faultOf(method string, params ...any) *Fault {
	n.mu.Lock()
	f := n.fault
	n.mu.Unlock()
	if f == nil {
		return nil
	}
	var list []json.RawMessage
	for _, p := range params {
		raw, _ := json.Marshal(p)
		list = append(list, raw)
	}
	return f(method, list)
}

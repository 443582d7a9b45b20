package fork

import (
	"sync"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/follow/standin"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/remote"
)

const (
	testdata = "../../replay/testdata"
)

var engines = sync.OnceValues(func() (*fvm.Engine, error) { return fvm.NewEngine(fvm.EngineConfig{}) })

func engine(t testing.TB) *fvm.Engine {
	t.Helper()
	e, err := engines()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var loaded sync.Map

// load reads a chain and makes its states, once in a process.
func load(t testing.TB, folder, name string) *standin.Chain {
	t.Helper()
	once, _ := loaded.LoadOrStore(name, &sync.Once{})
	once.(*sync.Once).Do(func() { loaded.Store(name+" chain", standin.Load(t, folder, name, engine(t))) })
	c, ok := loaded.Load(name + " chain")
	if !ok {
		t.Skipf("NOT RUN: chain %s could not be loaded", name)
	}
	of := *c.(*standin.Chain)
	return &of
}

// world is a node that serves a chain, and what is kept of it.
type world struct {
	t     testing.TB
	chain *standin.Chain
	node  *standin.Node
	dir   string
	disks *remote.Memories
}

func newWorld(t testing.TB, c *standin.Chain) *world {
	t.Helper()
	return &world{t: t, chain: c, node: standin.Start(t, c, c.Tipsets[len(c.Tipsets)-1]), dir: t.TempDir(), disks: new(remote.Memories)}
}

// source opens the node's chain. What is kept stays for the next one.
func (w *world) source(o Options) *Source {
	w.t.Helper()
	s, err := w.try(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) try(o Options) (*Source, error) {
	w.t.Helper()
	disk, err := OpenDisk(w.dir, 0, w.disks.Open)
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := lotusrpc.ParseAddress(w.node.URL("http"))
	if err != nil {
		w.t.Fatal(err)
	}
	o.Disk = disk
	if o.Node == nil {
		o.Node = lotusrpc.New(lotusrpc.Options{Address: a, Timeout: 2 * time.Second})
	}
	o.Engine = engine(w.t)
	if o.Network == nil {
		o.Network = w.chain.Network
	}
	if o.Tries == 0 {
		o.Tries = 2
	}
	closeDisk := sync.OnceFunc(func() {
		o.Node.Close()
		if err := disk.Close(); err != nil {
			w.t.Error(err)
		}
	})
	s, err := Open(w.t.Context(), o)
	if err != nil {
		closeDisk()
		return nil, err
	}
	s.near = 6
	w.t.Cleanup(func() { s.Close(); closeDisk() })
	return s, nil
}

// begin is a development node upon a fork.
func begin(t testing.TB, f *dev.Fork, o dev.Options) *dev.Node {
	t.Helper()
	o.Fork, o.Engine = f, engine(t)
	n, err := dev.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

func (w *world) fork(s *Source, where Where) *dev.Fork {
	w.t.Helper()
	f, err := s.At(w.t.Context(), where)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// accounts are those that a development node funds.
func accounts(t testing.TB) (list []address.Address) {
	t.Helper()
	keys, err := genesis.KeysOf(genesis.TestMnemonic, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		list = append(list, k.F410, k.F1)
	}
	return list
}

func fil(n int64) big.Int { return big.Mul(big.NewInt(n), big.NewInt(1e18)) }

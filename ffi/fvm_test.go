package ffi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
	"github.com/filecoin-project/filecoin-ffi/cgo"
)

// scene is the setting of a vector and its first message, to be run many times.
type scene struct {
	cfg    fvm.Config
	msg    []byte
	kind   fvm.Kind
	length uint
}

var errStop = errors.New("the scene is set")

// sceneOf takes the setting from a vector's run, which it stops at the first message.
func sceneOf(t testing.TB, name string) *scene {
	t.Helper()
	v, err := conformance.Load(filepath.Join(goldens, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{}
	conformance.RunVector(context.Background(), v, 0, &conformance.Options{NoTrace: true, Actors: vector.NewActors(bundle.Options{}), Open: func(_ context.Context, cfg fvm.Config) (vector.Machine, error) {
		s.cfg = cfg
		return s, nil
	}})
	if s.msg == nil {
		t.Fatalf("%s has no message", name)
	}
	return s
}

func (s *scene) Apply(_ context.Context, msg *fvm.Message, kind fvm.Kind, length int) (*fvm.Result, error) {
	if s.msg == nil {
		s.msg, s.kind, s.length = encodeMessage(msg), kind, uint(length)
	}
	return nil, errStop
}

func (s *scene) Flush(context.Context) (cid.Cid, error) { return cid.Undef, errStop }

func (s *scene) node() *node { return &node{store: s.cfg.Blockstore, externs: s.cfg.Externs} }

func (s *scene) opts(n cgo.Externs) *FVMOpts {
	o := optsOf(s.cfg)
	o.Externs = n
	return o
}

func (s *scene) apply(f *FVM) (*ApplyRet, error) {
	if s.kind == fvm.Implicit {
		return f.ApplyImplicitMessage(s.msg)
	}
	return f.ApplyMessage(s.msg, s.length)
}

// An explicit message of mainnet's actors that succeeds.
const sceneName = "nv28-market-001"

func TestBadOptions(t *testing.T) {
	s, host := sceneOf(t, sceneName), defaultNode(t)
	big129 := big.Lsh(big.NewInt(1), 128)
	missing := cid.MustParse("bafy2bzaceaa6fpdkrb4ghd2tmjvhb2x6vqzyjcjhjvxozr2a7dlolzy4cfd4k")
	for name, c := range map[string]struct {
		change func(*FVMOpts)
		want   string
	}{
		"version":           {func(o *FVMOpts) { o.FVMVersion = 1 }, "FVM version 1"},
		"no externs":        {func(o *FVMOpts) { o.Externs = nil }, "no externs"},
		"no root":           {func(o *FVMOpts) { o.StateBase = cid.Undef }, "no state root"},
		"root not there":    {func(o *FVMOpts) { o.StateBase = missing }, missing.String()},
		"redirect":          {func(o *FVMOpts) { o.ActorRedirect = o.StateBase }, "redirected"},
		"base fee":          {func(o *FVMOpts) { o.BaseFee = big129 }, "the base fee is 340282366920938463463374607431768211456"},
		"negative base fee": {func(o *FVMOpts) { o.BaseFee = big.NewInt(-1) }, "the base fee is -1"},
		"supply":            {func(o *FVMOpts) { o.BaseCircSupply = big129 }, "the circulating supply"},
		"network version":   {func(o *FVMOpts) { o.NetworkVersion = 99 }, "network version 99"},
	} {
		o := s.opts(s.node())
		c.change(o)
		if f, err := host.create(o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	if _, err := host.create(nil); err == nil {
		t.Error("nil options")
	}
	if _, err := CreateFVM(nil); err == nil {
		t.Error("nil options, from outside")
	}
	// Amounts that are not set are zero, and 2^128-1 is an amount.
	o := s.opts(s.node())
	o.BaseFee, o.BaseCircSupply = abi.TokenAmount{}, big.Sub(big129, big.NewInt(1))
	if _, err := host.create(o); err != nil {
		t.Error(err)
	}
}

func TestBadHandles(t *testing.T) {
	for name, f := range map[string]*FVM{"nil": nil, "not made": {}} {
		_, explicit := f.ApplyMessage([]byte{1}, 1)
		_, implicit := f.ApplyImplicitMessage(nil)
		_, flush := f.Flush()
		if explicit == nil || implicit == nil || flush == nil {
			t.Errorf("%s: %v, %v, %v", name, explicit, implicit, flush)
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	s, host := sceneOf(t, sceneName), defaultNode(t)
	f, err := host.create(s.opts(s.node()))
	if err != nil {
		t.Fatal(err)
	}
	noGas, err := fvm.DecodeMessage(s.msg)
	if err != nil {
		t.Fatal(err)
	}
	noGas.GasLimit = 0
	for name, msg := range map[string][]byte{
		"nil": nil, "empty": {}, "no list": {0xa0}, "too short": s.msg[:len(s.msg)-1], "too long": append(append([]byte{}, s.msg...), 0),
		"a list of nothing": {0x80}, "endless": {0x9f}, "no gas limit": encodeMessage(noGas),
	} {
		if _, err := f.ApplyMessage(msg, 10); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := f.ApplyImplicitMessage(msg); err == nil {
			t.Errorf("%s: accepted as implicit", name)
		}
	}
	if _, err := f.ApplyMessage(s.msg, 1<<40); err == nil {
		t.Error("a length that no message has")
	}
	// The machine is as it was.
	ret, err := s.apply(f)
	if err != nil || ret.ExitCode != 0 {
		t.Errorf("%+v, %v", ret, err)
	}
}

// faulty fails, or panics, at the n-th use of its store.
type faulty struct {
	*node
	mu     sync.Mutex
	left   int
	fail   error // nil: it panics
	writes bool
}

func (f *faulty) use(write bool) error {
	if write != f.writes {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left >= 0 {
		return nil
	}
	if f.fail == nil {
		panic("the database is gone")
	}
	return f.fail
}

func (f *faulty) View(ctx context.Context, c cid.Cid, show func([]byte) error) error {
	if err := f.use(false); err != nil {
		return err
	}
	return f.node.View(ctx, c, show)
}

func (f *faulty) Has(ctx context.Context, c cid.Cid) (bool, error) {
	if err := f.use(false); err != nil {
		return false, err
	}
	return f.node.Has(ctx, c)
}

func (f *faulty) PutMany(ctx context.Context, list []blocks.Block) error {
	if err := f.use(true); err != nil {
		return err
	}
	return f.node.PutMany(ctx, list)
}

func (f *faulty) Put(ctx context.Context, b blocks.Block) error {
	if err := f.use(true); err != nil {
		return err
	}
	return f.node.Put(ctx, b)
}

// A store that fails at its n-th use, for each n, is an error of one of the calls and never a receipt.
func TestFailingStore(t *testing.T) {
	s, host := sceneOf(t, sceneName), defaultNode(t)
	broken := errors.New("input/output error")
	for name, kind := range map[string]struct {
		fail   error
		writes bool
	}{"reads": {broken, false}, "writes": {broken, true}, "panics": {nil, false}, "panics at writes": {nil, true}, "missing blocks": {format.ErrNotFound{Cid: s.cfg.StateRoot}, false}} {
		n := 0
		for ; ; n++ {
			if n > 1000 {
				t.Fatalf("%s: no end", name)
			}
			left := &faulty{node: s.node(), left: n, fail: kind.fail, writes: kind.writes}
			err := tryAll(host, s, left)
			if err == nil {
				break
			}
			if kind.fail == broken && !errors.Is(err, broken) || kind.fail == nil && !strings.Contains(err.Error(), "the database is gone") {
				t.Fatalf("%s, use %d: %v", name, n, err)
			}
		}
		if n < 2 {
			t.Errorf("%s: only %d uses", name, n)
		}
	}
}

// tryAll makes a machine, applies the message and flushes. A receipt must be that of a sound node.
func tryAll(host *Node, s *scene, n cgo.Externs) error {
	f, err := host.create(s.opts(n))
	if err != nil {
		return err
	}
	ret, err := s.apply(f)
	if err != nil {
		if _, again := s.apply(f); again == nil {
			return fmt.Errorf("the machine goes on after %w", err)
		}
		return err
	}
	if ret.ExitCode != 0 {
		return fmt.Errorf("a receipt with exit code %d: %s", ret.ExitCode, ret.FailureInfo)
	}
	_, err = f.Flush()
	return err
}

// Traces are made only when asked for, or in debugging.
func TestTracing(t *testing.T) {
	s, host := sceneOf(t, sceneName), defaultNode(t)
	for _, c := range []struct{ tracing, debug, want bool }{{false, false, false}, {true, false, true}, {false, true, true}} {
		o := s.opts(s.node())
		o.Tracing, o.Debug = c.tracing, c.debug
		f, err := host.create(o)
		if err != nil {
			t.Fatal(err)
		}
		ret, err := s.apply(f)
		if err != nil || (ret.ExecTraceBytes != nil) != c.want {
			t.Errorf("%+v: %d bytes, %v", c, len(ret.ExecTraceBytes), err)
		}
	}
}

// Many machines on one engine, as a node's lanes have them, and one machine from two goroutines.
func TestConcurrency(t *testing.T) {
	s, host := sceneOf(t, sceneName), defaultNode(t)
	var want string
	for i := range 2 {
		var wg sync.WaitGroup
		roots := make([]string, 8)
		for j := range roots {
			wg.Go(func() {
				f, err := host.create(s.opts(s.node()))
				if err != nil {
					t.Error(err)
					return
				}
				var both sync.WaitGroup
				for range 2 { // the second one is refused by its nonce, whichever it is
					both.Go(func() {
						if _, err := s.apply(f); err != nil {
							t.Error(err)
						}
					})
				}
				both.Wait()
				root, err := f.Flush()
				if err != nil {
					t.Error(err)
				}
				roots[j] = root.String()
			})
		}
		wg.Wait()
		for _, r := range roots {
			if want == "" {
				want = r
			}
			if r != want {
				t.Fatalf("round %d: root %s, want %s", i, r, want)
			}
		}
	}
}

// Memory does not grow with the number of messages and machines.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("short: 10,000 messages")
	}
	s, host := sceneOf(t, sceneName), defaultNode(t)
	run := func(n int) {
		for range n {
			f, err := host.create(s.opts(s.node()))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.apply(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	run(200)
	before, routines := heap(), runtime.NumGoroutine()
	run(10_000)
	after := heap()
	const most = 4 << 20 // bytes, for what the runtime itself moves
	t.Logf("heap %d kB before, %d kB after 10,000 messages", before>>10, after>>10)
	if after-before > most {
		t.Errorf("the heap grew by %d bytes", after-before)
	}
	if n := runtime.NumGoroutine(); n > routines+2 {
		t.Errorf("%d goroutines, %d before", n, routines)
	}
}

// Whatever bytes a node hands over as a message: an error or a receipt, the same from two machines, and no panic.
func FuzzApply(f *testing.F) {
	s, host := sceneOf(f, sceneName), defaultNode(f)
	f.Add(s.msg, uint(s.length), false)
	f.Add(s.msg, uint(0), true)
	f.Add([]byte{0x8a, 0, 0x40}, uint(10), false)
	f.Add([]byte(nil), uint(math.MaxUint), true)
	f.Fuzz(func(t *testing.T, msg []byte, length uint, implicit bool) {
		var rets [2]*ApplyRet
		var errs [2]error
		for i := range rets {
			m, err := host.create(s.opts(s.node()))
			if err != nil {
				t.Fatal(err)
			}
			if implicit {
				rets[i], errs[i] = m.ApplyImplicitMessage(msg)
			} else {
				rets[i], errs[i] = m.ApplyMessage(msg, length)
			}
			if errors.Is(errs[i], errPanic) || (rets[i] == nil) == (errs[i] == nil) {
				t.Fatalf("%+v, %v", rets[i], errs[i])
			}
		}
		if !reflect.DeepEqual(rets[0], rets[1]) || (errs[0] == nil) != (errs[1] == nil) {
			t.Fatalf("%+v, %v\n%+v, %v", rets[0], errs[0], rets[1], errs[1])
		}
	})
}

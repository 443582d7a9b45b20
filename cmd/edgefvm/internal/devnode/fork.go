package devnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore/pebble"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/disk/filelock"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/fork"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/remote"
	"github.com/edgefvm/fvm/node/replay"
)

// forkFlags are those of a fork.
type forkFlags struct {
	from      string
	epoch     int64
	network   string
	tokenFile string
	cache     string
	limit     int
	timeout   time.Duration
	requests  int
	offline   bool
}

func (x *forkFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&x.from, "fork", "", "go on from a real chain: `URL|FILE` of a Lotus or Forest, or of a chain's archive")
	f.Int64Var(&x.epoch, "fork-epoch", -1, "`epoch` of the chain to go on from (default: the newest whose state is known)")
	f.StringVar(&x.network, "fork-network", "", "`NAME|FILE` of the network (default: told by the chain's genesis)")
	f.StringVar(&x.tokenFile, "fork-token-file", "", "`file` with the token that the node wants; one that may read is enough")
	f.StringVar(&x.cache, "fork-cache", "", "`folder` of what was fetched (default: fork in the cache folder)")
	f.IntVar(&x.limit, "fork-cache-limit", 8192, "most `MiB` of fetched blocks on disk, at least 64")
	f.DurationVar(&x.timeout, "fork-timeout", 15*time.Second, "how long a request to the node may take")
	f.IntVar(&x.requests, "fork-requests", 16, "how many requests are at work at the node at a time")
	f.BoolVar(&x.offline, "offline", false, "ask no node: go on from what --fork fetched before")
}

// onlyForks are the flags that say something of a fork, and never the flags of a chain of one's own.
var (
	onlyForks  = []string{"fork-epoch", "fork-network", "fork-token-file", "fork-cache", "fork-cache-limit", "fork-timeout", "fork-requests", "offline"}
	neverForks = []string{"nv", "flavour", "miners", "epoch-time", "timestamp"}
)

func (x *forkFlags) check(cmd *cobra.Command) error {
	wrong, why := onlyForks, "it is for --fork"
	if x.from != "" {
		wrong, why = neverForks, "a fork has the chain's own"
	}
	for _, name := range wrong {
		if cmd.Flags().Changed(name) {
			return kit.Usagef("--%s: %s", name, why)
		}
	}
	switch {
	case x.epoch < -1:
		return kit.Usagef("--fork-epoch %d: want 0 or more", x.epoch)
	case x.limit < remote.MinCache>>20 || x.limit > 1<<30:
		return kit.Usagef("--fork-cache-limit %d: want at least %d MiB", x.limit, remote.MinCache>>20)
	case x.timeout < 10*time.Millisecond:
		return kit.Usagef("--fork-timeout %s: want 10ms or more", x.timeout)
	case x.requests < 1 || x.requests > 1024:
		return kit.Usagef("--fork-requests %d: want 1 to 1024", x.requests)
	}
	return nil
}

// forks opens chains to go on from, and keeps them open.
type forks struct {
	x        *flags
	set      kit.Setting
	bundles  *bundle.Set
	engine   *fvm.Engine
	messages io.Writer
	network  *network.Network // of --fork-network
	accounts []address.Address
	balance  abi.TokenAmount

	mu      sync.Mutex
	disk    *fork.Disk
	sources map[string]*fork.Source // by address
	first   *fork.Source
	ends    []func() error
}

func (x *flags) forks(cmd *cobra.Command, bundles *bundle.Set, engine *fvm.Engine) (*forks, error) {
	f := &forks{x: x, set: x.set, bundles: bundles, engine: engine, messages: cmd.ErrOrStderr(), sources: map[string]*fork.Source{}}
	o, err := x.genesis()
	if err != nil {
		return nil, err
	}
	if x.fork.network != "" {
		if f.network, err = network.Find(x.fork.network); err != nil {
			return nil, kit.AsUsage(err)
		}
	}
	keys, err := genesis.KeysOf(x.mnemonic, x.accounts)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		f.accounts = append(f.accounts, k.F410, k.F1)
	}
	f.balance = o.Balance
	return f, nil
}

// begin opens the chain of --fork, at the tipset that a journal has or else at --fork-epoch.
func (f *forks) begin(ctx context.Context, journal dev.Journal) (*dev.Fork, error) {
	var where fork.Where
	if journal != nil {
		var err error
		if where.Tipset, err = dev.ForkedAt(ctx, journal); err != nil {
			return nil, err
		}
	}
	if f.x.fork.epoch >= 0 && where.Tipset == nil {
		e := abi.ChainEpoch(f.x.fork.epoch)
		where.Epoch = &e
	}
	s, err := f.open(ctx, f.x.fork.from, true)
	if err != nil {
		return nil, fmt.Errorf("--fork: %w", err)
	}
	f.first = s
	at, err := s.At(ctx, where)
	if err != nil {
		return nil, fmt.Errorf("--fork: %w", err)
	}
	if e := abi.ChainEpoch(f.x.fork.epoch); where.Tipset != nil && e >= 0 && at.Tipset.Height() != e {
		return nil, kit.Usagef("--fork-epoch %d: the chain of --state %s goes on from epoch %d", e, f.x.state, at.Tipset.Height())
	}
	return at, nil
}

// again is what a reset goes on from: another node, or the same at another epoch.
func (f *forks) again(ctx context.Context, url string, epoch *abi.ChainEpoch) (*dev.Fork, error) {
	s := f.first
	if url != "" {
		var err error
		if s, err = f.open(ctx, url, false); err != nil {
			return nil, err
		}
	}
	if s == nil {
		return nil, errors.New("there is no chain to go on from: name one by jsonRpcUrl")
	}
	return s.At(ctx, fork.Where{Epoch: epoch})
}

// open opens a node's chain or, for files, an archive's.
func (f *forks) open(ctx context.Context, text string, files bool) (*fork.Source, error) {
	if _, err := os.Stat(text); err == nil && files {
		return f.openFile(ctx, text)
	}
	a, err := lotusrpc.ParseAddress(text)
	if err != nil {
		if files && !strings.Contains(text, ":/") {
			return nil, kit.Usagef("%q is neither a file nor a node's address: want http://HOST:PORT, ws://HOST:PORT or TOKEN:/ip4/HOST/tcp/PORT/http", text)
		}
		return nil, kit.AsUsage(err)
	}
	if files && f.x.fork.tokenFile != "" {
		if a.Token, err = kit.ReadToken(f.x.fork.tokenFile); err != nil {
			return nil, fmt.Errorf("--fork-token-file: %w", err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	name := a.String() + " " + a.Token
	if s := f.sources[name]; s != nil {
		return s, nil
	}
	if err := f.openDisk(); err != nil {
		return nil, err
	}
	o := fork.Options{
		Node: lotusrpc.New(lotusrpc.Options{Address: a, Timeout: f.x.fork.timeout, Parallel: f.x.fork.requests}), Disk: f.disk, Offline: f.x.fork.offline,
		Network: f.network, Bundles: f.bundles, Engine: f.engine, Accounts: f.accounts, Balance: f.balance,
	}
	s, err := fork.Open(ctx, o)
	if err != nil {
		o.Node.Close()
		return nil, err
	}
	f.sources[name] = s
	f.ends = append(f.ends, func() error { s.Close(); o.Node.Close(); return nil })
	return s, nil
}

// maxSlots is how many nodes may fork on a machine at the same time with a folder of what was fetched each.
const maxSlots = 16

// openDisk opens the folder of what was fetched. One process at a time may use it, so another takes the next beside it.
func (f *forks) openDisk() error {
	if f.disk != nil {
		return nil
	}
	dir := f.x.fork.cache
	if dir == "" {
		cache, err := kit.CacheFolder(f.set.CacheDir)
		if err != nil {
			return err
		}
		dir = filepath.Join(cache, "fork")
	}
	for slot := 1; ; slot++ {
		at := dir
		if slot > 1 {
			at = fmt.Sprintf("%s-%d", dir, slot)
		}
		if err := os.MkdirAll(at, 0o755); err != nil {
			return fmt.Errorf("--fork-cache: %w", err)
		}
		unlock, err := filelock.Try(filepath.Join(at, "lock"))
		if errors.Is(err, filelock.ErrBusy) && slot < maxSlots {
			continue
		}
		if err != nil {
			return fmt.Errorf("--fork-cache %s: %w", at, err)
		}
		f.disk, err = fork.OpenDisk(at, uint64(f.x.fork.limit)<<20, func(dir string) (remote.Disk, error) { return pebble.Open(dir) })
		if err != nil {
			unlock()
			return fmt.Errorf("--fork-cache %s: %w", at, err)
		}
		f.ends = append(f.ends, func() error { defer unlock(); return f.disk.Close() })
		return nil
	}
}

// openFile opens an archive. States that it lacks are made in memory, or in a temporary folder when they are many.
func (f *forks) openFile(ctx context.Context, path string) (*fork.Source, error) {
	dir, err := kit.CacheFolder(f.set.CacheDir)
	if err != nil {
		return nil, err
	}
	archive, err := kit.OpenState(ctx, []string{path}, kit.StateOptions{Flag: "--fork", Folder: kit.ArchivesIn(dir), Messages: f.messages})
	if err != nil {
		return nil, err
	}
	f.ends = append(f.ends, archive.Close)
	states, err := kit.OpenStore("")
	if err != nil {
		return nil, err
	}
	f.ends = append(f.ends, states.Close)
	progress := term.NewProgress(f.messages)
	defer progress.End()
	s, err := fork.Open(ctx, fork.Options{
		Archive: archive, Roots: archive.Roots, Name: path, States: states, Network: f.network, Bundles: f.bundles, Engine: f.engine,
		Accounts: f.accounts, Balance: f.balance,
		Progress: func(now replay.Progress) {
			if now.Doing != "" {
				progress.Line(now.Doing)
			} else {
				progress.Line(fmt.Sprintf("making the state: epoch %d of %d", now.Epoch, now.Last))
			}
		},
	})
	if err != nil {
		return nil, err
	}
	f.ends = append(f.ends, func() error { s.Close(); return nil })
	return s, nil
}

func (f *forks) close() {
	for i := len(f.ends) - 1; i >= 0; i-- {
		_ = f.ends[i]()
	}
}

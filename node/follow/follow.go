package follow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/disk/filelock"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/remote"
	"github.com/edgefvm/fvm/node/replay"
)

// Options say whom to follow and how. Node, Engines, Dir and Open are required.
type Options struct {
	// Node is asked. With an address for WebSocket it tells of new heads; by HTTP it is asked for them.
	Node *lotusrpc.Client
	// Network that the node must be of. Default: the known one with the node's genesis.
	Network *network.Network
	// From is the epoch to begin at, the first time; a run with the same Dir goes on where the one before was. Default, for 0: the
	// head's parent. Another value than before begins again there.
	From abi.ChainEpoch
	// To ends the run when all up to this epoch was judged. Default, for 0: it does not end.
	To abi.ChainEpoch
	// Confidence is how many epochs a tipset's child must be below the head before the tipset is judged.
	Confidence abi.ChainEpoch
	// Engines: the first executes, others do the same in lock-step and must agree.
	Engines []*fvm.Engine
	// Workers is how many goroutines execute the messages of a tipset. Default: 1.
	Workers int
	// Parallel is how many tipsets are executed at a time while it catches up. Default: 1.
	Parallel int
	// Proofs judges proofs. Default: a tipset with a message that needs a verdict is undecided.
	Proofs externs.ProofVerifier
	// Bundles has the actors that upgrades bring. Default: bundle.Open's, when an upgrade comes.
	Bundles *bundle.Set
	// Dir is a folder for the cache and the journal, for one process at a time. CacheBytes bounds the cache (default: 4 GiB), and Open
	// opens a store in a folder of it.
	Dir        string
	CacheBytes uint64
	Open       func(dir string) (Disk, error)
	// Vectors is a folder for vectors of tipsets that differ. Default: none are written.
	Vectors string
	// Halt ends the run at the first tipset that differs or cannot be executed, with ErrHalted.
	Halt bool
	// TipsetTimeout is how long a tipset may take, what is fetched for it included, before it is skipped. Default: 30 minutes.
	TipsetTimeout time.Duration
	// Poll is how often the node is asked for its head by HTTP. Default: a tenth of an epoch, at least half a second.
	Poll time.Duration
	// Log hears what happens. Default: nobody.
	Log *slog.Logger
	// OnTipset hears of each judgement, from any goroutine. The tipset is nil where there is none. Default: nobody.
	OnTipset func(*replay.Tipset, *Judgement)
}

// Follower follows one node. Close it when it is not needed any more.
type Follower struct {
	o       Options
	log     *slog.Logger
	unlock  func()
	cache   *remote.Cache
	journal *journal
	fetch   *fetcher
	headers *chain.Store
	state   state

	network *network.Network
	pledge  abi.TokenAmount
	start   abi.ChainEpoch // nothing below is judged; -1: not known yet
	line    *chain.Line
	judged  abi.ChainEpoch // epoch of the highest tipset that something was compared with; with the state's lock, as the next
	// finished is the last head of which all was judged.
	finished chain.Key
	workers  []*worker
	heads    heads
}

// New opens what is on disk. Nothing is asked of the node before Run.
func New(o Options) (f *Follower, err error) {
	switch {
	case o.Node == nil || len(o.Engines) == 0 || o.Dir == "" || o.Open == nil:
		return nil, errors.New("a node, an engine, a folder and how to open a store in it are needed")
	case o.From < 0 || o.To < 0 || o.Confidence < 0 || o.To > 0 && o.From > o.To:
		return nil, fmt.Errorf("epochs from %d to %d with a confidence of %d: there are none", o.From, o.To, o.Confidence)
	}
	o.CacheBytes, o.TipsetTimeout = cmp.Or(o.CacheBytes, 4<<30), cmp.Or(o.TipsetTimeout, 30*time.Minute)
	o.Workers, o.Parallel = max(o.Workers, 1), max(o.Parallel, 1)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f = &Follower{o: o, log: o.Log, start: -1}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	if f.unlock, err = filelock.Try(filepath.Join(o.Dir, "lock")); err != nil {
		if errors.Is(err, filelock.ErrBusy) {
			err = fmt.Errorf("%s: another process follows a node with this folder: %w", o.Dir, err)
		}
		return nil, err
	}
	defer func() {
		if err != nil {
			f.unlock()
		}
	}()
	if f.journal, err = openJournal(o.Dir); err != nil {
		return nil, err
	}
	if f.cache, err = remote.OpenCache(o.Dir, o.CacheBytes, o.Open); err != nil {
		return nil, errors.Join(err, f.journal.close())
	}
	f.fetch = &fetcher{Fetcher: remote.New(remote.Options{Node: o.Node, Cache: f.cache})}
	f.headers = chain.NewStore(ahead{f.fetch})
	f.heads.wake = make(chan struct{}, 1)
	f.judged = f.journal.judgedTo()
	now := time.Now()
	f.state.s = Status{Node: o.Node.Address().String(), Head: -1, JudgedTo: f.journal.judgedTo(), LastPassedEpoch: -1, Started: now, Beat: now}
	return f, nil
}

// Close closes what is on disk. Run must have returned.
func (f *Follower) Close() error {
	err := errors.Join(f.cache.Close(), f.journal.close())
	f.unlock()
	return err
}

// Status is how the run stands. It may be asked for from any goroutine.
func (f *Follower) Status() Status {
	s := f.state.get()
	s.JudgedTo = f.journal.judgedTo()
	of := f.fetch.Stats()
	s.Fetched, s.FetchedBytes, s.Found, s.Lies = of.Fetched, of.Bytes, of.Found, of.Lies
	s.CacheBytes, s.CacheTurns = f.cache.Size()
	return s
}

// Run follows until the context ends, which is no error, or until something is wrong that waiting does not mend: a node of another
// network or one that refuses the token, at the start; a disk that fails; or ErrHalted.
func (f *Follower) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	f.fetch.Start(ctx)
	defer f.fetch.Wait() // before the disks are closed
	defer cancel()
	if err := f.begin(ctx); err != nil {
		return ended(ctx, err)
	}
	done := make(chan struct{})
	go func() { defer close(done); f.watch(ctx) }()
	err := f.rounds(ctx)
	cancel()
	<-done
	return ended(ctx, err)
}

// ended is an error, unless it is that of the run's end.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, errNode)) {
		return nil
	}
	return err
}

// begin learns of the node's network, as long as it takes for the node to answer.
func (f *Follower) begin(ctx context.Context) error {
	pause := remote.Backoff{First: 500 * time.Millisecond, Most: 30 * time.Second}
	for {
		err := f.identify(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case hopeless(err) || errors.Is(err, ErrIdentity):
			return err
		}
		f.lost(err)
		if err := pause.Wait(ctx); err != nil {
			return err
		}
	}
}

// lost notes that the node does not answer. It is told once, and when the words change.
func (f *Follower) lost(err error) {
	s := f.state.get()
	if s.Connected || s.Error != err.Error() {
		f.log.Warn("node does not answer", "error", err.Error())
	}
	f.state.set(func(s *Status) { s.Connected, s.Error = false, err.Error() })
}

// rounds judges what each new head brings.
func (f *Follower) rounds(ctx context.Context) error {
	pause := remote.Backoff{First: 500 * time.Millisecond, Most: 30 * time.Second}
	for {
		f.state.beat()
		head, ok := f.heads.latest()
		var err error
		if ok {
			err = f.round(ctx, head)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errNode) || errors.Is(err, errHead):
			f.log.Warn("tipsets wait for the node", "error", err.Error())
			f.state.set(func(s *Status) { s.Error = err.Error() })
			if err := pause.Wait(ctx); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		case ok && f.reachedEnd():
			return nil
		}
		pause.Reset()
		if err := f.heads.wait(ctx, 30*time.Second); err != nil {
			return err
		}
	}
}

func (f *Follower) reachedEnd() bool { return f.o.To > 0 && f.journal.judgedTo() >= f.o.To }

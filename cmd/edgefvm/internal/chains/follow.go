package chains

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/blockstore/pebble"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/node/follow"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/replay"
)

// nodeEnv is where Lotus's own commands find their node.
const nodeEnv = "FULLNODE_API_INFO"

// followFlags are the flags of follow.
type followFlags struct {
	set                   kit.Setting
	node, tokenFile       string
	network               string
	from, to, confidence  int64
	workers, parallel     int
	requests, storeLimit  int
	timeout, tipset       time.Duration
	store, report, listen string
	differences, log      string
	readyLag              int64
	halt, verbose, asJSON bool
	judging               judging
}

func newFollow() *cobra.Command {
	var x followFlags
	cmd := &cobra.Command{
		Use:   "follow --node URL",
		Short: "Follow a live node and check each tipset that it takes",
		Long: `Follows the chain of a node (Lotus, Forest or Venus, unchanged) by JSON-RPC, executes each
tipset, and compares the state root, the receipts root and the base fee that follows with
what the headers of the next tipset say. A tipset that differs is told at level ERROR, with
a vector of it; with --halt it ends the command with 1.

Blocks are fetched when they are needed, checked by their hash, and kept in --store within
--store-limit; so is what was judged, and a command that was stopped, in whatever way, goes
on from there. A node that is away is waited for.

URL is http://HOST:PORT, where the node is asked for its head, or ws://HOST:PORT, where it
tells of it; or as in ` + nodeEnv + `, which is the default: TOKEN:/ip4/HOST/tcp/PORT/http.
The command ends on SIGINT and SIGTERM, with 0 if nothing differed. See docs/operators.md.`,
		Example: `  edgefvm follow --node ws://127.0.0.1:1234 --store /var/lib/edgefvm --listen 127.0.0.1:9464
  edgefvm follow --node http://127.0.0.1:1234 --token-file token --network 2k --from 100 --parallel 2
  edgefvm follow --node ws://127.0.0.1:1234 --engine wazero,wasmedge-o2 --halt --log json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return x.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&x.node, "node", "", "`URL` of the node (default: $"+nodeEnv+")")
	f.StringVar(&x.tokenFile, "token-file", "", "`file` with the token that the node wants; one that may read is enough")
	f.StringVar(&x.network, "network", "", "`NAME|FILE` of the network (default: told by the node's genesis)")
	f.Int64Var(&x.from, "from", 0, "first `epoch`, to catch up from (default: the head, or where the store has come to)")
	f.Int64Var(&x.to, "to", 0, "end when all up to this `epoch` was judged (default: go on)")
	f.Int64Var(&x.confidence, "confidence", 0, "how many `epochs` must be above a tipset's child before it is judged")
	f.IntVar(&x.workers, "workers", 1, "how many messages are executed at a time, 0: as many as there are processors")
	f.IntVar(&x.parallel, "parallel", 1, "how many tipsets are executed at a time while it catches up, 0: as many as there are processors")
	f.BoolVar(&x.halt, "halt", false, "end with 1 at the first tipset that differs or cannot be executed")
	f.StringVar(&x.store, "store", "follow", "`folder` for blocks and the journal")
	f.IntVar(&x.storeLimit, "store-limit", 4096, "most `MiB` of blocks on disk, at least 64")
	f.StringVar(&x.differences, "differences", "differences", "`folder` for vectors of tipsets that differ")
	f.StringVar(&x.report, "report", "", "keep what was found in this `file`, in JSON")
	f.StringVar(&x.listen, "listen", "", "`HOST:PORT` for /metrics, /healthz, /readyz and /status")
	f.Int64Var(&x.readyLag, "ready-lag", 10, "how many `epochs` may be left to be judged while /readyz says yes")
	f.StringVar(&x.log, "log", "text", "how the log is written: 'text' or 'json'")
	f.BoolVar(&x.verbose, "verbose", false, "log each head, too")
	f.DurationVar(&x.timeout, "timeout", 30*time.Second, "how long a request to the node may take")
	f.DurationVar(&x.tipset, "tipset-timeout", 30*time.Minute, "how long a tipset may take before it is skipped")
	f.IntVar(&x.requests, "requests", 16, "how many requests are at work at the node at a time")
	x.judging.flags(cmd)
	f.BoolVar(&x.asJSON, "json", false, "print what was found in JSON at the end")
	x.set.MachineFlags(cmd, "; several with commas between them run in lock-step")
	return cmd
}

// check finds what is wrong with the flags before anything is asked.
func (x *followFlags) check() error {
	const epochs = 1 << 40
	switch {
	case x.from < 0 || x.to < 0 || x.from > epochs || x.to > epochs:
		return kit.Usagef("--from and --to are epochs, 0 or more")
	case x.to > 0 && x.from > x.to:
		return kit.Usagef("--from %d is after --to %d", x.from, x.to)
	case x.confidence < 0 || x.confidence > 10_000:
		return kit.Usagef("--confidence %d: want 0 to 10000 epochs", x.confidence)
	case x.storeLimit < follow.MinCache>>20 || x.storeLimit > 1<<30:
		return kit.Usagef("--store-limit %d: want at least %d MiB", x.storeLimit, follow.MinCache>>20)
	case x.log != "text" && x.log != "json":
		return kit.Usagef("--log %q: want text or json", x.log)
	case x.readyLag < 0:
		return kit.Usagef("--ready-lag %d: want 0 or more epochs", x.readyLag)
	case x.timeout < 10*time.Millisecond || x.tipset < x.timeout:
		return kit.Usagef("--timeout %s, --tipset-timeout %s: want 10ms or more, and the second not below the first", x.timeout, x.tipset)
	case x.requests < 1 || x.requests > 1024:
		return kit.Usagef("--requests %d: want 1 to 1024", x.requests)
	}
	var err error
	if x.workers, err = workers(x.workers); err != nil {
		return err
	}
	if x.parallel < 0 || x.parallel > 64 {
		return kit.Usagef("--parallel %d: want 0 to 64", x.parallel)
	}
	if x.parallel == 0 {
		x.parallel, _ = workers(0)
	}
	if err := checkReport(x.report); err != nil {
		return err
	}
	return x.judging.check()
}

// address is where the node is, with its token.
func (x *followFlags) address() (*lotusrpc.Address, error) {
	text, from := x.node, "--node"
	if text == "" {
		text, from = os.Getenv(nodeEnv), "$"+nodeEnv
	}
	if text == "" {
		return nil, kit.Usagef("which node? Give --node URL, or set %s", nodeEnv)
	}
	a, err := lotusrpc.ParseAddress(text)
	if err != nil {
		return nil, kit.AsUsage(fmt.Errorf("%s: %w", from, err))
	}
	if x.tokenFile == "" {
		return a, nil
	}
	if a.Token, err = kit.ReadToken(x.tokenFile); err != nil {
		return nil, fmt.Errorf("--token-file: %w", err)
	}
	return a, nil
}

func (x *followFlags) run(cmd *cobra.Command) (err error) {
	ctx := cmd.Context()
	if err := x.check(); err != nil {
		return err
	}
	at, err := x.address()
	if err != nil {
		return err
	}
	o := follow.Options{
		From: abi.ChainEpoch(x.from), To: abi.ChainEpoch(x.to), Confidence: abi.ChainEpoch(x.confidence), Workers: x.workers, Parallel: x.parallel,
		Dir: x.store, CacheBytes: uint64(x.storeLimit) << 20, Open: func(dir string) (follow.Disk, error) { return pebble.Open(dir) },
		Vectors: x.differences, Halt: x.halt, TipsetTimeout: x.tipset, Log: x.logger(cmd.ErrOrStderr()),
	}
	if o.Proofs, err = x.judging.verifier(cmd); err != nil {
		return err
	}
	if x.network != "" {
		if o.Network, err = network.Find(x.network); err != nil {
			return kit.AsUsage(err)
		}
	}
	engines, end, err := x.set.StartAll(ctx)
	if err != nil {
		return err
	}
	defer end()
	o.Engines = engines
	if o.Bundles, err = bundle.Open(ctx, x.set.BundleOptions(cmd)); err != nil {
		o.Bundles = nil // asked for again when an upgrade needs it
	}
	found := &followReport{Proofs: fmt.Sprint(o.Proofs), path: x.report}
	for _, e := range engines {
		found.Engines = append(found.Engines, e.Name())
	}
	meters := newFollowMeters(found.Engines)
	o.Node = lotusrpc.New(lotusrpc.Options{Address: at, Timeout: x.timeout, Parallel: x.requests, OnRequest: meters.request})
	defer o.Node.Close()
	o.OnTipset = func(t *replay.Tipset, d *follow.Judgement) {
		meters.tipset(t, d)
		found.add(t, d)
	}
	f, err := follow.New(o)
	if err != nil {
		return fmt.Errorf("--store: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	found.status = f.Status
	meters.follow(f.Status)
	if x.listen != "" {
		l, err := net.Listen("tcp", x.listen)
		if err != nil {
			return fmt.Errorf("--listen: %w", err)
		}
		o.Log.Info("listening", "address", l.Addr().String())
		defer serveFollow(l, f.Status, meters, x)()
	}
	stop := found.keep(ctx, o.Log)
	err = f.Run(ctx)
	stop()
	return x.tell(cmd, found, err)
}

// logger writes the log as the flags say.
func (x *followFlags) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if x.verbose {
		o.Level = slog.LevelDebug
	}
	if x.log == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// tell prints what was found.
func (x *followFlags) tell(cmd *cobra.Command, found *followReport, failed error) error {
	if failed != nil {
		found.note(failed)
	}
	unwritten := found.write()
	if failed != nil && !errors.Is(failed, follow.ErrHalted) {
		return errors.Join(failed, unwritten)
	}
	now := found.now()
	var err error
	if x.asJSON {
		err = kit.WriteJSON(cmd, now)
	} else {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "network %s, judged up to epoch %d\n%d passed, %d failed, %d skipped\n",
			cmp.Or(now.Status.Network, "unknown"), now.Status.JudgedTo, now.Status.Passed, now.Status.Differs+now.Status.Undecided, now.Status.Skipped)
	}
	if unwritten != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "edgefvm: --report %s: %s\n", x.report, term.OneLine(unwritten.Error()))
	}
	return kit.Verdict(errors.Join(err, unwritten), false, now.Status.Differs+now.Status.Undecided == 0)
}

// keepEvery is how often the report is written while nothing differs.
const keepEvery = 30 * time.Second

// keep writes the report now and then until it is stopped.
func (r *followReport) keep(ctx context.Context, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(keepEvery)
		defer t.Stop()
		for r.path != "" {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			if err := r.write(); err != nil {
				log.Warn("the report cannot be written", "error", err.Error())
			}
		}
	}()
	return func() { cancel(); <-done }
}

package chains

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/replay"
	"github.com/edgefvm/fvm/node/textform"
)

// source is a chain that a command asks, as the flags say. Close it.
type source struct {
	set            kit.Setting
	path           string
	network, store string
	workers        int
	judging        judging

	archive  *kit.State
	options  replay.Options // that the chain was opened with
	chain    *replay.Chain
	progress *term.Progress
	ends     []func() error
}

// flags adds those that name the chain.
func (s *source) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.path, "chain", "", "archive `file` of the chain, instead of the first argument")
	f.StringVar(&s.network, "network", "", "`NAME|FILE` of the network (default: told by the chain's genesis)")
	f.StringVar(&s.store, "store", "", "`folder` of a replay's states: they are used, and what is executed on the way is added")
	kit.CacheFlag(cmd, &s.set.CacheDir)
}

// runFlags adds those of executing.
func (s *source) runFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&s.workers, "workers", 1, "how many messages are executed at a time, 0: as many as there are processors")
	s.judging.flags(cmd)
	s.set.EngineFlag(cmd, "Wasm `engine`")
	f.BoolVar(&s.set.NoCache, "no-cache", false, "keep compiled code in memory only")
	s.set.BundleFlags(cmd)
}

// open takes the chain's file from the arguments, unless --chain names it, opens it, and gives the other arguments.
func (s *source) open(cmd *cobra.Command, args []string) (rest []string, err error) {
	ctx := cmd.Context()
	if s.path == "" {
		if len(args) == 0 {
			return nil, kit.Usagef("which chain? Name its file first, or give --chain FILE")
		}
		s.path, args = args[0], args[1:]
	}
	var o replay.Options
	if o.Workers, err = workers(s.workers); err != nil {
		return nil, err
	}
	if s.network != "" {
		if o.Network, err = network.Find(s.network); err != nil {
			return nil, kit.AsUsage(err)
		}
	}
	if s.judging.proofs != "" {
		if err := s.judging.check(); err != nil {
			return nil, err
		}
		if o.Proofs, err = s.judging.verifier(cmd); err != nil {
			return nil, err
		}
	}
	dir, err := kit.CacheFolder(s.set.CacheDir)
	if err != nil {
		return nil, err
	}
	s.archive, err = kit.OpenState(ctx, []string{s.path}, kit.StateOptions{Flag: "chain", Folder: kit.ArchivesIn(dir), Messages: cmd.ErrOrStderr()})
	if err != nil {
		return nil, err
	}
	s.ends = append(s.ends, s.archive.Close)
	o.Archive, o.Roots = s.archive, s.archive.Roots
	kept, err := kit.OpenStore(s.store)
	if err != nil {
		return nil, err
	}
	s.ends, o.Store = append(s.ends, kept.Close), kept
	if s.set.Engine != "" {
		e, err := s.set.Start() // modules are compiled when they are needed
		if err != nil {
			return nil, err
		}
		s.ends = append(s.ends, func() error { return e.Close(context.WithoutCancel(ctx)) })
		o.Engines = []*fvm.Engine{e}
		watched := kit.WatchCompiling(cmd.ErrOrStderr(), e)
		s.ends = append(s.ends, func() error { watched(); return nil })
	}
	if o.Bundles, err = bundle.Open(ctx, s.set.BundleOptions(cmd)); err != nil {
		o.Bundles = nil // asked for again when the actors are needed
	}
	s.progress = term.NewProgress(cmd.ErrOrStderr())
	o.Progress = func(now replay.Progress) { show(s.progress, now) }
	s.options = o
	if s.chain, err = replay.Open(ctx, o); err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	return args, nil
}

// workers are those that --workers says.
func workers(n int) (int, error) {
	switch {
	case n < 0 || n > 1024:
		return 0, kit.Usagef("--workers %d: want 0 to 1024", n)
	case n == 0:
		return runtime.GOMAXPROCS(0), nil
	}
	return n, nil
}

// close closes what open opened. Use it with defer.
func (s *source) close(err *error) {
	if s.progress != nil {
		s.progress.End()
	}
	for i := len(s.ends) - 1; i >= 0; i-- {
		*err = errors.Join(*err, s.ends[i]())
	}
}

// epoch reads one.
func epoch(text string) (abi.ChainEpoch, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, kit.Usagef("%q is no epoch: want a number, 0 or more", text)
	}
	return abi.ChainEpoch(n), nil
}

// tipset is the one of an epoch or with a block, and the head's for "".
func (s *source) tipset(ctx context.Context, arg string) (*chain.Tipset, error) {
	line := s.chain.Line()
	if arg == "" {
		return line.Head(), nil
	}
	if c, err := textform.CID(arg); err == nil {
		h, err := s.chain.Headers().Header(ctx, c)
		if err != nil {
			return nil, err
		}
		if h.Height <= line.Head().Height() {
			t, err := line.At(ctx, h.Height)
			if err != nil {
				return nil, err
			}
			for _, b := range t.CIDs {
				if b.Equals(c) {
					return t, nil
				}
			}
		}
		return nil, fmt.Errorf("block %s, of epoch %d, is not on the chain that the head stands on", c, h.Height)
	}
	at, err := epoch(arg)
	if err != nil {
		return nil, kit.Usagef("%q is neither an epoch nor the CID of a block", arg)
	}
	t, err := line.At(ctx, at)
	if err != nil {
		return nil, err
	}
	if t.Height() == at {
		return t, nil
	}
	below, err := s.chain.Headers().Parent(ctx, t)
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("epoch %d is a null round: the tipsets around it are at %d and %d", at, below.Height(), t.Height())
}

// names are a list's CIDs.
func names(list []cid.Cid) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.String()
	}
	return out
}

// differences are in what a tipset does not come to what the chain says, a line each.
func differences(list []replay.Difference) (lines []string) {
	for _, d := range list {
		lines = append(lines, fmt.Sprintf("%s: want %s, got %s", d.What, cmp.Or(d.Want, "none"), cmp.Or(d.Got, "none")))
	}
	return lines
}

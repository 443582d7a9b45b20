package chains

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/replay"
	"github.com/edgefvm/fvm/vector"
)

// replayFlags are the flags of replay.
type replayFlags struct {
	set           kit.Setting
	network       string
	from, to      int64
	workers       int
	store, report string
	differences   string
	judging       judging
	validate      bool
	against       string // the reference's program
	asJSON        bool
}

func newReplay() *cobra.Command {
	var x replayFlags
	cmd := &cobra.Command{
		Use:   "replay CHAIN",
		Short: "Execute a chain's tipsets again and compare them with its headers",
		Long: `Executes the tipsets of a chain from an archive: an export of Lotus, or a snapshot. Of
each it compares the state root, the receipts root and the base fee that follows with what
the headers of the next tipset say. At the first difference it says where it lies as far as
the chain can tell, writes a vector of that tipset, and ends with 1. With --against PROGRAM
the reference runs that vector too: it says which side is right, and which gas charge is the
first that differs.

Everything is derived from the archive and from the network, which is known by its genesis
or named with --network: mainnet, calibnet, butterflynet, 2k, interop, itests, or a file
that describes it. The last line is 'N passed, N failed, N skipped', counting tipsets; the
head is skipped, since no headers tell what should come of it.

With --validate each block is judged before its tipset is executed: election and win count,
ticket, winning PoSt, entries of the beacon, signatures, weight, times, and the messages. What
needs the clock or the network is left out: that a block is not of the future.

With --store what a replay makes is kept in a folder. A replay that was stopped, in whatever
way, goes on from there.`,
		Example: `  edgefvm replay mainnet.car --from 5000000 --to 5002880 --workers 4
  edgefvm replay chain.car.zst --network chain.json --store states --report report.json
  edgefvm replay chain.car --network itests --engine wazero,wasmedge-o2`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return x.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&x.network, "network", "", "`NAME|FILE` of the network (default: told by the chain's genesis)")
	f.Int64Var(&x.from, "from", 0, "first `epoch` (default: the lowest that the archive has the state for)")
	f.Int64Var(&x.to, "to", 0, "last `epoch` (default: the head's)")
	f.IntVar(&x.workers, "workers", 1, "how many messages are executed at a time, 0: as many as there are processors")
	f.StringVar(&x.store, "store", "", "`folder` for what the replay makes, to go on from (default: memory)")
	f.StringVar(&x.report, "report", "", "write what was found to this `file`, in JSON")
	f.StringVar(&x.differences, "differences", "differences", "`folder` for a vector of the first difference")
	f.BoolVar(&x.validate, "validate", false, "judge the blocks too: elections, tickets, winning PoSts, signatures, messages")
	kit.AgainstFlag(cmd, &x.against, "to be asked at the first difference which gas charge differs")
	x.judging.flags(cmd)
	f.BoolVar(&x.asJSON, "json", false, "print what was found in JSON")
	x.set.MachineFlags(cmd, "; several with commas between them run in lock-step")
	return cmd
}

// checkReport tells at the start, not after days, that a report cannot be written: there is no folder for it.
func checkReport(path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return kit.Usagef("--report %s: there is no folder %s", path, filepath.Dir(path))
	}
	return nil
}

// check finds what is wrong with the flags before anything is read.
func (x *replayFlags) check() error {
	switch {
	case x.from < 0 || x.to < 0:
		return kit.Usagef("--from and --to are epochs, 0 or more")
	case x.to > 0 && x.from > x.to:
		return kit.Usagef("--from %d is after --to %d", x.from, x.to)
	}
	var err error
	if x.workers, err = workers(x.workers); err != nil {
		return err
	}
	if x.against, err = kit.Reference(x.against); err != nil {
		return err
	}
	if err := checkReport(x.report); err != nil {
		return err
	}
	return x.judging.check()
}

func (x *replayFlags) run(cmd *cobra.Command, path string) (err error) {
	ctx := cmd.Context()
	if err := x.check(); err != nil {
		return err
	}
	o := replay.Options{From: abi.ChainEpoch(x.from), To: abi.ChainEpoch(x.to), Workers: x.workers, Vectors: x.differences, Validate: x.validate}
	if o.Proofs, err = x.judging.verifier(cmd); err != nil {
		return err
	}
	if x.network != "" {
		if o.Network, err = network.Find(x.network); err != nil {
			return kit.AsUsage(err)
		}
	}
	dir, err := kit.CacheFolder(x.set.CacheDir)
	if err != nil {
		return err
	}
	archive, err := kit.OpenState(ctx, []string{path}, kit.StateOptions{Flag: "chain", Folder: kit.ArchivesIn(dir), Messages: cmd.ErrOrStderr()})
	if err != nil {
		return err
	}
	defer archive.Close()
	o.Archive, o.Roots = archive, archive.Roots
	kept, err := kit.OpenStore(x.store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	o.Store = kept
	engines, end, err := x.set.StartAll(ctx)
	if err != nil {
		return err
	}
	defer end()
	o.Engines = engines
	defer kit.WatchCompiling(cmd.ErrOrStderr(), engines...)()
	if o.Bundles, err = bundle.Open(ctx, x.set.BundleOptions(cmd)); err != nil {
		o.Bundles = nil // asked for again when an upgrade needs it
	}
	p := term.NewProgress(cmd.ErrOrStderr())
	o.Progress = func(now replay.Progress) { show(p, now) }
	rep, err := replay.Run(ctx, o)
	p.End()
	found := &judgedReport{Report: rep, Against: x.ask(cmd, rep, engines[0])}
	var unwritten error
	if x.report != "" {
		if werr := writeReport(x.report, found); werr != nil {
			unwritten = fmt.Errorf("--report %s: %w", x.report, werr)
		}
	}
	if err != nil && rep.First == 0 { // nothing was replayed
		return errors.Join(err, unwritten)
	}
	verdict := x.tell(cmd, found, err)
	if unwritten == nil {
		return verdict
	}
	if verdict == nil {
		return unwritten
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "edgefvm: %s\n", term.OneLine(unwritten.Error()))
	return verdict
}

// judgedReport is a report with what the reference says of the first difference.
type judgedReport struct {
	*replay.Report
	Against *kit.Against `json:"against,omitempty"`
}

// ask asks the reference for what it makes of the tipset that differs; nil if there is none, or nobody to ask.
func (x *replayFlags) ask(cmd *cobra.Command, rep *replay.Report, engine *fvm.Engine) *kit.Against {
	f := rep.Failure
	switch {
	case x.against == "" || f == nil:
		return nil
	case len(f.Faults) > 0:
		return &kit.Against{Why: "the tipset was not executed"}
	case f.Vector == "":
		return &kit.Against{Why: "there is no vector of it"}
	}
	v, err := conformance.Load(f.Vector)
	if err != nil {
		return &kit.Against{Why: err.Error()}
	}
	a := kit.AskReference(cmd.Context(), v, 0, duel.Sides{Engine: engine, Actors: x.set.Actors(cmd), Program: x.against})
	a.Names = namesIn(v, f)
	return a
}

// namesIn are the messages of a tipset's vector, by their number there.
func namesIn(v *vector.Vector, t *replay.Tipset) map[int]string {
	list, names := t.Applied(), map[int]string{}
	for i, m := range v.Messages() {
		switch {
		case m.Implicit:
			names[i] = "the system's: a reward or cron"
		case len(list) > 0:
			names[i], list = list[0].CID.String(), list[1:]
		}
	}
	return names
}

func writeReport(path string, rep *judgedReport) error {
	return wholefile.Write(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(rep)
	})
}

// show says how far a replay is.
func show(p *term.Progress, now replay.Progress) {
	if now.Doing != "" {
		p.Line(now.Doing)
		return
	}
	s := now.Took.Seconds()
	if s <= 0 {
		return
	}
	rate := func(n float64) string { return layout.Grouped(int(n / s)) }
	text := fmt.Sprintf("epoch %d: %.1f epochs/s, %s messages/s, %s million gas/s", now.Epoch, float64(now.Epoch-now.Began)/s, rate(float64(now.Messages)), rate(float64(now.Gas)/1e6))
	if here := now.Done - now.Before; here > 0 && now.All > now.Done {
		left := time.Duration(float64(now.Took) / float64(here) * float64(now.All-now.Done))
		text += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	p.Bar(now.Done, now.All, text)
	p.Line(text)
}

// tell prints what was found.
func (x *replayFlags) tell(cmd *cobra.Command, rep *judgedReport, failed error) error {
	stopped := failed != nil && cmd.Context().Err() != nil
	var err error
	if x.asJSON {
		err = kit.WriteJSON(cmd, rep)
	} else {
		_, err = io.WriteString(cmd.OutOrStdout(), text(rep))
	}
	if failed != nil && !stopped {
		fmt.Fprintf(cmd.ErrOrStderr(), "edgefvm: %s\n", term.OneLine(failed.Error()))
	}
	return kit.Verdict(err, stopped, rep.Good())
}

// text is a report for people. Its last line is for scripts too.
func text(rep *judgedReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "network %s, epochs %d to %d, on %s", rep.Network, rep.First, rep.Last, strings.Join(rep.Engines, ", "))
	if rep.Workers > 1 {
		fmt.Fprintf(&b, " with %d workers", rep.Workers)
	}
	b.WriteString("\n")
	if rep.Resumed > 0 {
		fmt.Fprintf(&b, "resumed after epoch %d\n", rep.Resumed)
	}
	if rep.Seconds > 0 {
		fmt.Fprintf(&b, "%s messages, %s gas in %.1f s\n", layout.Grouped(rep.Messages), layout.Grouped(int(rep.Gas)), rep.Seconds)
	}
	fmt.Fprintf(&b, "proofs: %s\n", rep.Proofs)
	for _, n := range rep.Notes {
		fmt.Fprintln(&b, n)
	}
	if v := rep.Validation; v != nil {
		fmt.Fprintf(&b, "blocks: %s judged, %d invalid; winning PoSts: %s\n", layout.Grouped(v.Blocks), v.Invalid, v.WinningPoSts)
		for _, u := range v.Unjudged {
			fmt.Fprintf(&b, "  %s of %s blocks not judged: %s\n", u.Check, layout.Grouped(u.Blocks), u.Why)
		}
	}
	if f := rep.Failure; f != nil && len(f.Faults) > 0 {
		fmt.Fprintf(&b, "✗ the tipset at epoch %d has an invalid block:\n", f.Epoch)
		for _, x := range f.Faults {
			fmt.Fprintf(&b, "    %s\n", x)
		}
	} else if f != nil {
		fmt.Fprintf(&b, "✗ the tipset at epoch %d differs:\n", f.Epoch)
		for _, d := range f.Differences {
			fmt.Fprintf(&b, "    %s: want %s, got %s\n", d.What, d.Want, d.Got)
		}
		if f.Verdict != "" {
			fmt.Fprintf(&b, "  %s\n", f.Verdict)
		}
		switch {
		case f.Vector != "":
			fmt.Fprintf(&b, "  vector: %s (edgefvm explain %s)\n", f.Vector, f.Vector)
		case f.VectorError != "":
			fmt.Fprintf(&b, "  no vector: %s\n", f.VectorError)
		}
	}
	if rep.Against != nil {
		b.WriteString("  ")
		_ = rep.Against.Write(&b) // to memory
		if rep.Against.Agrees {
			b.WriteString("  so it is not the machine that is wrong, but what it was given: is the network described right?\n")
		}
	}
	fmt.Fprintf(&b, "%d passed, %d failed, %d skipped\n", rep.Passed, rep.Failed, rep.Skipped)
	return b.String()
}

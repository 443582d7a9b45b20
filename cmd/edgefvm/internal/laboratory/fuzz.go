package laboratory

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/fuzz"
)

// fuzzing is the command line of a campaign.
type fuzzing struct {
	kit.Setting
	program, seed, only string
	layers, versions    []string
	corpus, with        []string
	jobs, most          int
	messages            int
	cases               uint64
	length              time.Duration
	dir                 string
	asJSON, cover       bool
	reaching            bool
}

func newFuzz() *cobra.Command {
	var z fuzzing
	names, about := fuzz.Layers()
	var list []string
	for i, n := range names {
		list = append(list, "  "+layout.PadRight(n, 10)+" "+about[i])
	}
	cmd := &cobra.Command{
		Use:   "fuzz",
		Short: "Hunt for differences from the reference with generated messages",
		Long: `Makes messages from a seed, runs them on ours and on the reference, and compares receipts,
fees, events, traces and state roots. It stops at the first difference, made smaller and
saved as a vector that holds all it needs. The last line is "N passed, N failed", in messages.
The layers:

` + strings.Join(list, "\n") + `

The same seed gives the same cases. With --dir it goes on where it stopped. Layer actors
changes the messages of vectors (--corpus).`,
		Example: `  edgefvm fuzz --for 10m --seed 1 --dir campaign
  edgefvm fuzz --layers syscalls,evm --nv 18,28 --for 1m
  edgefvm fuzz --layers wasm --seed 7 --only 12345
  edgefvm fuzz --reaching --coverage`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return z.run(cmd) },
	}
	oracleFlag(cmd, &z.program)
	f := cmd.Flags()
	f.DurationVar(&z.length, "for", time.Minute, "how long (0: until interrupted, or --cases)")
	f.StringVar(&z.seed, "seed", "1", "`seed`, a number or random")
	f.StringVar(&z.only, "only", "", "run one case by its `number` and print it (with --layers NAME)")
	f.StringSliceVar(&z.layers, "layers", nil, "`layers`, with commas between them (default: all)")
	f.StringSliceVar(&z.versions, "nv", nil, "network `versions`, with commas between them (default: all)")
	f.StringArrayVar(&z.corpus, "corpus", nil, "`path` of a vector or a folder of them for layer actors (may be repeated; default: lab/conformance/testdata, if it is there)")
	f.IntVarP(&z.jobs, "jobs", "j", runtime.GOMAXPROCS(0), "cases to run at once, each with a reference of its own")
	f.IntVar(&z.most, "most", 1, "differences that end the run")
	f.Uint64Var(&z.cases, "cases", 0, "cases of each layer at most (0: no bound)")
	f.BoolVar(&z.reaching, "reaching", false, "run only the directed cases, which reach every result of every syscall and every price on each network version, and end")
	f.IntVar(&z.messages, "messages", 0, "messages of the campaign at most, an equal part for each layer (0: no bound)")
	f.StringVar(&z.dir, "dir", "", "`folder` that keeps the state of the campaign, and vectors of differences")
	f.BoolVar(&z.asJSON, "json", false, "print the report as JSON")
	f.BoolVar(&z.cover, "coverage", false, "print what was reached, and what can be and was not")
	f.StringArrayVar(&z.with, "with", nil, "`path` of a vector or a folder of them that is run on ours, and counts for --coverage (may be repeated)")
	z.Flags(cmd)
	f.Lookup("engine").Usage += "; several, with commas between them, must agree"
	return cmd
}

func (z *fuzzing) run(cmd *cobra.Command) error {
	opts, err := z.options(cmd)
	if err != nil {
		return err
	}
	ctx, cancel := cmd.Context(), context.CancelFunc(func() {})
	if z.length > 0 && z.only == "" && (!z.reaching || cmd.Flags().Changed("for")) {
		ctx, cancel = context.WithTimeout(ctx, z.length)
	}
	defer cancel()
	fmt.Fprintf(cmd.ErrOrStderr(), "seed %d\n", opts.Seed)
	progress := term.NewProgress(cmd.ErrOrStderr())
	progress.Line("starting the reference, which compiles the actors")
	opts.Progress = func(r *fuzz.Report) { progress.Line(fuzzLine(r)) }
	rep, err := fuzz.Run(ctx, opts)
	progress.End()
	if err != nil {
		return err
	}
	g := term.NewPage(cmd.OutOrStdout())
	if z.asJSON {
		if err := kit.WriteJSON(cmd, rep); err != nil {
			return err
		}
		g = term.NewPage(cmd.ErrOrStderr())
	} else {
		printFuzz(g, rep, z.cover)
		if z.cover {
			if err := z.printReach(cmd, g, rep, opts); err != nil {
				return err
			}
		}
	}
	if rep.Messages() == 0 && cmd.Context().Err() == nil {
		g.Line("Nothing ran: the reference compiles the actors first, which may take a minute; --for gives it more time.")
	}
	g.Line("%d passed, %d failed", rep.Passed(), rep.Failed())
	if rep.Failed() > 0 || len(rep.Findings) > 0 { // says more than that it was interrupted
		return kit.Verdict(g.Err, false, false)
	}
	return kit.Verdict(g.Err, cmd.Context().Err() != nil, rep.Messages() > 0)
}

func (z *fuzzing) options(cmd *cobra.Command) (fuzz.Options, error) {
	opts := fuzz.Options{Actors: z.Actors(cmd), Layers: z.layers, Jobs: z.jobs, Cases: z.cases, Messages: z.messages, Dir: z.dir, Most: z.most, Reaching: z.reaching}
	if z.length < 0 {
		return opts, kit.Usagef("--for %s is negative", z.length)
	}
	if z.messages < 0 {
		return opts, kit.Usagef("--messages must be at least 0")
	}
	if z.jobs < 1 || z.most < 1 {
		return opts, kit.Usagef("--jobs and --most must be at least 1")
	}
	var err error
	if opts.Seed, err = seedOf(z.seed); err != nil {
		return opts, err
	}
	if z.only != "" {
		if len(z.layers) != 1 {
			return opts, kit.Usagef("--only is a case of one layer: name it with --layers NAME")
		}
		n, err := strconv.ParseUint(z.only, 10, 64)
		if err != nil {
			return opts, kit.Usagef("--only %q is no number of a case", z.only)
		}
		opts.Only, opts.Jobs = &n, 1
	}
	if opts.Versions, err = versionsOf(z.versions); err != nil {
		return opts, err
	}
	names, _ := fuzz.Layers()
	for _, l := range z.layers {
		if !slices.Contains(names, l) {
			return opts, kit.Usagef("there is no layer %q%s", l, kit.DidYouMean(l, names))
		}
	}
	paths := z.corpus
	if len(paths) == 0 {
		const own = "lab/conformance/testdata"
		if _, err := os.Stat(own); err == nil {
			paths = []string{own}
		}
	}
	if len(paths) > 0 {
		if opts.Corpus, err = kit.FindVectors(paths); err != nil {
			return opts, err
		}
	}
	if opts.Oracle, err = findOracle(z.program); err != nil {
		return opts, err
	}
	opts.Engines = func(keep bool) ([]*fvm.Engine, *fuzz.Listener, error) {
		one := z.Setting
		if !keep {
			one.NoCache = true
		}
		list, _, err := one.StartAll(cmd.Context())
		if err != nil || list[0].Name() != kit.EngineNames()[0] {
			return list, nil, err // what its syscalls give is not counted
		}
		e, ear, err := listening(&one)
		if err == nil {
			_ = list[0].Close(cmd.Context())
			list[0] = e
		}
		return list, ear, err
	}
	return opts, nil
}

// listening is the default engine, with a listener.
func listening(s *kit.Setting) (*fvm.Engine, *fuzz.Listener, error) {
	dir := s.CacheDir
	if dir == "" && !s.NoCache {
		dir, _ = fvm.DefaultCacheDir() // without one it compiles anew each time
	}
	if s.NoCache {
		dir = ""
	}
	return fuzz.ListeningWazero(dir)
}

func seedOf(text string) (uint64, error) {
	if text == "random" {
		var b [8]byte
		if _, err := rand.Read(b[:]); err != nil {
			return 0, fmt.Errorf("drawing a seed: %w", err)
		}
		return binary.LittleEndian.Uint64(b[:]), nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, kit.Usagef("--seed %q is neither a number nor random", text)
	}
	return n, nil
}

func versionsOf(list []string) ([]network.Version, error) {
	all := fuzz.Versions()
	var nvs []network.Version
	for _, text := range list {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil || !slices.Contains(all, network.Version(n)) {
			return nil, kit.Usagef("--nv %q: want some of %v", text, all)
		}
		nvs = append(nvs, network.Version(n))
	}
	return nvs, nil
}

// fuzzLine is how far a campaign is.
func fuzzLine(r *fuzz.Report) string {
	return fmt.Sprintf("%s: %d messages, %.0f a second, %d differences; reached %d syscall results, %d charges, %d method results",
		r.Took.Round(time.Second), r.Messages(), r.Speed, len(r.Findings), len(r.Coverage.Syscalls), len(r.Coverage.Charges), len(r.Coverage.Methods))
}

// printReach prints what can be reached and was not, by the campaign and by the vectors that count with it.
func (z *fuzzing) printReach(cmd *cobra.Command, g *layout.Page, rep *fuzz.Report, opts fuzz.Options) error {
	seen := rep.Coverage.Clone()
	if len(z.with) > 0 {
		files, err := kit.FindVectors(z.with)
		if err != nil {
			return err
		}
		e, ear, err := listening(&z.Setting)
		if err != nil {
			return err
		}
		defer func() { _ = e.Close(cmd.Context()) }()
		more, err := fuzz.CoverVectors(cmd.Context(), files, opts.Actors, e, ear)
		if err != nil {
			return err
		}
		seen.Add(more)
	}
	nvs := opts.Versions
	if len(nvs) == 0 {
		nvs = fuzz.Versions()
	}
	list, err := seen.Against(nvs)
	if err != nil {
		return err
	}
	for _, r := range list {
		g.Line("%s, %s: %d of %d%s", r.Of, r.Kind, r.Reached, r.All, missing(r.Missing))
	}
	return nil
}

func missing(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return "; not " + strings.Join(list, ", ")
}

// native says how many cases the reference's native stack decided, if any.
func native(t *fuzz.Tally) string {
	if t.Native == 0 {
		return ""
	}
	return fmt.Sprintf(", %d decided by the reference's native stack", t.Native)
}

func printFuzz(g *layout.Page, r *fuzz.Report, cover bool) {
	for _, l := range r.Shown {
		g.Line("%s", layout.Clean(strings.ReplaceAll(l, "\n", "; ")))
	}
	for _, f := range r.Findings {
		g.Line("%s layer %s, seed %d, case %d, network version %d: %s", g.P.Red("DIFFERS"), f.Layer, f.Seed, f.Index, f.NV, layout.Clean(layout.Cut(f.Note, 200)))
		for _, d := range f.Differences {
			g.Line("     %s", layout.Clean(d.String()))
		}
		if f.Saved != "" {
			g.Line("     saved as %s, with %d of %d parts", layout.Clean(f.Saved), f.Left, f.Parts)
		}
		if f.Error != "" {
			g.Line("     could not be saved: %s", layout.Clean(f.Error))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Layers)) {
		t := r.Layers[name]
		g.Line("%s %7d cases %9d messages %9d passed %d failed, %d without a receipt, %d the reference was spared, %d without a result on either side, %d unjudged%s", layout.PadRight(name, 10),
			t.Cases, t.Messages, t.Passed, t.Failed, t.NoReceipt, t.Spared, t.Gone, t.Unjudged, native(t))
	}
	if cover {
		for _, m := range []map[string]int{r.Coverage.Syscalls, r.Coverage.Charges, r.Coverage.Methods} {
			for _, k := range slices.Sorted(maps.Keys(m)) {
				g.Line("%9d %s", m[k], k)
			}
		}
	}
	g.Line("seed %d, %s, %.0f messages a second; reached %d syscall results, %d charges, %d method results", r.Seed, r.Took.Round(time.Second), r.Speed,
		len(r.Coverage.Syscalls), len(r.Coverage.Charges), len(r.Coverage.Methods))
}

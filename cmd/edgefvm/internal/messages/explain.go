package messages

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/flame"
	"github.com/edgefvm/fvm/explain/pprof"
	"github.com/edgefvm/fvm/explain/text"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/vector"
)

// explaining are the flags of the command.
type explaining struct {
	kit.Setting
	asJSON        bool
	flame, pprof  string // files
	speedscope    string // a file
	artifacts     string // a folder
	only, variant int
	data          bool
	byOpcode      bool
	abi           string // a file
	against       string // a program
	decoders      explain.Decoders
}

func newExplain() *cobra.Command {
	var e explaining
	cmd := &cobra.Command{
		Use:   "explain VECTOR",
		Short: "Run a vector and show what its messages did, call by call",
		Long: `Runs a conformance vector and shows, for each message, the tree of calls between
actors with the gas of each, the gas by kind of charge, the events, and what changed in
the state. The result is compared with what the vector expects. Of a bundle that
'vectors run --differences' wrote it tells first which engines differed, and in what.

--data shows the parameters and returns of each call too, by the types of the builtin
actors; JSON always has them. --abi is for those of contracts.

--against PROGRAM runs the vector on the reference too, and says where the two first differ,
to the gas charge.

--opcodes shows what the contracts of a vector executed, opcode by opcode, in Filecoin's gas.
An opcode's cost is what was used until the next one: a call's is that of calling and coming
back, without the callee's opcodes.

--artifacts names the folder of a project of Hardhat (2 or 3) or Foundry that was built, and
shows by its source maps where gas went, by contract, function and line, and where a message
failed. --pprof and --speedscope are of the sources then ('go tool pprof -list' shows them).

--flamegraph draws the gas; --pprof writes it as a profile for 'go tool pprof', whose
stacks are the calls and whose labels are the gas charge and the exit code:
'go tool pprof -top gas.pb.gz', or -http : for a browser.`,
		Example: `  edgefvm explain lab/conformance/testdata/nv28-onboard-035.json
  edgefvm explain --flamegraph gas.svg lab/conformance/testdata/nv28-createminer-003.json
  edgefvm explain --pprof gas.pb.gz lab/conformance/testdata/nv28-onboard-035.json
  edgefvm explain --opcodes lab/conformance/testdata/nv28-evmcalls-027.json
  edgefvm explain --artifacts my-project --message 2 --speedscope gas.json vector.json
  edgefvm explain --json lab/conformance/testdata/nv27-deals-003.json | jq .messages[0].events`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := e.load(args[0])
			if err != nil {
				return err
			}
			if e.byOpcode {
				return e.opcodes(cmd, v)
			}
			if e.artifacts != "" {
				return e.sources(cmd, v)
			}
			abi, err := kit.LoadABI(e.abi)
			if err != nil {
				return err
			}
			if e.against, err = kit.Reference(e.against); err != nil {
				return err
			}
			e.decoders = actors.Decoders(actors.DecodersOptions{ABI: abi})
			x, reference, err := e.run(cmd, v)
			if err != nil {
				return err
			}
			if err := e.files(x); err != nil {
				return err
			}
			if err := e.print(cmd, x, reference); err != nil {
				return err
			}
			if !x.Matches || reference != nil && !reference.Agrees {
				return kit.ErrFailed
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&e.asJSON, "json", false, "print JSON")
	f.StringVar(&e.flame, "flamegraph", "", "draw the gas of the calls into this SVG `file`")
	f.StringVar(&e.pprof, "pprof", "", "write the gas of the calls into this `file`, for 'go tool pprof'")
	f.StringVar(&e.speedscope, "speedscope", "", "with --artifacts: write it into this `file`, for speedscope")
	f.StringVar(&e.artifacts, "artifacts", "", "show gas and failures by the lines of sources: the `folder` of a project of Hardhat or Foundry, or of its artefacts")
	f.BoolVar(&e.data, "data", false, "show parameters and returns")
	f.BoolVar(&e.byOpcode, "opcodes", false, "show the opcodes of contracts instead: pc, gas, stack; with --json as debug_traceTransaction has them")
	f.StringVar(&e.abi, "abi", "", "`file` with the ABI of the contracts: JSON, or an artefact of Hardhat or Foundry")
	f.IntVar(&e.only, "message", 0, "show only this message, counted from 1; JSON has all")
	f.IntVar(&e.variant, "variant", 0, "variant of the vector, counted from 0")
	kit.AgainstFlag(cmd, &e.against, "to run the vector too and name the first gas charge that differs")
	e.Flags(cmd)
	return cmd
}

// print prints what the messages did, and what the reference says of them if it was asked.
func (e *explaining) print(cmd *cobra.Command, x *explain.Explanation, reference *kit.Against) error {
	switch {
	case e.asJSON && reference == nil:
		return kit.WriteJSON(cmd, x)
	case e.asJSON:
		return kit.WriteJSON(cmd, struct {
			*explain.Explanation
			Against *kit.Against `json:"against"`
		}{x, reference})
	}
	err := text.Write(cmd.OutOrStdout(), x, e.textOptions(cmd.OutOrStdout()))
	if err == nil && reference != nil {
		err = reference.Write(cmd.OutOrStdout())
	}
	return err
}

// textOptions are for what is printed to w; message 0: all.
func textOptions(w io.Writer, message int) text.Options {
	return text.Options{Columns: term.Columns(w), Colour: bool(term.NewPainter(w)), Message: message}
}

func (e *explaining) textOptions(w io.Writer) text.Options {
	o := textOptions(w, e.only)
	o.Data = e.data
	return o
}

// load reads the vector and checks that it has what the flags ask for.
func (e *explaining) load(path string) (*vector.Vector, error) {
	if e.pprof != "" && e.pprof == e.flame {
		return nil, kit.Usagef("--pprof and --flamegraph name one file: %s", e.pprof)
	}
	if e.byOpcode && (e.pprof != "" || e.flame != "" || e.data) {
		return nil, kit.Usagef("--opcodes goes with --json, --message and --variant only")
	}
	if e.byOpcode && e.artifacts != "" {
		return nil, kit.Usagef("--opcodes and --artifacts are two ways to show a message: name one")
	}
	if e.artifacts != "" && (e.flame != "" || e.data || e.against != "" || e.abi != "") {
		return nil, kit.Usagef("--artifacts goes with --json, --pprof, --speedscope, --message and --variant only")
	}
	if e.speedscope != "" && e.artifacts == "" {
		return nil, kit.Usagef("--speedscope is of sources: name their folder by --artifacts")
	}
	if kit.IsTrace(path) {
		return nil, kit.Usagef("%s is a trace: name the vector beside it", path)
	}
	v, err := conformance.Load(path)
	if err != nil {
		return nil, err
	}
	if e.only > len(v.Receipts()) || e.only < 0 {
		return nil, kit.Usagef("the vector has %d messages, there is no message %d", len(v.Receipts()), e.only)
	}
	if e.variant < 0 || e.variant >= len(v.Variants()) {
		return nil, kit.Usagef("the vector has %d variants, there is no variant %d", len(v.Variants()), e.variant)
	}
	return v, nil
}

func (e *explaining) run(cmd *cobra.Command, v *vector.Vector) (x *explain.Explanation, reference *kit.Against, err error) {
	engine, err := e.Start()
	if err != nil {
		return nil, nil, err
	}
	defer engine.Close(context.WithoutCancel(cmd.Context()))
	defer kit.WatchCompiling(cmd.ErrOrStderr(), engine)()
	code := e.Actors(cmd)
	if e.against != "" {
		reference = kit.AskReference(cmd.Context(), v, e.variant, duel.Sides{Engine: engine, Actors: code, Program: e.against})
	}
	x, err = explain.Vector(cmd.Context(), v, explain.VectorOptions{Variant: e.variant, Actors: code, Engine: engine, Decoders: e.decoders, Judge: kit.JudgeBy(code, engine)})
	return x, reference, err
}

// files writes those that the flags name.
func (e *explaining) files(x *explain.Explanation) error {
	for _, f := range []struct {
		flag, path string
		write      func(io.Writer) error
	}{
		{"--flamegraph", e.flame, func(w io.Writer) error { return flame.Write(w, x, flame.Options{Message: e.only}) }},
		{"--pprof", e.pprof, func(w io.Writer) error { return pprof.Write(w, x, pprof.Options{Message: e.only}) }},
	} {
		if f.path == "" {
			continue
		}
		if err := wholefile.Write(f.path, f.write); err != nil {
			return fmt.Errorf("%s %s: %w", f.flag, f.path, err)
		}
	}
	return nil
}

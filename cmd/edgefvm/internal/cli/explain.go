package cli

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// explanation is a vector that ran, told.
type explanation struct {
	Vector   string      `json:"vector"`
	Comment  string      `json:"comment,omitempty"`
	Variant  string      `json:"variant"`
	NV       uint        `json:"nv"`
	Epoch    int64       `json:"epoch"`
	Bundle   string      `json:"bundle,omitempty"`
	Messages []explained `json:"messages"`
	// Engines is the difference between engines that the vector is a bundle of.
	Engines  *vector.EngineDifference `json:"engines_differed,omitempty"`
	Matches  bool                     `json:"matches"`
	Differs  []string                 `json:"differences,omitempty"`
	Root     string                   `json:"root"`
	compared []string                 // what the vector's expectations covered
	only     int                      // the message to show, -1: all
	engine   string                   // that ran it
}

// explained is a message that ran, told.
type explained struct {
	From     string             `json:"from"`
	To       string             `json:"to"`
	Method   abi.MethodNum      `json:"method"`
	Name     string             `json:"name"`
	Value    string             `json:"value"` // attoFIL
	Nonce    uint64             `json:"nonce"`
	GasLimit int64              `json:"gas_limit"`
	Implicit bool               `json:"implicit,omitempty"`
	Exit     *exitcode.ExitCode `json:"exit_code"` // nil: no receipt
	Meaning  string             `json:"meaning"`
	Failure  string             `json:"failure,omitempty"`
	Return   string             `json:"return,omitempty"` // hex
	GasUsed  int64              `json:"gas_used"`
	Fees     map[string]string  `json:"fees,omitempty"` // attoFIL
	Calls    *frame             `json:"calls"`
	ByKind   []share            `json:"gas_by_kind"`
	ByCharge []share            `json:"gas_by_charge"`
	Events   []eventView        `json:"events,omitempty"`
	Changes  []change           `json:"changes,omitempty"`

	value abi.TokenAmount
	res   *fvm.Result
}

func newExplain() *cobra.Command {
	var set setting
	var asJSON bool
	var flame string
	var only, variant int
	cmd := &cobra.Command{
		Use:   "explain VECTOR",
		Short: "Run a vector and show what its messages did, call by call",
		Long: `Runs a conformance vector and shows, for each message, the tree of calls between
actors with the gas of each, the gas by kind of charge, the events, and what changed in
the state. The result is compared with what the vector expects. Of a bundle that
'vectors run --differences' wrote it tells first which engines differed, and in what.`,
		Example: `  edgefvm explain lab/conformance/testdata/nv28-onboard-035.json
  edgefvm explain --flamegraph gas.svg lab/conformance/testdata/nv28-createminer-003.json
  edgefvm explain --json lab/conformance/testdata/nv27-deals-003.json | jq .messages[0].events`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if isTrace(args[0]) {
				return usagef("%s is a trace: name the vector beside it", args[0])
			}
			v, err := conformance.Load(args[0])
			if err != nil {
				return err
			}
			if only > len(v.Receipts()) || only < 0 {
				return usagef("the vector has %d messages, there is no message %d", len(v.Receipts()), only)
			}
			if variant < 0 || variant >= len(v.Variants()) {
				return usagef("the vector has %d variants, there is no variant %d", len(v.Variants()), variant)
			}
			engine, err := set.start()
			if err != nil {
				return err
			}
			defer engine.Close(context.WithoutCancel(cmd.Context()))
			x, err := explain(cmd.Context(), v, variant, set.actors(cmd), engine)
			if err != nil {
				return err
			}
			x.only = only - 1
			if flame != "" {
				if err := writeFlamegraph(flame, x); err != nil {
					return err
				}
			}
			if asJSON {
				err = writeJSON(cmd, x)
			} else {
				err = x.print(newPage(cmd.OutOrStdout()))
			}
			if err == nil && !x.Matches {
				return errFailed
			}
			return err
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.StringVar(&flame, "flamegraph", "", "draw the gas of the calls into this SVG `file`")
	f.IntVar(&only, "message", 0, "show only this message, counted from 1")
	f.IntVar(&variant, "variant", 0, "variant of the vector, counted from 0")
	set.flags(cmd)
	return cmd
}

func writeJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// explain runs a variant to its end.
func explain(ctx context.Context, v *vector.Vector, variant int, actors *vector.Actors, engine *fvm.Engine) (*explanation, error) {
	var rec trace.Recorder
	s, err := vector.Prepare(ctx, v, variant, actors, engine, rec.Hooks())
	if err != nil {
		return nil, err
	}
	x := &explanation{
		Vector: v.Name, Comment: v.Comment(), Variant: s.Variant.ID, NV: uint(s.Variant.NV), Epoch: int64(s.Variant.Epoch),
		Bundle: v.Bundle(), Engines: v.EngineDifference(), engine: engine.Name(),
	}
	root := v.PreRoot()
	for i := range s.Len() {
		m, err := explainMessage(ctx, s, i, &rec)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i+1, err)
		}
		next, err := s.Flush(ctx)
		if err != nil {
			return nil, fmt.Errorf("message %d: flush: %w", i+1, err)
		}
		if m.Changes, err = differences(ctx, s.Store, root, next, namer(s.Machine)); err != nil {
			return nil, fmt.Errorf("message %d: comparing states: %w", i+1, err)
		}
		x.Messages = append(x.Messages, *m)
		root = next
	}
	x.Root = root.String()
	x.judge(ctx, v, variant, actors, engine)
	return x, nil
}

// judge compares with what the vector expects, by the runner's own rules.
func (x *explanation) judge(ctx context.Context, v *vector.Vector, variant int, actors *vector.Actors, engine *fvm.Engine) {
	o := conformance.RunVector(ctx, v, variant, &conformance.Options{Actors: actors, Engine: engine})
	x.Matches = o.Status == conformance.Passed
	x.compared = []string{"receipts", "gas", "state root"}
	if o.Traced {
		x.compared = append(x.compared, "every gas charge")
	}
	for _, d := range o.Differences {
		x.Differs = append(x.Differs, d.String())
	}
	if o.Error != "" {
		x.Differs = append(x.Differs, o.Error)
	}
}

// namer names actors' code by the machine's manifest.
func namer(m *fvm.Machine) func(cid.Cid) string {
	return func(code cid.Cid) string {
		if name, ok := m.ActorName(code); ok {
			return name
		}
		return "actor"
	}
}

func explainMessage(ctx context.Context, s *vector.Session, i int, rec *trace.Recorder) (*explained, error) {
	rec.Take()
	res, err := s.Apply(ctx, i)
	if err != nil && !errors.Is(err, vector.ErrNoReceipt) {
		return nil, err
	}

	m := &explained{Implicit: s.Implicit(i), Calls: callTree(rec.Take(), namer(s.Machine)), res: res}
	m.ByKind, m.ByCharge = m.Calls.byKind(false), m.Calls.byKind(true)
	if msg, err := s.Message(i); err == nil {
		m.From, m.To, m.Method, m.Nonce, m.GasLimit = addr.String(msg.From), addr.String(msg.To), msg.Method, msg.Nonce, msg.GasLimit
		m.value, m.Value = msg.Value, msg.Value.String()
		m.Name = methodName("", msg.Method)
	}
	if err != nil {
		m.Meaning = err.Error()
		return m, nil
	}
	m.tell(res)
	return m, nil
}

// tell adds what the result says.
func (m *explained) tell(res *fvm.Result) {
	receiver := ""
	if len(m.Calls.Calls) > 0 {
		receiver = m.Calls.Calls[0].Actor
		m.Name = m.Calls.Calls[0].Name
	}
	m.Exit, m.Meaning, m.Failure = &res.ExitCode, exitName(res.ExitCode, receiver), res.Failure
	m.Return, m.GasUsed = hex.EncodeToString(res.Return), res.GasUsed
	if !m.Implicit {
		m.Fees = map[string]string{
			"penalty": res.Penalty.String(), "miner_tip": res.MinerTip.String(), "base_fee_burn": res.BaseFeeBurn.String(),
			"over_estimation_burn": res.OverEstimationBurn.String(), "refund": res.Refund.String(),
		}
	}
	actors := map[abi.ActorID]string{}
	m.Calls.walk(func(f *frame) {
		if f.ID != nil {
			actors[*f.ID] = f.Actor
		}
	})
	for _, e := range res.Events {
		m.Events = append(m.Events, viewEvent(e, actors[e.Emitter]))
	}
}

func writeFlamegraph(path string, x *explanation) error {
	if err := wholefile.Write(path, func(w io.Writer) error { return drawFlamegraph(w, x) }); err != nil {
		return fmt.Errorf("--flamegraph %s: %w", path, err)
	}
	return nil
}

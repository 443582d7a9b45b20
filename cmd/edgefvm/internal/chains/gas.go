package chains

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/evmtrace"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/node/filapi"
	"github.com/edgefvm/fvm/node/gasreport"
	"github.com/edgefvm/fvm/node/page"
	"github.com/edgefvm/fvm/vector"
)

// profiling are the flags of gas.
type profiling struct {
	source
	node           string
	from, to       int64
	abi, artifacts string
	opcodes        bool
	most           int
	asJSON         bool
	markdown       bool
	snapshot, diff string
	check          bool
	tolerance      float64
}

// NewGas is the command that tells where gas went.
func NewGas() *cobra.Command {
	var x profiling
	cmd := &cobra.Command{
		Use:   "gas VECTOR... | CID|EPOCH --chain CHAIN | [0xHASH] --node URL",
		Short: "Sum up where gas went: contracts, functions, kinds of charge, opcodes; keep it, and compare",
		Long: `Sums up the gas of vectors, of a message or tipset of a chain's archive, or of what a
development node executed: a transaction, or all blocks from --from to --to, such as those of a
test run. By contract, function (selectors by --abi or --artifacts), kind of charge (execution,
system calls, reads and writes of blocks …) and charge; of vectors by group of opcodes too.
Sums are exact: they are the receipts' gas.

--snapshot FILE writes the gas of each function, a line each, for a repository. --diff FILE tells
what differs from such a file; with --check the exit code is 1 if something takes more than the
file says and --tolerance allows. --markdown is a table for a pull request.`,
		Example: `  edgefvm gas lab/conformance/testdata/nv28-onboard-035.json
  edgefvm gas --node http://127.0.0.1:8545 --from 12 --artifacts out --snapshot .gas
  edgefvm gas --node http://127.0.0.1:8545 --from 12 --artifacts out --diff .gas --check --tolerance 1
  edgefvm gas 5803852 --chain chain.car.zst --markdown`,
		RunE: func(cmd *cobra.Command, args []string) error { return x.run(cmd, args) },
	}
	x.flags(cmd)
	x.runFlags(cmd)
	x.set.CARFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&x.node, "node", "", "`URL` of a development node (edgefvm dev)")
	f.Int64Var(&x.from, "from", 0, "first `epoch` of a node's blocks")
	f.Int64Var(&x.to, "to", 0, "last `epoch` of a node's blocks (default: the newest)")
	f.StringVar(&x.abi, "abi", "", "`file` with the ABI of the contracts: JSON, or an artefact of Hardhat or Foundry")
	f.StringVar(&x.artifacts, "artifacts", "", "`folder` of artefacts whose ABIs are taken, such as Foundry's out")
	f.BoolVar(&x.opcodes, "opcodes", false, "sum up opcodes of contracts too; of vectors only, which run twice for it")
	f.IntVar(&x.most, "rows", 20, "show so `many` rows of each table, 0: all")
	f.BoolVar(&x.asJSON, "json", false, "print JSON")
	f.BoolVar(&x.markdown, "markdown", false, "print tables for a pull request")
	f.StringVar(&x.snapshot, "snapshot", "", "write the gas of each function into this `file`")
	f.StringVar(&x.diff, "diff", "", "tell what differs from the snapshot in this `file`")
	f.BoolVar(&x.check, "check", false, "with --diff: exit code 1 if something takes more than it did")
	f.Float64Var(&x.tolerance, "tolerance", 0, "with --check: how many `percent` more are all right")
	return cmd
}

// gasView is what --json prints.
type gasView struct {
	*gasreport.Report
	// Differences is null without --diff.
	Differences []gasreport.Difference `json:"differences"`
	Beyond      int                    `json:"beyond_tolerance"`
}

func (x *profiling) run(cmd *cobra.Command, args []string) (err error) {
	if err := x.sensible(args); err != nil {
		return err
	}
	contracts, err := kit.LoadABIs(x.abi, x.artifacts)
	if err != nil {
		return err
	}
	var before gasreport.Snapshot
	if x.diff != "" { // first, as the rest may take long
		if before, err = readSnapshot(x.diff); err != nil {
			return err
		}
	}
	defer x.close(&err)
	r, err := x.report(cmd, args, contracts)
	if err != nil {
		return err
	}
	if x.progress != nil {
		x.progress.End()
	}
	v := gasView{Report: r}
	if before != nil {
		v.Differences = gasreport.Diff(before, r.Snapshot(), x.tolerance)
		for _, d := range v.Differences {
			if d.Beyond {
				v.Beyond++
			}
		}
	}
	if err := x.print(cmd, &v); err != nil {
		return err
	}
	if x.snapshot != "" {
		if err := wholefile.Write(x.snapshot, r.Snapshot().Write); err != nil {
			return fmt.Errorf("--snapshot: %w", err)
		}
	}
	if x.check && v.Beyond > 0 {
		return kit.ErrFailed
	}
	return nil
}

func (x *profiling) sensible(args []string) error {
	switch {
	case x.node != "" && x.path != "":
		return kit.Usagef("--node and --chain exclude each other")
	case x.node != "" && len(args) > 1, x.path != "" && len(args) != 1:
		return kit.Usagef("want one message or epoch, of a node or of a chain")
	case x.node == "" && x.path == "" && len(args) == 0:
		return kit.Usagef("of what? Name vectors, or give --chain CHAIN, or --node URL")
	case x.node == "" && (x.from != 0 || x.to != 0):
		return kit.Usagef("--from and --to are for --node")
	case x.from < 0 || x.to < 0 || x.to != 0 && x.to < x.from:
		return kit.Usagef("--from %d --to %d: want epochs from a lower to a higher one", x.from, x.to)
	case x.opcodes && (x.node != "" || x.path != ""):
		return kit.Usagef("--opcodes is for vectors; 'edgefvm dev' extracts one by fvm_extractVector")
	case x.check && x.diff == "":
		return kit.Usagef("--check is for --diff")
	case x.tolerance < 0:
		return kit.Usagef("--tolerance %g: want 0 or more percent", x.tolerance)
	case x.asJSON && x.markdown:
		return kit.Usagef("--json and --markdown exclude each other")
	case x.most < 0:
		return kit.Usagef("--rows %d: want 0 or more", x.most)
	}
	return nil
}

func readSnapshot(path string) (gasreport.Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("--diff: %w; --snapshot %s writes it", err, path)
		}
		return nil, fmt.Errorf("--diff: %w", err)
	}
	defer f.Close()
	s, err := gasreport.ReadSnapshot(f)
	if err != nil {
		return nil, fmt.Errorf("--diff %s: %w", path, err)
	}
	return s, nil
}

func (x *profiling) print(cmd *cobra.Command, v *gasView) error {
	out := cmd.OutOrStdout()
	switch {
	case x.asJSON:
		return kit.WriteJSON(cmd, v)
	case x.markdown:
		return v.WriteMarkdown(out, v.Differences)
	}
	if err := v.WriteText(out, x.most); err != nil || x.diff == "" {
		return err
	}
	if len(v.Differences) == 0 {
		_, err := fmt.Fprintf(out, "\nAs in %s.\n", x.diff)
		return err
	}
	if _, err := fmt.Fprintf(out, "\nOther than in %s (! is beyond the tolerance of %g%%):\n", x.diff, x.tolerance); err != nil {
		return err
	}
	return gasreport.WriteDifferences(out, v.Differences)
}

func (x *profiling) report(cmd *cobra.Command, args []string, contracts *ethabi.ABI) (*gasreport.Report, error) {
	switch {
	case x.node != "":
		span := page.GasSpan{From: abi.ChainEpoch(x.from), To: abi.ChainEpoch(x.to)}
		if len(args) == 1 {
			span.Message = args[0]
		}
		return askNode(cmd.Context(), x.node, span, contracts)
	case x.path != "":
		return x.ofChain(cmd, args[0], contracts)
	}
	return x.ofVectors(cmd, args, contracts)
}

func (x *profiling) ofChain(cmd *cobra.Command, what string, contracts *ethabi.ABI) (*gasreport.Report, error) {
	if _, err := x.open(cmd, nil); err != nil {
		return nil, err
	}
	c, err := filapi.Archive(cmd.Context(), x.chain, filapi.ArchiveOptions{})
	if err != nil {
		return nil, err
	}
	span := page.GasSpan{Message: what}
	if n, err := strconv.ParseInt(what, 10, 64); err == nil && n > 0 {
		span = page.GasSpan{From: abi.ChainEpoch(n), To: abi.ChainEpoch(n)}
	}
	return page.GasReport(cmd.Context(), page.OfChain(c, filepath.Base(x.path)), span, gasreport.Options{Title: filepath.Base(x.path) + " " + what, ABI: contracts})
}

func (x *profiling) ofVectors(cmd *cobra.Command, paths []string, contracts *ethabi.ABI) (*gasreport.Report, error) {
	engine, err := x.set.Start()
	if err != nil {
		return nil, err
	}
	defer engine.Close(context.WithoutCancel(cmd.Context()))
	defer kit.WatchCompiling(cmd.ErrOrStderr(), engine)()
	code := x.set.Actors(cmd)
	title := filepath.Base(paths[0])
	if len(paths) > 1 {
		title += fmt.Sprintf(" and %d more", len(paths)-1)
	}
	b := gasreport.New(gasreport.Options{Title: title, ABI: contracts})
	for _, path := range paths {
		if kit.IsTrace(path) {
			return nil, kit.Usagef("%s is a trace: name the vector beside it", path)
		}
		v, err := conformance.Load(path)
		if err != nil {
			return nil, err
		}
		unjudged := func(context.Context, *vector.Vector, int) explain.Verdict { return explain.Verdict{} }
		e, err := explain.Vector(cmd.Context(), v, explain.VectorOptions{Actors: code, Engine: engine, Judge: unjudged})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for i := range e.Messages {
			b.Add(&e.Messages[i])
		}
		if x.opcodes {
			if err := addOpcodes(cmd.Context(), b, v, vectorRun{code, engine}); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return b.Report(), nil
}

type vectorRun struct {
	code   *vector.Actors
	engine *fvm.Engine
}

// addOpcodes runs a vector once more and watches the opcodes.
func addOpcodes(ctx context.Context, b *gasreport.Builder, v *vector.Vector, on vectorRun) error {
	t := evmtrace.New(evmtrace.Options{DisableStack: true, DisableStorage: true})
	s, err := vector.Prepare(ctx, v, 0, on.code, on.engine, t.Hooks(nil))
	if err != nil {
		return err
	}
	for i := range s.Len() {
		var used int64
		if res, err := s.Apply(ctx, i); err == nil {
			used = res.GasUsed
		} else if !errors.Is(err, vector.ErrNoReceipt) {
			return fmt.Errorf("message %d: %w", i+1, err)
		}
		b.AddOpcodes(t.Take(uint64(max(used, 0))))
	}
	return nil
}

// largestAnswer bounds what a node may say, in bytes.
const largestAnswer = 256 << 20

// askNode asks a development node for a report.
func askNode(ctx context.Context, url string, span page.GasSpan, contracts *ethabi.ABI) (*gasreport.Report, error) {
	params := []any{span}
	if contracts != nil {
		params = append(params, signatures(contracts))
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "fvm_gasReport", "params": params})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, kit.Usagef("--node: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("--node: %w", err)
	}
	defer res.Body.Close()
	var answer struct {
		Result *gasreport.Report
		Error  *struct {
			Code    int
			Message string
		}
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, largestAnswer)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("--node %s: the answer is no JSON-RPC (HTTP status %d): %w", url, res.StatusCode, err)
	}
	switch {
	case answer.Error != nil && answer.Error.Code == -32601:
		return nil, fmt.Errorf("--node %s has no fvm_gasReport: it is no 'edgefvm dev'", url)
	case answer.Error != nil:
		return nil, fmt.Errorf("--node %s: %s", url, answer.Error.Message)
	case answer.Result == nil:
		return nil, fmt.Errorf("--node %s: the answer has no report", url)
	}
	return answer.Result, nil
}

// signatures are the functions of an ABI as a node takes them: their names are all that a report needs.
func signatures(a *ethabi.ABI) []map[string]any {
	out := []map[string]any{}
	for _, e := range a.Entries {
		if e.Kind != "function" {
			continue
		}
		inputs := []map[string]any{}
		for _, p := range e.Inputs {
			in := param(p.Type.String())
			inputs = append(inputs, in)
		}
		out = append(out, map[string]any{"type": "function", "name": e.Name, "inputs": inputs})
	}
	return out
}

// param is a type as JSON has it: tuples, which are written (a,b)[], with their components.
func param(t string) map[string]any {
	if !strings.HasPrefix(t, "(") {
		return map[string]any{"name": "", "type": t}
	}
	end := strings.LastIndexByte(t, ')')
	parts := []map[string]any{}
	for _, x := range split(t[1:end]) {
		parts = append(parts, param(x))
	}
	return map[string]any{"name": "", "type": "tuple" + t[end+1:], "components": parts}
}

// split cuts a list of types at the commas that are not inside of a tuple.
func split(s string) (out []string) {
	depth, first := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, s[first:i])
				first = i + 1
			}
		}
	}
	if s != "" {
		out = append(out, s[first:])
	}
	return out
}

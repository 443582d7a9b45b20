package messages

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"sort"

	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/explain/evmtrace"
	"github.com/edgefvm/fvm/explain/solidity"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/vector"
)

// shownLines is how many lines of sources are printed of a message.
const shownLines = 25

// sourced is what a message did, by the lines of its contracts' sources, as JSON has it.
type sourced struct {
	Message  int                `json:"message"`
	ExitCode int64              `json:"exitCode"`
	GasUsed  uint64             `json:"gasUsed"`
	Failure  *solidity.Failure  `json:"failure,omitempty"`
	Lines    []solidity.LineGas `json:"lines"`
	Outside  uint64             `json:"outsideMilligas"`
	Unknown  []uint64           `json:"unknownContracts,omitempty"`
}

// sources runs a vector and prints where in the sources of its contracts gas went, and what failed.
func (e *explaining) sources(cmd *cobra.Command, v *vector.Vector) error {
	project, err := solidity.Open(cmd.Context(), e.artifacts)
	if err != nil {
		return err
	}
	engine, err := e.Start()
	if err != nil {
		return err
	}
	defer engine.Close(context.WithoutCancel(cmd.Context()))
	var s *vector.Session
	t := solidity.New(project, func(ctx context.Context, c cid.Cid) ([]byte, error) {
		b, err := s.Store.Get(ctx, c)
		if err != nil {
			return nil, err
		}
		return b.RawData(), nil
	})
	if s, err = vector.Prepare(cmd.Context(), v, e.variant, e.Actors(cmd), engine, t.Hooks(nil)); err != nil {
		return err
	}
	out := bufio.NewWriter(cmd.OutOrStdout())
	list := []sourced{}
	for i := range s.Len() {
		r, err := s.Apply(cmd.Context(), i)
		if err != nil {
			return fmt.Errorf("message %d: %w", i+1, err)
		}
		if _, err := s.Flush(cmd.Context()); err != nil { // so that the next one's contracts can be read
			return err
		}
		report := t.Take(uint64(max(r.GasUsed, 0)))
		if e.only != 0 && e.only != i+1 {
			continue
		}
		if err := e.profiles(report, fmt.Sprintf("%s, message %d", v.Name, i+1)); err != nil {
			return err
		}
		x := sourcedOf(i+1, r, report)
		list = append(list, x)
		if !e.asJSON {
			writeSourced(out, &x, report)
		}
	}
	if e.asJSON {
		return kit.WriteJSON(cmd, list)
	}
	return out.Flush()
}

func sourcedOf(n int, r *fvm.Result, report *solidity.Report) sourced {
	x := sourced{Message: n, ExitCode: int64(r.ExitCode), GasUsed: report.GasUsed, Failure: report.Failure, Lines: report.Lines(), Outside: report.Outside}
	for id := range report.Unknown {
		x.Unknown = append(x.Unknown, uint64(id))
	}
	sort.Slice(x.Unknown, func(i, j int) bool { return x.Unknown[i] < x.Unknown[j] })
	return x
}

// profiles writes the files that flags name.
func (e *explaining) profiles(r *solidity.Report, name string) error {
	for _, f := range []struct {
		flag, path string
		write      func(io.Writer) error
	}{
		{"--pprof", e.pprof, r.WriteProfile},
		{"--speedscope", e.speedscope, func(w io.Writer) error { return r.WriteSpeedscope(w, name) }},
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

func writeSourced(w io.Writer, x *sourced, r *solidity.Report) {
	fmt.Fprintf(w, "message %d: exit code %d, %d gas, of which %d outside of opcodes\n", x.Message, x.ExitCode, x.GasUsed, x.Outside/1000)
	for _, err := range r.Unwatched {
		fmt.Fprintf(w, "  %v\n", err)
	}
	if f := x.Failure; f != nil {
		fmt.Fprintf(w, "  failed with exit code %d at\n", f.ExitCode)
		for _, p := range f.Stack {
			fmt.Fprintf(w, "    %s  %s\n", layout.OneLine(p.Function), where(p.File, p.Line, fmt.Sprintf("pc %d, %s", p.PC, evmtrace.OpName(p.Opcode))))
			if p.Text != "" {
				fmt.Fprintf(w, "      %s\n", layout.OneLine(p.Text))
			}
		}
	}
	for _, id := range x.Unknown {
		fmt.Fprintf(w, "  contract f0%d is none of the artefacts'\n", id)
	}
	if len(x.Lines) > 0 {
		fmt.Fprintf(w, "  %14s  %s\n", "gas", "line")
	}
	for i, l := range x.Lines {
		if i == shownLines {
			fmt.Fprintf(w, "  and %d more lines: see --json\n", len(x.Lines)-i)
			break
		}
		fmt.Fprintf(w, "  %14d  %s  %s  %s\n", l.Milli/1000, where(l.File, l.Line, "no source"), layout.OneLine(l.Function), layout.OneLine(l.Text))
	}
}

// where is a line of a file, or what is said instead if there is none.
func where(file string, line int, otherwise string) string {
	switch {
	case file == "":
		return otherwise
	case line == 0:
		return layout.OneLine(file)
	}
	return fmt.Sprintf("%s:%d", layout.OneLine(file), line)
}

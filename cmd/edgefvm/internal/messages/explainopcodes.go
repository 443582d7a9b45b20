package messages

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/explain/evmtrace"
	"github.com/edgefvm/fvm/vector"
)

// shownWords is how many words of the stack a line has, from the top.
const shownWords = 6

// opcodes runs a vector and prints the opcodes of its contracts.
func (e *explaining) opcodes(cmd *cobra.Command, v *vector.Vector) error {
	engine, err := e.Start()
	if err != nil {
		return err
	}
	defer engine.Close(context.WithoutCancel(cmd.Context()))
	t := evmtrace.New(evmtrace.Options{EnableMemory: e.asJSON, EnableReturnData: e.asJSON})
	s, err := vector.Prepare(cmd.Context(), v, e.variant, e.Actors(cmd), engine, t.Hooks(nil))
	if err != nil {
		return err
	}
	logs := make([]*evmtrace.Log, s.Len())
	out := bufio.NewWriter(cmd.OutOrStdout())
	for i := range logs {
		r, err := s.Apply(cmd.Context(), i)
		if err != nil {
			return fmt.Errorf("message %d: %w", i+1, err)
		}
		logs[i] = t.Take(uint64(max(r.GasUsed, 0)))
		if !e.asJSON && (e.only == 0 || e.only == i+1) {
			writeOpcodes(out, i+1, r, logs[i])
		}
	}
	if e.asJSON {
		return kit.WriteJSON(cmd, logs)
	}
	return out.Flush()
}

func writeOpcodes(w io.Writer, n int, r *fvm.Result, l *evmtrace.Log) {
	fmt.Fprintf(w, "message %d: %d opcodes, exit code %v, %d gas, of which %d outside of opcodes\n", n, len(l.Steps), r.ExitCode, l.GasUsed, l.Outside/1000)
	for _, u := range l.Unwatched {
		fmt.Fprintf(w, "  %v\n", u)
	}
	if len(l.Steps) > 0 {
		fmt.Fprintf(w, "  %14s %10s %6s  %s\n", "gas left", "cost", "pc", "opcode and stack, the top first")
	}
	for i := range l.Steps {
		s := &l.Steps[i]
		fmt.Fprintf(w, "  %14d %10d %6d  %s%s%s", s.Gas/1000, s.Cost/1000, s.PC, strings.Repeat("  ", s.Depth-1), evmtrace.OpName(s.Op), topWords(s.Stack))
		if s.Error != "" {
			fmt.Fprintf(w, "  fails: %s", s.Error)
		}
		fmt.Fprintln(w)
	}
	if l.LeftOut > 0 {
		fmt.Fprintf(w, "  and %d more, which are too many to keep\n", l.LeftOut)
	}
	for _, x := range l.ByOpcode() {
		fmt.Fprintf(w, "  %14d gas for %6d x %s\n", x.Cost/1000, x.Count, evmtrace.OpName(x.Op))
	}
}

func topWords(stack []evmtrace.Word) string {
	var b strings.Builder
	for i := len(stack) - 1; i >= 0 && i >= len(stack)-shownWords; i-- {
		fmt.Fprintf(&b, " %v", stack[i])
	}
	if n := len(stack) - shownWords; n > 0 {
		fmt.Fprintf(&b, " and %d more", n)
	}
	return b.String()
}

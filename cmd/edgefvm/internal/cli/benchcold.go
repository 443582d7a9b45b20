package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/vector"
)

const (
	// firstReceiptUse names the hidden command that is a cold process: it ends with the first receipt of a vector.
	firstReceiptUse = "first-receipt"
	firstReceiptOut = "receipt "
)

// newFirstReceipt is the process that bench --cold starts and times.
func newFirstReceipt() *cobra.Command {
	var set setting
	cmd := &cobra.Command{
		Use: firstReceiptUse + " VECTOR", Hidden: true, Args: cobra.ExactArgs(1),
		Short:   "Run a vector up to its first receipt",
		Long:    "Runs a vector up to its first receipt and prints the exit code and the gas: the process\nthat bench --cold times.",
		Example: "  edgefvm first-receipt lab/conformance/testdata/nv28-send-001.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := conformance.Load(args[0])
			if err != nil {
				return err
			}
			e, err := set.start()
			if err != nil {
				return err
			}
			defer e.Close(context.WithoutCancel(cmd.Context()))
			s, err := vector.Prepare(cmd.Context(), v, 0, set.actors(cmd), e, nil)
			if err != nil {
				return err
			}
			if s.Len() == 0 {
				return errors.New("the vector has no messages")
			}
			res, err := s.Apply(cmd.Context(), 0)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s%d %d\n", firstReceiptOut, res.ExitCode, res.GasUsed)
			return err
		},
	}
	set.flags(cmd)
	return cmd
}

// coldTime is what a process took from its start to a vector's first receipt: the least and the median of all rounds.
type coldTime struct {
	Engine   string        `json:"engine"` // "reference" for the other program
	Vector   string        `json:"vector"`
	ExitCode int64         `json:"exit_code"`
	Gas      int64         `json:"gas"`
	Least    time.Duration `json:"ns"`
	Median   time.Duration `json:"median_ns"`
}

const reference = "reference"

// benchCold times processes, which take turns in every round; the first round warms the caches of compiled code.
func benchCold(cmd *cobra.Command, fl *benchFlags, files []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b := &bench{cmd: cmd}
	names := strings.Split(fl.set.engine, ",")
	var list []coldTime
	for _, path := range files {
		v, err := conformance.Load(path)
		if err != nil {
			return err
		}
		rows := make([]coldTime, len(names), len(names)+1)
		took := make([][]time.Duration, len(names)+1)
		for round := range fl.rounds + 1 {
			for i, name := range names {
				row, err := coldProcess(cmd.Context(), self, fl, name, path)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", v.Name, name, err)
				}
				row.Engine, row.Vector = name, v.Name
				rows[i] = row
				if round > 0 {
					took[i] = append(took[i], row.Least)
				}
			}
		}
		if fl.against != "" { // it keeps no code between processes, and once is enough to say so
			d, err := b.coldReference(fl, path)
			if err != nil {
				return fmt.Errorf("--against: %s: %w", v.Name, err)
			}
			rows = append(rows, coldTime{Engine: reference, Vector: v.Name})
			took[len(names)] = []time.Duration{d}
		}
		for i := range rows {
			slices.Sort(took[i])
			rows[i].Least, rows[i].Median = took[i][0], at(took[i], 50)
		}
		list = append(list, rows...)
	}
	if fl.json {
		return writeJSON(cmd, list)
	}
	return printCold(cmd.OutOrStdout(), list, fl.rounds)
}

// coldProcess runs one process until its first receipt, which takes Least.
func coldProcess(ctx context.Context, self string, fl *benchFlags, engine, path string) (row coldTime, err error) {
	args := []string{firstReceiptUse, "--engine", engine}
	for _, f := range []struct{ name, value string }{{"--cache", fl.set.cacheDir}, {"--bundles", fl.set.bundles}} {
		if f.value != "" {
			args = append(args, f.name, f.value)
		}
	}
	if fl.set.noCache {
		args = append(args, "--no-cache")
	}
	for _, car := range fl.set.cars {
		args = append(args, "--bundle", car)
	}
	c := exec.CommandContext(ctx, self, append(args, path)...)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return row, err
	}
	begin := time.Now()
	if err := c.Start(); err != nil {
		return row, err
	}
	line, readErr := bufio.NewReader(out).ReadString('\n')
	row.Least = time.Since(begin)
	if err := c.Wait(); err != nil {
		return row, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	if readErr != nil && !errors.Is(readErr, io.EOF) {
		return row, readErr
	}
	if _, err := fmt.Sscanf(line, firstReceiptOut+"%d %d", &row.ExitCode, &row.Gas); err != nil {
		return row, fmt.Errorf("the process said %q", line)
	}
	return row, nil
}

// coldReference is what the reference takes from its start to the end of a vector, whose code it compiles.
func (b *bench) coldReference(fl *benchFlags, path string) (d time.Duration, err error) {
	ctx := b.cmd.Context()
	begin := time.Now()
	if b.peer, err = oracle.Start(ctx, fl.against); err != nil {
		return 0, err
	}
	defer b.peer.Close()
	if err := b.giveBundles(&fl.set, []string{path}); err != nil {
		return 0, err
	}
	if _, err := b.theirs(ctx, path); err != nil {
		return 0, err
	}
	return time.Since(begin), nil
}

func printCold(out io.Writer, list []coldTime, rounds int) error {
	g := newPage(out)
	g.title("from the start of a process to its first receipt")
	g.line("%s", row("", "least", "median", "exit code", "gas"))
	last := ""
	for _, t := range list {
		if t.Vector != last {
			g.line("%s", clean(t.Vector))
			last = t.Vector
		}
		code, gas := fmt.Sprint(t.ExitCode), grouped(uint64(t.Gas))
		if t.Engine == reference {
			code, gas = "-", "-"
		}
		g.line("%s", row("  "+t.Engine, short(t.Least), short(t.Median), code, gas))
	}
	g.line("measured %d %s of each, after one to warm the caches", rounds, choose(rounds, "process", "processes"))
	return g.err
}

package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

// ReferenceName is what the reference is called among engines.
const ReferenceName = "reference"

// ColdTime is what a process took from its start to a vector's first receipt: the least and the median of all rounds.
type ColdTime struct {
	Engine   string        `json:"engine"` // ReferenceName for the other program
	Vector   string        `json:"vector"`
	ExitCode int64         `json:"exit_code"`
	Gas      int64         `json:"gas"`
	Least    time.Duration `json:"ns"`
	Median   time.Duration `json:"median_ns"`
}

// ColdOptions say which processes are measured.
type ColdOptions struct {
	// Engines take turns, by names that Command understands.
	Engines []string
	// Command is a process, not yet started, that runs the vector in a file up to its first receipt on an engine,
	// by FirstReceipt, and writes that to its standard output. Required.
	Command func(ctx context.Context, engine, path string) *exec.Cmd
	// Rounds are timed, after one that warms the caches of compiled code. Default: 5.
	Rounds int
	// Reference is a program to measure too, once, since it keeps no code between processes: up to the end of
	// the vector. Default: none.
	Reference string
	// Code is for the reference.
	Code Code
	// Progress hears of each vector before it runs, counted from 0. Default: nobody.
	Progress func(i, of int, path string)
}

// Cold measures processes on the first message of each vector. The first failure ends it.
func Cold(ctx context.Context, files []string, opts ColdOptions) ([]ColdTime, error) {
	if opts.Rounds == 0 {
		opts.Rounds = defaultRounds
	}
	shelf := &shelf{code: opts.Code}
	defer shelf.remove()
	var list []ColdTime
	for i, path := range files {
		if opts.Progress != nil {
			opts.Progress(i, len(files), path)
		}
		v, err := conformance.Load(path)
		if err != nil {
			return nil, err
		}
		rows, err := coldRows(ctx, opts.Rounds, opts.Engines, func(ctx context.Context, engine string) (ColdTime, error) {
			return coldProcess(opts.Command(ctx, engine, path))
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.Name, err)
		}
		if opts.Reference != "" {
			d, err := coldReference(ctx, opts.Reference, shelf, path)
			if err != nil {
				return nil, fmt.Errorf("%s: the reference: %w", v.Name, err)
			}
			rows = append(rows, ColdTime{Engine: ReferenceName, Least: d, Median: d})
		}
		for i := range rows {
			rows[i].Vector = v.Name
		}
		list = append(list, rows...)
	}
	return list, nil
}

// coldRows lets engines take turns, each in a process of its own that takes Least.
func coldRows(ctx context.Context, rounds int, engines []string, process func(ctx context.Context, engine string) (ColdTime, error)) ([]ColdTime, error) {
	rows := make([]ColdTime, len(engines))
	var sides []side
	for i, name := range engines {
		sides = append(sides, func(ctx context.Context) ([]time.Duration, error) {
			row, err := process(ctx, name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			rows[i] = row
			return []time.Duration{row.Least}, nil
		})
	}
	took, err := takeTurns(ctx, rounds, 1, sides)
	if err != nil {
		return nil, err
	}
	for i, name := range engines {
		rows[i].Engine = name
		rows[i].Least, rows[i].Median = ofRounds(took[i], 0)
	}
	return rows, nil
}

// coldProcess runs one process until its first receipt, which takes Least.
func coldProcess(c *exec.Cmd) (row ColdTime, err error) {
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
	if row.ExitCode, row.Gas, err = parseReceipt(line); err != nil {
		return row, err
	}
	return row, nil
}

// The line that FirstReceipt writes.
const receiptLine = "receipt %d %d\n"

func parseReceipt(line string) (code, gas int64, err error) {
	if _, err := fmt.Sscanf(line, receiptLine, &code, &gas); err != nil {
		return 0, 0, fmt.Errorf("the process said %q", line)
	}
	return code, gas, nil
}

// FirstReceipt runs a vector up to its first receipt, and writes exit code and gas for Cold. It is the other end, in
// the process that is measured.
func FirstReceipt(ctx context.Context, w io.Writer, path string, actors *vector.Actors, engine *fvm.Engine) error {
	v, err := conformance.Load(path)
	if err != nil {
		return err
	}
	s, err := vector.Prepare(ctx, v, 0, actors, engine, nil)
	if err != nil {
		return err
	}
	if s.Len() == 0 {
		return errors.New("the vector has no messages")
	}
	res, err := s.Apply(ctx, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, receiptLine, res.ExitCode, res.GasUsed)
	return err
}

// coldReference is what the reference takes from its start to the end of a vector, whose code it compiles. The files
// of the actors lie ready.
func coldReference(ctx context.Context, program string, s *shelf, path string) (time.Duration, error) {
	cars, err := s.carsFor(ctx, []string{path})
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	o, err := startOracle(ctx, program, cars)
	if err != nil {
		return 0, err
	}
	defer o.Close()
	if _, err := o.Times(ctx, path); err != nil {
		return 0, err
	}
	return time.Since(begin), nil
}

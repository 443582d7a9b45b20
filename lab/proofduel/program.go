package proofduel

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Program is a running program of judge. It is for one goroutine.
type Program struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// Start starts a program with a folder of keys.
func Start(ctx context.Context, path, keys string) (*Program, error) {
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = append(os.Environ(), "FIL_PROOFS_PARAMETER_CACHE="+keys+"/", "RUST_LOG=off")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the crates' judge: %w", err)
	}
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, 16<<20)
	return &Program{cmd, in, scanner}, nil
}

// Close ends the program.
func (p *Program) Close() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

// Reply is the crates' verdict.
type Reply struct {
	Verdict string  `json:"verdict"` // valid, invalid, error; panic: which the FVM takes for an error
	Error   string  `json:"error"`
	Ns      []int64 `json:"ns"` // of each run
}

// Same tells whether a verdict of ours is that of the crates.
func (r *Reply) Same(ours string) bool {
	return ours == r.Verdict || ours == "error" && r.Verdict == "panic"
}

// Ask puts a question, so many times.
func (p *Program) Ask(kind string, input json.RawMessage, runs int) (*Reply, error) {
	line, err := json.Marshal(struct {
		Kind  string          `json:"kind"`
		Input json.RawMessage `json:"input"`
		Runs  int             `json:"runs"`
	}{kind, input, runs})
	if err != nil {
		return nil, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return nil, fmt.Errorf("asking the crates' judge: %w", err)
	}
	if !p.out.Scan() {
		return nil, fmt.Errorf("the crates' judge ended: %w", errors.Join(p.out.Err(), io.ErrUnexpectedEOF))
	}
	var r Reply
	if err := json.Unmarshal(p.out.Bytes(), &r); err != nil {
		return nil, fmt.Errorf("the crates' judge answered %q: %w", p.out.Text(), err)
	}
	return &r, nil
}

// least is the shortest of some times.
func least(ns []int64) time.Duration {
	shortest := time.Duration(1 << 62)
	for _, n := range ns {
		shortest = min(shortest, time.Duration(n))
	}
	return shortest
}

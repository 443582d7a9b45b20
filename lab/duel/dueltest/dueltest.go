// Package dueltest is an oracle for tests: the test's own binary as a child
// process that speaks the oracle's protocol and answers with our machine. What a
// mode plants in its answers must be found. It says nothing about the network.
package dueltest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/trace"
)

// Modes of the child process.
const (
	Sound  = "sound"  // it answers with what our machine gives
	Gas    = "gas"    // one unit of gas too much for each message that hashes
	Panics = "panics" // it says that it panicked
	Ends   = "ends"   // it ends at the first application
)

const environment = "EDGEFVM_TEST_ORACLE"

// RunIfChild is for TestMain, first of all: in the child process it serves, and does not return.
func RunIfChild() {
	mode := os.Getenv(environment)
	if mode == "" {
		return
	}
	if err := serve(mode); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Program is the path of the program, which runs in this mode until the test ends.
func Program(t testing.TB, mode string) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(environment, mode)
	return path
}

type server struct {
	mode   string
	engine *fvm.Engine
	bases  []*blockstore.Memory // the last one is written to
}

func serve(mode string) error {
	engine, err := fvm.NewEngine(fvm.EngineConfig{Name: "wazero"})
	if err != nil {
		return err
	}
	s := &server{mode: mode, engine: engine, bases: []*blockstore.Memory{blockstore.NewMemory()}}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return nil
		}
		answer, err := s.answer(line)
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
			return err
		}
	}
}

func (s *server) answer(line []byte) (any, error) {
	var q struct {
		Op     string
		Data   []byte
		Limits []int64
		oracle.Request
	}
	if err := json.Unmarshal(line, &q); err != nil {
		return nil, err
	}
	ctx := context.Background()
	switch q.Op {
	case "load_car":
		_, err := blockstore.LoadCAR(ctx, bytes.NewReader(q.Data), s.bases[len(s.bases)-1], blockstore.CAROptions{})
		return struct{}{}, err
	case "push":
		s.bases = append(s.bases, blockstore.NewMemory())
		return struct{}{}, nil
	case "pop":
		if len(s.bases) == 1 {
			return nil, errors.New("nothing was pushed")
		}
		s.bases = s.bases[:len(s.bases)-1]
		return struct{}{}, nil
	case "apply":
		return s.apply(ctx, &q.Request)
	case "limits":
		return s.limits(ctx, &q.Request, q.Limits)
	}
	return nil, fmt.Errorf("unknown op %q", q.Op)
}

func (s *server) limits(ctx context.Context, r *oracle.Request, limits []int64) (any, error) {
	var runs []any
	for _, limit := range limits {
		one, err := duel.WithLimit(r, limit)
		if err != nil {
			return nil, err
		}
		answer, err := s.apply(ctx, one)
		if err != nil {
			runs = append(runs, map[string]string{"error": err.Error()})
			break
		}
		runs = append(runs, answer)
	}
	return map[string]any{"runs": runs}, nil
}

func (s *server) apply(ctx context.Context, r *oracle.Request) (any, error) {
	switch s.mode {
	case Panics:
		return nil, errors.New("panic: on purpose")
	case Ends:
		os.Exit(0)
	}
	c := &duel.Case{Request: r}
	for i, b := range s.bases {
		c.Bases = append(c.Bases, duel.Base{Name: fmt.Sprint(i), Store: b})
	}
	o, err := duel.RunOurs(ctx, c, s.engine)
	if err != nil {
		return nil, err
	}
	results := []any{}
	for i, res := range o.Results {
		if res == nil {
			results = append(results, map[string]string{"error": o.Err.Error()})
			continue
		}
		used := res.GasUsed
		if s.mode == Gas && hashes(o.Traces[i]) {
			used++
		}
		events := ""
		if res.EventsRoot != nil {
			events = res.EventsRoot.String()
		}
		results = append(results, map[string]any{
			"exit_code": res.ExitCode, "return": res.Return, "gas_used": used, "events_root": events, "penalty": res.Penalty.String(),
			"miner_tip": res.MinerTip.String(), "base_fee_burn": res.BaseFeeBurn.String(), "over_estimation_burn": res.OverEstimationBurn.String(),
			"refund": res.Refund.String(), "gas_refund": res.GasRefund, "gas_burned": res.GasBurned, "trace": clipped(o.Traces[i]),
		})
	}
	root := ""
	if !o.Broken {
		root = o.Root.String()
	}
	return map[string]any{"results": results, "root": root}, nil
}

func hashes(events trace.Events) bool {
	for _, e := range events {
		if c, ok := e.(*trace.GasCharge); ok && c.Name == "OnHashing" {
			return true
		}
	}
	return false
}

func clipped(events trace.Events) trace.Events {
	for _, e := range events {
		if x, ok := e.(*trace.Error); ok {
			x.Text = ""
		}
	}
	return events
}

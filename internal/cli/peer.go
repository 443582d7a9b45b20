package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/conformance"
	"github.com/edgefvm/fvm/internal/wholefile"
)

// peer is the reference implementation as a child process: a request is a line of JSON, and so is its answer.
type peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startPeer(ctx context.Context, program string) (*peer, error) {
	if _, err := exec.LookPath(program); err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	p := &peer{cmd: exec.CommandContext(ctx, program)}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReaderSize(out, 1<<20)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	return p, nil
}

func (p *peer) close() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// ask sends a request and reads its answer.
func (p *peer) ask(request map[string]any, answer any) error {
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("the reference: %w", err)
	}
	got, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the reference ended: %w", err)
	}
	var failure struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(got, &failure); err != nil {
		return fmt.Errorf("the reference's answer: %w", err)
	}
	if failure.Error != "" {
		return errors.New("the reference: " + failure.Error)
	}
	return json.Unmarshal(got, answer)
}

// run runs the first variant of a vector there, and returns what each message took.
func (p *peer) run(path string) ([]time.Duration, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	var answer struct {
		NS [][]time.Duration `json:"ns"`
	}
	if err := p.ask(map[string]any{"op": "vector", "path": abs}, &answer); err != nil {
		return nil, err
	}
	if len(answer.NS) == 0 {
		return nil, errors.New("the reference gave no times")
	}
	return answer.NS[0], nil
}

// giveBundles loads the actors that the vectors need into the reference.
func (b *bench) giveBundles(set *setting, files []string) error {
	ctx := b.cmd.Context()
	cars := set.cars
	if len(cars) == 0 {
		names, err := bundlesOf(files)
		if err != nil {
			return err
		}
		dir, err := os.MkdirTemp("", "edgefvm-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		s, err := bundle.Open(ctx, set.bundleOptions(b.cmd))
		if err != nil {
			return err
		}
		for _, name := range names {
			path := filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".car")
			if err := exportTo(ctx, s, name, path); err != nil {
				return err
			}
			cars = append(cars, path)
		}
	}
	for _, path := range cars {
		var answer struct{ Blocks int }
		if err := b.peer.ask(map[string]any{"op": "load_car", "path": path}, &answer); err != nil {
			return err
		}
	}
	return nil
}

func bundlesOf(files []string) ([]string, error) {
	var names []string
	seen := map[string]bool{}
	for _, path := range files {
		v, err := conformance.Load(path)
		if err != nil {
			return nil, err
		}
		name, err := v.BundleFor(v.Variants()[0])
		if err == nil && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, nil
}

func exportTo(ctx context.Context, s *bundle.Set, name, path string) error {
	version, network, err := bundle.ParseName(name)
	if err != nil {
		return err
	}
	return wholefile.Write(path, func(w io.Writer) error { return s.Export(ctx, version, network, w) })
}

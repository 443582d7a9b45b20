package oracle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// workshop is a temporary folder with the program's sources, in which cargo works.
type workshop struct {
	dir    string
	target string // where compiled crates go
	tool   string // cargo's path
	log    io.Writer
}

// newWorkshop makes one in a folder; "" is the system's for temporary files.
func newWorkshop(in string, log io.Writer) (*workshop, error) {
	tool, err := exec.LookPath("cargo")
	if err != nil {
		return nil, fmt.Errorf("it needs cargo: %w", err)
	}
	dir, err := os.MkdirTemp(in, "build-")
	if err != nil {
		return nil, err
	}
	w := &workshop{dir: dir, target: filepath.Join(dir, "target"), tool: tool, log: log}
	if kept := os.Getenv("CARGO_TARGET_DIR"); kept != "" {
		w.target, err = filepath.Abs(kept)
	}
	if err = errors.Join(err, unpack(w.program())); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *workshop) close() { _ = os.RemoveAll(w.dir) }

func (w *workshop) program() string  { return filepath.Join(w.dir, "program") }
func (w *workshop) lockFile() string { return filepath.Join(w.program(), "Cargo.lock") }

// unpack writes the sources into a folder.
func unpack(dir string) error {
	return eachSource(func(name string, data []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return fmt.Errorf("the oracle's sources: %w", err)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			return fmt.Errorf("the oracle's sources: %w", err)
		}
		return nil
	})
}

// cargo runs cargo on the program.
func (w *workshop) cargo(ctx context.Context, out io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, w.tool, args...)
	cmd.Dir = w.program()
	cmd.Env = append(os.Environ(), "CARGO_TARGET_DIR="+w.target)
	cmd.Stdout, cmd.Stderr = out, w.log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cargo %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// lock writes the list as the lock file.
func (w *workshop) lock(ctx context.Context, list []crate) error {
	source, err := w.source(ctx)
	if err != nil {
		return err
	}
	return os.WriteFile(w.lockFile(), formatLock(list, source), 0o666)
}

// source is cargo's own name for the registry that crates come from. It has it without a look at the network.
func (w *workshop) source(ctx context.Context) (string, error) {
	var out bytes.Buffer
	if err := w.cargo(ctx, &out, "metadata", "--no-deps", "--format-version", "1"); err != nil {
		return "", err
	}
	var meta struct {
		Packages []struct {
			Dependencies []struct{ Name, Source string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &meta); err != nil {
		return "", fmt.Errorf("cargo metadata: %w", err)
	}
	var source string
	for _, p := range meta.Packages {
		for _, d := range p.Dependencies {
			if d.Source == "" || source != "" && d.Source != source {
				return "", fmt.Errorf("the crate %s comes from %q, others from %q", d.Name, d.Source, source)
			}
			source = d.Source
		}
	}
	if source == "" {
		return "", errors.New("cargo metadata names no dependency")
	}
	return source, nil
}

// take copies what was built to path. It appears there when it is whole.
func (w *workshop) take(path string) error {
	name := "fvm-oracle"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	from, err := os.Open(filepath.Join(w.target, "release", name))
	if err != nil {
		return err
	}
	defer from.Close()
	made := filepath.Join(w.dir, name) // in the folder of path: a rename does
	to, err := os.OpenFile(made, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err != nil {
		return err
	}
	return os.Rename(made, path)
}

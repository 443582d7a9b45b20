package oracle

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/edgefvm/fvm/internal/disk/wholefile"
)

//go:embed program
var program embed.FS

// Environment is the variable that names an oracle to use instead of the one that Build made.
const Environment = "EDGEFVM_ORACLE"

// Hash names the program's sources: a program that was built of others is not found.
func Hash() (string, error) {
	h := sha256.New()
	err := eachSource(func(name string, data []byte) error {
		fmt.Fprintf(h, "%d %s %d ", len(name), name, len(data))
		h.Write(data)
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)[:8]), err
}

// eachSource goes through the files in order of name.
func eachSource(f func(name string, data []byte) error) error {
	return fs.WalkDir(program, "program", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := program.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("program", filepath.FromSlash(path))
		if err != nil {
			return err
		}
		return f(filepath.ToSlash(rel), data)
	})
}

// place is where the program of these sources lies in a folder of programs.
func place(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("the oracle: no folder for programs is known")
	}
	hash, err := Hash()
	if err != nil {
		return "", err
	}
	name := "fvm-oracle-" + hash
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(dir, name), nil
}

// ErrNotBuilt is an oracle that is nowhere.
var ErrNotBuilt = errors.New("there is no oracle: 'edgefvm oracle build' makes one where cargo is, or name one by --oracle or " + Environment)

// Find is the path of a program: the one that the environment names, or the one that Build put into dir.
func Find(dir string) (string, error) {
	if path := os.Getenv(Environment); path != "" {
		return path, nil
	}
	path, err := place(dir)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotBuilt, err)
	}
	if _, err := os.Stat(path); err != nil {
		return "", ErrNotBuilt
	}
	return path, nil
}

// Build builds the program with cargo into dir, by the hash of its sources, and returns its path. One that is there already is not
// built again. cargo's own words go to log.
func Build(ctx context.Context, dir string, log io.Writer) (string, error) {
	path, err := place(dir)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cargo, err := exec.LookPath("cargo")
	if err != nil {
		return "", fmt.Errorf("building the oracle needs cargo: %w", err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("the folder of oracles: %w", err)
	}
	work, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return "", fmt.Errorf("building the oracle: %w", err)
	}
	defer os.RemoveAll(work)
	if err := unpack(filepath.Join(work, "program")); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, cargo, "build", "--release")
	cmd.Dir = filepath.Join(work, "program")
	cmd.Env = append(os.Environ(), "CARGO_TARGET_DIR="+filepath.Join(work, "target"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("cargo build of the oracle: %w", err)
	}
	made := filepath.Join(work, "target", "release", "fvm-oracle")
	if runtime.GOOS == "windows" {
		made += ".exe"
	}
	if err := os.Rename(made, path); err != nil {
		return "", fmt.Errorf("building the oracle: %w", err)
	}
	return path, nil
}

// unpack writes the sources into a folder.
func unpack(dir string) error {
	return eachSource(func(name string, data []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return fmt.Errorf("the oracle's sources: %w", err)
		}
		err := wholefile.Write(path, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
		if err != nil {
			return fmt.Errorf("the oracle's sources: %w", err)
		}
		return nil
	})
}

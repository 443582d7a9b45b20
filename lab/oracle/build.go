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
	"path/filepath"
	"runtime"

	"github.com/edgefvm/fvm/internal/disk/owned"
)

// program is what cargo gets: what else lies in the folder decides nothing.
//
//go:embed program/Cargo.toml program/crates.txt program/src
var program embed.FS

// Environment is the variable that names an oracle to use instead of the one that Build made.
const Environment = "EDGEFVM_ORACLE"

// Hash names the program's sources, its own and, by crates.txt, those of all its crates: a program that was built of
// others is not found.
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

// Find is the path of a program: the one that the environment names, or the one that Build put into dir. It will be run,
// so one that somebody else than this user and root can have put there is an error, as compiled code is for the engines.
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
	return path, owns(path)
}

// owns is an error if somebody else than this user and root can have made the program.
func owns(path string) error {
	if err := errors.Join(owned.Dir(filepath.Dir(path)), owned.File(path)); err != nil {
		return fmt.Errorf("the oracle %s is not to be run: %w", path, err)
	}
	return nil
}

// Build builds the program with cargo into dir, by the hash of its sources, of the crates that crates.txt names and no
// others, and returns its path. One that is there already is not built again, and must be as Find wants it. cargo's own words go to log. If the
// environment sets CARGO_TARGET_DIR, the compiled crates stay there, and the next build is quick.
func Build(ctx context.Context, dir string, log io.Writer) (string, error) {
	path, err := place(dir)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err == nil {
		return path, owns(path)
	}
	if err := build(ctx, path, log); err != nil {
		return "", fmt.Errorf("building the oracle: %w", err)
	}
	return path, nil
}

func build(ctx context.Context, path string, log io.Writer) error {
	list, err := crates()
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	w, err := newWorkshop(dir, log)
	if err != nil {
		return err
	}
	defer w.close()
	if err := w.lock(ctx, list); err != nil {
		return err
	}
	if err := w.cargo(ctx, log, "build", "--release", "--locked"); err != nil {
		return fmt.Errorf("%w (a crate that is not as %s has it is an error: see the README of the program)", err, listed)
	}
	return w.take(path)
}

// Renew asks cargo for the crates of the program: those of crates.txt as far as Cargo.toml allows, or the newest. It
// returns the text of a new crates.txt, and how it differs, a line a crate: + and a new one, - and one that is gone, ! and
// what changed of one. It needs cargo and the network. The sources are those that this package was built with.
func Renew(ctx context.Context, newest bool, log io.Writer) (text []byte, changes []string, err error) {
	old, err := crates()
	if err != nil && !newest {
		return nil, nil, fmt.Errorf("renewing: %w", err)
	}
	list, err := resolve(ctx, old, newest, log)
	if err != nil {
		return nil, nil, fmt.Errorf("renewing %s: %w", listed, err)
	}
	return formatList(list), differences(old, list), nil
}

func resolve(ctx context.Context, old []crate, newest bool, log io.Writer) ([]crate, error) {
	w, err := newWorkshop("", log)
	if err != nil {
		return nil, err
	}
	defer w.close()
	update := []string{"update"}
	if !newest {
		if err := w.lock(ctx, old); err != nil {
			return nil, err
		}
		update = append(update, "--workspace")
	}
	if err := w.cargo(ctx, log, update...); err != nil {
		return nil, err
	}
	lock, err := os.ReadFile(w.lockFile())
	if err != nil {
		return nil, err
	}
	return parseLock(lock)
}

// crates is the list that this package was built with.
func crates() ([]crate, error) {
	text, err := program.ReadFile("program/" + listed)
	if err != nil {
		return nil, err
	}
	return parseList(text)
}

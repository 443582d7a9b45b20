package oracle_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/lab/oracle"
)

// What was built is found by the hash of the sources, and nothing is built a second time.
func TestBuilt(t *testing.T) {
	t.Setenv(oracle.Environment, "")
	t.Setenv("PATH", t.TempDir()) // no cargo
	dir := t.TempDir()
	if _, err := oracle.Build(t.Context(), dir, os.Stderr); err == nil || !strings.Contains(err.Error(), "cargo") {
		t.Errorf("without cargo it is %v", err)
	}
	hash, err := oracle.Hash()
	if err != nil || len(hash) != 16 {
		t.Fatalf("hash %q, %v", hash, err)
	}
	want := filepath.Join(dir, "fvm-oracle-"+hash)
	if err := os.WriteFile(want, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range []func() (string, error){
		func() (string, error) { return oracle.Find(dir) },
		func() (string, error) { return oracle.Build(t.Context(), dir, os.Stderr) },
	} {
		if path, err := f(); err != nil || path != want {
			t.Errorf("%q, %v", path, err)
		}
	}
}

// cargoOf puts a program called cargo, a shell script, in the place of all other programs.
func cargoOf(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the cargo of this test is a shell script")
	}
	tools := t.TempDir()
	if err := os.WriteFile(filepath.Join(tools, "cargo"), []byte("#!/bin/sh\nset -e\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools)
	t.Setenv("CARGO_TARGET_DIR", "")
}

// metadata is what cargo says of the program, for a registry of this name.
const metadata = `if test "$1" = metadata; then
	test "$*" = "metadata --no-deps --format-version 1"
	echo '{"packages":[{"name":"fvm-oracle","dependencies":[{"name":"fvm","source":"registry+test"},{"name":"cid","source":"registry+test"}]}]}'
	exit
fi
`

// Build gives cargo the sources and a lock file, outside of this repository, and keeps what comes of them.
// A program that somebody else can have laid there is not run.
func TestFindOwn(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("nothing is known of rights there")
	}
	t.Setenv(oracle.Environment, "")
	hash, err := oracle.Hash()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "fvm-oracle-"+hash)
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		dir, file fs.FileMode
		fails     bool
	}{
		{"one's own", 0o755, 0o755, false},
		{"the folder of all", 0o777, 0o755, true},
		{"the program of all", 0o755, 0o777, true},
	} {
		if err := errors.Join(os.Chmod(dir, c.dir), os.Chmod(path, c.file)); err != nil {
			t.Fatal(err)
		}
		_, found := oracle.Find(dir)
		_, built := oracle.Build(t.Context(), dir, os.Stderr)
		for _, err := range []error{found, built} {
			if errors.Is(err, oracle.ErrNotBuilt) || (err != nil) != c.fails || c.fails && !strings.Contains(err.Error(), "not to be run") {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

func TestBuild(t *testing.T) {
	cargoOf(t, metadata+`
test "$*" = "build --release --locked"
test -f Cargo.toml && test -f src/main.rs && test -f src/v4.rs && test ! -e README.md
/bin/mkdir -p "$CARGO_TARGET_DIR/release"
/bin/cp Cargo.lock "$CARGO_TARGET_DIR/release/fvm-oracle"
`)
	for _, kept := range []string{"", t.TempDir()} {
		t.Setenv("CARGO_TARGET_DIR", kept)
		dir := t.TempDir()
		path, err := oracle.Build(t.Context(), dir, os.Stderr)
		if err != nil {
			t.Fatal(err)
		}
		lock, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(lock), "[[package]]\nname = \"fvm\"\nversion = \"4.8.4\"\nsource = \"registry+test\"\nchecksum = \"") {
			t.Errorf("%v; the lock file is %.300s", err, lock)
		}
		if info, err := os.Stat(path); err != nil || info.Mode()&0o100 == 0 {
			t.Errorf("%v, %v: it cannot run", info, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("left are %v, %v", left, err)
		}
		if kept != "" {
			if _, err := os.Stat(filepath.Join(kept, "release", "fvm-oracle")); err != nil {
				t.Errorf("what was compiled is not kept: %v", err)
			}
		}
	}
}

func TestBuildFails(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"the crates are others", metadata + "echo 'the lock file needs to be updated' >&2; exit 101", "cargo build --release --locked: exit status 101 (a crate that is not as crates.txt has it is an error"},
		{"no metadata", "exit 3", "cargo metadata --no-deps --format-version 1: exit status 3"},
		{"metadata of another form", "echo none", "cargo metadata: invalid character"},
		{"no dependencies", "echo '{}'", "cargo metadata names no dependency"},
		{"a crate from a folder", `echo '{"packages":[{"dependencies":[{"name":"fvm","source":null}]}]}'`, `the crate fvm comes from ""`},
		{"two registries", `echo '{"packages":[{"dependencies":[{"name":"a","source":"one"},{"name":"b","source":"two"}]}]}'`, `the crate b comes from "two", others from "one"`},
		{"nothing built", metadata, "release/fvm-oracle: no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cargoOf(t, c.script+"\n")
			dir := t.TempDir()
			if _, err := oracle.Build(t.Context(), dir, os.Stderr); err == nil || !strings.HasPrefix(err.Error(), "building the oracle: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("left are %v, %v", left, err)
			}
		})
	}
}

// Renew begins from the list, or without it, and tells what is different.
func TestRenew(t *testing.T) {
	const lock = `# This file is automatically @generated by Cargo.
# It is not intended for manual editing.
version = 4

[[package]]
name = "fvm"
version = "9.0.0"
source = "registry+test"
checksum = "%s"

[[package]]
name = "fvm-oracle"
version = "0.2.0"
dependencies = [
 "fvm",
]
`
	sum := strings.Repeat("0123456789abcdef", 4)
	file := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(file, fmt.Appendf(nil, lock, sum), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		newest bool
		script string
	}{
		{false, metadata + `test "$*" = "update --workspace" && test -f Cargo.lock && /bin/cp ` + file + ` Cargo.lock`},
		{true, `test "$*" = update && test ! -e Cargo.lock && /bin/cp ` + file + ` Cargo.lock`},
	} {
		cargoOf(t, c.script+"\n")
		text, changes, err := oracle.Renew(t.Context(), c.newest, os.Stderr)
		if err != nil {
			t.Fatal(err)
		}
		if want := "\nfvm 9.0.0 " + sum + "\nfvm-oracle 0.2.0 - fvm\n"; !strings.HasSuffix(string(text), want) {
			t.Errorf("the list is %s", text)
		}
		if !slices.Contains(changes, "+ fvm@9.0.0") || !slices.Contains(changes, "- fvm@4.8.4") || len(changes) < 300 {
			t.Errorf("%d changes, such as %q", len(changes), changes[:min(3, len(changes))])
		}
	}
	cargoOf(t, metadata+"exit 7\n")
	if _, _, err := oracle.Renew(t.Context(), false, os.Stderr); err == nil || !strings.Contains(err.Error(), "renewing crates.txt: cargo update --workspace: exit status 7") {
		t.Errorf("it is %v", err)
	}
}

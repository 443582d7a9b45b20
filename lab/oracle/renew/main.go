// Command renew asks cargo for the crates of the oracle's program, and writes their list. Run it at the root of the
// repository, after a change of lab/oracle/program/Cargo.toml:
//
//	go run ./lab/oracle/renew [-newest]
//
// It keeps what the list has as far as Cargo.toml allows; -newest takes the newest of all. It prints what changed: + is a
// new crate, - one that is gone, ! one that is not the same any more.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/edgefvm/fvm/lab/oracle"
)

func main() {
	newest := flag.Bool("newest", false, "take the newest crates that Cargo.toml allows")
	flag.Parse()
	if err := run(*newest); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(newest bool) error {
	text, changes, err := oracle.Renew(context.Background(), newest, os.Stderr)
	if err != nil {
		return err
	}
	for _, line := range changes {
		fmt.Println(line)
	}
	return os.WriteFile(filepath.Join("lab", "oracle", "program", "crates.txt"), text, 0o666)
}

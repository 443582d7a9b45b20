// Command edgefvm runs Filecoin messages: conformance vectors, single messages
// on a state, and the actors' bundles. The commands live in internal: cli puts them together.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/cli"
)

func main() {
	fvm.RunIfChild() // WasmEdge's compiler runs in a process of its own
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := cli.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

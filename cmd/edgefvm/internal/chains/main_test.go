package chains_test

import (
	"context"
	"os"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/cli"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
)

var edgefvm = clitest.Program(cli.Run)

// asCommand makes the test's own program the command, for tests that kill it.
const asCommand = "EDGEFVM_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(edgefvm(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	clitest.Main(m, edgefvm)
}

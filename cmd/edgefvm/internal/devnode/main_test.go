package devnode_test

import (
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/cli"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
)

var edgefvm = clitest.Program(cli.Run)

func TestMain(m *testing.M) { clitest.Main(m, edgefvm) }

package laboratory_test

import (
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

func TestSoakUsage(t *testing.T) {
	v := clitest.Golden("nv28-send-001")
	edgefvm.Fails(t, kit.ExitUsage, []string{"soak", "--minutes", "0", v}, "--minutes must be more than 0")
	edgefvm.Fails(t, kit.ExitUsage, []string{"soak", "--machines", "0", v}, "--machines must be at least 1")
	edgefvm.Fails(t, kit.ExitFailed, []string{"soak", "missing.json"}, "missing.json")
	edgefvm.Fails(t, kit.ExitFailed, []string{"soak", t.TempDir()}, "nothing to run")
}

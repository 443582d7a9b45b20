package messages_test

import (
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

func TestExplainOpcodes(t *testing.T) {
	clitest.NeedBundles(t)
	file := clitest.Golden("nv28-evmcalls-027")
	out := edgefvm.OK(t, "explain", "--opcodes", file)
	for _, want := range []string{
		// As solc begins every contract: the free memory pointer is 0x80.
		" 0  PUSH1\n", " 2  PUSH1 0x80\n", " 4  MSTORE 0x40 0x80\n", " 8  LT 0x144 0x4\n",
		"exit code Ok(0), 17500964 gas, of which ", " x MSTORE\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%.2000s", want, out)
		}
	}
	type log struct {
		Gas        uint64
		Kind       string `json:"gasKind"`
		StructLogs []struct {
			PC    uint64
			Op    string
			Depth int
			Stack []string
		}
	}
	logs := clitest.FromJSON[[]log](t, edgefvm.OK(t, "explain", "--opcodes", "--json", file))
	if len(logs) != 1 || logs[0].Gas != 17500964 || logs[0].Kind != "filecoin" || len(logs[0].StructLogs) < 100 || logs[0].StructLogs[2].Op != "MSTORE" || len(logs[0].StructLogs[2].Stack) != 2 {
		t.Errorf("%+v", logs)
	}
	if out := edgefvm.OK(t, "explain", "--opcodes", clitest.Golden("nv28-send-001")); !strings.Contains(out, " 0 opcodes, ") {
		t.Errorf("a transfer:\n%s", out)
	}
	edgefvm.Fails(t, kit.ExitUsage, []string{"explain", "--opcodes", "--data", file}, "--opcodes goes with --json, --message and --variant only")
}

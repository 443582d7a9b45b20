package messages_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// The contracts of this vector are none of the project's: they are named by their actors, and the profile has their gas.
func TestExplainArtifacts(t *testing.T) {
	clitest.NeedBundles(t)
	file, dir := clitest.Golden("nv28-evmcalls-027"), filepath.Join(clitest.Golden("nv28-evmcalls-027"), "../../../../explain/solidity/testdata")
	speedscope := filepath.Join(t.TempDir(), "gas.json")
	out := edgefvm.OK(t, "explain", "--artifacts", dir, "--speedscope", speedscope, file)
	for _, want := range []string{"message 1: exit code 0, 17500964 gas", "is none of the artefacts'", "no source  contract f0"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%.2000s", want, out)
		}
	}
	if text, err := os.ReadFile(speedscope); err != nil || !strings.Contains(string(text), "speedscope.app/file-format-schema.json") {
		t.Errorf("%v: %.200s", err, text)
	}
	edgefvm.Fails(t, kit.ExitUsage, []string{"explain", "--artifacts", dir, "--data", file}, "--artifacts goes with")
	edgefvm.Fails(t, kit.ExitUsage, []string{"explain", "--speedscope", speedscope, file}, "--artifacts")
}

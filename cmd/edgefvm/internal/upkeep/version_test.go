package upkeep_test

import (
	"strings"
	"testing"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
)

func TestVersion(t *testing.T) {
	out := edgefvm.OK(t, "version")
	for _, want := range []string{"edgefvm ", "engines: wazero", "network versions: 16 to 29", bundle.Module} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	v := clitest.FromJSON[map[string]any](t, edgefvm.OK(t, "version", "--json"))
	for _, key := range []string{"version", "revision", "go", "platform", "engines", "network_versions", "actors"} {
		if _, ok := v[key]; !ok {
			t.Errorf("the JSON lacks %q", key)
		}
	}
}

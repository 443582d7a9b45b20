package messages_test

import (
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
)

// explain shows parameters and returns by the actors' types, and why a contract reverted.
func TestExplainData(t *testing.T) {
	clitest.NeedBundles(t)
	for _, c := range []struct {
		name, vector string
		args         []string
		has, lacks   []string
	}{
		{"with data", "nv28-onboard-035", []string{"--data"}, []string{
			`params {"Terminations":[{"Deadline":0,"Partition":0,"Sectors":"2"}]}`, `return {"Done":true}`, `params {"Epoch":5803852,"Sectors":"2"}`,
		}, nil},
		{"without", "nv28-onboard-035", nil, nil, []string{"params {", "return {"}},
		{"JSON has them", "nv28-onboard-035", []string{"--json"}, []string{`"params_value": {`, `"Terminations": [`}, nil},
		{"a revert", "nv27-evmcalls-014", nil, []string{`return {"Text":"reverted: hm","Error(string)":{"reason":"hm"}}`}, []string{"params "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := edgefvm.OK(t, append([]string{"explain", clitest.Golden(c.vector)}, c.args...)...)
			for _, s := range c.has {
				if !strings.Contains(out, s) {
					t.Errorf("the output lacks %s\n%s", s, out)
				}
			}
			for _, s := range c.lacks {
				if strings.Contains(out, s) {
					t.Errorf("the output has %s\n%s", s, out)
				}
			}
		})
	}
}

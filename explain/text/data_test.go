package text_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/text"
	"github.com/edgefvm/fvm/internal/layout"
)

// What decoders made is printed if it is asked for; of a failed call what it returned always, as it says why.
func TestData(t *testing.T) {
	ok, reverted := exitcode.Ok, exitcode.ExitCode(33)
	x := &explain.Explanation{Messages: []explain.Message{{
		Calls: &explain.Call{Calls: []*explain.Call{
			{To: "f05", Name: "AddBalance", Exit: &ok, ParamsValue: "f0100", ReturnValue: map[string]string{"a": "<\x1b[2J>" + strings.Repeat("x", 300)}},
			{To: "f0119", Name: "InvokeContract", Exit: &reverted, ParamsValue: "0xc0ffee", ReturnValue: "reverted: hello"},
		}},
	}}}
	for _, c := range []struct {
		name       string
		o          text.Options
		has, lacks []string
	}{
		{"as ever", text.Options{}, []string{`return "reverted: hello"`}, []string{"f0100", "c0ffee", `return {"a"`}},
		{"with data", text.Options{Data: true}, []string{`params "f0100"`, `return {"a":"<\u001b[2J>xxx`, `params "0xc0ffee"`, `return "reverted: hello"`}, []string{"\x1b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := text.Write(&b, x, c.o); err != nil {
				t.Fatal(err)
			}
			for _, s := range c.has {
				if !strings.Contains(b.String(), s) {
					t.Errorf("no %s in\n%s", s, b.String())
				}
			}
			for _, s := range c.lacks {
				if strings.Contains(b.String(), s) {
					t.Errorf("%q in\n%s", s, b.String())
				}
			}
			for line := range strings.Lines(b.String()) {
				if w := layout.Width(strings.TrimRight(line, "\n")); w > text.DefaultColumns {
					t.Errorf("a line of %d columns: %q", w, line)
				}
			}
		})
	}
}

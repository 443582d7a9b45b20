package kit

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/vector"
)

// Against is what the reference says of a vector, beside ours.
type Against struct {
	// Agrees tells that all was compared and is the same.
	Agrees bool `json:"agrees"`
	// Differences are what is not, in order; a message whose receipts differ has a line that names the first gas charge that does.
	Differences []vector.Difference `json:"differences,omitempty"`
	// Names of the messages of differences, by their number in the vector, where they are known: CIDs, or what the system sent.
	Names map[int]string `json:"names,omitempty"`
	// Why nothing was compared, if so.
	Why string `json:"why,omitempty"`
}

// AgainstFlag adds --against, the reference's program.
func AgainstFlag(cmd *cobra.Command, into *string, what string) {
	cmd.Flags().StringVar(into, "against", "", "`program` of the reference, "+what+" ('edgefvm oracle path' prints where one is)")
}

// AskReference runs a vector on both sides. program is what --against named.
func AskReference(ctx context.Context, v *vector.Vector, variant int, o duel.Sides) *Against {
	verdict, err := duel.Against(ctx, v, variant, o)
	switch {
	case err != nil:
		return &Against{Why: err.Error()}
	case verdict.Spared != "":
		return &Against{Why: "the reference was not asked: " + verdict.Spared}
	case verdict.Gone:
		return &Against{Why: "neither has a result"}
	case verdict.Unjudged:
		return &Against{Why: "a block is missing that was asked for"}
	case verdict.Native:
		return &Against{Why: "the reference's own stack ended, which says nothing of the network"}
	}
	return &Against{Agrees: len(verdict.Differences) == 0, Differences: verdict.Differences}
}

// Write prints what the reference says.
func (a *Against) Write(w io.Writer) error {
	if a.Agrees {
		_, err := fmt.Fprintln(w, "the reference agrees with us: receipts, gas, each charge and the state root are the same")
		return err
	}
	if a.Why != "" {
		_, err := fmt.Fprintf(w, "not compared with the reference: %s\n", a.Why)
		return err
	}
	if _, err := fmt.Fprintln(w, "the reference differs from us (want is the reference's):"); err != nil {
		return err
	}
	for _, d := range a.Differences {
		name := a.Names[d.Message]
		if name != "" {
			name = " (" + name + ")"
		}
		if _, err := fmt.Fprintf(w, "    %s%s\n", d, name); err != nil {
			return err
		}
	}
	return nil
}

// Reference is the path of the reference's program that --against names; "" if it names none.
func Reference(flag string) (string, error) {
	if flag == "" {
		return "", nil
	}
	return Program("--against", flag)
}

// Program is the path of a program that was named: a file, or one of the folders of PATH has it.
func Program(by, name string) (string, error) {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return "", Usagef("%s %s is a folder: name the program in it", by, name)
	case err == nil:
		return filepath.Abs(name) // a bare name would be looked for in PATH
	case filepath.Base(name) != name:
		return "", Usagef("%s %s: there is no such file; 'edgefvm oracle build' makes the program", by, name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", Usagef("%s %s: there is no such file here, and no program of that name in PATH; 'edgefvm oracle build' makes it", by, name)
	}
	return path, nil
}

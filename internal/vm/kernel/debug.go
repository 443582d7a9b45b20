package kernel

import (
	"strings"

	"github.com/edgefvm/fvm/internal/vm/execerr"
)

const maxArtifactName = 256 // bytes

// DebugEnabled reports whether actors may log.
func (k *Kernel) DebugEnabled() bool { return k.m.ActorDebugging }

// Log hands a line to the trace.
func (k *Kernel) Log(text string) { k.calls.Log(text) }

// CheckArtifactName refuses what cannot be a file's name. Artifacts themselves
// are dropped: where they would be kept is outside the machine.
func (k *Kernel) CheckArtifactName(name string) error {
	switch {
	case len(name) > maxArtifactName:
		return execerr.Syscallf(execerr.IllegalArgument, "an artifact's name has at most %d bytes", maxArtifactName)
	case name == "":
		return execerr.Syscallf(execerr.IllegalArgument, "an artifact needs a name")
	case strings.Contains(name, "/"):
		return execerr.Syscallf(execerr.IllegalArgument, "an artifact's name has no path separator")
	case name[0] == '.':
		return execerr.Syscallf(execerr.IllegalArgument, "an artifact's name does not begin with a dot")
	}
	return nil
}

// Package states holds the commands that look into a state: state ls, actor, get, diff, stat, export. What they know is
// package node/state's.
package states

import (
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// Commands are new ones, in the order of the help.
func Commands() []*cobra.Command {
	return []*cobra.Command{kit.Group("state", "Look into a state: actors, what they store, what differs",
		newLs(), newActor(), newGet(), newDiff(), newStat(), newExport())}
}

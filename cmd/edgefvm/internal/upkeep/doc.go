// Package upkeep holds the commands about this program and what it keeps on disk:
// the cache of compiled code, version, and completion for shells.
package upkeep

import "github.com/spf13/cobra"

// Commands are new ones, in the order of the help.
func Commands() []*cobra.Command {
	return []*cobra.Command{newCache(), newVersion(), newCompletion()}
}

// Package upkeep holds the commands about this program and what it keeps on disk:
// the bundles of actors, the cache of compiled code, version, and completion for shells.
package upkeep

import "github.com/spf13/cobra"

// Commands are new ones, in the order of the help.
func Commands() []*cobra.Command {
	return []*cobra.Command{newBundle(), newCache(), newVersion(), newCompletion()}
}

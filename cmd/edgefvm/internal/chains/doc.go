// Package chains holds the commands on whole chains: replay, follow and chain. What they do is that of packages node/replay and node/follow, and of states
// package node/state's.
package chains

import (
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// Commands are new ones, in the order of the help.
func Commands() []*cobra.Command {
	return []*cobra.Command{newReplay(), newFollow(), kit.Group("chain", "Ask a chain: what it holds, its tipsets, messages and states",
		newInfo(), newTipset(), newMessage(), kit.Group("state", "Show the state at an epoch", newActor(), newActors()), newDiff(), newServe(),
	)}
}

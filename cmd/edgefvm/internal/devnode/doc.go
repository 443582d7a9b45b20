// Package devnode holds the command dev: a development node of Filecoin in one process. The chain is package node/dev's, the methods those
// of node/dev/ethapi, cheats and filapi, and the server node/jsonrpc's; here are flags, what is printed, and the order in which all of
// it starts and stops.
package devnode

import (
	"github.com/spf13/cobra"
)

// Commands are new ones, in the order of the help.
func Commands() []*cobra.Command { return []*cobra.Command{newDev()} }

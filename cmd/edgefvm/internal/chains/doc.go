// Package chains holds the commands on whole chains: replay. What they do is package node/replay's.
package chains

import "github.com/spf13/cobra"

// Commands are new ones, in the order of the help.
func Commands() []*cobra.Command { return []*cobra.Command{newReplay()} }

// Package messages holds the commands that run messages and tell what they did:
// exec, on a state of one's own, and explain, on a vector. What is told is package
// explain's.
package messages

import "github.com/spf13/cobra"

// Commands are new ones, in the order of the help.
func Commands() []*cobra.Command { return []*cobra.Command{newExec(), newExplain()} }

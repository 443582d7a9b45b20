// Package decoding holds the commands decode and encode: parameters and returns of the builtin actors, events, messages,
// addresses, CIDs, exit codes, what contracts take and give. What things mean is known by the packages node/actors,
// node/ethabi and node/textform; this one reads the command line and prints.
package decoding

import "github.com/spf13/cobra"

// Commands are new ones, in the order of the help.
func Commands() []*cobra.Command { return []*cobra.Command{newDecode(), newEncode()} }

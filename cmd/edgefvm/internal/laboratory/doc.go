// Package laboratory holds the commands that compare this machine with vectors and
// with the reference, and measure it. The work is done by the packages below lab;
// here are flags, what a person reads, and exit codes.
package laboratory

import "github.com/spf13/cobra"

// Commands are new ones, in the order of the help.
func Commands() []*cobra.Command {
	return []*cobra.Command{newVectors(), newBench(), newFirstReceipt(), newSoak(), newFuzz(), newSweep(), newOracle()}
}

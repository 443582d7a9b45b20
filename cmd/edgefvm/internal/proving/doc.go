// Package proving holds the commands about proofs: the keys that verdicts need, one proof in hand, and vectors.
package proving

import (
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// Commands are new ones, in the order of the help.
func Commands() []*cobra.Command {
	return []*cobra.Command{kit.Group("proofs", "Judge Filecoin's proofs, and look after the keys for it", newKeys(), newVerify(), newVectors(), newDuel())}
}

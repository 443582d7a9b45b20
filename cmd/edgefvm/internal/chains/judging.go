package chains

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/proofs"
	"github.com/edgefvm/fvm/vector"
)

// judging are the flags that say who judges proofs.
type judging struct {
	proofs string
	keys   kit.ProofKeys
}

func (x *judging) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&x.proofs, "proofs", "verify", "'verify' proofs, or 'assume' that each is valid")
	x.keys.Flags(cmd, "`folder` of the keys that proofs are verified by")
}

func (x *judging) check() error {
	if x.proofs != "verify" && x.proofs != "assume" {
		return kit.Usagef("--proofs %q: want verify or assume", x.proofs)
	}
	return nil
}

// verifier is who judges proofs. Keys are read when a proof needs them: a chain without proofs needs none.
func (x *judging) verifier(cmd *cobra.Command) (externs.ProofVerifier, error) {
	if x.proofs == "assume" {
		return judge{vector.ProofsValid.Verifier(), "taken as valid, every one (--proofs assume)"}, nil
	}
	v, err := x.keys.Open(cmd.Context())
	if err != nil {
		return nil, fmt.Errorf("--keys: %w", err)
	}
	return keyed{v, "verified, with keys in " + x.keys.Dir}, nil
}

// keyed is a verifier with keys, of winning PoSts too, that says in the report what it is.
type keyed struct {
	*proofs.Verifier
	what string
}

func (k keyed) String() string { return k.what }

// judge is a verifier that says in the report what it is.
type judge struct {
	externs.ProofVerifier
	what string
}

func (j judge) String() string { return j.what }

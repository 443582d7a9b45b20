package chains

import (
	"cmp"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/proofs"
	"github.com/edgefvm/fvm/vector"
)

// judging are the flags that say who judges proofs.
type judging struct {
	proofs, keys string
	trust        bool
}

// usualKeys is the folder in which nodes keep keys.
const usualKeys = "/var/tmp/filecoin-proof-parameters"

func (x *judging) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&x.proofs, "proofs", "verify", "'verify' proofs, or 'assume' that each is valid")
	f.StringVar(&x.keys, "keys", "", "`folder` of the keys that proofs are verified by (default $FIL_PROOFS_PARAMETER_CACHE, or "+usualKeys+")")
	f.BoolVar(&x.trust, "trust-params", os.Getenv("TRUST_PARAMS") == "1", "take keys that are not the published ones, as a development network has them (default $TRUST_PARAMS)")
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
	dir := cmp.Or(x.keys, os.Getenv("FIL_PROOFS_PARAMETER_CACHE"), usualKeys)
	v, err := proofs.Open(cmd.Context(), proofs.Options{Dir: dir, TrustParams: x.trust})
	if err != nil {
		return nil, fmt.Errorf("--keys: %w", err)
	}
	return judge{v, "verified, with keys in " + dir}, nil
}

// judge is a verifier that says in the report what it is.
type judge struct {
	externs.ProofVerifier
	what string
}

func (j judge) String() string { return j.what }

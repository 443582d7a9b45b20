package proving

import (
	"cmp"
	"os"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/proofs"
)

// keysFolder is where keys are, by flag, environment or default.
type keysFolder struct {
	Dir   string
	Trust bool
}

// The folder of keys that nodes use, and the variable that names another.
const (
	keysVariable = "FIL_PROOFS_PARAMETER_CACHE"
	defaultKeys  = "/var/tmp/filecoin-proof-parameters"
)

// DefaultKeys is the folder in which nodes keep the keys: that of FIL_PROOFS_PARAMETER_CACHE, or the usual one.
func DefaultKeys() string { return cmp.Or(os.Getenv(keysVariable), defaultKeys) }

func (k *keysFolder) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&k.Dir, "keys", "", "`folder` of the verifying keys (default $FIL_PROOFS_PARAMETER_CACHE, or "+defaultKeys+")")
	cmd.Flags().BoolVar(&k.Trust, "trust-params", os.Getenv("TRUST_PARAMS") == "1", "take keys that are not the published ones, as a development network has them (default $TRUST_PARAMS)")
}

func (k *keysFolder) open(cmd *cobra.Command) (*proofs.Verifier, error) {
	k.Dir = cmp.Or(k.Dir, DefaultKeys())
	return proofs.Open(cmd.Context(), proofs.Options{Dir: k.Dir, TrustParams: k.Trust})
}

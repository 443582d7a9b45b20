package kit

import (
	"cmp"
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/proofs"
)

// usualKeys is the folder in which nodes keep the keys of proofs.
const usualKeys = "/var/tmp/filecoin-proof-parameters"

// DefaultKeys is the folder in which nodes keep the keys of proofs: that of FIL_PROOFS_PARAMETER_CACHE, or the usual one.
func DefaultKeys() string { return cmp.Or(os.Getenv("FIL_PROOFS_PARAMETER_CACHE"), usualKeys) }

// ProofKeys are the keys that proofs are verified by, as the flags say.
type ProofKeys struct {
	Dir   string // "" until Open: DefaultKeys
	Trust bool
}

// Flags adds --keys, with words of the command's own before the default, and TrustFlag.
func (k *ProofKeys) Flags(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&k.Dir, "keys", "", usage+" (default $FIL_PROOFS_PARAMETER_CACHE, or "+usualKeys+")")
	TrustFlag(cmd, &k.Trust)
}

// TrustFlag is the flag that takes the keys of a development network.
func TrustFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "trust-params", os.Getenv("TRUST_PARAMS") == "1", "take keys that are not the published ones, as a development network has them (default $TRUST_PARAMS)")
}

// Open opens the folder, and leaves in Dir which it is.
func (k *ProofKeys) Open(ctx context.Context) (*proofs.Verifier, error) {
	k.Dir = cmp.Or(k.Dir, DefaultKeys())
	return proofs.Open(ctx, proofs.Options{Dir: k.Dir, TrustParams: k.Trust})
}

package proving

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/lab/proofvectors"
)

// verifying is the command line of verify.
type verifying struct {
	kit.ProofKeys
	name   string
	asJSON bool

	seal                                  bool
	typ, miner, sector                    uint64
	ticket, seed, sealed, unsealed, proof string
}

func newVerify() *cobra.Command {
	var v verifying
	cmd := &cobra.Command{
		Use: "verify FILE.json | --seal ...", Short: "Judge one proof, and say why it is not valid",
		Long: `Judges a proof: valid, invalid, or error, which is what an actor hears as an illegal argument.
FILE.json is a vector with its kind, the input of one alone, or a file of vectors, of which
--name picks one. With --seal the flags tell a seal. Of an error the check that failed is
told; of an invalid proof the first partition whose equation fails, and under which other
type or version it would be valid, as far as can be told. --json also gives the public inputs.
Exit code 0 if all are valid.`,
		Example: `  edgefvm proofs verify --trust-params --keys proofs/testdata/keys-real proofs/testdata/seal.json
  edgefvm proofs verify --seal --type 8 --miner 1000 --sector 7 --ticket HEX --seed HEX --sealed CID --unsealed CID --proof HEX`,
		Args: cobra.MaximumNArgs(1),
		RunE: v.run,
	}
	v.Flags(cmd, keysUsage)
	f := cmd.Flags()
	f.StringVar(&v.name, "name", "", "`vector` of a file of vectors")
	f.BoolVar(&v.asJSON, "json", false, "print JSON, with replica ids and public inputs")
	f.BoolVar(&v.seal, "seal", false, "judge a seal that the flags below tell")
	f.Uint64Var(&v.typ, "type", 0, "registered `number` of the seal proof")
	f.Uint64Var(&v.miner, "miner", 0, "`number` of the miner's ID address")
	f.Uint64Var(&v.sector, "sector", 0, "`number` of the sector")
	f.StringVar(&v.ticket, "ticket", "", "32 bytes in `hex`")
	f.StringVar(&v.seed, "seed", "", "32 bytes in `hex`; default zeroes")
	f.StringVar(&v.sealed, "sealed", "", "sealed `CID` (comm_r)")
	f.StringVar(&v.unsealed, "unsealed", "", "unsealed `CID` (comm_d)")
	f.StringVar(&v.proof, "proof", "", "the proof in `hex`, or @FILE with its bytes")
	return cmd
}

func (v *verifying) run(cmd *cobra.Command, args []string) error {
	questions, err := v.questions(cmd, args)
	if err != nil {
		return err
	}
	verifier, err := v.Open(cmd.Context())
	if err != nil {
		return err
	}
	good := true
	var answers []*proofvectors.Answer
	for _, q := range questions {
		a, err := q.Ask(cmd.Context(), verifier)
		if err != nil {
			return err
		}
		good = good && a.Verdict == "valid"
		answers = append(answers, a)
	}
	if v.asJSON {
		return kit.Verdict(kit.WriteJSON(cmd, answers), false, good)
	}
	g := term.NewPage(cmd.OutOrStdout())
	for _, a := range answers {
		printAnswer(g, a)
	}
	return kit.Verdict(g.Err, false, good)
}

func printAnswer(g *layout.Page, a *proofvectors.Answer) {
	g.Line("%s %s", layout.PadRight(a.Verdict, 8), layout.Clean(strings.TrimSpace(a.Kind+" "+a.Name)))
	if a.Error != "" {
		g.Line("  %s", layout.Clean(term.OneLine(a.Error)))
	}
	for _, n := range a.Notes {
		g.Line("  %s", layout.Clean(term.OneLine(n)))
	}
}

func (v *verifying) questions(cmd *cobra.Command, args []string) ([]proofvectors.Question, error) {
	switch {
	case v.seal && len(args) > 0:
		return nil, kit.Usagef("--seal tells a seal by flags: without a file")
	case v.seal:
		for _, f := range []string{"type", "miner", "sector", "ticket", "sealed", "unsealed", "proof"} {
			if !cmd.Flags().Changed(f) {
				return nil, kit.Usagef("--seal needs --%s", f)
			}
		}
		info, err := v.sealInfo()
		if err != nil {
			return nil, kit.AsUsage(err)
		}
		return []proofvectors.Question{proofvectors.OfSeal(info)}, nil
	case len(args) == 0:
		return nil, kit.Usagef("proofs verify needs FILE.json, or --seal")
	}
	all, err := proofvectors.Questions(args[0])
	if err != nil || v.name == "" {
		return all, err
	}
	for _, q := range all {
		if q.Name == v.name {
			return []proofvectors.Question{q}, nil
		}
	}
	return nil, fmt.Errorf("%s has no vector %q", args[0], v.name)
}

func (v *verifying) sealInfo() (info proof.SealVerifyInfo, err error) {
	info = proof.SealVerifyInfo{SealProof: abi.RegisteredSealProof(v.typ), SectorID: abi.SectorID{Miner: abi.ActorID(v.miner), Number: abi.SectorNumber(v.sector)}}
	if info.Randomness, err = hex.DecodeString(v.ticket); err != nil {
		return info, fmt.Errorf("--ticket: %w", err)
	}
	info.InteractiveRandomness = make([]byte, 32)
	if v.seed != "" {
		if info.InteractiveRandomness, err = hex.DecodeString(v.seed); err != nil {
			return info, fmt.Errorf("--seed: %w", err)
		}
	}
	if info.SealedCID, err = cid.Decode(v.sealed); err != nil {
		return info, fmt.Errorf("--sealed: %w", err)
	}
	if info.UnsealedCID, err = cid.Decode(v.unsealed); err != nil {
		return info, fmt.Errorf("--unsealed: %w", err)
	}
	if name, ok := strings.CutPrefix(v.proof, "@"); ok {
		info.Proof, err = os.ReadFile(name)
		return info, err
	}
	if info.Proof, err = hex.DecodeString(v.proof); err != nil {
		return info, fmt.Errorf("--proof: %w", err)
	}
	return info, nil
}

package proving

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/proofs"
)

// keyView is a key for JSON.
type keyView struct {
	Kind    string `json:"kind"`
	Size    string `json:"size,omitempty"`
	File    string `json:"file"`
	State   string `json:"state"`
	Bytes   int64  `json:"bytes"`
	Digest  string `json:"digest"` // of the published file
	Found   string `json:"found,omitempty"`
	CID     string `json:"cid"`
	Problem string `json:"problem,omitempty"`
}

// keysView is a folder for JSON.
type keysView struct {
	Dir  string    `json:"dir"`
	Keys []keyView `json:"keys"`
}

// keysUsage is what --keys is of these commands.
const keysUsage = "`folder` of the verifying keys"

func newKeys() *cobra.Command {
	var k kit.ProofKeys
	var asJSON bool
	cmd := &cobra.Command{
		Use: "keys", Short: "Show which keys for proofs are there, missing, or wrong",
		Long: `Reads the files that verdicts on proofs need: a verifying key for each kind of proof and size
of sectors, and the SRS of aggregates; and compares their digests with the published ones.
They are those that 'lotus fetch-params SIZE' fetches. A network without some sizes needs no
keys for them. Exit code 1 if a file that is there is not the published one, unless
--trust-params says that this is a development network; missing files are no failure.`,
		Example: "  edgefvm proofs keys\n  edgefvm proofs keys --keys ./params --json | jq '.keys[] | select(.state != \"published\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := k.Open(cmd.Context())
			if err != nil {
				return err
			}
			files, err := v.KeyFiles(cmd.Context())
			if err != nil {
				return err
			}
			view := viewOf(k.Dir, files)
			good := true
			for _, f := range files {
				good = good && f.Problem == nil
			}
			if asJSON {
				return kit.Verdict(kit.WriteJSON(cmd, view), false, good)
			}
			g := term.NewPage(cmd.OutOrStdout())
			view.print(g)
			return kit.Verdict(g.Err, false, good)
		},
	}
	k.Flags(cmd, keysUsage)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func viewOf(dir string, files []proofs.KeyFile) *keysView {
	view := keysView{Dir: dir}
	for _, f := range files {
		k := keyView{Kind: f.Kind, Size: f.Size, File: f.Name, State: string(f.State), Bytes: f.Bytes, Digest: f.Digest, Found: f.Found, CID: f.CID}
		if f.Problem != nil {
			k.Problem = f.Problem.Error()
		}
		view.Keys = append(view.Keys, k)
	}
	return &view
}

func (v *keysView) print(g *layout.Page) {
	counts := map[string]int{}
	g.Line("folder  %s", layout.Clean(v.Dir))
	if _, err := os.Stat(v.Dir); errors.Is(err, fs.ErrNotExist) {
		g.Line("        there is no such folder")
	}
	for _, k := range v.Keys {
		counts[k.State]++
		g.Line("%s %s %s %s", layout.PadRight(k.State, 10), layout.PadRight(k.Kind, 18), layout.PadRight(k.Size, 7), k.File)
		if k.Problem != "" {
			g.Line("           %s", layout.Clean(term.OneLine(k.Problem)))
		}
	}
	if counts[string(proofs.KeyMissing)] > 0 {
		g.Line("'lotus fetch-params SIZE' fetches what is missing; --json gives the CIDs in IPFS")
	}
	g.Line("%d published, %d other, %d missing, %d wrong", counts[string(proofs.KeyPublished)], counts[string(proofs.KeyOther)],
		counts[string(proofs.KeyMissing)], counts[string(proofs.KeyWrong)])
}

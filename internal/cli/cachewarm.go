package cli

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
)

// warmView is what warming did, for JSON.
type warmView struct {
	Bundle   string          `json:"bundle"`
	NV       network.Version `json:"nv"`
	Engine   string          `json:"engine"`
	Actors   int             `json:"actors"`
	Compiled uint64          `json:"compiled"` // the others were there
	Seconds  float64         `json:"seconds"`
}

func newCacheWarm() *cobra.Command {
	var set setting
	var nv uint32
	var jobs int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "warm BUNDLE",
		Short:   "Compile a bundle's actors before they are needed",
		Long:    "Compiles the actors of a bundle such as v18/mainnet, or of a CAR file, into the cache, so that\na node's first messages need not wait for it. What is there already is left alone.",
		Example: "  edgefvm cache warm v18/mainnet\n  edgefvm cache warm ./builtin-actors-devnet.car --nv 28",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store := blockstore.NewMemory()
			b, err := loadInto(cmd, &set, args[0], store)
			if err != nil {
				return err
			}
			version := network.Version(nv)
			if !cmd.Flags().Changed("nv") {
				if version, err = versionOf(args[0]); err != nil {
					return err
				}
			}
			engine, err := set.start()
			if err != nil {
				return err
			}
			defer engine.Close(cmd.Context())
			var codes []cid.Cid
			for _, a := range b.Actors {
				codes = append(codes, a.Code)
			}
			start := time.Now()
			if err := engine.Preload(cmd.Context(), store, version, jobs, codes...); err != nil {
				return fmt.Errorf("warming the cache: %w", err)
			}
			v := &warmView{args[0], version, engine.Name(), len(codes), engine.Stats().Compiled, time.Since(start).Seconds()}
			if asJSON {
				return writeJSON(cmd, v)
			}
			g := newPage(cmd.OutOrStdout())
			g.line("%s for network version %d on %s: %d actors, %d compiled in %.1f s", v.Bundle, v.NV, v.Engine, v.Actors, v.Compiled, v.Seconds)
			return g.err
		},
	}
	cmd.Flags().Uint32Var(&nv, "nv", 0, "network version that the actors run in (default: the last one that has the bundle's version)")
	cmd.Flags().IntVar(&jobs, "jobs", runtime.NumCPU(), "actors to compile at once")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	set.flags(cmd)
	return cmd
}

// versionOf is the last network version whose actors are those of a bundle's name.
func versionOf(name string) (network.Version, error) {
	version, _, err := bundle.ParseName(name)
	if err != nil {
		return 0, usageError{errors.New("a CAR file does not say for which network version it is: give --nv")}
	}
	first, last, _ := fvm.NetworkVersions()
	for nv := last; nv >= first; nv-- {
		if v, err := bundle.VersionFor(nv); err == nil && v == version {
			return nv, nil
		}
	}
	return 0, usagef("no network version that runs here has actors v%d: give --nv", version)
}

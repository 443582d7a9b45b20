package decoding

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/node/textform"
)

// newestRun is the newest version of the actors whose own code networks run.
const newestRun = 18

// which are the flags that say whose method is meant.
type which struct {
	actor, method, version string
	nv                     uint
	abi, function          string
}

// versionFlags say of which version the actors are.
func (w *which) versionFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.version, "actors", "", "version of the actors, such as v16 (default: that of --nv, else the code's that --actor names, else v18)")
	f.UintVar(&w.nv, "nv", 0, "network version, instead of --actors")
}

// actorFlag says which actor.
func (w *which) actorFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.actor, "actor", "", "the receiver: its `KIND` (storageminer, miner), a singleton's address (f05) or the CID of its code")
}

func (w *which) methodFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.method, "method", "", "method: its number or `NAME`")
}

func (w *which) abiFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.abi, "abi", "", "`file` with the contract's ABI: JSON, or an artefact of Hardhat or Foundry")
}

// resolve is the version of the actors, and a note about how it was found.
func (w *which) resolve() (version int, note string, err error) {
	switch {
	case w.version != "" && w.nv != 0:
		return 0, "", kit.Usagef("--actors and --nv both say the version: leave one out")
	case w.version != "":
		digits := strings.TrimPrefix(w.version, "v")
		n, err := strconv.Atoi(digits)
		if err != nil || n < actors.OldestVersion || n > actors.NewestVersion {
			return 0, "", kit.Usagef("--actors %s: want v%d to v%d", w.version, actors.OldestVersion, actors.NewestVersion)
		}
		return n, "", nil
	case w.nv != 0:
		n, err := actors.VersionFor(network.Version(w.nv))
		if err != nil {
			return 0, "", kit.Usagef("--nv: %w", err)
		}
		if n > newestRun {
			note = fmt.Sprintf("by the layout of actors v%d, which no network runs yet: bundles that bear the number hold the code of v%d, "+
				"for which say --actors v%d", n, newestRun, newestRun)
		}
		return n, note, nil
	}
	if c, err := textform.CID(w.actor); err == nil {
		if _, versions, ok := actors.ActorByCode(c); ok {
			if len(versions) > 1 {
				note = fmt.Sprintf("actors v%d and v%d have this code", versions[0], versions[len(versions)-1])
			}
			return versions[0], note, nil
		}
	}
	return newestRun, fmt.Sprintf("actors v%d are taken; --actors or --nv says others", newestRun), nil
}

// find is the method that the flags name.
func (w *which) find() (m *actors.Method, note string, err error) {
	version, note, err := w.resolve()
	if err != nil {
		return nil, "", err
	}
	switch {
	case w.actor == "":
		names, _ := actors.Names(version)
		return nil, "", kit.Usagef("--actor is missing: one of %s", strings.Join(names, ", "))
	case w.method == "":
		return nil, "", kit.Usagef("--method is missing: a number or a name, such as %s", someMethod(version, w.actor))
	}
	m, err = actors.FindMethod(version, w.actor, w.method)
	if err != nil {
		return nil, "", meant(err)
	}
	return m, note, nil
}

// someMethod is a name that fits.
func someMethod(version int, actor string) string {
	list, err := actors.Methods(version, actor)
	if err != nil || len(list) == 0 {
		return "AddBalance"
	}
	return list[len(list)/2].Name
}

// meant adds to the error about an unknown name those that may have been meant.
func meant(err error) error {
	var actor *actors.UnknownActorError
	var method *actors.UnknownMethodError
	var function *ethabi.UnknownFunctionError
	switch {
	case errors.As(err, &actor):
		like := kit.Alike(actor.Name, append(actor.Short, actor.Known...))
		if like == "" {
			like = kit.DidYouMean(actor.Name, actor.Known)
		}
		return kit.AsUsage(fmt.Errorf("%w%s", err, like))
	case errors.As(err, &method):
		return kit.AsUsage(fmt.Errorf("%w%s", err, kit.DidYouMean(method.Method, method.Known)))
	case errors.As(err, &function):
		return kit.AsUsage(fmt.Errorf("%w%s", err, kit.DidYouMean(function.Name, function.Known)))
	}
	return kit.AsUsage(err)
}

func (w *which) functionFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.function, "function", "", "the function: its `SIGNATURE`, or its name with --abi")
}

// entry is the function that the flags name.
func (w *which) entry() (*ethabi.Entry, error) {
	abi, err := w.loadABI()
	switch {
	case err != nil:
		return nil, err
	case w.function == "":
		return nil, kit.Usagef("--function is missing: a signature such as transfer(address,uint256), or a name in the file that --abi names")
	case abi != nil:
		e, err := abi.Function(w.function)
		if err != nil {
			return nil, meant(err)
		}
		return e, nil
	}
	e, err := ethabi.ParseSignature("function", w.function)
	if err != nil {
		return nil, kit.Usagef("--function: %w; a name alone needs --abi", err)
	}
	return e, nil
}

// contractABI is what is known of a contract: the file of --abi, and the function that --function has the signature of.
func (w *which) contractABI() (*ethabi.ABI, error) {
	if w.function == "" {
		return w.loadABI()
	}
	e, err := w.entry()
	if err != nil {
		return nil, err
	}
	return &ethabi.ABI{Entries: []*ethabi.Entry{e}}, nil
}

// loadABI reads the ABI that --abi names, if it names one.
func (w *which) loadABI() (*ethabi.ABI, error) { return kit.LoadABI(w.abi) }

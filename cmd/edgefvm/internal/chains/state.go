package chains

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/states"
	"github.com/edgefvm/fvm/node/textform"
)

// whichState is what the states of an epoch are, for help.
const whichState = `The state at an epoch is the one that the epoch's messages run on, as nodes have it; of a null
round it is that of the next tipset. One epoch above the head it is what the head leaves. If
the archive lacks it the tipsets below are executed first, from the highest one whose state
is there; --store keeps what they make.`

// atFlag adds --at.
func atFlag(cmd *cobra.Command, at *int64) {
	cmd.Flags().Int64Var(at, "at", -1, "`epoch` of the state (default: the head's)")
}

// at is the root of a state at an epoch, -1 for the head's.
func (s *source) at(ctx context.Context, at int64) (cid.Cid, error) {
	switch {
	case at < -1:
		return cid.Undef, kit.Usagef("--at is an epoch, 0 or more")
	case at == -1:
		at = int64(s.chain.Line().Head().Height())
	}
	root, err := s.chain.StateAt(ctx, abi.ChainEpoch(at))
	s.progress.End()
	return root, err
}

func newActor() *cobra.Command {
	var s source
	var look states.Look
	var at int64
	cmd := &cobra.Command{
		Use:   "actor CHAIN ADDRESS",
		Short: "Show an actor at an epoch, with its state, decoded",
		Long: `Shows an actor at an epoch, by any of its addresses (f0 to f4, 0x), with its state decoded by
the types of its version.

` + whichState,
		Example: `  edgefvm chain state actor chain.car.zst f01000 --at 5803852
  edgefvm chain state actor chain.car.zst 0xff00000000000000000000000000000000000004 --json`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			defer s.close(&err)
			rest, err := s.open(cmd, args)
			if err != nil {
				return err
			}
			if len(rest) != 1 {
				return kit.Usagef("chain state actor takes CHAIN and one ADDRESS")
			}
			root, err := s.at(cmd.Context(), at)
			if err != nil {
				return err
			}
			return look.Actor(cmd, s.chain.States(), root, rest[0])
		},
	}
	s.flags(cmd)
	s.runFlags(cmd)
	atFlag(cmd, &at)
	look.ActorFlags(cmd)
	return cmd
}

func newActors() *cobra.Command {
	var s source
	var look states.Look
	var at int64
	cmd := &cobra.Command{
		Use:   "actors CHAIN",
		Short: "List the actors at an epoch",
		Long: `Lists the actors at an epoch in the order of ids: id, kind, balance, nonce and delegated address.

` + whichState,
		Example: `  edgefvm chain state actors chain.car.zst --at 5803852 --kind storageminer --json`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			defer s.close(&err)
			rest, err := s.open(cmd, args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return kit.Usagef("chain state actors takes CHAIN, and %q is another argument", rest[0])
			}
			root, err := s.at(cmd.Context(), at)
			if err != nil {
				return err
			}
			return look.Actors(cmd, s.chain.States(), root)
		},
	}
	s.flags(cmd)
	s.runFlags(cmd)
	atFlag(cmd, &at)
	look.ActorsFlags(cmd)
	return cmd
}

func newDiff() *cobra.Command {
	var s source
	var look states.Look
	cmd := &cobra.Command{
		Use:   "diff CHAIN EPOCH1|ROOT1 EPOCH2|ROOT2",
		Short: "Tell what differs between the states at two epochs",
		Long: `Tells what differs from the state at one epoch, or with one root, to another: actors that
came, went or changed, the fields of their states, the entries of their maps and arrays.
'diff CHAIN 100 101' is what the tipset at epoch 100 did, with the cron of null rounds before
it. The exit code is 0 if nothing differs, 1 if something does.

` + whichState,
		Example: `  edgefvm chain diff chain.car.zst 5803852 5803853
  edgefvm chain diff chain.car.zst 100 bafy2bz... --actor f04 --json`,
		Args: cobra.MaximumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			defer s.close(&err)
			rest, err := s.open(cmd, args)
			if err != nil {
				return err
			}
			if len(rest) != 2 {
				return kit.Usagef("chain diff takes CHAIN and two epochs or roots")
			}
			a, b, err := s.both(cmd.Context(), rest[0], rest[1])
			if err != nil {
				return err
			}
			return look.Diff(cmd, s.chain.States(), a, b)
		},
	}
	s.flags(cmd)
	s.runFlags(cmd)
	look.DiffFlags(cmd)
	return cmd
}

// both finds two states. The higher epoch comes last: executing for the lower one would drop what the head's tipset left.
func (s *source) both(ctx context.Context, first, second string) (a, b cid.Cid, err error) {
	roots, at := [2]cid.Cid{}, [2]int64{-1, -1}
	for i, arg := range []string{first, second} {
		if roots[i], err = textform.CID(arg); err == nil {
			continue
		}
		n, err := epoch(arg)
		if err != nil {
			return a, b, kit.Usagef("%q is neither an epoch nor the CID of a state root", arg)
		}
		at[i] = int64(n)
	}
	order := []int{0, 1}
	if at[0] > at[1] {
		order = []int{1, 0}
	}
	for _, i := range order {
		if at[i] < 0 {
			continue
		}
		if roots[i], err = s.at(ctx, at[i]); err != nil {
			return a, b, err
		}
	}
	for i, root := range roots {
		if ok, err := s.chain.States().Has(ctx, root); err != nil || !ok {
			if err == nil {
				err = fmt.Errorf("the state %s is not there: name its epoch, so that it is made, or a --store that has it", []string{first, second}[i])
			}
			return a, b, err
		}
	}
	return roots[0], roots[1], nil
}

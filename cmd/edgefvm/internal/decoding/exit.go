package decoding

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/actors"
)

func newDecodeExit() *cobra.Command {
	var w which
	var o output
	cmd := &cobra.Command{
		Use:     "exit-code [--actor A] CODE",
		Aliases: []string{"exit", "exitcode"},
		Short:   "An exit code in words, with the actor's own meaning",
		Long: `Says an exit code in words. Codes from 32 on are an actor's own: 33 is a contract that
reverted, and a deal that is not activated to the market. --actor says whose it is.`,
		Example: "  edgefvm decode exit-code 7\n  edgefvm decode exit-code --actor evm 33\n  edgefvm decode exit-code --actor miner --actors v13 1001",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			code, err := strconv.ParseUint(args[0], 10, 32)
			if err != nil {
				return kit.Usagef("%q is no exit code: want a number up to 2^32-1", args[0])
			}
			version := 0
			if w.version != "" || w.nv != 0 {
				if version, _, err = w.resolve(); err != nil {
					return err
				}
			}
			actor := ""
			if w.actor != "" {
				of := version
				if of == 0 {
					if of, _, err = w.resolve(); err != nil {
						return err
					}
				}
				if actor, err = actors.ParseActor(of, w.actor); err != nil {
					return meant(err)
				}
			}
			e := actors.ExplainExit(version, actor, exitcode.ExitCode(code))
			if o.asJSON {
				return kit.WriteJSON(cmd, e)
			}
			name := ""
			if e.Name != "" {
				name = " (" + e.Name + ")"
			}
			by := ""
			if e.Name == "" && strings.Contains(e.Meaning, e.By) { // the meaning says who
				e.By = ""
			}
			if e.By != "" {
				by = ", by " + e.By
			}
			return lines(cmd, fmt.Sprintf("%d: %s%s%s", e.Code, e.Meaning, name, by))
		},
	}
	w.actorFlag(cmd)
	w.versionFlags(cmd)
	o.flags(cmd, "")
	return cmd
}

package messages

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/text"
	"github.com/edgefvm/fvm/internal/layout"
)

// hint says what to do if the receiver's code is not among that of --nv, else nothing.
func hint(ctx context.Context, cfg fvm.Config, msg *fvm.Message) string {
	m, err := fvm.New(ctx, cfg) // the one that failed answers no more
	if err != nil {
		return ""
	}
	_, st, err := m.Actor(ctx, msg.To)
	if err != nil || st == nil {
		return ""
	}
	if ok, err := cfg.Blockstore.Has(ctx, st.Code); ok || err != nil {
		return ""
	}
	return fmt.Sprintf("; or is the state one of another network version? --nv is %d, and --actors or --bundle names other actors", cfg.NetworkVersion)
}

func (x *execFlags) printResult(cmd *cobra.Command, res *fvm.Result, root cid.Cid) error {
	events := make([]explain.Event, 0, len(res.Events))
	for _, e := range res.Events {
		events = append(events, explain.ViewEvent(e, ""))
	}
	meaning := explain.ExitMeaning(res.ExitCode, "")
	if x.asJSON {
		out := map[string]any{
			"exit_code": res.ExitCode, "meaning": meaning, "return": hex.EncodeToString(res.Return), "gas_used": res.GasUsed,
			"events_root": res.EventsRoot, "events": events, "root": root.String(), "failure": res.Failure,
			"penalty": res.Penalty.String(), "miner_tip": res.MinerTip.String(), "base_fee_burn": res.BaseFeeBurn.String(),
			"over_estimation_burn": res.OverEstimationBurn.String(), "refund": res.Refund.String(), "gas_refund": res.GasRefund, "gas_burned": res.GasBurned,
		}
		return kit.WriteJSON(cmd, out)
	}
	g := term.NewPage(cmd.OutOrStdout())
	g.Line("exit code    %d (%s)", res.ExitCode, meaning)
	g.Line("return       0x%s", hex.EncodeToString(res.Return))
	g.Line("gas used     %d", res.GasUsed)
	if res.EventsRoot != nil {
		g.Line("events root  %s", res.EventsRoot)
	}
	if !x.implicit {
		g.Line("burnt        %s", layout.FIL(big.Add(res.BaseFeeBurn, res.OverEstimationBurn)))
		g.Line("miner's tip  %s", layout.FIL(res.MinerTip))
		g.Line("penalty      %s", layout.FIL(res.Penalty))
		g.Line("refund       %s", layout.FIL(res.Refund))
	}
	g.Line("state root   %s", root)
	if res.Failure != "" {
		g.Line("failure      %s", strings.ReplaceAll(layout.Clean(strings.TrimSpace(res.Failure)), "\n", "\n             "))
	}
	if g.Err != nil {
		return g.Err
	}
	return text.WriteEvents(g.W, events, textOptions(g.W, 0))
}

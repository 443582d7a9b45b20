package messages

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/text"
	"github.com/edgefvm/fvm/internal/layout"
)

func (r *receipt) print(cmd *cobra.Command, asJSON bool) error {
	if asJSON {
		return kit.WriteJSON(cmd, r)
	}
	g := term.NewPage(cmd.OutOrStdout())
	g.Line("network      %s", layout.OneLine(r.where))
	g.Line("epoch        %d (%s), %s (%s)", r.Epoch, r.EpochBy, r.when, r.TimestampBy)
	r.printRead(g)
	g.Line("exit code    %d (%s)", r.ExitCode, r.Meaning)
	if r.Reason != "" {
		g.Line("reason       %s", layout.OneLine(r.Reason))
	}
	r.printReturn(g)
	g.Line("gas used     %d", r.GasUsed)
	switch {
	case r.implicit:
	case r.Estimate != nil:
		g.Line("gas limit    %d (%s)", r.GasLimit, r.Estimate.Why)
	default:
		g.Line("gas limit    %d", r.GasLimit)
	}
	if r.EventsRoot != nil {
		g.Line("events root  %s", r.EventsRoot)
	}
	if !r.implicit {
		burnt, over := amountOf(r.BaseFeeBurn), amountOf(r.OverEstimationBurn)
		line := "burnt        " + layout.FIL(big.Add(burnt, over))
		if over.Sign() > 0 {
			line += ", " + layout.FIL(over) + " of it for gas that was not used"
		}
		g.Line("%s", line)
		g.Line("miner's tip  %s", layout.FIL(amountOf(r.MinerTip)))
		g.Line("penalty      %s", layout.FIL(amountOf(r.Penalty)))
		g.Line("refund       %s", layout.FIL(amountOf(r.Refund)))
	}
	r.Sender.print(g, "sender       ")
	r.Receiver.print(g, "receiver     ")
	g.Line("state root   %s", r.Root)
	for i, a := range r.Asked {
		g.Line("%s%s", [...]string{"asked        ", "             "}[min(i, 1)], layout.OneLine(a))
	}
	if r.Failure != "" {
		g.Line("failure      %s", strings.ReplaceAll(layout.Clean(r.Failure), "\n", "\n             "))
	}
	for i, l := range r.Logs {
		g.Line("%s%s", [...]string{"log          ", "             "}[min(i, 1)], layout.OneLine(l))
	}
	if g.Err != nil {
		return g.Err
	}
	if r.Explained != nil {
		return text.Write(g.W, &explain.Explanation{Messages: []explain.Message{*r.Explained}}, textOptions(g.W, 0))
	}
	return text.WriteEvents(g.W, r.Events, textOptions(g.W, 0))
}

// printReturn prints the return value, and what it says if that is more.
func (r *receipt) printReturn(g *layout.Page) {
	g.Line("return       0x%s", r.Return)
	if r.ReturnValue == nil || r.Reason != "" {
		return
	}
	data, err := json.Marshal(r.ReturnValue)
	if err != nil || string(data) == `"0x`+r.Return+`"` {
		return
	}
	g.Line("             %s", layout.Cut(layout.OneLine(string(data)), mostReturn))
}

// mostReturn is the most columns of a return value in words; JSON has all of it.
const mostReturn = 400

func amountOf(s string) abi.TokenAmount {
	v, err := big.FromString(s)
	if err != nil { // our own text
		return big.Zero()
	}
	return v
}

func (p *party) print(g *layout.Page, label string) {
	if p == nil {
		return
	}
	kind := ""
	if p.Kind != "" {
		kind = layout.OneLine(p.Kind) + " "
	}
	balance := func(s *string) string {
		if s == nil {
			return "none"
		}
		return layout.FIL(amountOf(*s))
	}
	line := fmt.Sprintf("%s%sf0%d, balance %s", label, kind, p.ID, balance(p.After))
	if p.Kind == "evm" || p.Kind == "ethaccount" || p.Kind == "placeholder" {
		line = fmt.Sprintf("%s%sf0%d, %s, balance %s", label, kind, p.ID, p.Eth, balance(p.After))
	}
	switch {
	case p.Before == nil:
		line += ", new"
	case p.After == nil || *p.Before != *p.After:
		line += ", was " + balance(p.Before)
	}
	g.Line("%s", line)
}

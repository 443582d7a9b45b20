package chains

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	gstnetwork "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/replay"
	"github.com/edgefvm/fvm/node/state"
	"github.com/edgefvm/fvm/node/textform"
)

func newTipset() *cobra.Command {
	var s source
	var headers, asJSON bool
	cmd := &cobra.Command{
		Use:   "tipset CHAIN [EPOCH|BLOCK]",
		Short: "Show a tipset: its blocks, and its messages with their receipts",
		Long: `Shows the tipset of an epoch, or that a block is of (default: the head): its blocks, and its
messages in the order in which they are applied, each with its receipt. For those it is
executed in its real place, with the state, the base fee, the circulating supply and the
randomness that it had there. If its state is not in the archive, the tipsets below it are
executed first, from the highest one whose state is there; --store keeps what they make.

What comes of it is compared with what the next tipset's headers say; if it differs the exit
code is 1. --headers executes nothing: it shows what the blocks hold.`,
		Example: `  edgefvm chain tipset chain.car.zst 5803852
  edgefvm chain tipset chain.car.zst 120 --network chain.json --json | jq .messages
  edgefvm chain tipset chain.car.zst bafy2bz... --headers`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			defer s.close(&err)
			if headers {
				s.set.Engine = ""
			}
			rest, err := s.open(cmd, args)
			if err != nil {
				return err
			}
			if len(rest) > 1 {
				return kit.Usagef("chain tipset takes one EPOCH or BLOCK, and %q is another argument", rest[1])
			}
			t, err := s.tipset(cmd.Context(), strings.Join(rest, ""))
			if err != nil {
				return err
			}
			v, err := s.viewTipset(cmd.Context(), t, !headers && t.Height() > 0)
			if err != nil {
				return err
			}
			s.progress.End()
			if asJSON {
				err = kit.WriteJSON(cmd, v)
			} else {
				err = v.print(cmd)
			}
			return kit.Verdict(err, false, len(v.Differences) == 0)
		},
	}
	s.flags(cmd)
	s.runFlags(cmd)
	cmd.Flags().BoolVar(&headers, "headers", false, "only show what the blocks hold, and execute nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// blockView is a block of a tipset.
type blockView struct {
	CID       string `json:"cid"`
	Miner     string `json:"miner"`
	WinCount  int64  `json:"win_count"`
	Timestamp uint64 `json:"timestamp"`
	Messages  int    `json:"messages"`
}

// messageRow is a message, and its receipt if it was executed.
type messageRow struct {
	CID        string        `json:"cid"`
	Eth        string        `json:"eth_hash,omitempty"`
	From       string        `json:"from"`
	To         string        `json:"to"`
	Nonce      uint64        `json:"nonce"`
	Value      string        `json:"value"`
	Method     abi.MethodNum `json:"method"`
	MethodName string        `json:"method_name,omitempty"`
	GasLimit   int64         `json:"gas_limit"`
	FeeCap     string        `json:"gas_fee_cap"`
	Premium    string        `json:"gas_premium"`
	Params     []byte        `json:"params"`
	*receipt
}

// receipt is what came of a message.
type receipt struct {
	Exit    int64   `json:"exit_code"`
	Gas     int64   `json:"gas_used"`
	Return  []byte  `json:"return"`
	Events  *string `json:"events_root"`
	Penalty string  `json:"miner_penalty"`
	Tip     string  `json:"miner_tip"`
	Failure string  `json:"failure,omitempty"`
}

// systemRow is a message of the system itself.
type systemRow struct {
	What  string         `json:"what"`
	Epoch abi.ChainEpoch `json:"epoch"`
	Miner string         `json:"miner,omitempty"`
	Exit  int64          `json:"exit_code"`
	Gas   int64          `json:"gas_used"`
}

// tipsetView is a tipset as JSON has it.
type tipsetView struct {
	Epoch       abi.ChainEpoch      `json:"epoch"`
	NullRounds  int                 `json:"null_rounds_before"`
	Network     *string             `json:"network"`
	Version     *gstnetwork.Version `json:"network_version"`
	Timestamp   uint64              `json:"timestamp"`
	Key         []string            `json:"tipset_key"`
	Parents     []string            `json:"parents"`
	Weight      string              `json:"parent_weight"`
	ParentState string              `json:"parent_state_root"`
	ParentRecs  string              `json:"parent_receipts_root"`
	BaseFee     string              `json:"base_fee"`
	Blocks      []blockView         `json:"blocks"`
	Executed    bool                `json:"executed"`
	Supply      string              `json:"circulating_supply,omitempty"`
	Messages    []messageRow        `json:"messages"`
	System      []systemRow         `json:"system,omitempty"`
	StateRoot   string              `json:"state_root,omitempty"`
	Receipts    string              `json:"receipts_root,omitempty"`
	NextFee     string              `json:"next_base_fee,omitempty"`
	Compared    bool                `json:"compared"`
	Differences []replay.Difference `json:"differences,omitempty"`
	Verdict     string              `json:"verdict,omitempty"`
}

// viewTipset shows a tipset; run: executed.
func (s *source) viewTipset(ctx context.Context, t *chain.Tipset, run bool) (*tipsetView, error) {
	first := t.Blocks[0]
	v := &tipsetView{
		Epoch: t.Height(), Timestamp: t.Timestamp(), Key: names(t.CIDs), Parents: names(first.Parents), Weight: first.ParentWeight.String(),
		ParentState: t.ParentStateRoot().String(), ParentRecs: t.ParentReceipts().String(), BaseFee: t.BaseFee().String(), Messages: []messageRow{}, Executed: run,
	}
	if t.Height() > 0 {
		below, err := s.chain.Headers().Parent(ctx, t)
		if err == nil {
			v.NullRounds = int(t.Height()-below.Height()) - 1
		} else if run {
			return nil, err
		}
	}
	blocks, err := s.chain.Headers().TipsetMessages(ctx, t)
	if err != nil && t.Height() > 0 { // what a genesis has for its messages may be anything
		return nil, err
	}
	for i, h := range t.Blocks {
		b := blockView{CID: t.CIDs[i].String(), Miner: addr.String(h.Miner), Timestamp: h.Timestamp}
		if h.ElectionProof != nil {
			b.WinCount = h.ElectionProof.WinCount
		}
		if len(blocks) > 0 {
			b.Messages = len(blocks[i].BLS) + len(blocks[i].Secp)
		}
		v.Blocks = append(v.Blocks, b)
	}
	n, _, err := s.chain.Network(ctx)
	if err != nil && run {
		return nil, err
	}
	if err == nil {
		version := n.VersionAt(t.Height())
		v.Network, v.Version = &n.Name, &version
	}
	if run {
		return v, s.execute(ctx, v, t)
	}
	for _, m := range distinct(blocks) {
		v.Messages = append(v.Messages, rowOf(&m, n))
	}
	return v, nil
}

// distinct are the messages of a tipset's blocks, each once.
func distinct(blocks []*chain.BlockMessages) (list []chain.Message) {
	seen := map[cid.Cid]bool{}
	for _, b := range blocks {
		for _, m := range b.All() {
			if !seen[m.CID] {
				seen[m.CID] = true
				list = append(list, m)
			}
		}
	}
	return list
}

// execute adds what came of the tipset.
func (s *source) execute(ctx context.Context, v *tipsetView, t *chain.Tipset) error {
	done, err := s.chain.Execute(ctx, t)
	if err != nil {
		return err
	}
	n, _, err := s.chain.Network(ctx)
	if err != nil {
		return err
	}
	v.Supply, v.StateRoot, v.Receipts, v.NextFee = done.Supply, done.StateRoot, done.Receipts, done.NextFee
	v.Compared, v.Differences, v.Verdict = done.Compared, done.Differences, done.Verdict
	kinds := s.kinds(ctx, done)
	for i, m := range done.Applied() {
		row := rowOf(&m, n)
		row.receipt = receiptOf(done.Result.Receipts[i])
		row.MethodName = explain.MethodName(kinds(m.Message.To), m.Message.Method)
		v.Messages = append(v.Messages, row)
	}
	system := func(what string, at abi.ChainEpoch, miner string, r *fvm.Result) {
		v.System = append(v.System, systemRow{what, at, miner, int64(r.ExitCode), r.GasUsed})
	}
	for i, r := range done.Result.NullRounds {
		system("cron of a null round", done.Plan.Rounds[i].Epoch, "", r)
	}
	for i, r := range done.Result.Rewards {
		system("reward", t.Height(), addr.String(t.Blocks[i].Miner), r)
	}
	system("cron", t.Height(), "", done.Result.Cron)
	return nil
}

// kinds tell the kind of an actor by its address, "" if that is not known: before the messages, or if it was not there after them.
func (s *source) kinds(ctx context.Context, done *replay.Tipset) func(address.Address) string {
	var trees []*state.Tree
	o := state.Options{Bundle: kit.NameOfAdded}
	for _, root := range []cid.Cid{done.Plan.Own().Root, done.Result.Root} {
		if t, err := state.Open(ctx, s.chain.States(), root, o); err == nil {
			trees = append(trees, t)
		}
	}
	return func(a address.Address) string {
		for _, t := range trees {
			if actor, err := t.Actor(ctx, a); err == nil {
				return t.Kind(ctx, actor.Code).Name
			}
		}
		return ""
	}
}

// rowOf is a message without its receipt. n is nil if the network is not known.
func rowOf(m *chain.Message, n *network.Network) messageRow {
	row := messageRow{
		CID: m.CID.String(), From: addr.String(m.Message.From), To: addr.String(m.Message.To), Nonce: m.Message.Nonce, Value: m.Message.Value.String(),
		Method: m.Message.Method, GasLimit: m.Message.GasLimit, FeeCap: m.Message.GasFeeCap.String(), Premium: m.Message.GasPremium.String(), Params: append([]byte{}, m.Message.Params...),
	}
	if n != nil {
		row.Eth = ethHash(m, n)
	}
	return row
}

// ethHash is the hash that Ethereum's tools have for a message, "" if there is none.
func ethHash(m *chain.Message, n *network.Network) string {
	h, err := textform.EthHash(m.CID, m.Message, m.Signature, n.ChainID)
	if err != nil {
		return ""
	}
	return "0x" + hex.EncodeToString(h[:])
}

func receiptOf(r *fvm.Result) *receipt {
	out := &receipt{Exit: int64(r.ExitCode), Gas: r.GasUsed, Return: append([]byte{}, r.Return...), Penalty: r.Penalty.String(), Tip: r.MinerTip.String(), Failure: r.Failure}
	if r.EventsRoot != nil {
		text := r.EventsRoot.String()
		out.Events = &text
	}
	return out
}

func (v *tipsetView) print(cmd *cobra.Command) error {
	g := term.NewPage(cmd.OutOrStdout())
	line := func(name, format string, a ...any) {
		g.Line("%s %s", layout.PadRight(name, 14), fmt.Sprintf(format, a...))
	}
	title := fmt.Sprintf("tipset of epoch %d", v.Epoch)
	if v.Network != nil {
		title += fmt.Sprintf(" · %s · network version %d", layout.OneLine(*v.Network), *v.Version)
	}
	g.Line("%s", g.P.Bold(title))
	if v.NullRounds > 0 {
		line("before it", "%d null %s", v.NullRounds, layout.Plural(v.NullRounds, "round"))
	}
	line("base fee", "%s attoFIL", v.BaseFee)
	if v.Supply != "" {
		line("supply", "%s attoFIL circulating", v.Supply)
	}
	line("runs on", "%s", v.ParentState)
	for _, b := range v.Blocks {
		line("block", "%s  %s, %d %s, %d %s", b.CID, b.Miner, b.WinCount, layout.Plural(int(b.WinCount), "win"), b.Messages, layout.Plural(b.Messages, "message"))
	}
	g.Line("")
	for i := range v.Messages {
		v.Messages[i].print(g)
	}
	for _, r := range v.System {
		what := r.What
		if r.Miner != "" {
			what += " of " + r.Miner
		}
		g.Line("  %s %s gas, exit code %d", layout.PadRight(what, 42), layout.PadLeft(layout.Grouped(r.Gas), 15), r.Exit)
	}
	if !v.Executed {
		return g.Err
	}
	g.Line("")
	line("state root", "%s", v.StateRoot)
	line("receipts", "%s", v.Receipts)
	line("next base fee", "%s attoFIL", v.NextFee)
	verdict(g, v.Compared, v.Differences, v.Verdict)
	return g.Err
}

// verdict tells whether a tipset came to what the chain says.
func verdict(g *layout.Page, compared bool, list []replay.Difference, why string) {
	switch {
	case !compared:
		g.Line("It is the head: no headers say what should come of it.")
	case len(list) == 0:
		g.Line("%s", g.P.Green("✓ as the next tipset's headers say: state root, receipts root, base fee."))
	default:
		g.Line("%s", g.P.Red("✗ not as the next tipset's headers say:"))
		for _, d := range differences(list) {
			g.Line("    %s", d)
		}
		if why != "" {
			g.Line("  %s", layout.OneLine(why))
		}
	}
}

func (r *messageRow) print(g *layout.Page) {
	name := r.MethodName
	if name == "" {
		name = fmt.Sprintf("method %d", r.Method)
	}
	g.Line("%s", r.CID)
	text := fmt.Sprintf("  %s → %s  %s", r.From, r.To, layout.OneLine(name))
	if r.Value != "0" {
		text += ", " + r.Value + " attoFIL"
	}
	g.Line("%s", layout.Cut(text, g.Columns))
	if r.receipt == nil {
		return
	}
	text = fmt.Sprintf("  exit code %d, %s gas of %s", r.Exit, layout.Grouped(r.Gas), layout.Grouped(r.GasLimit))
	if len(r.Return) > 0 {
		text += ", returns " + hex.EncodeToString(r.Return)
	}
	text = layout.Cut(text, g.Columns)
	if r.Exit != 0 {
		text = g.P.Red(text)
	}
	g.Line("%s", text)
	if r.Failure != "" {
		g.Line("  %s", layout.Cut(layout.OneLine(r.Failure), g.Columns-2))
	}
}

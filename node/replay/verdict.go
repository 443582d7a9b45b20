package replay

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/edgefvm/fvm/node/chain"
)

// verdict says where a difference lies, as far as the chain can tell: most archives have no receipts, only their root.
func (r *run) verdict(ctx context.Context, t *Tipset, child *chain.Tipset) string {
	if child == nil {
		return "the engines differ; the chain says nothing of its head"
	}
	root, receipts := t.StateRoot == child.ParentStateRoot().String(), t.Receipts == child.ParentReceipts().String()
	messages := executed(t.Plan)
	var say []string
	switch {
	case !receipts:
		say = append(say, r.receiptsVerdict(ctx, t, child, messages))
	case !root:
		say = append(say, fmt.Sprintf("the receipts of all %d messages are as on the chain: what differs is none of exit codes, returns, gas and events, but what a message, a reward or cron wrote", len(messages)))
	}
	if !root {
		for _, round := range t.Plan.Rounds {
			if round.Migrated {
				say = append(say, fmt.Sprintf("the state was migrated before epoch %d", round.Epoch))
			}
		}
		if n := len(t.Plan.Rounds) - 1; n > 0 {
			say = append(say, fmt.Sprintf("cron ran in %d null rounds before", n))
		}
	}
	if root && receipts && child.BaseFee().String() != t.NextFee {
		say = append(say, "the states agree: only the base fee of the next tipset differs, which is computed from all messages of this one's blocks")
	}
	if r.done == 0 {
		say = append(say, "it is the first tipset that was executed: the network may be another, or be described wrong")
	}
	return strings.Join(say, "; ")
}

// executed are the messages of a plan in the order in which they are applied, each once.
func executed(p *chain.Plan) []chain.Message { return slices.Concat(fresh(p)...) }

// fresh are of each block the messages that no earlier one has.
func fresh(p *chain.Plan) [][]chain.Message {
	lists, seen := make([][]chain.Message, len(p.Selected)), map[string]bool{}
	for i, b := range p.Selected {
		for _, m := range b {
			var raw bytes.Buffer
			_ = m.Message.MarshalCBOR(&raw) // it was read from its CBOR
			if !seen[raw.String()] {
				seen[raw.String()] = true
				lists[i] = append(lists[i], m)
			}
		}
	}
	return lists
}

func (r *run) receiptsVerdict(ctx context.Context, t *Tipset, child *chain.Tipset, messages []chain.Message) string {
	want, err := r.store.Receipts(ctx, child.ParentReceipts())
	if err == nil {
		return r.firstReceipt(t, want, messages)
	}
	switch len(messages) {
	case 0:
		return "no message was executed here, but the chain has receipts: its messages were selected in another way"
	case 1:
		return fmt.Sprintf("it is message %s, the only one", messages[0].CID)
	}
	var list []string
	for i, m := range messages {
		list = append(list, fmt.Sprintf("%d %s", i, m.CID))
	}
	return fmt.Sprintf("the archive has no receipts, so it is one of the %d messages: %s", len(messages), strings.Join(list, ", "))
}

// firstReceipt names the first message whose receipt is not the chain's.
func (r *run) firstReceipt(t *Tipset, want [][]byte, messages []chain.Message) string {
	for i := range min(len(want), len(messages)) {
		got := chain.AppendReceipt(nil, t.Version, t.Result.Receipts[i])
		if bytes.Equal(want[i], got) {
			continue
		}
		return fmt.Sprintf("message %d is the first that differs, %s: its receipt is %s, on the chain %s", i, messages[i].CID, chain.ReceiptText(got), chain.ReceiptText(want[i]))
	}
	return fmt.Sprintf("%d messages were executed, but the chain has %d receipts", len(messages), len(want))
}

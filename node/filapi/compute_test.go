package filapi

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/genesis"
)

// computed is the answer of StateCompute.
type computed struct {
	Root struct {
		C string `json:"/"`
	}
	Trace []struct {
		MsgCid struct {
			C string `json:"/"`
		}
		Msg    struct{ From, To string }
		MsgRct struct {
			ExitCode int64
			Return   string
			GasUsed  int64
		}
		GasCost        struct{ GasUsed, TotalCost string }
		ExecutionTrace struct{ Msg struct{ To string } }
	}
}

func (c *computed) is(t *testing.T, i int, want theirMessage) {
	t.Helper()
	if i >= len(c.Trace) {
		t.Fatalf("%d messages, and %s is missing", len(c.Trace), want.CID)
	}
	got := c.Trace[i]
	if got.MsgRct.ExitCode != want.Exit || got.MsgRct.GasUsed != want.Gas || got.MsgRct.Return != want.Return ||
		want.CID != "" && got.MsgCid.C != want.CID || got.Msg.From[1:] != want.From[1:] || got.Msg.To[1:] != want.To[1:] {
		t.Errorf("message %d is %+v, want %+v", i, got, want)
	}
}

type theirMessage struct {
	CID    string `json:"cid"`
	From   string `json:"from"`
	To     string `json:"to"`
	Exit   int64  `json:"exit_code"`
	Return string `json:"return"`
	Gas    int64  `json:"gas_used"`
}

// What StateCompute tells of each tipset of a chain is what Lotus's original VM made of it: messages, rewards and cron, null rounds first.
func TestStateCompute(t *testing.T) {
	const folder, name = "../replay/testdata", "real28"
	s := archiveServer(t, folder, name)
	data, err := os.ReadFile(folder + "/" + name + ".tipsets.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Epoch      int64          `json:"epoch"`
		NullRounds int            `json:"null_rounds_before"`
		Key        []string       `json:"tipset_key"`
		Messages   []theirMessage `json:"messages"`
		System     []theirMessage `json:"system"`
		StateRoot  string         `json:"state_root"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	for _, w := range list {
		var key []object
		for _, c := range w.Key {
			key = append(key, object{"/": c})
		}
		got := ask[computed](t, s, "StateCompute", w.Epoch, nil, key)
		if got.Root.C != w.StateRoot || len(got.Trace) != len(w.Messages)+len(w.System) {
			t.Errorf("epoch %d: root %s and %d messages, want %s and %d", w.Epoch, got.Root.C, len(got.Trace), w.StateRoot, len(w.Messages)+len(w.System))
			continue
		}
		// Those of the chain and the system's, each in their order.
		m, sys := 0, 0
		for i, x := range got.Trace {
			if x.Msg.From[1:] == "00" {
				got.is(t, i, w.System[sys])
				sys++
			} else {
				got.is(t, i, w.Messages[m])
				m++
			}
		}
	}
	// A message that the chain has not, after the head.
	head := ask[struct{ Height int64 }](t, s, "ChainHead")
	if e := s.Client().Call(t.Context(), nil, Prefix+"StateCompute", head.Height+20_000, nil, nil); e == nil {
		t.Error("a height far ahead is taken")
	}
}

// On a development node messages are tried after a tipset, with the nonces that they have.
func TestStateComputeMessages(t *testing.T) {
	n, s := devServer(t, dev.Options{Genesis: genesis.Options{Miners: 1}})
	list := ask[[]string](t, s, "WalletList")
	send := func(nonce int) object {
		return object{"To": list[1], "From": list[0], "Value": "5", "Method": 0, "Nonce": nonce, "GasLimit": 5_000_000, "GasFeeCap": "1000", "GasPremium": "0"}
	}
	if _, err := n.Mine(t.Context(), dev.MineOptions{}); err != nil {
		t.Fatal(err)
	}
	head := ask[struct{ Height int64 }](t, s, "ChainHead")
	got := ask[computed](t, s, "StateCompute", head.Height, []object{send(0), send(1), send(7)}, nil)
	if len(got.Trace) != 5 { // the head's reward and cron come first
		t.Fatalf("%d messages", len(got.Trace))
	}
	for i, want := range map[int]int64{0: 0, 1: 0, 2: 0, 3: 0, 4: 2} { // a nonce that is not the next one: the sender's state is invalid
		if x := got.Trace[i]; x.MsgRct.ExitCode != want {
			t.Errorf("message %d: exit code %d, want %d", i, x.MsgRct.ExitCode, want)
		}
	}
	if got.Trace[2].GasCost.GasUsed == "0" || got.Trace[1].GasCost.TotalCost != "0" || got.Root.C == "" {
		t.Errorf("%+v", got)
	}
	again := ask[computed](t, s, "StateCompute", head.Height, nil, nil)
	if len(again.Trace) != 2 || again.Root == got.Root {
		t.Errorf("without messages: %d and root %s", len(again.Trace), again.Root.C)
	}
}

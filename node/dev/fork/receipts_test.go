package fork

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/dev"
)

// expected is what the original stack's node has of a tipset.
type expected struct {
	Epoch    abi.ChainEpoch `json:"epoch"`
	Nulls    int            `json:"null_rounds_before"`
	Messages []struct {
		CID      string            `json:"cid"`
		ExitCode exitcode.ExitCode `json:"exit_code"`
		GasUsed  int64             `json:"gas_used"`
		Return   string            `json:"return"`
	} `json:"messages"`
}

func expectations(t testing.TB, folder, name string) (list []expected) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name+".tipsets.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// The messages of the chain's own next tipset, sent to a fork below it, have the receipts that the original stack gave.
func TestReceiptsOnFork(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"two29", "real28"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := load(t, testdata, name)
			w := newWorld(t, c)
			s := w.source(Options{})
			ran, failed := 0, 0
			for _, want := range expectations(t, testdata, name) {
				if want.Nulls > 0 || len(want.Messages) == 0 || want.Epoch < 2 {
					continue
				}
				below := want.Epoch - 1
				n := begin(t, w.fork(s, Where{Epoch: &below}), dev.Options{Manual: true})
				if got := n.Latest().Epoch(); got != below {
					t.Fatalf("forked at %d, want %d", got, below)
				}
				ts := c.At(t, want.Epoch)
				byCID := map[string]chain.Message{}
				lists, err := c.Store.TipsetMessages(t.Context(), ts)
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range lists {
					for _, m := range l.All() {
						byCID[m.CID.String()] = m
					}
				}
				// The first of each tipset: its state is the fork's.
				first := want.Messages[0]
				m := byCID[first.CID]
				if m.Message == nil {
					t.Fatalf("%s is not in its tipset", first.CID)
				}
				if err := n.SetNextBaseFee(ts.BaseFee()); err != nil {
					t.Fatal(err)
				}
				n.Impersonate(m.Message.From)
				sent, err := n.Submit(t.Context(), m.Message, m.Signature)
				if err != nil {
					continue // of fees and nonces that a pool refuses and a block may hold
				}
				if _, err := n.Mine(t.Context(), dev.MineOptions{}); err != nil {
					t.Fatal(err)
				}
				b, i, ok := n.Transaction(sent.Hash)
				if !ok {
					continue
				}
				ran++
				res := b.Messages[i].Result
				if b.Messages[i].Implicit {
					continue
				}
				if got := base64.StdEncoding.EncodeToString(res.Return); res.ExitCode != first.ExitCode || res.GasUsed != first.GasUsed || got != first.Return {
					failed++
					t.Errorf("epoch %d, %s: exit %d gas %d return %s, want %d, %d, %s", want.Epoch, first.CID, res.ExitCode, res.GasUsed, got, first.ExitCode, first.GasUsed, first.Return)
				}
				_ = n.Close()
			}
			if ran < 10 {
				t.Errorf("only %d messages ran", ran)
			}
			t.Logf("%d messages, %d differ; %+v", ran, failed, s.Stats())
		})
	}
}

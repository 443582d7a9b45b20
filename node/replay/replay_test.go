package replay

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
)

// shared are the chains that Lotus made on its original VM, with what it made of each tipset.
const shared = "../../../shared/chains"

// want is a line of NAME.tipsets.json.
type want struct {
	Epoch      abi.ChainEpoch `json:"epoch"`
	NullRounds int            `json:"null_rounds_before"`
	Version    uint           `json:"network_version"`
	Key        []string       `json:"tipset_key"`
	BaseFee    string         `json:"base_fee"`
	Supply     string         `json:"circulating_supply"`
	Messages   []wantMessage  `json:"messages"`
	System     []wantMessage  `json:"system"`
	StateRoot  string         `json:"state_root"`
	Receipts   string         `json:"receipts_root"`
}

type wantMessage struct {
	CID     string `json:"cid"`
	Exit    int64  `json:"exit_code"`
	Return  string `json:"return"`
	Gas     int64  `json:"gas_used"`
	Events  string `json:"events_root"`
	Penalty string `json:"miner_penalty"`
	Tip     string `json:"miner_tip"`
}

// open reads a chain whole.
func open(t testing.TB, path string) (*blockstore.Memory, []cid.Cid) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	store := blockstore.NewMemory()
	roots, err := blockstore.LoadCAR(t.Context(), z, store, blockstore.CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	return store, roots
}

func expected(t testing.TB, path string) []want {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []want
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// judge compares a tipset with what Lotus made of it.
func judge(t *testing.T, w *want, got *Tipset) {
	t.Helper()
	same := func(what string, want, got any) {
		if want != got {
			t.Errorf("epoch %d: %s is %v, want %v", w.Epoch, what, got, want)
		}
	}
	same("epoch", w.Epoch, got.Epoch)
	same("null rounds", w.NullRounds, got.NullRounds)
	same("version", w.Version, uint(got.Version))
	same("base fee", w.BaseFee, got.BaseFee)
	same("state root", w.StateRoot, got.StateRoot)
	same("receipts root", w.Receipts, got.Receipts)
	if last := got.Plan.Rounds[len(got.Plan.Rounds)-1]; w.Supply != "" && !last.Migrated {
		same("circulating supply", w.Supply, got.Supply)
	}
	seen := map[string]bool{}
	var cids []string
	for _, b := range got.Plan.Selected {
		for _, m := range b {
			raw, err := marshalled(m.Message)
			if err != nil {
				t.Fatal(err)
			}
			if !seen[raw] {
				seen[raw] = true
				cids = append(cids, m.CID.String())
			}
		}
	}
	if len(cids) != len(w.Messages) || len(got.Result.Receipts) != len(w.Messages) {
		t.Fatalf("epoch %d: %d messages with %d receipts, want %d", w.Epoch, len(cids), len(got.Result.Receipts), len(w.Messages))
	}
	for i, m := range w.Messages {
		r := got.Result.Receipts[i]
		same("message", m.CID, cids[i])
		same("exit code of "+m.CID, m.Exit, int64(r.ExitCode))
		same("return of "+m.CID, m.Return, base64.StdEncoding.EncodeToString(r.Return))
		same("gas of "+m.CID, m.Gas, r.GasUsed)
		events := ""
		if r.EventsRoot != nil {
			events = r.EventsRoot.String()
		}
		same("events of "+m.CID, m.Events, events)
		same("penalty of "+m.CID, m.Penalty, r.Penalty.String())
		same("tip of "+m.CID, m.Tip, r.MinerTip.String())
	}
	system := append(append(append([]*fvm.Result{}, got.Result.NullRounds...), got.Result.Rewards...), got.Result.Cron)
	if len(system) != len(w.System) {
		t.Fatalf("epoch %d: %d messages of the system, want %d", w.Epoch, len(system), len(w.System))
	}
	for i, m := range w.System {
		same("exit code of the system's", m.Exit, int64(system[i].ExitCode))
		same("gas of the system's", m.Gas, system[i].GasUsed)
	}
}

func marshalled(m *fvm.Message) (string, error) {
	var b bufferString
	err := m.MarshalCBOR(&b)
	return string(b), err
}

type bufferString []byte

func (b *bufferString) Write(p []byte) (int, error) { *b = append(*b, p...); return len(p), nil }

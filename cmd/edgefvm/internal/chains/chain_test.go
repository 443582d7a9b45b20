package chains_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// shared are the chains that Lotus made on its original VM, whole.
const shared = "../../../../../shared/chains/"

// theirTipset is a line of NAME.tipsets.json.
type theirTipset struct {
	Epoch      int64          `json:"epoch"`
	NullRounds int            `json:"null_rounds_before"`
	Version    uint           `json:"network_version"`
	Key        []string       `json:"tipset_key"`
	Before     string         `json:"parent_state_root"`
	BaseFee    string         `json:"base_fee"`
	Messages   []theirMessage `json:"messages"`
	System     []theirMessage `json:"system"`
	StateRoot  string         `json:"state_root"`
	Receipts   string         `json:"receipts_root"`
}

type theirMessage struct {
	CID     string `json:"cid"`
	From    string `json:"from"`
	To      string `json:"to"`
	Exit    int64  `json:"exit_code"`
	Return  string `json:"return"`
	Gas     int64  `json:"gas_used"`
	Events  string `json:"events_root"`
	Penalty string `json:"miner_penalty"`
	Tip     string `json:"miner_tip"`
}

// theirs reads what Lotus made of a chain of a folder.
func theirs(t *testing.T, folder, name string) []theirTipset {
	t.Helper()
	return clitest.FromJSON[[]theirTipset](t, string(clitest.ReadFrom(t, folder+name+".tipsets.json")))
}

// chainArgs are a command line on a chain of a folder.
func chainArgs(folder, name string, words ...string) []string {
	n := 1
	if words[0] == "state" {
		n = 2
	}
	args := append([]string{"chain"}, words[:n]...)
	args = append(args, folder+name+".car.zst")
	return append(append(args, words[n:]...), "--network", folder+name+".json")
}

type info struct {
	Kind       string
	F3         bool `json:"fast_finality"`
	Network    *string
	Head       []string
	HeadEpoch  int64 `json:"head_epoch"`
	Genesis    *string
	Versions   []uint `json:"network_versions"`
	Lowest     int64  `json:"lowest_epoch"`
	Tipsets    int
	NullRounds int `json:"null_rounds"`
	Blocks     int
	Messages   int
	InBlocks   int                        `json:"messages_in_blocks"`
	MessagesIn []struct{ From, To int64 } `json:"messages_epochs"`
	States     []struct{ From, To int64 } `json:"states_epochs"`
	Receipts   []struct{ From, To int64 } `json:"receipts_epochs"`
	Notes      []string
}

func TestInfo(t *testing.T) {
	for _, name := range []string{"two29", "real28", "upgrades16"} {
		list := theirs(t, testdata, name)
		last, nulls, blocks, executed := list[len(list)-1], 0, 1, 0
		versions := map[uint]bool{}
		for _, w := range list {
			nulls, blocks, executed, versions[w.Version] = nulls+w.NullRounds, blocks+len(w.Key), executed+len(w.Messages), true
		}
		v := clitest.FromJSON[info](t, edgefvm.OK(t, chainArgs(testdata, name, "info", "--json")...))
		if v.HeadEpoch != last.Epoch || strings.Join(v.Head, " ") != strings.Join(last.Key, " ") || v.Tipsets != len(list)+1 || v.NullRounds != nulls || v.Blocks != blocks || *v.Network != name || v.Lowest != 0 {
			t.Errorf("%s: %+v", name, v)
		}
		// Some messages are in blocks and are not executed.
		if v.Messages < executed || v.InBlocks < v.Messages || v.Kind != "CAR, compressed by zstd" || v.F3 || len(v.Versions) < len(versions) {
			t.Errorf("%s: %d messages executed of %+v", name, executed, v)
		}
		if len(v.States) != 1 || v.States[0].From != 0 || v.States[0].To != list[0].Epoch || len(v.Receipts) != 0 || len(v.MessagesIn) != 1 || v.MessagesIn[0].To != last.Epoch {
			t.Errorf("%s: %+v", name, v)
		}
	}
	out := edgefvm.OK(t, chainArgs(testdata, "upgrades16", "info")...)
	clitest.Plain(t, out)
	if !strings.Contains(out, "versions       16 to ") || !strings.Contains(out, "states         epochs 0 to 1\n") {
		t.Errorf("%s", out)
	}
	// The network of a chain of one's own is not known without a word.
	v := clitest.FromJSON[info](t, edgefvm.OK(t, "chain", "info", "--chain", testdata+"two29.car.zst", "--from", "30", "--json"))
	if v.Network != nil || len(v.Notes) != 1 || v.Lowest > 30 || v.Genesis != nil || v.Tipsets > 10 {
		t.Errorf("%+v", v)
	}
}

type shownTipset struct {
	Epoch      int64
	NullRounds int      `json:"null_rounds_before"`
	Version    uint     `json:"network_version"`
	Key        []string `json:"tipset_key"`
	Before     string   `json:"parent_state_root"`
	BaseFee    string   `json:"base_fee"`
	Messages   []struct {
		theirMessage
		Events *string `json:"events_root"`
		Eth    string  `json:"eth_hash"`
		Name   string  `json:"method_name"`
	}
	System             []theirMessage
	StateRoot          string `json:"state_root"`
	Receipts           string `json:"receipts_root"`
	NextFee            string `json:"next_base_fee"`
	Compared, Executed bool
	Differences        []struct{ What string }
}

// judgeTipset shows a tipset and compares it with what Lotus made of it. The next one's base fee is in its headers.
func judgeTipset(t *testing.T, w, next *theirTipset, out string) shownTipset {
	t.Helper()
	v := clitest.FromJSON[shownTipset](t, out)
	if v.Epoch != w.Epoch || v.NullRounds != w.NullRounds || v.Version != w.Version || v.Before != w.Before || v.BaseFee != w.BaseFee || v.StateRoot != w.StateRoot || v.Receipts != w.Receipts || strings.Join(v.Key, " ") != strings.Join(w.Key, " ") || !v.Executed {
		t.Errorf("epoch %d: %+v", w.Epoch, v)
	}
	if next != nil && (v.NextFee != next.BaseFee || !v.Compared) || next == nil && v.Compared {
		t.Errorf("epoch %d: then base fee %s, compared %v", w.Epoch, v.NextFee, v.Compared)
	}
	if len(v.Messages) != len(w.Messages) || len(v.System) != len(w.System) {
		t.Fatalf("epoch %d: %d messages and %d of the system, want %d and %d", w.Epoch, len(v.Messages), len(v.System), len(w.Messages), len(w.System))
	}
	for i, m := range w.Messages {
		got := v.Messages[i]
		events := ""
		if got.Events != nil {
			events = *got.Events
		}
		if got.CID != m.CID || got.Exit != m.Exit || got.Gas != m.Gas || got.Return != m.Return || events != m.Events || got.Penalty != m.Penalty || got.Tip != m.Tip || got.From[1:] != m.From[1:] || got.To[1:] != m.To[1:] {
			t.Errorf("epoch %d: message %+v, want %+v", w.Epoch, got, m)
		}
	}
	for i, m := range w.System {
		if v.System[i].Gas != m.Gas || v.System[i].Exit != m.Exit {
			t.Errorf("epoch %d: message %d of the system: %+v, want %+v", w.Epoch, i, v.System[i], m)
		}
	}
	return v
}

// store is a folder with the states of a chain, so that tipsets can be asked for one by one.
func store(t *testing.T, folder, name string) string {
	t.Helper()
	dir := clitest.Kept(t, folder+name, func(dir string) {
		edgefvm.OK(t, "replay", folder+name+".car.zst", "--network", folder+name+".json", "--store", filepath.Join(dir, "states"), "--differences", filepath.Join(dir, "d"))
	})
	return filepath.Join(dir, "states")
}

func TestTipset(t *testing.T) {
	clitest.NeedBundles(t)
	list := theirs(t, testdata, "two29")
	last := list[len(list)-1]
	// Alone, from the genesis on; then all, from the states of a replay.
	judgeTipset(t, &last, nil, edgefvm.OK(t, chainArgs(testdata, "two29", "tipset", "--json")...))
	dir := store(t, testdata, "two29")
	for i := len(list) - 1; i >= 0; i -= 4 {
		var next *theirTipset
		if i+1 < len(list) {
			next = &list[i+1]
		}
		which := list[i].Key[len(list[i].Key)-1] // a block
		judgeTipset(t, &list[i], next, edgefvm.OK(t, chainArgs(testdata, "two29", "tipset", which, "--json", "--store", dir)...))
	}
	out := edgefvm.OK(t, chainArgs(testdata, "two29", "tipset", "4", "--store", dir)...)
	clitest.Plain(t, out)
	if !strings.Contains(out, "✓ as the next tipset's headers say") || !strings.Contains(out, "→ f010  CreateExternal") {
		t.Errorf("%s", out)
	}
	headers := clitest.FromJSON[shownTipset](t, edgefvm.OK(t, chainArgs(testdata, "two29", "tipset", "4", "--headers", "--json")...))
	// A rival with the same nonce is in the other block.
	if headers.Executed || len(headers.Messages) != 2 || headers.Messages[0].CID != list[3].Messages[0].CID || headers.Epoch != 4 {
		t.Errorf("%+v", headers)
	}
	edgefvm.OK(t, chainArgs(testdata, "two29", "tipset", "0")...)
}

// A tipset that does not come to what the chain says is shown, and makes the exit code 1.
func TestTipsetDifference(t *testing.T) {
	clitest.NeedBundles(t)
	data := string(clitest.ReadFrom(t, testdata+"two29.json"))
	other := clitest.WriteTo(t, filepath.Join(t.TempDir(), "other.json"), []byte(strings.Replace(data, `"actor_debugging": true`, `"actor_debugging": false`, 1)))
	r := edgefvm.Run(t, "chain", "tipset", testdata+"two29.car.zst", "1", "--network", other)
	if r.Code != kit.ExitFailed || !strings.Contains(r.Out, "✗ not as the next tipset's headers say") || r.Err != "" {
		t.Errorf("exit code %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

type shownMessage struct {
	CID       string
	Bare      string `json:"unsigned_cid"`
	Eth       string `json:"eth_hash"`
	Epoch     int64
	Index     int
	Blocks    []string
	Receipt   theirReceipt
	Explained struct {
		Gas     int64 `json:"gas_used"`
		Name    string
		Calls   struct{ Calls []any }
		Changes []any
		Events  []any
	}
	Compared bool
}

type theirReceipt struct {
	Exit   int64   `json:"exit_code"`
	Gas    int64   `json:"gas_used"`
	Return []byte  `json:"return"`
	Events *string `json:"events_root"`
}

// A message is found by each of its names, and does in its place what it did there.
func TestMessage(t *testing.T) {
	clitest.NeedBundles(t)
	list, dir := theirs(t, testdata, "two29"), store(t, testdata, "two29")
	for i, w := range list[:len(list)-1] {
		for n, m := range w.Messages {
			if (3*i+n)%11 != 0 {
				continue
			}
			v := clitest.FromJSON[shownMessage](t, edgefvm.OK(t, chainArgs(testdata, "two29", "message", m.CID, "--store", dir, "--json")...))
			events := ""
			if v.Receipt.Events != nil {
				events = *v.Receipt.Events
			}
			if v.CID != m.CID || v.Epoch != w.Epoch || v.Index != n || v.Receipt.Exit != m.Exit || v.Receipt.Gas != m.Gas || v.Explained.Gas != m.Gas || base64.StdEncoding.EncodeToString(v.Receipt.Return) != m.Return || events != m.Events || !v.Compared {
				t.Errorf("%+v, want %+v", v, m)
			}
			if (events != "") != (len(v.Explained.Events) > 0) || len(v.Blocks) == 0 || len(v.Explained.Changes) == 0 {
				t.Errorf("%+v", v)
			}
			for _, name := range []string{v.Eth, v.Bare} {
				if name == "" {
					continue
				}
				again := clitest.FromJSON[shownMessage](t, edgefvm.OK(t, chainArgs(testdata, "two29", "message", name, "--store", dir, "--json")...))
				if again.CID != m.CID {
					t.Errorf("%s is message %s, want %s", name, again.CID, m.CID)
				}
			}
		}
	}
	first := list[3].Messages[0]
	out := edgefvm.OK(t, chainArgs(testdata, "two29", "message", first.CID, "--at", "4", "--data")...) // without a store
	clitest.Plain(t, out)
	for _, want := range []string{"CreateExternal", "Changes of the state", "epoch 4 of two29", "✓ as the next tipset's headers say"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
}

// The state at an epoch is the one that its tipset runs on, in every form of an address, and a difference is that of two epochs.
func TestChainState(t *testing.T) {
	clitest.NeedBundles(t)
	list, dir := theirs(t, testdata, "two29"), store(t, testdata, "two29")
	args := func(words ...string) []string { return append(chainArgs(testdata, "two29", words...), "--store", dir) }
	type actor struct {
		ID, Kind, Eth string
		Nonce         uint64
		Delegated     *string `json:"delegated_address"`
	}
	// A contract is deployed at epoch 4. What the message returns is [id, address, Ethereum's address].
	ret, err := base64.StdEncoding.DecodeString(list[3].Messages[0].Return)
	if err != nil || len(ret) < 24 || ret[1] != 0x19 || list[3].Epoch != 4 {
		t.Fatalf("%x, %v", ret, err)
	}
	id, eth := fmt.Sprintf("f0%d", int(ret[2])<<8|int(ret[3])), fmt.Sprintf("0x%x", ret[len(ret)-20:])
	var evm struct {
		ID        string
		Eth       string `json:"eth_address"`
		Delegated string `json:"delegated_address"`
	}
	for _, line := range strings.Split(edgefvm.OK(t, args("state", "actors", "--at", "5", "--kind", "evm", "--json")...), "\n") {
		if strings.Contains(line, eth) {
			if err := json.Unmarshal([]byte(line), &evm); err != nil {
				t.Fatal(err)
			}
		}
	}
	if evm.ID != id {
		t.Fatalf("%+v, want %s with %s", evm, id, eth)
	}
	for _, a := range []string{evm.ID, evm.Eth, evm.Delegated, "t" + evm.Delegated[1:]} {
		v := clitest.FromJSON[actor](t, edgefvm.OK(t, args("state", "actor", a, "--at", "5", "--json")...))
		if v.ID != evm.ID || v.Kind != "evm" {
			t.Errorf("%s: %+v", a, v)
		}
	}
	edgefvm.Fails(t, kit.ExitFailed, args("state", "actor", evm.Eth, "--at", "4"), "not found")
	for i := range list[:len(list)-1] {
		w := list[i]
		if i%5 != 0 {
			continue
		}
		// Epochs and roots name the same states.
		by := edgefvm.Run(t, args("diff", w.Before, w.StateRoot, "--json")...)
		r := edgefvm.Run(t, args("diff", itoa(w.Epoch), itoa(w.Epoch+1), "--json")...)
		if r.Code != kit.ExitFailed || by.Code != kit.ExitFailed || r.Out != by.Out || !strings.Contains(r.Out, `"actor":"f02"`) {
			t.Errorf("epoch %d: %d and %d\n%s%s", w.Epoch, r.Code, by.Code, r.Out, by.Err)
		}
	}
	head := list[len(list)-1].Epoch
	if r := edgefvm.Run(t, args("diff", itoa(head+1), itoa(head))...); r.Code != kit.ExitFailed || !strings.Contains(r.Out, "actors changed") {
		t.Errorf("%d\n%s%s", r.Code, r.Out, r.Err)
	}
	if out := edgefvm.OK(t, args("diff", "7", "7")...); !strings.Contains(out, "nothing differs") {
		t.Errorf("%s", out)
	}
}

// What is wrong is one line that says so.
func TestChainErrors(t *testing.T) {
	clitest.NeedBundles(t)
	list := theirs(t, testdata, "two29")
	file, last := testdata+"two29.car.zst", list[len(list)-1]
	cid := last.Key[0]
	edgefvm.Fails(t, kit.ExitUsage, []string{"chain"}, "info, tipset, message, state, diff")
	edgefvm.Fails(t, kit.ExitUsage, []string{"chain", "info"}, "which chain?")
	edgefvm.Fails(t, kit.ExitUsage, []string{"chain", "info", file, "--from", "-1"}, "--from")
	edgefvm.Fails(t, kit.ExitUsage, []string{"chain", "info", file, "--chain", file}, "another argument")
	edgefvm.Fails(t, kit.ExitFailed, []string{"chain", "info", "none.car"}, "none.car")
	edgefvm.Fails(t, kit.ExitFailed, []string{"chain", "info", testdata + "two29.json"}, "two29.json")
	edgefvm.Fails(t, kit.ExitUsage, []string{"chain", "tipset", file, "now"}, `"now"`)
	edgefvm.Fails(t, kit.ExitFailed, []string{"chain", "tipset", file, "99"}, "epoch 99", "head", itoa(last.Epoch))
	edgefvm.Fails(t, kit.ExitFailed, []string{"chain", "tipset", file, "5"}, "null round", "4 and 15")
	edgefvm.Fails(t, kit.ExitFailed, []string{"chain", "tipset", file, "4"}, "--network")
	edgefvm.Fails(t, kit.ExitUsage, chainArgs(testdata, "two29", "tipset", "4", "--proofs", "maybe"), "maybe")
	edgefvm.Fails(t, kit.ExitUsage, chainArgs(testdata, "two29", "message"), "one CID")
	edgefvm.Fails(t, kit.ExitUsage, chainArgs(testdata, "two29", "message", "0x12"), "64 hex digits")
	edgefvm.Fails(t, kit.ExitUsage, chainArgs(testdata, "two29", "message", "f01"), `"f01"`)
	edgefvm.Fails(t, kit.ExitFailed, chainArgs(testdata, "two29", "message", cid), "not on the chain")
	edgefvm.Fails(t, kit.ExitFailed, chainArgs(testdata, "two29", "message", "0x"+strings.Repeat("12", 32)), "not on the chain")
	edgefvm.Fails(t, kit.ExitFailed, chainArgs(testdata, "two29", "message", cid, "--at", "4"), "epoch 4")
	edgefvm.Fails(t, kit.ExitUsage, chainArgs(testdata, "two29", "state", "actor"), "ADDRESS")
	edgefvm.Fails(t, kit.ExitUsage, chainArgs(testdata, "two29", "state", "actor", "nobody"), `"nobody"`)
	edgefvm.Fails(t, kit.ExitFailed, chainArgs(testdata, "two29", "state", "actor", "f02", "--at", "99"), "epoch 99")
	edgefvm.Fails(t, kit.ExitUsage, chainArgs(testdata, "two29", "diff", "3"), "two epochs or roots")
	edgefvm.Fails(t, kit.ExitUsage, chainArgs(testdata, "two29", "diff", "3", "x"), `"x"`)
	edgefvm.Fails(t, kit.ExitFailed, chainArgs(testdata, "two29", "diff", "3", last.StateRoot), last.StateRoot, "not there")
}

// The same of whole chains, tipset by tipset.
func TestSharedChains(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skip("SKIPPED: ../shared/chains is not there; testdata has chains of the same kind")
	}
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	clitest.NeedBundles(t)
	for name, step := range map[string]int{"two29": 25, "upgrades16": 60} {
		list, dir := theirs(t, shared, name), store(t, shared, name)
		for i := 0; i < len(list)-1; i += step {
			v := judgeTipset(t, &list[i], &list[i+1], edgefvm.OK(t, chainArgs(shared, name, "tipset", itoa(list[i].Epoch), "--json", "--store", dir)...))
			if n := len(v.Messages); n > 0 {
				m, want := v.Messages[n-1], list[i].Messages[n-1]
				got := clitest.FromJSON[shownMessage](t, edgefvm.OK(t, chainArgs(shared, name, "message", m.Eth, "--store", dir, "--json")...))
				if got.CID != want.CID || got.Receipt.Gas != want.Gas || got.Epoch != list[i].Epoch {
					t.Errorf("%+v, want %+v", got, want)
				}
			}
		}
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

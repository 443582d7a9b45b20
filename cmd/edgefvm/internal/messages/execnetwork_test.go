package messages_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// what exec --json says, as far as the tests here look at it.
type told struct {
	receipt
	GasLimit int64  `json:"gas_limit"`
	Over     string `json:"over_estimation_burn"`
	Estimate *struct {
		Limit int64 `json:"gas_limit"`
		Used  int64 `json:"gas_used"`
		Runs  int   `json:"runs"`
	} `json:"estimate"`
	Network   *string  `json:"network"`
	ChainID   uint64   `json:"chain_id"`
	NV        int      `json:"nv"`
	NVBy      string   `json:"nv_by"`
	Epoch     int64    `json:"epoch"`
	Timestamp uint64   `json:"timestamp"`
	BaseFee   string   `json:"base_fee"`
	Supply    string   `json:"circ_supply"`
	Asked     []string `json:"asked"`
	Warnings  []string `json:"warnings"`
}

// invoke calls the contract of a state of testdata, in the length that the reference was given.
func invoke(state string, more ...string) []string {
	return append([]string{"exec", "--json", "--car", "testdata/" + state + ".car", "--from", "f0114", "--to", "f0119", "--method", "InvokeContract", "--chain-len", "29"}, more...)
}

const (
	yes = "58200000000000000000000000000000000000000000000000000000000000000001"
	no  = "40" // no data in CBOR
)

// The contract reverts while TIMESTAMP < 1772297872, which is between two epochs of each network. Exit codes, gas and return
// are the reference's, given the timestamps.
func TestExecTime(t *testing.T) {
	clitest.NeedBundles(t)
	const debugs = 1 << 62
	mine := clitest.WriteTo(t, filepath.Join(t.TempDir(), "mine.json"), []byte(`{"name": "mine", "actor_bundle": "mainnet", "beacon": "quick", "block_delay_seconds": 4,
		"eip155_chain_id": 31415926, "genesis_time": 1772297000, "upgrades": [{"height": -1, "network_version": 28, "migration": false}], "build_constants": {
		"actor_debugging": false, "upgrade_smoke": -1, "upgrade_ignition": -2, "upgrade_assembly": -5, "upgrade_liftoff": -6, "upgrade_calico": -9, "upgrade_hyperdrive": -16,
		"upgrade_firehorse": -32, "initial_fil_reserved": "0", "upgrade_teep_initial_fil_reserved": "0", "upgrade_tuktuk_power_ramp_duration_epochs": 200}}`))
	for _, c := range []struct {
		name    string
		flags   string
		network string
		chain   uint64
		nv      int
		time    uint64
		exit    int
		more    int64 // gas, where they compare otherwise; debugs: that of actors that may log, of which there is no reference here
	}{
		{"mainnet by default", "--epoch 5800000", "mainnet", 314, 28, 1772306400, 0, 0},
		{"mainnet, before", "--epoch 5799715 --nv 28", "mainnet", 314, 28, 1772297850, 33, 0},
		{"mainnet, after", "--epoch 5799716 --nv 28 --chain-id 314", "mainnet", 314, 28, 1772297880, 0, 0},
		{"the timestamp tells the epoch", "--timestamp 1772297850", "mainnet", 314, 28, 1772297850, 33, 0},
		{"the timestamp goes first", "--epoch 5800000 --timestamp 1000", "mainnet", 314, 28, 1000, 33, 0},
		{"calibnet, before", "--network calibnet --epoch 3499049 --nv 28", "calibnet", 314159, 28, 1772297850, 33, 0},
		{"calibnet, after", "--network calibrationnet --epoch 3499050 --nv 28", "calibnet", 314159, 28, 1772297880, 0, 0},
		{"calibnet by its chain id", "--chain-id 314159 --epoch 3499049", "calibnet", 314159, 28, 1772297850, 33, 0},
		{"butterflynet", "--network butterflynet --epoch 100", "butterflynet", 3141592, 28, 1777966020, 0, 0},
		{"2k with a timestamp", "--network 2k --epoch 50 --timestamp 1772306400", "2k", 31415926, 28, 1772306400, 0, debugs},
		{"2k by its chain id", "--chain-id 31415926 --epoch 50 --timestamp 1700000200", "2k", 31415926, 28, 1700000200, 33, 0},
		{"2k after its upgrade", "--network 2k --epoch 201 --timestamp 1772306400", "2k", 31415926, 29, 1772306400, 0, debugs},
		{"nobody's chain id", "--chain-id 99 --epoch 50 --timestamp 1772306400", "", 99, 28, 1772306400, 0, 0},
		{"another chain id on mainnet", "--network mainnet --chain-id 99 --epoch 5800000", "mainnet", 99, 28, 1772306400, 0, 0},
		{"a file, before", "--network " + mine + " --epoch 217", "mine", 31415926, 28, 1772297868, 33, 0},
		{"a file, after", "--network " + mine + " --epoch 218", "mine", 31415926, 28, 1772297872, 0, -32},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := edgefvm.Run(t, invoke("timestamp", strings.Fields(c.flags)...)...)
			got := clitest.FromJSON[told](t, r.Out)
			gas, ret := int64(2020704), yes
			if c.exit != 0 {
				gas, ret = 1982048, no
			}
			network := ""
			if got.Network != nil {
				network = *got.Network
			}
			if got.ExitCode != c.exit || c.more != debugs && got.GasUsed != gas+c.more || c.more == debugs && got.GasUsed <= gas || got.Return != ret {
				t.Errorf("exit code %d, %d gas, return %s, want %d, %d, %s", got.ExitCode, got.GasUsed, got.Return, c.exit, gas+c.more, ret)
			}
			if network != c.network || got.ChainID != c.chain || got.NV != c.nv || got.Timestamp != c.time {
				t.Errorf("%s, chain id %d, version %d, at %d; want %s, %d, %d, %d", network, got.ChainID, got.NV, got.Timestamp, c.network, c.chain, c.nv, c.time)
			}
		})
	}
}

// What nothing tells is asked for.
func TestExecAsks(t *testing.T) {
	for _, c := range []struct{ name, flags, want string }{
		{"no epoch", "", "which epoch? Give --epoch"},
		{"no epoch begins then", "--timestamp 1772306401", "No epoch of mainnet begins at --timestamp 1772306401; 5800000 begins at 1772306400"},
		{"before the genesis", "--timestamp 5", "before the genesis of network mainnet"},
		{"2k has no time", "--network 2k --epoch 5", "when is epoch 5? Give --timestamp"},
		{"2k by its chain id", "--chain-id 31415926 --epoch 5", "when is epoch 5? Give --timestamp"},
		{"nobody's chain id", "--chain-id 99 --epoch 5", "chain id 99 is no network's that is known"},
		{"nobody's chain id and no epoch", "--chain-id 99 --timestamp 1772306400", "which epoch? Give --epoch"},
		{"an epoch beyond time", "--epoch 9223372036854775807", "later than time can be told"},
		{"a network that is none", "--network mainnets --epoch 5", "did you mean mainnet?"},
		{"proofs by nobody", "--proofs nowhere --epoch 5", "want assume-valid, assume-invalid or the folder of the keys"},
		{"proofs by a file", "--proofs testdata/README.md --epoch 5", "want the folder of the keys"},
		{"a tipset that is none", "--tipset 5=bafy --epoch 5", "want CID or EPOCH=CID"},
		{"no gas", "--gas-limit 0 --epoch 5", "a message needs some gas"},
		{"a file that is none", "--network testdata/README.md --epoch 5", "no description of a network in JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			edgefvm.Fails(t, kit.ExitUsage, invoke("timestamp", strings.Fields(c.flags)...), c.want)
		})
	}
}

// The version is what the state's actors say. What does not fit them is told, and done.
func TestExecVersion(t *testing.T) {
	clitest.NeedBundles(t)
	for _, c := range []struct {
		name, flags string
		nv          int
		warning     string
	}{
		{"it fits", "--epoch 6100000", 28, ""},
		{"the epoch is before", "--epoch 5800000", 28, "epoch 5800000 does not fit: on mainnet it is in network version 27, and the state's actors are v18/mainnet, which network versions 28 and 29 run"},
		{"the nv is said", "--epoch 5800000 --nv 28", 28, ""},
		{"the other nv of these actors", "--epoch 5800000 --nv 29", 29, ""},
		{"another nv", "--epoch 6100000 --nv 27", 27, "--nv 27 does not fit: the state's actors are v18/mainnet, which network versions 28 and 29 run"},
		{"another network", "--network calibnet --epoch 3700000", 28, "calibnet has bundles of calibrationnet"},
		{"another network, before", "--network calibnet --epoch 3000000", 28, "on calibnet it is in network version 26"},
		{"a timestamp that is not the epoch's", "--network mainnet --epoch 6100000 --timestamp 1", 28, "--timestamp 1 does not fit: epoch 6100000 of mainnet is at 1781306400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := edgefvm.Run(t, append([]string{"exec", "--json", "--car", "testdata/state.car", "--from", "f0100", "--to", "f0101", "--value", "1"}, strings.Fields(c.flags)...)...)
			got := clitest.FromJSON[told](t, r.Out)
			if r.Code != kit.ExitOK || got.NV != c.nv {
				t.Errorf("exit code %d, version %d, want %d", r.Code, got.NV, c.nv)
			}
			all := strings.Join(got.Warnings, "\n")
			if (all == "") != (c.warning == "") || !strings.Contains(all, c.warning) {
				t.Errorf("it warns %q, want %q", all, c.warning)
			}
			if want := "edgefvm: warning: " + all + "\n"; all != "" && r.Err != want || all == "" && r.Err != "" {
				t.Errorf("standard error is %q", r.Err)
			}
		})
	}
}

const bytes0to31 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// The contract returns PREVRANDAO, which actors make of the beacon's digest. The returns are the reference's.
func TestExecRandomness(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	file := func(name, text string) string { return clitest.WriteTo(t, filepath.Join(dir, name), []byte(text)) }
	const (
		at58 = "5820520d96b84c6ef5af0be2abd9ec8e817439aa29e7f419f8de9967fa3fc18ae8f4"
		at61 = "5820259208a6d5cb96ce2bf16b025c79cce11aa5f90b81c007a48ddc171f562ac385"
	)
	ff := strings.Repeat("f", 64)
	for _, c := range []struct {
		name  string
		flags []string
		want  string
	}{
		{"hex", []string{"--epoch", "5800000", "--randomness", "0x" + bytes0to31}, at58},
		{"at another epoch", []string{"--epoch", "6100000", "--randomness", bytes0to31}, at61},
		{"of an epoch", []string{"--epoch", "5800000", "--randomness", "5800000=" + bytes0to31}, at58},
		{"the listed one goes first", []string{"--epoch", "5800000", "--beacon-randomness", ff, "--beacon-randomness", "5800000=0x" + bytes0to31}, at58},
		{"the same twice", []string{"--epoch", "5800000", "--randomness", bytes0to31, "--randomness", "0x" + bytes0to31}, at58},
		{"the beacon's goes before that of both", []string{"--epoch", "5800000", "--randomness", "5800000=" + ff, "--beacon-randomness", "5800000=" + bytes0to31}, at58},
		{"the beacon's, not the ticket's", []string{"--epoch", "5800000", "--ticket-randomness", ff, "--beacon-randomness", bytes0to31}, at58},
		{"a file with hex", []string{"--epoch", "5800000", "--randomness", file("hex", "0x"+bytes0to31+"\n")}, at58},
		{"by epoch", []string{"--epoch", "5800000", "--randomness", file("epochs.json", `{"6100000": "`+ff+`", "5800000": "`+bytes0to31+`"}`)}, at58},
		{"as a vector has it", []string{"--epoch", "5800000", "--randomness", file("facts.json",
			`{"randomness": [{"on": ["chain", 5800000], "ret": "//////////////////////////////////////////8="}, {"on": ["beacon", 5800000], "ret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]}`)}, at58},
		{"calibnet", []string{"--network", "calibnet", "--epoch", "3700000", "--randomness", ff}, "58208f63bad14ea244dcbb8c156cacaa26a19c04be82d43ba5021d27650abafcad68"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := clitest.FromJSON[told](t, edgefvm.Run(t, invoke("prevrandao", append(c.flags, "--nv", "28")...)...).Out)
			if got.ExitCode != 0 || got.GasUsed != 2195216 || got.Return != c.want {
				t.Errorf("exit code %d, %d gas, return %s", got.ExitCode, got.GasUsed, got.Return)
			}
			if len(got.Asked) != 1 || !strings.Contains(got.Asked[0], "the beacon's randomness of epoch") {
				t.Errorf("it asked %q", got.Asked)
			}
		})
	}
	for _, c := range []struct {
		name  string
		flags []string
		code  int
		want  string
	}{
		{"none", nil, kit.ExitFailed, "give it with --beacon-randomness 5800000=HEX"},
		{"another epoch's", []string{"--randomness", "5799999=" + bytes0to31}, kit.ExitFailed, "give it with --beacon-randomness 5800000=HEX"},
		{"the ticket's", []string{"--ticket-randomness", bytes0to31}, kit.ExitFailed, "give it with --beacon-randomness 5800000=HEX"},
		{"too short", []string{"--randomness", "0x0001"}, kit.ExitUsage, "it has 2 bytes: want the 32 bytes of a digest"},
		{"no hex", []string{"--randomness", "5800000=zz"}, kit.ExitUsage, "--randomness"},
		{"two answers", []string{"--randomness", "5800000=" + bytes0to31, "--randomness", "5800000=" + ff}, kit.ExitUsage, "another one for epoch 5800000 says otherwise"},
		{"one for all epochs, and one before the genesis", []string{"--ticket-randomness", ff, "--ticket-randomness", file("before.json", `{"-1": "`+bytes0to31+`"}`)}, kit.ExitFailed, "give it with --beacon-randomness 5800000=HEX"},
		{"two answers for all epochs", []string{"--beacon-randomness", bytes0to31, "--beacon-randomness", ff}, kit.ExitUsage, "another one for all epochs says otherwise"},
		{"two answers, one of JSON", []string{"--randomness", "5800000=" + bytes0to31, "--randomness", file("one.json", `{"5800000": "`+ff+`"}`)}, kit.ExitUsage, "another one for epoch 5800000 says otherwise"},
		{"two answers in JSON", []string{"--randomness", file("twice.json", `{"5800000": "`+bytes0to31+`", "5800000": "`+ff+`"}`)}, kit.ExitUsage, "twice"},
		{"two tipsets", []string{"--tipset", "5=bafkqaaa", "--tipset", "5=bafkqaalb"}, kit.ExitUsage, "another one for epoch 5 says otherwise"},
		{"a list of numbers", []string{"--randomness", file("list.json", `[1]`)}, kit.ExitUsage, "as vectors have them"},
		{"JSON of something else", []string{"--randomness", file("other.json", `{"a": 1}`)}, kit.ExitUsage, "as vectors have them"},
		{"JSON with a short one", []string{"--randomness", file("short.json", `{"randomness": [{"on": ["beacon", 1], "ret": "AAE="}]}`)}, kit.ExitUsage, "randomness of 2 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			edgefvm.Fails(t, c.code, invoke("prevrandao", append(c.flags, "--epoch", "5800000", "--nv", "28")...), c.want)
		})
	}
}

// Without --gas-limit it is a node's estimate: what was used and a quarter. The burn and the root are the reference's, given
// that limit; those of the last row are those of the limit of a block, which is all burnt.
func TestExecGasLimit(t *testing.T) {
	clitest.NeedBundles(t)
	for _, c := range []struct {
		name, state string
		flags       []string
		limit       int64
		over, root  string
	}{
		{"an estimate", "timestamp", nil, 2525880, "7577600", "bafy2bzacecbg77vceggpqipn22andnny74ewvalhcjmhtvrciknhceaqz4clu"},
		{"said", "timestamp", []string{"--gas-limit", "10000000000"}, 10_000_000_000, "999797929600", "bafy2bzacedtqf62gp2y2f2qxabuihu5iwk3mgk44g5kmwmpm5vn3urg3woln4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := clitest.FromJSON[told](t, edgefvm.Run(t, invoke(c.state, append(c.flags, "--nv", "28", "--epoch", "5800000")...)...).Out)
			if got.GasUsed != 2020704 || got.GasLimit != c.limit || got.Over != c.over || got.Root != c.root || (got.Estimate == nil) != (c.flags != nil) {
				t.Errorf("%d gas of %d, over-estimation %s, root %s, %+v", got.GasUsed, got.GasLimit, got.Over, got.Root, got.Estimate)
			}
		})
	}
	// It fails in the same way with the estimate of a failing message.
	got := clitest.FromJSON[told](t, edgefvm.Run(t, invoke("revert", "--nv", "28", "--epoch", "5800000")...).Out)
	if got.ExitCode != 33 || got.GasUsed != 2114428 || got.GasLimit != 2643035 || got.Meaning != "contract reverted" {
		t.Errorf("%+v", got)
	}
	if out := edgefvm.OK(t, invoke("timestamp", "--nv", "28", "--epoch", "5800000", "--estimate", "--json=false")...); out != "2525880\n" {
		t.Errorf("--estimate prints %q", out)
	}
}

// Where the sender cannot pay for its gas, the limit is still the one that the message needs: f0112 has 1,000 FIL, f0113 1,000 attoFIL.
// The gas of f0100's transfer is the reference's, with 69 bytes of signature; their nonce is a byte shorter, and 1,000 FIL are 8 longer.
func TestExecEstimateOfThePoor(t *testing.T) {
	clitest.NeedBundles(t)
	for _, c := range []struct {
		name, from, value string
		exit              int64
		limit             int64
		warning           string
	}{
		{"it fits", "f0112", "1", 0, margin(1167763 - 1300), ""},
		{"all it has", "f0112", "1000fil", 6, margin(1167763 + (8-1)*1300), "exit code 6 (insufficient funds): an estimate does not count what the gas costs"},
		{"too poor", "f0113", "1", 2, margin(1167763 - 1300), "exit code 2 (the sender is in the wrong state): an estimate does not count"},
		{"no such method", "f0112", "1", 22, 0, "exit code 22 (unhandled message): a node would give no estimate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"exec", "--car", "testdata/text/state.car", "--nv", "28", "--epoch", "5800000", "--from", c.from, "--to", "f0101", "--value", c.value, "--json"}
			if c.exit == 22 {
				args = append(args, "--method", "99")
			}
			got := clitest.FromJSON[told](t, edgefvm.Run(t, args...).Out)
			if int64(got.ExitCode) != c.exit || c.limit != 0 && got.GasLimit != c.limit {
				t.Errorf("exit code %d, limit %d, want %d", got.ExitCode, got.GasLimit, c.limit)
			}
			r := edgefvm.Run(t, append(args, "--estimate")...)
			if (r.Code != 0) != (c.exit != 0) || (c.warning == "") != (r.Err == "") || !strings.Contains(r.Err, c.warning) {
				t.Errorf("--estimate ends with %d and says %q", r.Code, r.Err)
			}
		})
	}
}

func margin(gas int64) int64 { return gas * 5 / 4 }

// A contract that wants more gas left than it uses: the least limit is looked for, to 1 %, and a quarter is added.
func TestExecGasSearch(t *testing.T) {
	clitest.NeedBundles(t)
	car := filepath.Join(t.TempDir(), "gas.car")
	at := func(args ...string) []string {
		return append([]string{"exec", "--json", "--nv", "28", "--epoch", "6100000", "--from", "f0114"}, args...)
	}
	// It reverts if less than 100,000,000 are left: PUSH4 5f5e100 GAS LT PUSH1 11 JUMPI STOP JUMPDEST PUSH1 0 DUP1 REVERT.
	edgefvm.OK(t, at("--car", "testdata/state.car", "--deploy", "0x601080600b6000396000f36305f5e1005a10600b57005b600080fd", "--out", car)...)
	call := func(limit int64) told {
		args := at("--car", car, "--to", "f0119", "--method", "InvokeContract")
		if limit > 0 {
			args = append(args, "--gas-limit", fmt.Sprint(limit))
		}
		return clitest.FromJSON[told](t, edgefvm.Run(t, args...).Out)
	}
	got := call(0)
	if got.ExitCode != 0 || got.GasLimit < 125_000_000 || got.GasLimit > 135_000_000 || got.GasUsed > 3_000_000 || got.Estimate.Runs < 3 {
		t.Fatalf("%+v, %+v", got, got.Estimate)
	}
	least := got.GasLimit / 5 * 4
	if r := call(least + 1); r.ExitCode != 0 {
		t.Errorf("with %d it ends with %d", least+1, r.ExitCode)
	}
	if r := call(least - least/50); r.ExitCode != 33 {
		t.Errorf("with %d it ends with %d", least-least/50, r.ExitCode)
	}
}

// The vector that --save writes is closed: it passes by itself, with its trace.
func TestExecSave(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "mine.json")
	lines := filepath.Join(dir, "mine.jsonl")
	out := edgefvm.OK(t, "exec", "--car", "testdata/prevrandao.car", "--nv", "28", "--epoch", "5800000", "--from", "f0114", "--to", "f0119", "--method", "InvokeContract",
		"--randomness", bytes0to31, "--save", path, "--trace", lines, "--explain")
	clitest.Plain(t, out)
	for _, want := range []string{"evm f0119 · InvokeContract", "Gas by kind", "Changes of the state", "ethaccount f0114", "chain facts"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	explained := edgefvm.OK(t, "explain", path)
	if want := "✓ as expected: receipts, gas, state root, every gas charge."; !strings.Contains(explained, want) {
		t.Errorf("explain lacks %q:\n%s", want, explained)
	}
	data := string(clitest.ReadFrom(t, lines))
	if !strings.HasPrefix(data, `["gas","OnChainMessage",`) || strings.Count(data, "\n") < 20 || !strings.Contains(data, "\n[\"call\",114,\"f0119\",3844450837,") {
		t.Errorf("the trace is %.300s", data)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Errorf("there are %v, %v", files, err)
	}
	for _, bad := range [][]string{{"--save", "mine.car"}, {"--save", path, "--out", path}, {"--trace", filepath.Join(dir, "mine.trace.gz"), "--save", path}} {
		edgefvm.Fails(t, kit.ExitUsage, invoke("timestamp", append(bad, "--epoch", "5800000")...), bad[0])
	}
}

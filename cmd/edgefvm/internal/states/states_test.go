package states_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/blockstore/pebble"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

const (
	before      = "../../../../testdata/multisig.car"         // blocks that the message needs, and no others
	whole       = "../../../../node/state/testdata/state.car" // a whole state
	messageFile = "../../../../testdata/multisig.msg"         // approves what f0119 is to pay
	beforeRoot  = "bafy2bzacediezsmm5sxf7ub7gpvg3mxgqfscjhtvvka37ddeqfmc673tzengg"
	afterRoot   = "bafy2bzacebx4peh4umjsg3ssocjp7mc35usrtjup7mxincuyxbyrnf24pfems"
)

// after is the state after the message.
func after(t *testing.T) string {
	t.Helper()
	clitest.NeedBundles(t)
	file := filepath.Join(t.TempDir(), "after.car")
	edgefvm.OK(t, "exec", "--car", before, "--nv", "28", "--epoch", "5800470", "--message", messageFile, "--out", file)
	return file
}

// linesOf reads JSON, an object a line.
func linesOf[T any](t *testing.T, text string) (list []T) {
	t.Helper()
	for line := range strings.Lines(text) {
		list = append(list, clitest.FromJSON[T](t, line))
	}
	return list
}

type row struct {
	ID, Kind, Bundle, Code, Head, Balance string
	Nonce                                 uint64
	Delegated                             *string `json:"delegated_address"`
	Eth                                   string  `json:"eth_address"`
}

func TestLs(t *testing.T) {
	out := edgefvm.OK(t, "state", "ls", "--car", whole)
	clitest.Plain(t, out)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 30 || !strings.HasPrefix(lines[0], "f00 ") || !strings.Contains(lines[29], "0x") || !regexp.MustCompile(`(?m)^f0100 +account +[\d,.]+ FIL +\d+ `).MatchString(out) {
		t.Errorf("%d lines\n%s", len(lines), out)
	}
	rows := linesOf[row](t, edgefvm.OK(t, "state", "ls", "--car", whole, "--json"))
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.ID)
		if r.Bundle != "v18/mainnet" {
			t.Errorf("%+v", r)
		}
	}
	if want := "f00 f01 f02 f03 f04 f05 f06 f07 f010 f090 f099 f0100 f0101"; !strings.HasPrefix(strings.Join(ids, " "), want) {
		t.Errorf("order %v", ids)
	}
	i := slices.Index(ids, "f0114")
	// The addresses are those that the report on 0x addresses names.
	if i < 0 || rows[i].Kind != "ethaccount" || rows[i].Eth != "0x0426d88556bf538d6eefea76f16386fcd8ca5353" || *rows[i].Delegated != "f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq" {
		t.Errorf("f0114: %+v", rows[i])
	}
	some := linesOf[row](t, edgefvm.OK(t, "state", "ls", "--car", whole, "--json", "--kind", "ethaccount,init", "--unsorted"))
	if len(some) != 3 {
		t.Errorf("%d of two kinds: %+v", len(some), some)
	}
	edgefvm.Fails(t, kit.ExitFailed, []string{"state", "ls", "--car", whole, "--kind", "etaccount"}, `no actor of kind "etaccount"`, "did you mean ethaccount?")
}

func TestActor(t *testing.T) {
	out := edgefvm.OK(t, "state", "actor", "f0119", "--car", before)
	clitest.Plain(t, out)
	for _, want := range []string{"f0119 · multisig · v18/mainnet\n", "balance      1,000 FIL\n", `  Signers                ["f0100","f0101","f0110"]`, "  NumApprovalsThreshold  2\n", "  PendingTxns            HAMT of transaction → Transaction  bafy2bz"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	type view struct {
		row
		Version int    `json:"actors_version"`
		Type    string `json:"state_type"`
		State   struct {
			Signers     []string
			PendingTxns struct {
				Type    string
				Entries []struct {
					Key   string
					Value struct{ To, Value string }
				}
			}
		}
	}
	v := clitest.FromJSON[view](t, edgefvm.OK(t, "state", "actor", "f0119", "--car", before, "--json", "--depth", "1"))
	// What it is to pay is in the receipt of the message: explain shows the transfer.
	if v.ID != "f0119" || v.Version != 18 || v.Type != "multisig state v18" || len(v.State.Signers) != 3 || len(v.State.PendingTxns.Entries) != 1 || v.State.PendingTxns.Entries[0].Key != "0" {
		t.Errorf("%+v", v)
	}
	// The same actor by each of its addresses.
	for _, a := range []string{"f2yfxpck4kj6z6wbw75yb2vlcq4agaxpc2bycpvwa", "t0119", "0xff00000000000000000000000000000000000077"} {
		if again := edgefvm.OK(t, "state", "actor", a, "--car", before); again != out {
			t.Errorf("%s:\n%s", a, again)
		}
	}
	if out := edgefvm.OK(t, "state", "actor", "0x0426d88556bf538d6eefea76f16386fcd8ca5353", "--car", whole); !strings.Contains(out, "f0114 · ethaccount") || strings.Contains(out, "note") {
		t.Errorf("by its 0x address:\n%s", out)
	}
}

func TestGet(t *testing.T) {
	for path, want := range map[string]string{
		"actors/f01/state/NextID":                                                "120\n",
		"/actors/f01/state/NetworkName":                                          "mainnet\n",
		beforeRoot + "/actors/f0119/balance":                                     "1000000000000000000000\n",
		"/ipfs/" + beforeRoot + "/actors/f0119/balance":                          "1000000000000000000000\n",
		"/ipld/" + beforeRoot + "/actors/f0119/balance":                          "1000000000000000000000\n",
		"ipfs://" + beforeRoot + "/actors/f0119/balance":                         "1000000000000000000000\n",
		"actors/f0119/state/PendingTxns/0/To":                                    "f1w7hxf7y4iounqwwtam3xqex27vpmydorli7x23y\n",
		"actors/f0119/state/Signers/1":                                           "f0101\n",
		"bafy2bzaced3nibrf3f4n5kovgftu3ez3wh2dfasn62mkrhfir4zyiipnlrm4u/1/0/0/0": "0x00\n",
	} {
		r := edgefvm.Run(t, "state", "get", path, "--car", before)
		if r.Code != kit.ExitOK || r.Out != want {
			t.Errorf("%s: %+v, want %q", path, r, want)
		}
	}
	if out := edgefvm.OK(t, "state", "get", "actors/f01/state/NetworkName", "--car", before, "--json"); out != "\"mainnet\"\n" {
		t.Errorf("as JSON: %s", out)
	}
	if out, same := edgefvm.OK(t, "state", "get", `{"/":"`+beforeRoot+`"}`, "--car", before), edgefvm.OK(t, "state", "get", beforeRoot, "--car", before); out != same {
		t.Errorf("a CID as nodes write it: %s, want %s", out, same)
	}
	for _, same := range []string{`{"/":"` + beforeRoot + `"}`, "ipfs://" + beforeRoot} {
		if out := edgefvm.OK(t, "state", "diff", beforeRoot, same, "--car", before); out != "nothing differs\n" {
			t.Errorf("%s: %s", same, out)
		}
	}
	entry := linesOf[struct {
		Key   string
		Value json.RawMessage
	}](t, edgefvm.OK(t, "state", "get", "actors/f01/state/AddressMap", "--lines", "--car", whole))
	if len(entry) < 15 {
		t.Errorf("%d addresses", len(entry))
	}
	head := clitest.FromJSON[row](t, edgefvm.OK(t, "state", "ls", "--kind", "init", "--json", "--car", whole)).Head
	if out := edgefvm.OK(t, "state", "get", head+"/NetworkName", "--as", "v18/init", "--car", whole); out != "mainnet\n" {
		t.Errorf("of a CID with a type: %s", out)
	}
}

func TestDiff(t *testing.T) {
	file := after(t)
	r := edgefvm.Run(t, "state", "diff", before, file)
	clitest.Plain(t, r.Out)
	// The message pays what was proposed; explain's trace has the same transfer.
	for _, want := range []string{
		"f0101 account\n    nonce  4 → 5\n", "f0119 multisig\n    balance  1,000 FIL → 999.823629072460735722 FIL (-0.176370927539264278 FIL)\n  - state/PendingTxns/0  {\"To\":",
		"(+0.176370927539264278 FIL)", "5 actors changed, 0 added, 0 removed; 7 differences\n",
	} {
		if r.Code != kit.ExitFailed || !strings.Contains(r.Out, want) {
			t.Errorf("exit code %d, it lacks %q:\n%s%s", r.Code, want, r.Out, r.Err)
		}
	}
	type change struct {
		Actor, Kind, Op, Path string
		Before, After         any
	}
	r = edgefvm.Run(t, "state", "diff", beforeRoot, afterRoot, "--car", before, "--car", file, "--json", "--actor", "f0119")
	list := linesOf[change](t, r.Out)
	if r.Code != kit.ExitFailed || len(list) != 2 || list[1].Op != "removed" || list[1].Path != "/actors/f0119/state/PendingTxns/0" || list[1].After != nil || !strings.HasSuffix(r.Err, "1 actor changed, 0 added, 0 removed; 2 differences\n") {
		t.Errorf("%+v\n%s", list, r.Err)
	}
	if out := edgefvm.OK(t, "state", "diff", file, file); out != "nothing differs\n" {
		t.Errorf("with itself: %s", out)
	}
}

func TestStatAndExport(t *testing.T) {
	out := edgefvm.OK(t, "state", "stat", "--car", whole, "--fields")
	clitest.Plain(t, out)
	for _, want := range []string{"tree version 5 · actors v18/mainnet", "HAMT node ", "account ", "  AddressMap, HAMT node ", "all  "} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	edgefvm.Fails(t, kit.ExitFailed, []string{"state", "stat", "--car", before}, "is missing; --partial goes on without it")
	r := edgefvm.Run(t, "state", "stat", "--car", before, "--partial")
	if r.Code != kit.ExitOK || !strings.Contains(r.Err, "blocks are missing; the first is bafy2bz") {
		t.Errorf("%+v", r)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "small.car")
	done := clitest.FromJSON[struct {
		Roots         []string
		Blocks, Bytes int
	}](t, edgefvm.OK(t, "state", "export", "f0100", "f0114", "--with-tree", "--car", whole, "--out", file, "--json"))
	rows := linesOf[row](t, edgefvm.OK(t, "state", "ls", "--car", file, "--json"))
	if len(done.Roots) != 1 || done.Blocks < 8 || len(rows) != 6 {
		t.Errorf("%+v, %+v", done, rows)
	}
	clitest.NeedBundles(t)
	edgefvm.OK(t, "exec", "--car", file, "--nv", "28", "--epoch", "5800000", "--from", "f0100", "--to", "f0114", "--value", "1")
	// The archive that is read is not lost, by whatever name.
	link := filepath.Join(dir, "link.car")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	kept := clitest.ReadFrom(t, file)
	for _, name := range []string{file, link} {
		edgefvm.Fails(t, kit.ExitUsage, []string{"state", "export", "f0100", "--car", file, "--out", name}, "is the archive that is read")
	}
	if !bytes.Equal(clitest.ReadFrom(t, file), kept) {
		t.Error("the archive that was read is another")
	}
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	// A file that could not be written whole is not left.
	gone := filepath.Join(dir, "gone.car")
	edgefvm.Fails(t, kit.ExitFailed, []string{"state", "export", "f0100", "--car", before, "--out", gone}, "/actors/f0100/state: the block bafy2bz", "is missing; --partial goes on without it")
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("leftovers: %v", files)
	}
}

func TestMistakes(t *testing.T) {
	at := func(args ...string) []string { return append(append([]string{"state"}, args...), "--car", whole) }
	for _, c := range []struct {
		name string
		code int
		args []string
		want []string
	}{
		{"no archive", kit.ExitUsage, []string{"state", "ls"}, []string{"Give --car FILE"}},
		{"no such archive", kit.ExitFailed, []string{"state", "ls", "--car", "none.car"}, []string{"--car none.car: no such file"}},
		{"one root", kit.ExitUsage, []string{"state", "diff", whole}, []string{"state diff takes ROOT1 ROOT2, not 1 argument"}},
		{"nobody", kit.ExitFailed, at("actor", "f0777"), []string{"the state has no actor f0777"}},
		{"a command", kit.ExitUsage, []string{"state", "lst"}, []string{"state has no command \"lst\"; did you mean ls"}},
		{"another root", kit.ExitFailed, at("ls", "--root", afterRoot), []string{"does not hold the state root " + afterRoot}},
		{"a root that is none", kit.ExitUsage, at("ls", "--root", "x"), []string{"want a CID"}},
		{"a block that is no root", kit.ExitFailed, at("ls", "--root", "bafy2bzacecjbobhkusfegqtucqjfxhopxs3lieueboq3r4clesvefy4z6gu2q"), []string{"does not hold"}},
		{"no address", kit.ExitUsage, at("actor", "f0x"), []string{`address "f0x"`}},
		{"no such actor", kit.ExitFailed, at("actor", "f0999"), []string{"the state has no actor f0999"}},
		{"an address that nobody has", kit.ExitFailed, at("actor", "f2yfxpck4kj6z6wbw75yb2vlcq4agaxpc2bycpvwa"), []string{"knows no actor with the address f2yfx"}},
		{"a version", kit.ExitUsage, at("ls", "--actors-version", "7"), []string{"versions 8 to 19 are known"}},
		{"a field", kit.ExitFailed, at("get", "actors/f01/state/NxtID"), []string{"did you mean NextID?"}},
		{"a number", kit.ExitUsage, at("get", "actors", "--entries", "-1"), []string{"not negative"}},
		{"lines of no map", kit.ExitUsage, at("get", "version", "--lines"), []string{"--lines is for maps and arrays"}},
		{"a type without a CID", kit.ExitUsage, at("get", "version", "--as", "v18/init"), []string{"begins with a CID"}},
		{"a type", kit.ExitUsage, at("get", afterRoot, "--as", "v18/minr"), []string{`no types for "minr"; known: account, cron`}},
		{"a type's version", kit.ExitUsage, at("get", afterRoot, "--as", "v99/init"), []string{"versions v8 to v19 are known"}},
		{"nowhere to", kit.ExitUsage, at("export", "f0100"), []string{"Give --out"}},
		{"one root", kit.ExitUsage, at("diff", afterRoot), []string{"state diff takes ROOT1 ROOT2"}},
		{"no root", kit.ExitUsage, at("diff", afterRoot, "none.car"), []string{`"none.car" is neither a CID nor an archive`}},
	} {
		t.Run(c.name, func(t *testing.T) { edgefvm.Fails(t, c.code, c.args, c.want...) })
	}
}

// Interrupted, a command ends with its code and leaves nothing.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	for _, args := range [][]string{
		{"ls"}, {"ls", "--unsorted"}, {"actor", "f01"}, {"get", "actors"}, {"stat"}, {"export", "f01", "--out", filepath.Join(dir, "x.car")}, {"diff", whole, before},
	} {
		if r := edgefvm.RunWith(ctx, append(append([]string{"state"}, args...), "--car", whole)...); r.Code != kit.ExitInterrupted || r.Out != "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("leftovers: %v", files)
	}
}

// A store's folder serves as an archive does; it names no root.
func TestStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	store, err := pebble.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(whole)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	roots, err := blockstore.LoadCAR(t.Context(), f, store, blockstore.CAROptions{})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	if a, b := edgefvm.OK(t, "state", "ls", "--car", dir, "--root", roots[0].String()), edgefvm.OK(t, "state", "ls", "--car", whole); a != b {
		t.Errorf("of the store:\n%s\nof the archive:\n%s", a, b)
	}
	edgefvm.Fails(t, kit.ExitUsage, []string{"state", "ls", "--car", dir}, "give --root")
}

package chains_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// answer is one that Lotus v1.36.3 gives about a chain of testdata, of filapi's *.answers.jsonl.zst.
type answer struct {
	Method string
	Params []json.RawMessage
	Result json.RawMessage
	Error  *struct{ Message string }
}

// link is a CID in a node's JSON.
type link struct {
	CID string `json:"/"`
}

// answers are those about a chain to some methods.
func answers(t *testing.T, chain string, methods ...string) (list []answer) {
	t.Helper()
	f, err := os.Open("../../../../node/filapi/testdata/" + chain + ".answers.jsonl.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for d := json.NewDecoder(z); d.More(); {
		var a answer
		if err := d.Decode(&a); err != nil {
			t.Fatal(err)
		}
		for _, m := range methods {
			if a.Method == m {
				list = append(list, a)
			}
		}
	}
	if len(list) < 3 {
		t.Fatalf("%d answers about %s to %v", len(list), chain, methods)
	}
	return list
}

// param is a parameter of a call.
func param[T any](t *testing.T, a answer, i int) T {
	t.Helper()
	return clitest.FromJSON[T](t, string(a.Params[i]))
}

// epochs are a chain's, by tipset.
func epochs(t *testing.T, chain string) map[string]int64 {
	t.Helper()
	m := map[string]int64{}
	for _, w := range theirs(t, testdata, chain) {
		m[strings.Join(w.Key, " ")] = w.Epoch
	}
	return m
}

func keyOf(list []link) string {
	var names []string
	for _, l := range list {
		names = append(names, l.CID)
	}
	return strings.Join(names, " ")
}

// mainnet is an address as the command shows it.
func mainnet(a string) string {
	if strings.HasPrefix(a, "t") {
		return "f" + a[1:]
	}
	return a
}

type actorRow struct {
	ID, Kind, Code, Head, Balance string
	Nonce                         uint64
	Delegated                     *string         `json:"delegated_address"`
	State                         json.RawMessage // of chain state actor
}

type lotusActor struct {
	Code, Head link
	Nonce      uint64
	Balance    string
	Delegated  *string `json:"DelegatedAddress"`
}

func (a *lotusActor) is(r *actorRow) bool {
	same := a.Delegated == nil && r.Delegated == nil || a.Delegated != nil && r.Delegated != nil && mainnet(*a.Delegated) == *r.Delegated
	return same && a.Code.CID == r.Code && a.Head.CID == r.Head && a.Nonce == r.Nonce && a.Balance == r.Balance
}

// Actors at an epoch are those that a node has there, by id and by every other address.
func TestActorsOfLotus(t *testing.T) {
	clitest.NeedBundles(t)
	const chain = "two29"
	dir, at := store(t, testdata, chain), epochs(t, chain)
	rows := map[int64]map[string]actorRow{}
	list := func(epoch int64) map[string]actorRow {
		if rows[epoch] == nil {
			rows[epoch] = map[string]actorRow{}
			out := edgefvm.OK(t, chainArgs(testdata, chain, "state", "actors", "--at", itoa(epoch), "--store", dir, "--json")...)
			for line := range strings.Lines(out) {
				r := clitest.FromJSON[actorRow](t, line)
				rows[epoch][r.ID] = r
			}
		}
		return rows[epoch]
	}
	byID, byOther, missing := 0, 0, 0
	for _, a := range answers(t, chain, "StateGetActor", "StateListActors") {
		epoch, known := at[keyOf(param[[]link](t, a, len(a.Params)-1))]
		if !known {
			t.Fatalf("no tipset of %s", a.Params)
		}
		if a.Method == "StateListActors" {
			var want, got []string
			for _, id := range clitest.FromJSON[[]string](t, string(a.Result)) {
				want = append(want, mainnet(id))
			}
			for id := range list(epoch) {
				got = append(got, id)
			}
			sort.Strings(want)
			sort.Strings(got)
			if strings.Join(want, " ") != strings.Join(got, " ") {
				t.Errorf("epoch %d: actors %v, want %v", epoch, got, want)
			}
			continue
		}
		name := mainnet(param[string](t, a, 0))
		if a.Error != nil {
			missing++
			r := edgefvm.Run(t, chainArgs(testdata, chain, "state", "actor", name, "--at", itoa(epoch), "--store", dir)...)
			if r.Code == kit.ExitOK || r.Out != "" {
				t.Errorf("epoch %d, %s: %+v, and Lotus says %s", epoch, name, r, a.Error.Message)
			}
			continue
		}
		want := clitest.FromJSON[lotusActor](t, string(a.Result))
		if strings.HasPrefix(name, "f0") {
			byID++
			got, ok := list(epoch)[name]
			if !ok || !want.is(&got) {
				t.Errorf("epoch %d: %+v, want %+v", epoch, got, want)
			}
			continue
		}
		if byOther++; byOther%4 != 0 {
			continue
		}
		got := clitest.FromJSON[actorRow](t, edgefvm.OK(t, chainArgs(testdata, chain, "state", "actor", name, "--at", itoa(epoch), "--store", dir, "--json")...))
		if !want.is(&got) {
			t.Errorf("epoch %d, %s: %+v, want %+v", epoch, name, got, want)
		}
	}
	if byID < 50 || byOther < 20 || missing < 5 {
		t.Errorf("%d actors by id, %d by other addresses, %d that are not there", byID, byOther, missing)
	}
}

// What an actor's state says is what a node says of it: amounts, numbers, addresses and links, field by field.
func TestStatesOfLotus(t *testing.T) {
	clitest.NeedBundles(t)
	const chain = "two29"
	dir, at := store(t, testdata, chain), epochs(t, chain)
	kinds, fields := map[string]int{}, 0
	for _, a := range answers(t, chain, "StateReadState") {
		if a.Error != nil {
			continue
		}
		want := clitest.FromJSON[struct {
			Code  link
			State map[string]json.RawMessage
		}](t, string(a.Result))
		if kinds[want.Code.CID]++; kinds[want.Code.CID] > 3 { // some of each kind
			continue
		}
		name, epoch := mainnet(param[string](t, a, 0)), at[keyOf(param[[]link](t, a, 1))]
		shown := clitest.FromJSON[actorRow](t, edgefvm.OK(t, chainArgs(testdata, chain, "state", "actor", name, "--at", itoa(epoch), "--store", dir, "--json")...))
		if shown.Code != want.Code.CID {
			t.Errorf("%s at %d: code %s, want %s", name, epoch, shown.Code, want.Code.CID)
		}
		if want.State == nil {
			continue
		}
		got := clitest.FromJSON[map[string]json.RawMessage](t, string(shown.State))
		for field, theirs := range want.State {
			ours, ok := got[field]
			if !ok {
				t.Errorf("%s at %d has no %s", name, epoch, field)
				continue
			}
			fields++
			if text := plain(theirs); text != "" && text != plain(ours) {
				t.Errorf("%s at %d: %s is %s, want %s", name, epoch, field, ours, theirs)
			}
		}
	}
	if len(kinds) < 10 || fields < 60 {
		t.Errorf("%d kinds of actors, %d fields", len(kinds), fields)
	}
}

// plain is a value that both write the same, or "": lists, bytes and bitfields each have their own form.
func plain(v json.RawMessage) string {
	var l struct {
		CID string `json:"/"`
		In  any    `json:"cid"` // where a link is told with its type
	}
	var text string
	var n json.Number
	switch {
	case json.Unmarshal(v, &l) == nil && l.CID != "":
		return l.CID
	case bytes.HasPrefix(v, []byte(`"`)) && json.Unmarshal(v, &text) == nil:
		return mainnet(text)
	case json.Unmarshal(v, &n) == nil:
		return n.String()
	}
	if c, ok := l.In.(string); ok {
		return c
	}
	return ""
}

// The messages of a tipset are those that a node lists, with the same parts.
func TestTipsetMessagesOfLotus(t *testing.T) {
	n := 0
	for _, chain := range []string{"two29", "real28", "upgrades16"} {
		at := epochs(t, chain)
		for _, a := range answers(t, chain, "ChainGetMessagesInTipset") {
			epoch, known := at[keyOf(param[[]link](t, a, 0))]
			if !known {
				continue // the genesis
			}
			want := clitest.FromJSON[[]struct {
				Cid     link
				Message struct {
					To, From, Value, GasFeeCap, GasPremium string
					Nonce, Method                          uint64
					GasLimit                               int64
					Params                                 []byte
				}
			}](t, string(a.Result))
			v := clitest.FromJSON[struct {
				Messages []struct {
					CID, From, To, Value string
					Nonce, Method        uint64
					GasLimit             int64  `json:"gas_limit"`
					FeeCap               string `json:"gas_fee_cap"`
					Premium              string `json:"gas_premium"`
					Params               []byte
				}
			}](t, edgefvm.OK(t, chainArgs(testdata, chain, "tipset", itoa(epoch), "--headers", "--json")...))
			got := map[string]int{}
			for i, m := range v.Messages {
				got[m.CID] = i
			}
			for _, w := range want {
				n++
				i, ok := got[w.Cid.CID]
				if !ok {
					t.Errorf("%s, epoch %d: %s is missing", chain, epoch, w.Cid.CID)
					continue
				}
				if m := v.Messages[i]; m.From != mainnet(w.Message.From) || m.To != mainnet(w.Message.To) || m.Value != w.Message.Value || m.Nonce != w.Message.Nonce || m.Method != w.Message.Method || m.GasLimit != w.Message.GasLimit || m.FeeCap != w.Message.GasFeeCap || m.Premium != w.Message.GasPremium || !bytes.Equal(m.Params, w.Message.Params) {
					t.Errorf("%s, epoch %d: %+v, want %+v", chain, epoch, m, w)
				}
			}
			text := edgefvm.OK(t, chainArgs(testdata, chain, "tipset", itoa(epoch), "--headers")...)
			clitest.Plain(t, text)
			for _, w := range want {
				from := mainnet(w.Message.From)
				if !strings.Contains(text, w.Cid.CID+"\n  "+from[:min(len(from), 50)]) { // a line is cut to its width
					t.Errorf("%s, epoch %d: the text lacks %s", chain, epoch, w.Cid.CID)
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("%d messages", n)
	}
}

// A message has the receipt that a node finds for it, and is in the tipset below the one whose headers say so.
func TestReceiptsOfLotus(t *testing.T) {
	clitest.NeedBundles(t)
	const chain = "two29"
	dir := store(t, testdata, chain)
	seen := map[string]bool{}
	for _, a := range answers(t, chain, "StateSearchMsg") {
		name := param[link](t, a, 1).CID
		if a.Error != nil || string(a.Result) == "null" || seen[name] {
			continue
		}
		seen[name] = true
		want := clitest.FromJSON[struct {
			Message link
			Receipt struct {
				ExitCode   int64
				Return     []byte
				GasUsed    int64
				EventsRoot *link
			}
			Height int64 // of the tipset whose headers have the receipt
		}](t, string(a.Result))
		got := clitest.FromJSON[shownMessage](t, edgefvm.OK(t, chainArgs(testdata, chain, "message", name, "--store", dir, "--json")...))
		r := got.Receipt
		if got.CID != want.Message.CID || r.Exit != want.Receipt.ExitCode || r.Gas != want.Receipt.GasUsed || !bytes.Equal(r.Return, want.Receipt.Return) || got.Epoch >= want.Height {
			t.Errorf("%+v, want %+v", got, want)
		}
		if e := want.Receipt.EventsRoot; (e == nil) != (r.Events == nil) || e != nil && e.CID != *r.Events {
			t.Errorf("events of %s: %v, want %v", name, r.Events, e)
		}
	}
	if len(seen) < 4 {
		t.Errorf("%d messages", len(seen))
	}
}

// The circulating supply of a tipset's messages is the one that Lotus had for them.
func TestSupplyOfLotus(t *testing.T) {
	clitest.NeedBundles(t)
	const chain = "two29"
	dir := store(t, testdata, chain)
	list := clitest.FromJSON[[]struct {
		Epoch  int64
		Supply string `json:"circulating_supply"`
	}](t, string(clitest.ReadFrom(t, testdata+chain+".tipsets.json")))
	n := 0
	for _, w := range list {
		if w.Supply == "" { // behind a null round it is not told
			continue
		}
		if n++; n%2 == 0 {
			continue
		}
		v := clitest.FromJSON[struct {
			Supply string `json:"circulating_supply"`
		}](t, edgefvm.OK(t, chainArgs(testdata, chain, "tipset", itoa(w.Epoch), "--store", dir, "--json")...))
		if v.Supply != w.Supply {
			t.Errorf("epoch %d: %s, want %s", w.Epoch, v.Supply, w.Supply)
		}
	}
	if n < 5 {
		t.Errorf("%d tipsets", n)
	}
}

// An archive of another make says what it is, and holds the same.
func TestInfoOfOtherFiles(t *testing.T) {
	want := clitest.FromJSON[info](t, edgefvm.OK(t, chainArgs(testdata, "two29", "info", "--json")...))
	f, err := os.Open(testdata + "two29.car.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var plain, zipped bytes.Buffer
	if _, err := plain.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	g := gzip.NewWriter(&zipped)
	if _, err := g.Write(plain.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for kind, data := range map[string][]byte{"CAR version 1": plain.Bytes(), "CAR, compressed by gzip": zipped.Bytes()} {
		path := clitest.WriteTo(t, filepath.Join(dir, "chain"), data)
		args := []string{"chain", "info", path, "--network", testdata + "two29.json", "--cache", filepath.Join(dir, "cache")}
		got := clitest.FromJSON[info](t, edgefvm.OK(t, append(args, "--json")...))
		if got.Kind != kind || got.Tipsets != want.Tipsets || got.Messages != want.Messages || strings.Join(got.Head, " ") != strings.Join(want.Head, " ") || *got.Genesis != *want.Genesis {
			t.Errorf("%s: %+v, want %+v", kind, got, want)
		}
		text := edgefvm.OK(t, args...)
		clitest.Plain(t, text)
		if !strings.Contains(text, "file           "+kind+", ") || !strings.Contains(text, "genesis        "+*want.Genesis+", ") || !strings.Contains(text, "network        two29, chain id 31415926\n") {
			t.Errorf("%s:\n%s", kind, text)
		}
	}
	// One that does not reach back to the genesis: its lower half is cut off by --from.
	text := edgefvm.OK(t, "chain", "info", testdata+"two29.car.zst", "--from", "30")
	if strings.Contains(text, "\ngenesis  ") || !strings.Contains(text, "network        not known\n") || !strings.Contains(text, "note           ") {
		t.Errorf("%s", text)
	}
}

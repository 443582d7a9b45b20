package fuzz

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/duel/dueltest"
	"github.com/edgefvm/fvm/lab/fuzz/internal/script"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/vector"
)

func TestMain(m *testing.M) {
	dueltest.RunIfChild()
	os.Exit(m.Run())
}

var actorsOf = vector.NewActors(bundle.Options{})

func corpusFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "conformance", "testdata", "nv28-multisig-*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	return files
}

func newFactory(t testing.TB, seed uint64, nvs ...network.Version) *factory {
	t.Helper()
	w, err := newWorlds(actorsOf)
	if err != nil {
		t.Fatal(err)
	}
	c, err := readCorpus(corpusFiles(t), nvs, actorsOf)
	if err != nil {
		t.Fatal(err)
	}
	f := &factory{worlds: w, corpus: c, seed: seed, nvs: nvs}
	f.theater.engine = func() (*fvm.Engine, error) {
		dir, _ := fvm.DefaultCacheDir()
		e, _, err := ListeningWazero(dir)
		if err == nil {
			t.Cleanup(func() { _ = e.Close(context.Background()) })
		}
		return e, err
	}
	return f
}

func text(t *testing.T, c *Case) string {
	t.Helper()
	b, err := json.Marshal(c.Request)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(string(b), c.Note, c.parts)
}

// A seed and a number make the same case wherever and whenever, and others make others.
func TestSameCase(t *testing.T) {
	first, second, other := newFactory(t, 5, 28), newFactory(t, 5, 28), newFactory(t, 6, 28)
	for _, l := range layers() {
		seen, repeated := map[string]bool{}, 0
		for i := range uint64(30) {
			a, err := first.make(t.Context(), &l, i)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := second.make(t.Context(), &l, 29-i); err != nil { // in another order
				t.Fatal(err)
			}
			b, err := second.make(t.Context(), &l, i)
			if err != nil {
				t.Fatal(err)
			}
			x, err := other.make(t.Context(), &l, i)
			if err != nil {
				t.Fatal(err)
			}
			one := text(t, a)
			if one != text(t, b) {
				t.Errorf("layer %s: case %d is not the same twice", l.name, i)
			}
			if seen[one] || one == text(t, x) {
				repeated++
			}
			seen[one] = true
			if a.Layer != l.name || a.Index != i || a.Seed != 5 || len(a.Request.Messages) == 0 || a.Request.NV != 28 {
				t.Errorf("layer %s: %+v", l.name, a)
			}
		}
		// A change may change nothing; scenes begin as they are, and the cases that reach all are the same with every seed.
		if most := map[string]int{"actors": 10, "scenes": 30, "syscalls": reachingParts, "wasm": reachingParts}[l.name]; repeated > most {
			t.Errorf("layer %s: %d cases are some that there were", l.name, repeated)
		}
	}
}

// All versions that there are have a world, and what is not there is an error.
func TestWorlds(t *testing.T) {
	w, err := newWorlds(actorsOf)
	if err != nil {
		t.Fatal(err)
	}
	for _, nv := range Versions() {
		x, err := w.at(t.Context(), nv)
		if err != nil {
			t.Fatal(err)
		}
		if x.NV != nv || len(x.Pool) != 16 || len(x.of("secp")) != 8 || x.slim == nil || x.slim.root == x.root {
			t.Errorf("nv%d: %+v", nv, x.worldInfo)
		}
	}
	if _, err := w.at(t.Context(), 5); err == nil || !strings.Contains(err.Error(), "network version 5") {
		t.Errorf("nv5: %v", err)
	}
}

// What the reference compiled for the whole manifest must not let an actor of the slim world run, which nothing there lists.
func TestSlimWorldHidesCode(t *testing.T) {
	w, err := newWorlds(actorsOf)
	if err != nil {
		t.Fatal(err)
	}
	for _, nv := range []network.Version{16, 17} {
		x, err := w.at(t.Context(), nv)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := state.Load(t.Context(), blockstore.NewBuffered(x.store()), x.slim.root, treeVersions...)
		if err != nil {
			t.Fatal(err)
		}
		hidden := 0
		err = tree.ForEach(t.Context(), func(id abi.ActorID, st *state.ActorState) error {
			if slices.ContainsFunc(x.slim.entries, func(e actors.Entry) bool { return e.Code == st.Code }) {
				return nil
			}
			hidden++
			if has, err := x.store().Has(t.Context(), st.Code); err != nil || has {
				t.Errorf("nv%d: the code of f0%d is there, which the manifest does not list: %v", nv, id, err)
			}
			return nil
		})
		if err != nil || hidden == 0 {
			t.Errorf("nv%d: %d actors whose code is not listed: %v", nv, hidden, err)
		}
	}
}

func campaignOptions(t *testing.T, mode string) Options {
	t.Helper()
	return Options{
		Actors: actorsOf, Oracle: dueltest.Program(t, mode), Seed: 3, Versions: []network.Version{28}, Cases: 6, Corpus: corpusFiles(t), Dir: t.TempDir(),
		Engines: func(keep bool) ([]*fvm.Engine, *Listener, error) {
			dir := ""
			if keep {
				dir, _ = fvm.DefaultCacheDir()
			}
			e, ear, err := ListeningWazero(dir)
			return []*fvm.Engine{e}, ear, err
		},
	}
}

// Each directed case has a result, alone, in each era: what has none is not for the reference.
func TestDirectedCasesHaveResults(t *testing.T) {
	dir, err := fvm.DefaultCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := ListeningWazero(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	w, err := newWorlds(actorsOf)
	if err != nil {
		t.Fatal(err)
	}
	f := &factory{worlds: w}
	for _, nv := range []network.Version{16, 18, 21} {
		x, err := w.at(t.Context(), nv)
		if err != nil {
			t.Fatal(err)
		}
		ran := 0
		for i, c := range x.slim.directedCases() {
			if costly(c.Name) {
				continue
			}
			g := &gen{Rand: source(1, "directed", uint64(i)), world: x.slim, f: f}
			r := g.setting()
			r.BaseFee, r.Proofs = "100", "valid"
			o, err := duel.RunOurs(t.Context(), g.scripts(r, []script.Case{c}).Case, e)
			if err != nil {
				t.Fatal(err)
			}
			if ran++; o.Broken {
				t.Errorf("nv%d, %s: %v", nv, c.Name, o.Err)
			}
		}
		if ran < 900 {
			t.Errorf("nv%d: %d cases", nv, ran)
		}
	}
}

// A campaign of the cases that reach all runs these, and ends.
func TestCampaignReaching(t *testing.T) {
	opts := campaignOptions(t, dueltest.Sound)
	opts.Cases, opts.Reaching = 0, true
	rep, err := Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Layers) != 2 || rep.Failed() > 0 {
		t.Errorf("%+v", rep.Layers)
	}
	for name, tally := range rep.Layers {
		if tally.Cases != reachingParts || tally.Next != run {
			t.Errorf("%s: %+v", name, tally)
		}
	}
	list, err := rep.Coverage.Against(opts.Versions)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Of == "nv28" && r.Reached != r.All {
			t.Errorf("%+v", r)
		}
	}
	opts.Layers = []string{"evm"}
	if _, err := Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "[evm]") {
		t.Errorf("a layer without such cases: %v", err)
	}
}

// A campaign on a reference that is sound finds nothing, and goes on where it stopped.
func TestCampaign(t *testing.T) {
	opts := campaignOptions(t, dueltest.Sound)
	rep, err := Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	names, _ := Layers()
	for _, n := range names {
		tally := rep.Layers[n]
		if tally == nil || tally.Cases != 6 || tally.Next != 6 || tally.Failed != 0 || tally.Passed+tally.Unjudged != tally.Messages || tally.Messages < 6 {
			t.Errorf("%s: %+v", n, tally)
		}
	}
	if len(rep.Findings) != 0 || rep.Failed() != 0 || rep.Passed() == 0 {
		t.Errorf("%+v", rep.Findings)
	}
	for what, m := range map[string]map[string]int{"syscalls": rep.Coverage.Syscalls, "charges": rep.Coverage.Charges, "methods": rep.Coverage.Methods} {
		if len(m) < 5 {
			t.Errorf("%s reached: %v", what, m)
		}
	}
	before := rep.Messages()
	opts.Cases = 8
	again, err := Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if tally := again.Layers["syscalls"]; tally.Cases != 8 || tally.Next != 8 || again.Messages() <= before {
		t.Errorf("it did not go on: %+v after %d messages", tally, before)
	}
	opts.Seed = 4
	if _, err := Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "seed 3") {
		t.Errorf("another seed in the folder: %v", err)
	}
}

// A unit of gas too much is found in scripts that hash, and the script is made as small as that.
func TestFindsAndMinimises(t *testing.T) {
	opts := campaignOptions(t, dueltest.Gas)
	opts.Layers, opts.Cases = []string{"syscalls"}, 60
	rep, err := Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Findings) != 1 || rep.Failed() == 0 {
		t.Fatalf("%+v", rep)
	}
	f := rep.Findings[0]
	if f.Differences[0].Field != "gas_used" || f.Error != "" || f.Parts < 4 || f.Left > 4 || f.Left >= f.Parts {
		t.Errorf("%+v", f)
	}
	v, err := conformance.Load(f.Saved)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Receipts()) != 1 || !strings.Contains(v.Comment(), fmt.Sprintf("seed 3, case %d", f.Index)) {
		t.Errorf("%d messages, %q", len(v.Receipts()), v.Comment())
	}
	// The case alone, by its number.
	opts.Only, opts.Dir = &f.Index, ""
	one, err := Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(one.Findings) != 1 || one.Layers["syscalls"].Cases != 1 || len(one.Shown) < 2 {
		t.Errorf("%+v", one)
	}
}

// Over what the reference gives way, it is asked once. The finding says so, and no file is made of it.
func TestGivesWay(t *testing.T) {
	opts := campaignOptions(t, dueltest.Panics)
	opts.Layers, opts.Cases = []string{"envelopes"}, 1
	rep, err := Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Findings) != 1 {
		t.Fatalf("%+v", rep)
	}
	if f := rep.Findings[0]; f.Error != duel.ErrNotKept.Error() || f.Saved != "" || f.Left != f.Parts || f.Parts < 2 {
		t.Errorf("%+v", f)
	}
	files, err := os.ReadDir(opts.Dir)
	if err != nil || len(files) != 1 || files[0].Name() != stateFile {
		t.Errorf("%v, %v", files, err)
	}
}

// What the reference was spared is neither passed nor failed.
func TestSparedIsCounted(t *testing.T) {
	rep := &Report{Layers: map[string]*Tally{}, Coverage: newCoverage()}
	c := &Case{Case: &duel.Case{Request: &oracle.Request{NV: 28}}, Layer: "wasm", Index: 7}
	v := &duel.Verdict{Ours: &duel.Ours{Results: make([]*fvm.Result, 2), Broken: true}, Spared: "a reason"}
	rep.add(c, v, nil, newCoverage())
	if got := rep.Layers["wasm"]; got.Spared != 1 || got.SparedMessages != 2 || !slices.Equal(got.SparedFirst, []uint64{7}) || got.Passed+got.Failed+got.Gone != 0 || got.Messages != 2 {
		t.Errorf("%+v", got)
	}
	if lines := show(c, v); !strings.Contains(strings.Join(lines, "\n"), "not asked: a reason") {
		t.Errorf("%q", lines)
	}
}

func TestBadOptions(t *testing.T) {
	opts := campaignOptions(t, dueltest.Sound)
	opts.Layers = []string{"nothing"}
	if _, err := Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), `no layer "nothing"`) {
		t.Errorf("it is %v", err)
	}
	opts = campaignOptions(t, dueltest.Sound)
	opts.Only = new(uint64)
	if _, err := Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "one layer") {
		t.Errorf("it is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rep, err := Run(ctx, campaignOptions(t, dueltest.Sound))
	if err != nil || rep.Messages() != 0 {
		t.Errorf("a campaign that was stopped before it began: %+v, %v", rep, err)
	}
}

// What is read is written again, byte for byte, if it was in its shortest form.
func TestItems(t *testing.T) {
	for _, text := range []string{"\x00", "\x18\x64", "\x3b\xff\xff\xff\xff\xff\xff\xff\xff", "\x82\x01\x42ab", "\xa1\x61k\x83\xf6\xf5\xfb\x40\x09\x21\xfb\x54\x44\x2d\x18", "\xd8\x2a\x43\x00ab", "\x80", "\x60"} {
		it, rest, err := parseItem([]byte(text), 8)
		if err != nil || len(rest) != 0 {
			t.Errorf("%x: %v, %x left", text, err, rest)
			continue
		}
		if got := it.appendTo(nil); string(got) != text {
			t.Errorf("%x became %x", text, got)
		}
	}
	for _, text := range []string{"", "\x18", "\x42a", "\x82\x01", "\x9f\xff", "\x1c", "\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x01"} {
		if it, _, err := parseItem([]byte(text), 8); err == nil {
			t.Errorf("%x is %+v", text, it)
		}
	}
}

func FuzzItems(f *testing.F) {
	f.Add([]byte("\x82\x01\x42ab"))
	f.Fuzz(func(t *testing.T, b []byte) {
		it, rest, err := parseItem(b, 32)
		if err != nil {
			return
		}
		once := it.appendTo(nil)
		again, left, err := parseItem(once, 32)
		if err != nil || len(left) != 0 {
			t.Fatalf("%x became %x: %v", b[:len(b)-len(rest)], once, err)
		}
		if twice := again.appendTo(nil); !bytes.Equal(once, twice) {
			t.Errorf("%x became %x", once, twice)
		}
	})
}

// Changed params are mostly still CBOR: that is the point of changing items and not bytes.
func TestMutateCBOR(t *testing.T) {
	g := &gen{Rand: source(1, "test", 1), world: mustWorld(t)}
	params := []byte("\x85\x42\x00\x64\x40\x18\x2a\x83\x01\x02\x03\xf5")
	same, whole := 0, 0
	for range 400 {
		b := g.mutateCBOR(params)
		if bytes.Equal(b, params) {
			same++
		}
		if _, rest, err := parseItem(b, 64); err == nil && len(rest) == 0 {
			whole++
		}
	}
	if same > 40 || whole < 300 || whole == 400 {
		t.Errorf("of 400, %d are the same and %d are whole items", same, whole)
	}
}

func mustWorld(t *testing.T) *world {
	t.Helper()
	w, err := newWorlds(actorsOf)
	if err != nil {
		t.Fatal(err)
	}
	x, err := w.at(t.Context(), 28)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Damaged modules are other bytes, and a contract's creation has an address that calls go to.
func TestParts(t *testing.T) {
	f := newFactory(t, 9, 28)
	all := layers()
	for _, name := range []string{"wasm", "evm", "syscalls", "envelopes", "actors"} {
		l := all[slices.IndexFunc(all, func(l layer) bool { return l.name == name })]
		c, err := f.make(t.Context(), &l, 3)
		if err != nil {
			t.Fatal(err)
		}
		keep := make([]bool, c.parts)
		for i := range keep {
			keep[i] = true
		}
		whole, err := c.without(t.Context(), keep)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(whole.Request)
		b, _ := json.Marshal(c.Request)
		if !bytes.Equal(a, b) {
			t.Errorf("%s: with all its parts it is another case", name)
		}
	}
}

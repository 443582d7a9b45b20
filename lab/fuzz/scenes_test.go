package fuzz

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/oracle"
)

// noSuchMethod is USR_UNHANDLED_MESSAGE.
const noSuchMethod = 22

// update is the only way that testdata is made: with what the reference gives.
var update = flag.Bool("update", false, "write testdata with what the reference (EDGEFVM_ORACLE) gives")

// scenesOf plays the scenes of a network version on ours.
func scenesOf(t *testing.T, w *world, e *fvm.Engine) *scenery {
	t.Helper()
	all, err := playScenes(t.Context(), w, e)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range all.broken {
		t.Error(err)
	}
	return all
}

// Each method of the builtin actors that methods.txt names succeeds in some scene, but for those of refuses.txt, which are called and refused.
func TestScenesReachEachMethod(t *testing.T) {
	dir, _ := fvm.DefaultCacheDir()
	e, _, err := ListeningWazero(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close(t.Context()) }()
	w, err := newWorlds(actorsOf)
	if err != nil {
		t.Fatal(err)
	}
	no, err := refused()
	if err != nil {
		t.Fatal(err)
	}
	nvs := Versions()
	if testing.Short() {
		nvs = []network.Version{16, 18, 28}
	}
	for _, nv := range nvs {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			x, err := w.at(t.Context(), nv)
			if err != nil {
				t.Fatal(err)
			}
			all := scenesOf(t, x, e)
			list, err := methodReach(all.seen, []network.Version{nv})
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			version, err := bundle.VersionFor(nv)
			if err != nil {
				t.Fatal(err)
			}
			none := 0
			for _, m := range no {
				if !m.in(version) {
					continue
				}
				none++
				if all.seen.Methods[fmt.Sprintf("nv%d %s %d ok", nv, m.actor, m.number)] > 0 {
					t.Errorf("%s %s is in refuses.txt, and it succeeds", m.actor, m.name)
				}
				if got := all.exitCodes(m.actor, m.number); !slices.Equal(got, []exitcode.ExitCode{noSuchMethod}) {
					t.Errorf("%s %s is in refuses.txt, and its exit codes are %v", m.actor, m.name, got)
				}
			}
			for _, name := range list[0].Missing {
				t.Errorf("%s never succeeds", name)
			}
			if most := map[bool]int{true: 60, false: 140}[nv < 18]; list[0].All < most {
				t.Errorf("only %d methods", list[0].All)
			}
			all.compare(t, x, *update)
			t.Logf("%s: %d of %d methods succeed, %d are refused, in %d steps", list[0].Of, list[0].Reached, list[0].All, none, len(all.steps))
		})
	}
}

// exitCodes are what calls of a method gave.
func (s *scenery) exitCodes(actor string, method uint64) []exitcode.ExitCode {
	var list []exitcode.ExitCode
	for _, st := range s.steps {
		if st.result != nil && st.actor == actor && uint64(st.message.Method) == method {
			list = append(list, st.result.ExitCode)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// line is what came of a step, and of which one.
func (st *step) line(code exitcode.ExitCode, gas int64, ret []byte, root cid.Cid) string {
	h, sum := []byte(root.Hash()), sha256.Sum256(ret)
	return fmt.Sprintf("%d %d %x %x %s", uint32(code), gas, sum[:4], h[len(h)-6:], st.note)
}

// compare holds each step against what the reference gave for it: exit code, gas used, the returned bytes, the root. With write, the reference is
// asked for it.
func (s *scenery) compare(t *testing.T, w *world, write bool) {
	t.Helper()
	path := filepath.Join("testdata", "scenes", fmt.Sprintf("nv%d.txt", w.NV))
	if write {
		s.ask(t, w, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(want) != len(s.steps) {
		t.Fatalf("%d steps, and %s has %d: it wants -update", len(s.steps), path, len(want))
	}
	for i := range s.steps {
		st := &s.steps[i]
		if st.result == nil {
			continue // playScenes told why
		}
		if got := st.line(st.result.ExitCode, st.result.GasUsed, st.result.Return, st.root); got != want[i] {
			t.Errorf("it came to  %s\nand not to %s: %s", got, want[i], st.result.Failure)
		}
	}
}

// ask writes what the reference gives.
func (s *scenery) ask(t *testing.T, w *world, path string) {
	t.Helper()
	peer := duel.NewPeer(os.Getenv("EDGEFVM_ORACLE"))
	defer peer.Close()
	var text strings.Builder
	for i := range s.steps {
		st := &s.steps[i]
		c := w.duel(st.request)
		c.Scope, c.Quiet = &s.state, true
		theirs, err := duel.RunTheirs(t.Context(), c, peer)
		if err != nil || theirs.Err != nil {
			t.Fatalf("%s: %v, %v", st.note, err, theirs)
		}
		res, err := oracle.ResultOf(&theirs.Answer.Results[0])
		if err != nil {
			t.Fatal(err)
		}
		root, err := cid.Decode(theirs.Answer.Root)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&text, st.line(res.ExitCode, res.GasUsed, res.Return, root))
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

// The same scenes come out of every play, whatever ran before.
func TestScenesAreTheSame(t *testing.T) {
	f, g := newFactory(t, 1, 28), newFactory(t, 2, 28)
	all := layers()
	l := &all[slices.IndexFunc(all, func(l layer) bool { return l.name == "scenes" })]
	for _, i := range []uint64{0, 7, 100} {
		a, err := f.make(t.Context(), l, i)
		if err != nil {
			t.Fatal(err)
		}
		b, err := g.make(t.Context(), l, i)
		if err != nil {
			t.Fatal(err)
		}
		if text(t, a) != text(t, b) || strings.Contains(a.Note, "changed") {
			t.Errorf("step %d is not the same with another seed: %s, %s", i, a.Note, b.Note)
		}
	}
	if a, err := f.make(t.Context(), l, 5000); err != nil || !strings.Contains(a.Note, "changed") {
		t.Errorf("case 5000: %+v, %v", a, err)
	}
}

// The keys that scenes sign with are those of the world's accounts.
func TestSceneKeys(t *testing.T) {
	w := mustWorld(t)
	for i, a := range w.of("secp") {
		got, err := address.NewSecp256k1Address(secpKey(uint64(i)).PubKey().SerializeUncompressed())
		if err != nil || got.String()[1:] != a.Addr[1:] {
			t.Errorf("account %d: %v %v, want %s", i, got, err, a.Addr)
		}
	}
}

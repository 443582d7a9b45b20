package follow

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
)

func theJournal(t testing.TB, dir string) *journal {
	t.Helper()
	j, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.close() })
	return j
}

// What was written is there for the next process, whatever the last one left of a line.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	j := theJournal(t, dir)
	if j.judgedTo() != -1 || j.of("a") != nil {
		t.Error("a new journal knows something")
	}
	for i, name := range []string{"a", "b", "c"} {
		if err := j.add(&Judgement{Epoch: abi.ChainEpoch(i), Tipset: name, Result: Passed, StateRoot: "root <" + name + ">"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range []abi.ChainEpoch{1, 2, 1} { // it does not fall
		if err := j.reach(to); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, journalFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string]string{
		"nothing more": "", "half a line": `{"epoch":3,"tipset":"d","resu`, "half a word about how far": `{"judged_to`, "zeros": strings.Repeat("\x00", 5000),
		"lines that are none": "x\n[]\n{}\nnull\n\"\"\n" + strings.Repeat("y", 200_000) + "\n",
	} {
		if err := os.WriteFile(path, append(append([]byte{}, whole...), more...), 0o600); err != nil {
			t.Fatal(err)
		}
		j := theJournal(t, dir)
		if j.judgedTo() != 2 || len(j.done) != 3 || j.of("c") == nil || j.of("c").StateRoot != "root <c>" || j.of("d") != nil {
			t.Errorf("%s: to %d, %v", name, j.judgedTo(), j.done)
		}
		if err := j.add(&Judgement{Epoch: 4, Tipset: "e", Result: Differs, Reason: "a\nb"}); err != nil {
			t.Fatal(err)
		}
		if err := j.close(); err != nil {
			t.Fatal(err)
		}
		if j = theJournal(t, dir); j.of("e") == nil || j.of("e").Reason != "a\nb" || j.of("c") == nil {
			t.Errorf("%s: what was added then is not there", name)
		}
	}
	j = theJournal(t, dir)
	if err := j.reset(0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if j.judgedTo() != 0 || len(j.done) != 0 {
			t.Error("it was not reset")
		}
		j = theJournal(t, dir)
	}
}

// Files do not grow without end, and what is remembered does not either.
func TestJournalBound(t *testing.T) {
	dir := t.TempDir()
	j := theJournal(t, dir)
	j.limit = 2000
	for i := range 100 {
		if err := j.add(&Judgement{Epoch: abi.ChainEpoch(i), Tipset: fmt.Sprint("tipset ", i), Result: Passed}); err != nil {
			t.Fatal(err)
		}
		if err := j.reach(abi.ChainEpoch(i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{journalFile, journalOld} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() > 2000 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	again := theJournal(t, dir)
	if again.judgedTo() != 99 || again.of("tipset 99") == nil || again.of("tipset 0") != nil {
		t.Errorf("to %d, %d tipsets", again.judgedTo(), len(again.done))
	}
	for i := range remembered + 50 {
		again.remember(&Judgement{Tipset: fmt.Sprint(i)})
	}
	if len(again.done) != remembered || len(again.order) != remembered {
		t.Errorf("%d are remembered", len(again.done))
	}
}

// Whatever a journal's file holds, it is opened, and written to.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"epoch":3,"tipset":"d","result":"passed","time":"2026-01-01T00:00:00Z"}` + "\n" + `{"judged_to":5}` + "\n"))
	f.Add([]byte("{\n\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, journalFile), data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := openJournal(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.add(&Judgement{Tipset: "new", Result: Passed}); err != nil {
			t.Fatal(err)
		}
		if err := j.close(); err != nil {
			t.Fatal(err)
		}
		if j, err = openJournal(dir); err != nil || j.of("new") == nil {
			t.Fatalf("%v: what was added is not there", err)
		}
		_ = j.close()
	})
}

package upkeep_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/upkeep"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/internal/wasm/instrument"
)

func TestCacheOfNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	if v := clitest.FromJSON[upkeep.CacheView](t, edgefvm.OK(t, "cache", "info", "--cache", dir, "--json")); v != (upkeep.CacheView{Dir: dir, Pass: instrument.PassVersion}) {
		t.Errorf("%+v", v)
	}
	if out := edgefvm.OK(t, "cache", "clean", "--cache", dir); out != "removed 0 entries, 0 bytes, from "+dir+"\n" {
		t.Errorf("clean printed %q", out)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("looking at the cache made it")
	}
	t.Setenv("EDGEFVM_CACHE", dir)
	if out := edgefvm.OK(t, "cache", "info"); !strings.Contains(out, "folder        "+dir+"\n") {
		t.Errorf("the folder of the environment:\n%s", out)
	}
	file := clitest.WriteTo(t, filepath.Join(t.TempDir(), "file"), nil)
	edgefvm.Fails(t, kit.ExitFailed, []string{"cache", "info", "--cache", file}, "the cache in "+file)
}

// Indexes and copies of archives are counted, and removed; other files stay.
func TestCacheOfArchives(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "archives")
	for name, data := range map[string]string{
		"a.car-0123456789abcdef.efvm-index": "index", "a.car.gz-0123456789abcdef-0123456789abcdef.car": "the copy", ".a.car.gz-0123456789abcdef-0123456789abcdef.car99": "part",
		"a.car": "mine", "notes-0123456789abcdef.txt": "mine",
	} {
		if err := os.MkdirAll(in, 0o700); err != nil {
			t.Fatal(err)
		}
		clitest.WriteTo(t, filepath.Join(in, name), []byte(data))
	}
	if v := clitest.FromJSON[upkeep.CacheView](t, edgefvm.OK(t, "cache", "info", "--cache", dir, "--json")); v.Archives.Entries != 3 || v.Archives.Bytes != 17 || v.Entries != 0 {
		t.Errorf("%+v", v)
	}
	if out := edgefvm.OK(t, "cache", "info", "--cache", dir); !strings.Contains(out, "archives      3 files, 17 bytes") {
		t.Errorf("it lacks them:\n%s", out)
	}
	if out := edgefvm.OK(t, "cache", "clean", "--cache", dir); !strings.Contains(out, "removed 3 files of archives, 17 bytes") {
		t.Errorf("it lacks them:\n%s", out)
	}
	if left, err := os.ReadDir(in); err != nil || len(left) != 2 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestCache(t *testing.T) {
	clitest.NeedBundles(t)
	dir := t.TempDir()
	mine := clitest.WriteTo(t, filepath.Join(dir, "notes.txt"), []byte("mine"))
	edgefvm.OK(t, "vectors", "run", "--cache", dir, clitest.Golden("nv28-script-send-014"))
	v := clitest.FromJSON[upkeep.CacheView](t, edgefvm.OK(t, "cache", "info", "--cache", dir, "--json"))
	if v.Entries == 0 || v.Bytes == 0 || v.Bad != 0 || v.Dir != dir {
		t.Fatalf("after a run: %+v", v)
	}
	out := edgefvm.OK(t, "cache", "info", "--cache", dir)
	for _, want := range []string{"folder        " + dir + "\n", "entries       " + layout.Grouped(v.Entries) + "\n", "bytes         " + layout.Grouped(v.Bytes) + "\n", "pass version  "} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}

	entries, err := filepath.Glob(filepath.Join(dir, "wazero-*", "*"))
	if err != nil || len(entries) != v.Entries {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	clitest.WriteTo(t, entries[0], []byte("damaged"))
	if out := edgefvm.OK(t, "cache", "info", "--cache", dir); !strings.Contains(out, "bad           1 entry fails its checksum") {
		t.Errorf("a damaged entry:\n%s", out)
	}

	c := clitest.FromJSON[upkeep.CacheView](t, edgefvm.OK(t, "cache", "clean", "--cache", dir, "--json"))
	if c.Entries != v.Entries {
		t.Errorf("cleaned: %+v", c)
	}
	if v := clitest.FromJSON[upkeep.CacheView](t, edgefvm.OK(t, "cache", "info", "--cache", dir, "--json")); v.Entries != 0 || v.Bytes != 0 {
		t.Errorf("after cleaning: %+v", v)
	}
	if string(clitest.ReadFrom(t, mine)) != "mine" {
		t.Error("cleaning touched another file")
	}
}

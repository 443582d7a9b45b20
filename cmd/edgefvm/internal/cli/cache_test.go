package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/internal/wasm/instrument"
)

func TestCacheOfNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	if v := fromJSON[cacheView](t, ok(t, "cache", "info", "--cache", dir, "--json")); v != (cacheView{Dir: dir, Pass: instrument.PassVersion}) {
		t.Errorf("%+v", v)
	}
	if out := ok(t, "cache", "clean", "--cache", dir); out != "removed 0 entries, 0 bytes, from "+dir+"\n" {
		t.Errorf("clean printed %q", out)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("looking at the cache made it")
	}
	t.Setenv("EDGEFVM_CACHE", dir)
	if out := ok(t, "cache", "info"); !strings.Contains(out, "folder        "+dir+"\n") {
		t.Errorf("the folder of the environment:\n%s", out)
	}
	file := writeTo(t, filepath.Join(t.TempDir(), "file"), nil)
	fails(t, exitFailed, []string{"cache", "info", "--cache", file}, "the cache in "+file)
}

func TestCache(t *testing.T) {
	needBundles(t)
	dir := t.TempDir()
	mine := writeTo(t, filepath.Join(dir, "notes.txt"), []byte("mine"))
	ok(t, "vectors", "run", "--cache", dir, golden("nv28-script-send-014"))
	v := fromJSON[cacheView](t, ok(t, "cache", "info", "--cache", dir, "--json"))
	if v.Entries == 0 || v.Bytes == 0 || v.Bad != 0 || v.Dir != dir {
		t.Fatalf("after a run: %+v", v)
	}
	out := ok(t, "cache", "info", "--cache", dir)
	for _, want := range []string{"folder        " + dir + "\n", "entries       " + grouped(v.Entries) + "\n", "bytes         " + grouped(v.Bytes) + "\n", "pass version  "} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}

	entries, err := filepath.Glob(filepath.Join(dir, "wazero-*", "*"))
	if err != nil || len(entries) != v.Entries {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	writeTo(t, entries[0], []byte("damaged"))
	if out := ok(t, "cache", "info", "--cache", dir); !strings.Contains(out, "bad           1 entry fails its checksum") {
		t.Errorf("a damaged entry:\n%s", out)
	}

	c := fromJSON[cacheView](t, ok(t, "cache", "clean", "--cache", dir, "--json"))
	if c.Entries != v.Entries {
		t.Errorf("cleaned: %+v", c)
	}
	if v := fromJSON[cacheView](t, ok(t, "cache", "info", "--cache", dir, "--json")); v.Entries != 0 || v.Bytes != 0 {
		t.Errorf("after cleaning: %+v", v)
	}
	if string(readFrom(t, mine)) != "mine" {
		t.Error("cleaning touched another file")
	}
}

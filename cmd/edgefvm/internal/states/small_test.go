package states_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	blocks "github.com/ipfs/go-block-format"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// blocksOf are those of an archive.
func blocksOf(t *testing.T, path string) (list []blocks.Block, size int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = blockstore.ReadCAR(t.Context(), f, func(b blocks.Block) error {
		list = append(list, b)
		size += int64(len(b.RawData()))
		return nil
	}, blockstore.CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list, size
}

// named are the blocks of an archive that others name, and its root: the manifest of a bundle is in it that no state names.
func named(t *testing.T, path, root string) (list []blocks.Block, size int64) {
	t.Helper()
	all, _ := blocksOf(t, path)
	for _, b := range all {
		is := b.Cid().String() == root
		for _, other := range all {
			is = is || bytes.Contains(other.RawData(), b.Cid().Bytes())
		}
		if is {
			list = append(list, b)
			size += int64(len(b.RawData()))
		}
	}
	return list, size
}

// small is the state of a few actors, exported from the whole one.
func small(t *testing.T, names ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "small.car")
	edgefvm.OK(t, append([]string{"state", "export", "--with-tree", "--car", whole, "--out", file}, names...)...)
	return file
}

// What stat counts is what the archive of a whole state holds, by each of its ways.
func TestStatCounts(t *testing.T) {
	type counted struct {
		Root          string
		Version       int `json:"tree_version"`
		Blocks, Bytes int64
		Missing       int
		Actors        map[string]int
		By            []struct {
			Actor, Field, What string
			Blocks, Bytes      int64
		}
	}
	v := clitest.FromJSON[counted](t, edgefvm.OK(t, "state", "stat", "--car", whole, "--json"))
	list, size := named(t, whole, v.Root)
	if all, _ := blocksOf(t, whole); len(all)-len(list) > 1 || v.Blocks != int64(len(list)) || v.Bytes != size || v.Missing != 0 || v.Version != 5 {
		t.Errorf("%d blocks, %d bytes, %d missing; the archive has %d, %d", v.Blocks, v.Bytes, v.Missing, len(list), size)
	}
	var sum, inRows int64
	for _, r := range v.By {
		sum, inRows = sum+r.Blocks, inRows+r.Bytes
	}
	if sum != v.Blocks || inRows != v.Bytes {
		t.Errorf("the rows have %d blocks of %d bytes, want %d of %d", sum, inRows, v.Blocks, v.Bytes)
	}
	kinds := map[string]int{}
	for _, r := range linesOf[row](t, edgefvm.OK(t, "state", "ls", "--car", whole, "--json")) {
		kinds[r.Kind]++
	}
	for kind, n := range kinds {
		if v.Actors[kind] != n {
			t.Errorf("%d of kind %s, want %d", v.Actors[kind], kind, n)
		}
	}
	if len(kinds) != len(v.Actors) {
		t.Errorf("kinds %v, want %v", v.Actors, kinds)
	}
	// An export of some actors counts what is written.
	file := filepath.Join(t.TempDir(), "f.car")
	done := clitest.FromJSON[struct {
		Roots                  []string
		Blocks, Bytes, Missing int64
		Out                    string
	}](t, edgefvm.OK(t, "state", "export", "f01", "f04", "f0100", "--car", whole, "--out", file, "--json"))
	list, size = blocksOf(t, file)
	if len(done.Roots) != 3 || done.Blocks != int64(len(list)) || done.Bytes != size || done.Missing != 0 || done.Out != file {
		t.Errorf("%+v; the archive has %d blocks of %d bytes", done, len(list), size)
	}
	for i, id := range []string{"f01", "f04", "f0100"} {
		if head := clitest.FromJSON[row](t, edgefvm.OK(t, "state", "actor", id, "--car", whole, "--json")).Head; head != done.Roots[i] {
			t.Errorf("root %d is %s, and the head of %s %s", i, done.Roots[i], id, head)
		}
	}
	out := edgefvm.OK(t, "state", "export", "f01", "--car", whole, "--out", file)
	if !strings.HasPrefix(out, "root "+done.Roots[0]+"\n") || !strings.HasSuffix(out, " in "+file+"\n") {
		t.Errorf("%s", out)
	}
}

type change struct {
	Actor, Kind, Op, Path string
	Before, After         json.RawMessage
	More, Less            string
	Fields                []string
}

// Actors that came and went are those that one list has and the other has not, and the two ways are each other's mirror.
func TestDiffOfActors(t *testing.T) {
	file := small(t, "f0100", "f0114")
	has := map[string]row{}
	for _, r := range linesOf[row](t, edgefvm.OK(t, "state", "ls", "--car", file, "--json")) {
		has[r.ID] = r
	}
	gone := map[string]row{}
	for _, r := range linesOf[row](t, edgefvm.OK(t, "state", "ls", "--car", whole, "--json")) {
		if _, ok := has[r.ID]; !ok {
			gone[r.ID] = r
		}
	}
	r := edgefvm.Run(t, "state", "diff", whole, file, "--json")
	down := linesOf[change](t, r.Out)
	if r.Code != kit.ExitFailed || !strings.Contains(r.Err, fmt.Sprintf(" 0 added, %d removed; ", len(gone))) {
		t.Errorf("exit code %d\n%s", r.Code, r.Err)
	}
	for _, c := range down {
		w, is := gone[c.Actor]
		if c.Path != "/actors/"+c.Actor {
			if is {
				t.Errorf("a change below an actor that is gone: %+v", c)
			}
			continue
		}
		var before struct {
			Code, Head, Balance string
			Nonce               uint64
		}
		if err := json.Unmarshal(c.Before, &before); err != nil || !is || c.Op != "removed" || string(c.After) != "null" || c.Kind != w.Kind || before.Code != w.Code || before.Head != w.Head || before.Balance != w.Balance || before.Nonce != w.Nonce {
			t.Errorf("%+v, %v; want %+v", c, err, w)
		}
		delete(gone, c.Actor)
	}
	if len(gone) > 0 {
		t.Errorf("not told: %v", gone)
	}
	up := linesOf[change](t, edgefvm.Run(t, "state", "diff", file, whole, "--json").Out)
	if len(up) != len(down) {
		t.Fatalf("%d changes one way and %d the other", len(down), len(up))
	}
	back := map[string]string{"removed": "added", "added": "removed", "changed": "changed"}
	for i, c := range down {
		if u := up[i]; u.Actor != c.Actor || u.Path != c.Path || u.Op != back[c.Op] || string(u.Before) != string(c.After) || string(u.After) != string(c.Before) {
			t.Errorf("%+v one way, %+v the other", c, u)
		}
	}
	for _, c := range []struct {
		a, b, word string
	}{{whole, file, "removed"}, {file, whole, "added"}} {
		r := edgefvm.Run(t, "state", "diff", c.a, c.b)
		clitest.Plain(t, r.Out)
		if !strings.Contains(r.Out, "f0101 account "+c.word+"\n    nonce  ") || !strings.Contains(r.Out, "f0115 ethaccount "+c.word+"\n") {
			t.Errorf("%s:\n%s", c.word, r.Out)
		}
	}
	// One actor, by an address that only one of the two knows.
	key := "f1iou6zs5wxuuxwf5uvbbhb7kvgnpo6j7l27fnv7y" // f0100's, as the report on signatures has it
	if out := edgefvm.OK(t, "state", "diff", whole, file, "--actor", key); out != "nothing differs\n" {
		t.Errorf("%s", out)
	}
	edgefvm.Fails(t, kit.ExitFailed, []string{"state", "diff", whole, file, "--actor", "f2yfxpck4kj6z6wbw75yb2vlcq4agaxpc2bycpvwa"}, "f2yfx")
	edgefvm.Fails(t, kit.ExitUsage, []string{"state", "diff", whole, file, "--actor", "me"}, `address "me"`)
	shallow := linesOf[change](t, edgefvm.Run(t, "state", "diff", whole, file, "--actor", "f01", "--shallow", "--json").Out)
	if len(shallow) != 1 || shallow[0].Path != "/actors/f01/head" {
		t.Errorf("shallow: %+v", shallow)
	}
}

// States that do not read as their code says, and of which blocks are missing, are shown as far as that goes.
func TestActorAsData(t *testing.T) {
	type shown struct {
		row
		Version int    `json:"actors_version"`
		Type    string `json:"state_type"`
		State   json.RawMessage
		Note    string
	}
	other := edgefvm.OK(t, "state", "actor", "f06", "--car", whole, "--actors-version", "8")
	if !strings.Contains(other, "note         the state does not read as verifiedregistry state v8 (") || !strings.Contains(other, "): shown as data\n") {
		t.Errorf("%s", other)
	}
	v := clitest.FromJSON[shown](t, edgefvm.OK(t, "state", "actor", "f06", "--car", whole, "--actors-version", "8", "--json"))
	if v.Note == "" || !strings.HasPrefix(string(v.State), "[") {
		t.Errorf("%+v", v)
	}
	// In the state that a message needs, blocks of other actors are missing.
	edgefvm.Fails(t, kit.ExitFailed, []string{"state", "actor", "f04", "--car", before}, "/actors/f04")
	for _, words := range [][]string{{"ls"}, {"stat"}, {"export", "f01", "--with-tree", "--out", filepath.Join(t.TempDir(), "x.car")}, {"get", "actors", "--lines"}, {"actor", "f01", "--depth", "1"}} {
		r := edgefvm.Run(t, append(append([]string{"state"}, words...), "--car", before)...)
		p := edgefvm.Run(t, append(append([]string{"state"}, words...), "--car", before, "--partial")...)
		if r.Code == kit.ExitOK {
			if p.Code != kit.ExitOK || p.Out != r.Out || strings.Contains(p.Err, "missing") {
				t.Errorf("%v: %+v with --partial, %+v without", words, p, r)
			}
			continue
		}
		if r.Code != kit.ExitFailed || !strings.Contains(r.Err, "is missing; --partial goes on without it") || p.Code != kit.ExitOK || !strings.Contains(p.Err, "missing; the first is bafy") {
			t.Errorf("%v: %+v without --partial, %+v with", words, r, p)
		}
	}
}

// Archives that are cut or are none, folders, and files that nobody may read are errors that name them.
func TestBadArchives(t *testing.T) {
	dir := t.TempDir()
	raw := clitest.ReadFrom(t, whole)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":              {nil, "is empty"},
		"cut in its header":  {raw[:20], "bad CAR"},
		"cut in a block":     {raw[:len(raw)/2], "bad CAR"},
		"no archive":         {[]byte(`{"roots":[]}`), "bad CAR"},
		"an absurd length":   {append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, raw...), "bad CAR"},
		"an archive of bzip": {append([]byte("BZh9"), raw...), "bzip2"},
		"an archive of xz":   {append([]byte("\xfd7zXZ\x00"), raw...), "xz"},
		"an archive of zip":  {append([]byte("PK\x03\x04"), raw...), "zip"},
	} {
		file := clitest.WriteTo(t, filepath.Join(dir, "bad.car"), c.data)
		for _, words := range [][]string{{"ls"}, {"diff", file, genesisRoot}} {
			edgefvm.Fails(t, kit.ExitFailed, append(append([]string{"state"}, words...), "--car", file), "bad.car", c.want)
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
	edgefvm.Fails(t, kit.ExitFailed, []string{"state", "ls", "--car", dir}, dir)
	edgefvm.Fails(t, kit.ExitFailed, []string{"state", "ls", "--car", ""}, "--car")
	// A place where nothing can be written.
	edgefvm.Fails(t, kit.ExitFailed, []string{"state", "export", "f01", "--car", whole, "--out", filepath.Join(dir, "none", "x.car")}, "none")
	edgefvm.Fails(t, kit.ExitFailed, []string{"state", "export", "f01", "--car", whole, "--out", dir}, dir)
	if os.Getuid() != 0 {
		closed := clitest.WriteTo(t, filepath.Join(dir, "closed.car"), raw)
		if err := os.Chmod(closed, 0); err != nil {
			t.Fatal(err)
		}
		edgefvm.Fails(t, kit.ExitFailed, []string{"state", "ls", "--car", closed}, "closed.car: permission denied")
	}
}

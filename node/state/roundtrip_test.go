package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/vector"
)

const vectorsFolder = "../../lab/conformance/testdata"

// vectorState is the state of a vector in a store of its own, and the roots before the messages and after. Only blocks that
// the messages need are there.
func vectorState(t testing.TB, file string) (*blockstore.Memory, []cid.Cid) {
	t.Helper()
	v, err := vector.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	store := blockstore.NewMemory()
	if _, err := blockstore.LoadCAR(context.Background(), bytes.NewReader(v.CAR()), store, blockstore.CAROptions{MaxTotal: 1 << 30}); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return store, []cid.Cid{v.PreRoot(), v.PostRoot()}
}

// roundTrip counts values that read and are written again, by version and kind of value.
type roundTrip map[string]int

// state visits all of a state that is there.
func (r roundTrip) state(ctx context.Context, t *testing.T, name string, store Store, root cid.Cid) {
	tree, err := Open(ctx, store, root, Options{})
	if err != nil {
		var missing *MissingError
		if !errors.As(err, &missing) {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	there := *tree.actors
	there.Failed = func(cid.Cid, error) error { return nil }
	err = there.ForEach(ctx, func(key, value []byte) error {
		a, err := tree.actor(key, value)
		if err != nil {
			return err
		}
		if again, err := a.append(nil, tree.version); err != nil || !bytes.Equal(again, value) {
			t.Errorf("%s: %s is written again as %x, not %x, %v", name, a.Path(), again, value, err)
		}
		kind := tree.Kind(ctx, a.Code)
		w := &walker{
			env: &tree.env, seen: blockSet{},
			block:   func(func() string, cid.Cid, []byte, Part) error { return nil },
			missing: func(*MissingError) error { return nil },
			value: func(path string, s *Shape, data []byte, v reflect.Value) {
				var again bytes.Buffer
				if err := v.Addr().Interface().(cbg.CBORMarshaler).MarshalCBOR(&again); err != nil || !bytes.Equal(again.Bytes(), data) {
					t.Errorf("%s: %s (%s): %x, written again %x, %v", name, path, s, data, again.Bytes(), err)
				}
				what := s.String()
				if !strings.Contains(what, " state v") {
					what = fmt.Sprintf("%s v%d: %s", kind, kind.Version, what)
				}
				r[what]++
			},
		}
		if err := w.walk(ctx, a.statePath, kind.state(), a.Head, Part{}); err != nil {
			t.Errorf("%s: %s: %v", name, kind, err)
		}
		return nil
	})
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// Each value of each actor's state in the vectors reads, and is written as it was.
func TestTypesAreTheNetworks(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectorsFolder, "nv*.json"))
	if err != nil || len(files) < 1000 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	if testing.Short() {
		files = files[:100]
	}
	if dir := os.Getenv("EDGEFVM_TEST_VECTORS"); dir != "" { // for a run over more
		files = nil
		_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error {
			if strings.HasSuffix(path, ".json") {
				files = append(files, path)
			}
			return nil
		})
	}
	count := roundTrip{}
	for _, file := range files {
		store, roots := vectorState(t, file)
		for _, root := range roots {
			count.state(t.Context(), t, filepath.Base(file), store, root)
		}
		if t.Failed() {
			t.Fatal("more would say the same")
		}
	}
	for _, what := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%7d %s", count[what], what)
	}
}

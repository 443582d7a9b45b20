package kit

import (
	"bytes"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/blockstore/pebble"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

func dag(data []byte) blocks.Block {
	b, err := blocks.NewBlockWithCid(data, cbor.Blake2bCID(cbor.CodecDagCBOR, blake2b.Sum256(data)))
	if err != nil {
		panic(err)
	}
	return b
}

// anyState is a state root: [version, actors, info].
var anyState = dag(cbor.AppendCID(cbor.AppendCID(cbor.AppendUint(cbor.AppendArray(nil, 3), 5), dag([]byte{0x80}).Cid()), dag([]byte{0x81, 0x80}).Cid()))

// fields are those of a header that matter here.
type fields struct {
	miner, height, time uint64
	state               cid.Cid
	fee                 []byte
}

// header is a block's header (16 fields, in the order of the specification).
func header(f fields) blocks.Block {
	link := dag([]byte{0x80}).Cid()
	b := cbor.AppendBytes(cbor.AppendArray(nil, 16), []byte{0, byte(f.miner)})
	b = cbor.AppendBytes(cbor.AppendArray(b, 1), []byte("ticket"))
	b = cbor.AppendBytes(cbor.AppendUint(cbor.AppendArray(b, 2), 1), []byte("election"))
	b = cbor.AppendArray(b, 0)
	b = cbor.AppendArray(b, 0)
	b = cbor.AppendCID(cbor.AppendArray(b, 1), link)
	b = cbor.AppendBytes(b, []byte{0, 1})
	b = cbor.AppendUint(b, f.height)
	b = cbor.AppendCID(b, f.state)
	b = cbor.AppendCID(cbor.AppendCID(b, link), link)
	b = append(b, cbor.Null)
	b = cbor.AppendUint(b, f.time)
	b = append(b, cbor.Null)
	b = cbor.AppendUint(b, 0)
	return dag(cbor.AppendBytes(b, f.fee))
}

// metadata is the root of a snapshot by FRC-0108.
func metadata(f3 *cid.Cid, head ...cid.Cid) blocks.Block {
	b := cbor.AppendUint(cbor.AppendText(cbor.AppendHeader(nil, cbor.Map, 3), "Version"), 2)
	b = cbor.AppendArray(cbor.AppendText(b, "HeadTipsetKey"), len(head))
	for _, c := range head {
		b = cbor.AppendCID(b, c)
	}
	b = cbor.AppendText(b, "F3Data")
	if f3 == nil {
		return dag(append(b, cbor.Null))
	}
	return dag(cbor.AppendCID(b, *f3))
}

func carOf(t *testing.T, roots []cid.Cid, bs ...blocks.Block) string {
	t.Helper()
	var out bytes.Buffer
	if err := blockstore.WriteCAR(&out, roots, func(yield func(blocks.Block, error) bool) {
		for _, b := range bs {
			if !yield(b, nil) {
				return
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.car")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a root means is told from its block.
func TestStateRoot(t *testing.T) {
	one := header(fields{1, 5800470, 1772320500, anyState.Cid(), []byte{0, 1, 0}})
	two := header(fields{2, 5800470, 1772320499, anyState.Cid(), []byte{0, 1, 0}})
	late := header(fields{2, 5800471, 1772320530, anyState.Cid(), []byte{0, 1, 0}})
	genesis := header(fields{0, 0, 1598306400, anyState.Cid(), nil})
	absurd := header(fields{0, 1 << 63, 1, anyState.Cid(), []byte{0, 1}})
	negative := header(fields{0, 1, 1, anyState.Cid(), []byte{1, 1}})
	short := dag(one.RawData()[:len(one.RawData())-1])
	other := dag([]byte{0x82, 0x01, 0x02})
	second := dag(append(anyState.RawData()[:1:1], append([]byte{4}, anyState.RawData()[2:]...)...))
	actors := dag(cbor.AppendCID(cbor.AppendUint(cbor.AppendArray(nil, 2), 1), other.Cid()))
	f3 := dag(make([]byte, 100))
	f3CID := f3.Cid()
	snap, snapF3 := metadata(nil, one.Cid(), two.Cid()), metadata(&f3CID, one.Cid())
	headless := metadata(nil)
	path := carOf(t, []cid.Cid{anyState.Cid(), other.Cid()}, anyState, one, two, late, genesis, absurd, negative, short, other, second, actors, f3, snap, snapF3, headless)
	s, err := OpenState(t.Context(), []string{path}, StateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, tt := range []struct {
		name  string
		roots []cid.Cid
		want  cid.Cid // not defined: an error
		epoch int64   // -1: no head
		time  uint64
		fee   int64
		says  string
	}{
		{"a state", []cid.Cid{anyState.Cid(), one.Cid()}, anyState.Cid(), -1, 0, 0, ""},
		{"something else", []cid.Cid{other.Cid()}, cid.Undef, 0, 0, 0, "it means no state"},
		{"something else, and a state behind it", []cid.Cid{other.Cid(), actors.Cid(), anyState.Cid(), anyState.Cid()}, anyState.Cid(), -1, 0, 0, ""},
		{"actors, and a state behind them", []cid.Cid{actors.Cid(), dag([]byte("x")).Cid(), second.Cid()}, second.Cid(), -1, 0, 0, ""},
		{"something else, and two states behind it", []cid.Cid{other.Cid(), anyState.Cid(), second.Cid()}, cid.Undef, 0, 0, 0, "2 of the roots behind it do: --root says which"},
		{"something else, and a header behind it", []cid.Cid{other.Cid(), one.Cid()}, cid.Undef, 0, 0, 0, "it means no state"},
		{"actors", []cid.Cid{actors.Cid()}, cid.Undef, 0, 0, 0, "--bundle"},
		{"what is not there", []cid.Cid{dag([]byte("x")).Cid()}, dag([]byte("x")).Cid(), -1, 0, 0, ""},
		{"a header", []cid.Cid{one.Cid()}, anyState.Cid(), 5800470, 1772320500, 256, "1 block"},
		{"a tipset", []cid.Cid{one.Cid(), two.Cid()}, anyState.Cid(), 5800470, 1772320499, 256, "2 blocks"},
		{"the genesis", []cid.Cid{genesis.Cid()}, anyState.Cid(), 0, 1598306400, 0, "epoch 0"},
		{"a snapshot", []cid.Cid{snap.Cid()}, anyState.Cid(), 5800470, 1772320499, 256, "2 blocks"},
		{"a snapshot with F3", []cid.Cid{snapF3.Cid()}, anyState.Cid(), 5800470, 1772320500, 256, "1 block"},
		{"a snapshot without a head", []cid.Cid{headless.Cid()}, cid.Undef, 0, 0, 0, "it means no state"},
		{"two tipsets", []cid.Cid{one.Cid(), late.Cid()}, cid.Undef, 0, 0, 0, "of different tipsets"},
		{"a header and a state", []cid.Cid{one.Cid(), anyState.Cid()}, cid.Undef, 0, 0, 0, "is no header"},
		{"a header and what is not there", []cid.Cid{one.Cid(), dag([]byte("x")).Cid()}, cid.Undef, 0, 0, 0, "is not there"},
		{"an absurd height", []cid.Cid{absurd.Cid()}, cid.Undef, 0, 0, 0, "absurd"},
		{"a negative fee", []cid.Cid{negative.Cid()}, cid.Undef, 0, 0, 0, "absurd"},
		{"a header cut short", []cid.Cid{short.Cid()}, cid.Undef, 0, 0, 0, "malformed CBOR"},
		{"none", nil, cid.Undef, 0, 0, 0, "names no root"},
	} {
		s.parts[0].roots = tt.roots
		root, head, err := s.StateRoot(t.Context(), "")
		if !tt.want.Defined() {
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err != nil || root != tt.want || (head == nil) != (tt.epoch < 0) {
			t.Errorf("%s: %v, %v, %v", tt.name, root, head, err)
			continue
		}
		if head == nil {
			continue
		}
		if head.Epoch != tt.epoch || head.Timestamp != tt.time || head.BaseFee.Cmp(big.NewInt(tt.fee)) != 0 || !strings.Contains(head.String(), tt.says) || head.F3 != (tt.name == "a snapshot with F3") || len(head.Parents) != 1 {
			t.Errorf("%s: %+v", tt.name, head)
		}
	}
	// Of several files the first with a state counts.
	all, err := OpenState(t.Context(), []string{carOf(t, nil), carOf(t, []cid.Cid{actors.Cid()}, actors), carOf(t, []cid.Cid{other.Cid()}, other), path}, StateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if root, head, err := all.StateRoot(t.Context(), ""); err != nil || root != anyState.Cid() || head != nil {
		t.Errorf("of several files: %v, %v, %v", root, head, err)
	}
	// By name, a header means its state too.
	if root, head, err := s.StateRoot(t.Context(), late.Cid().String()); err != nil || root != anyState.Cid() || head.Epoch != 5800471 {
		t.Errorf("by name: %v, %+v, %v", root, head, err)
	}
	var usage UsageError
	if _, _, err := s.StateRoot(t.Context(), "bafy"); !errors.As(err, &usage) {
		t.Errorf("a bad CID: %v", err)
	}
}

// Files are read together, the first that has a block gives it; a folder may be a store.
func TestOpenState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	inStore, inFirst, inSecond := dag([]byte{1}), dag([]byte{2}), dag([]byte{3})
	store, err := pebble.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(store.Put(t.Context(), inStore), store.Close()); err != nil {
		t.Fatal(err)
	}
	// What 'replay --store' makes has the store in a folder below.
	above := t.TempDir()
	if err := os.CopyFS(filepath.Join(above, "blocks"), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	replayed, err := OpenState(t.Context(), []string{above}, StateOptions{Messages: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if has, err := replayed.Has(t.Context(), inStore.Cid()); !has || errors.Join(err, replayed.Close()) != nil {
		t.Errorf("the store in %s: %v, %v", above, has, err)
	}
	first, second := carOf(t, nil, inFirst), carOf(t, []cid.Cid{inSecond.Cid()}, inSecond)
	padded := carOf(t, nil)
	f, err := os.OpenFile(padded, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 100)); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	s, err := OpenState(t.Context(), []string{first, dir, second, padded}, StateOptions{Messages: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(s.Roots) != 1 || s.Roots[0] != inSecond.Cid() || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "padded with zeros from byte 18 ") {
		t.Errorf("roots %v, notes %q", s.Roots, s.Notes)
	}
	for _, b := range []blocks.Block{inStore, inFirst, inSecond} {
		has, err := s.Has(t.Context(), b.Cid())
		if got, gerr := s.Get(t.Context(), b.Cid()); !has || err != nil || gerr != nil || !bytes.Equal(got.RawData(), b.RawData()) {
			t.Errorf("%v, %v, %v", has, err, gerr)
		}
	}
	if has, err := s.Has(t.Context(), anyState.Cid()); has || err != nil {
		t.Errorf("it has what is not there: %v", err)
	}
	if err := s.Put(t.Context(), inStore); !errors.Is(err, blockstore.ErrReadOnly) {
		t.Errorf("Put: %v", err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}

	badger := t.TempDir()
	if err := os.WriteFile(filepath.Join(badger, "000001.vlog"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "page.car")
	if err := os.WriteFile(page, []byte("<!doctype html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		t.TempDir(): "is a folder, and no store of pebble", badger: "lotus chain export", "https://example.com/a.car": "download it first", page: "it is an HTML page", page + "x": "no such file or directory",
	} {
		if _, err := OpenState(t.Context(), []string{first, path}, StateOptions{Flag: "--state"}); err == nil || !strings.HasPrefix(err.Error(), "--state "+path+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func FuzzHead(f *testing.F) {
	one := header(fields{1, 5800470, 1772320500, anyState.Cid(), []byte{0, 1, 0}})
	f.Add(one.RawData())
	f.Add(metadata(nil, one.Cid()).RawData())
	f.Add(anyState.RawData())
	f.Fuzz(func(t *testing.T, data []byte) {
		kind := kindOf(data)
		h, err := readHeader(data)
		if err == nil && (kind != headerRoot || h.Epoch < 0 || h.BaseFee.Sign() < 0 || !h.StateRoot.Defined()) {
			t.Errorf("%+v of kind %d", h, kind)
		}
		if s, err := readSnapshot(data); err == nil && (kind != snapshotRoot || len(s.head) == 0) {
			t.Errorf("%+v of kind %d", s, kind)
		}
	})
}

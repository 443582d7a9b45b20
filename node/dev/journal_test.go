package dev_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/eth"
)

func journal(t testing.TB, path string) *dev.FileJournal {
	t.Helper()
	j, err := dev.OpenJournal(path, false)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A node goes on where another with its journal and its store was, whatever came before: edits, reverts, failures, impersonation.
func TestRestore(t *testing.T) {
	path, store := filepath.Join(t.TempDir(), "journal"), blockstore.NewMemory()
	clock := func() time.Time { return devtest.Begin }
	n, err := dev.New(t.Context(), dev.Options{Store: store, Journal: journal(t, path), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	net := &devtest.Net{Node: n}
	devtest.Busy(t, net, 5)
	at := net.Deploy(t, 0, devtest.Token())
	n.Impersonate(at.Filecoin())
	m := message(t, eth.Call{To: &at, Input: devtest.BalanceOf([20]byte{})})
	m.From = at.Filecoin()
	if _, err := n.Submit(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	id := snapshot(t, net)
	net.Blocks(t, 3)
	revert(t, net, id, true)
	if err := n.Edit(t.Context(), addBalance(net.Account(0).EthID, 9)); err != nil {
		t.Fatal(err)
	}
	net.Blocks(t, 1)
	if err := n.Edit(t.Context(), addBalance(net.Account(0).EthID, 9)); err != nil {
		t.Fatal(err)
	}
	var want []*dev.Block
	for b := n.Latest(); b != nil; b = n.Parent(b) {
		want = append(want, b)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}

	j := journal(t, path)
	later := devtest.New(t, dev.Options{Store: store, Journal: j, Clock: func() time.Time { return devtest.Begin.Add(time.Hour) }})
	b := later.Latest()
	for _, w := range want {
		if b == nil || b.Hash != w.Hash || b.Root != w.Root || b.Receipts != w.Receipts || b.Epoch() != w.Epoch() || !b.NextBaseFee.Equals(w.NextBaseFee) || len(b.Messages) != len(w.Messages) {
			t.Fatalf("%+v, want %+v", b, w)
		}
		for i, e := range b.Messages {
			if x := w.Messages[i]; e.Hash != x.Hash || !reflect.DeepEqual(e.Result, x.Result) || e.Implicit != x.Implicit {
				t.Errorf("epoch %d, message %d: %+v, want %+v", b.Epoch(), i, e.Result, x.Result)
			}
		}
		if found := later.BlockByHash(w.Hash); found != b {
			t.Errorf("the block at epoch %d is not found", w.Epoch())
		}
		b = later.Parent(b)
	}
	if b != nil {
		t.Errorf("there are more blocks, at epoch %d", b.Epoch())
	}
	later.Send(t, 0, eth.Call{To: &at, Input: devtest.Transfer(at, 1)})
	if _, err := later.Traces(t.Context(), later.Latest(), 1); err != nil {
		t.Error(err)
	}

	// Another genesis is refused, and so are a block time and a time of the beginning that differ.
	for name, o := range map[string]dev.Options{
		"accounts": {Genesis: genesis.Options{Accounts: 3}}, "block time": {BlockTime: 5}, "timestamp": {Genesis: genesis.Options{Timestamp: 7}},
	} {
		o.Store, o.Journal = store, journal(t, path)
		if _, err := dev.New(t.Context(), o); !errors.Is(err, dev.ErrJournal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := dev.New(t.Context(), dev.Options{Journal: journal(t, path)}); !errors.Is(err, dev.ErrOptions) {
		t.Errorf("a journal without a store: %v", err)
	}
}

// What a killed process left of a record at the end is cut off; a record that is damaged before the end is an error.
func TestFileJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j := journal(t, path)
	records := []string{"one", strings.Repeat("two", 1000), "three"}
	for _, r := range records {
		if err := j.Append(t.Context(), []byte(r)); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read := func() (list []string) {
		t.Helper()
		j := journal(t, path)
		defer j.Close()
		if err := j.Records(t.Context(), func(r []byte) error {
			list = append(list, string(r))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got := read(); !reflect.DeepEqual(got, records) {
		t.Errorf("%q", got)
	}
	last := len(whole) - len("three") - 8
	for _, cut := range []int{1, 5, 8, 12} {
		if err := os.WriteFile(path, whole[:len(whole)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := read(); !reflect.DeepEqual(got, records[:2]) {
			t.Errorf("%d bytes short: %d records", cut, len(got))
		}
		if info, err := os.Stat(path); err != nil || info.Size() != int64(last) {
			t.Errorf("the file has %d bytes, want %d", info.Size(), last)
		}
	}
	if err := os.WriteFile(path, append(append([]byte{}, whole...), make([]byte, 100)...), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(); !reflect.DeepEqual(got, records) {
		t.Errorf("with zeros behind: %q", got)
	}
	bad := append([]byte{}, whole...)
	bad[9] ^= 1
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dev.OpenJournal(path, false); !errors.Is(err, dev.ErrRecord) {
		t.Errorf("%v", err)
	}
}

// A journal that cannot be written to ends what needs it, and the chain is as it was.
func TestJournalFails(t *testing.T) {
	j := &brokenJournal{}
	n := devtest.New(t, dev.Options{Store: blockstore.NewMemory(), Journal: j})
	n.Blocks(t, 1)
	b := n.Latest()
	j.broken = errors.New("the disk is full")
	if _, err := n.Mine(t.Context(), dev.MineOptions{}); !errors.Is(err, j.broken) {
		t.Errorf("%v", err)
	}
	if err := n.Edit(t.Context(), addBalance(n.Account(0).EthID, 1)); !errors.Is(err, j.broken) {
		t.Errorf("%v", err)
	}
	if _, err := n.Rollback(t.Context(), 1); !errors.Is(err, j.broken) {
		t.Errorf("%v", err)
	}
	if n.Latest() != b {
		t.Errorf("epoch %d", n.Latest().Epoch())
	}
}

type brokenJournal struct{ broken error }

func (j *brokenJournal) Append(context.Context, []byte) error              { return j.broken }
func (j *brokenJournal) Records(context.Context, func([]byte) error) error { return nil }

// FuzzJournal opens whatever file there is.
func FuzzJournal(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x00\x03\x00\x00\x00\x00one"))
	f.Add([]byte("\xff\xff\xff\xff\x00\x00\x00\x00one"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := dev.OpenJournal(path, false)
		if err != nil {
			return
		}
		defer j.Close()
		if err := j.Append(t.Context(), []byte("more")); err != nil {
			t.Fatal(err)
		}
		var last []byte
		if err := j.Records(t.Context(), func(r []byte) error { last = r; return nil }); err != nil || string(last) != "more" {
			t.Errorf("%q %v", last, err)
		}
	})
}

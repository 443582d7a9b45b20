package shadow_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/shadow"
	"github.com/edgefvm/fvm/trace"
)

// counted is a store that counts and can fail.
type counted struct {
	blockstore.Blockstore
	gets, puts int
	failAt     int
}

var errStore = errors.New("the store is broken")

func (c *counted) Get(ctx context.Context, k cid.Cid) (blocks.Block, error) {
	if c.gets++; c.gets == c.failAt {
		return nil, errStore
	}
	return c.Blockstore.Get(ctx, k)
}

func (c *counted) Put(ctx context.Context, b blocks.Block) error {
	return c.PutMany(ctx, []blocks.Block{b})
}

func (c *counted) PutMany(ctx context.Context, bs []blocks.Block) error {
	c.puts += len(bs)
	return c.Blockstore.PutMany(ctx, bs)
}

func machine(t testing.TB, cfg fvm.Config, opts shadow.Options) *shadow.Machine {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = quiet
	}
	m, err := shadow.New(t.Context(), cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// It does what one machine does: results, root, what the hooks see, what is written; and the store is asked no more.
func TestAsOneMachine(t *testing.T) {
	a, b := newEngine(t, "wazero"), newEngine(t, "wazero")
	s := settingOf(t, "nv28-market-001")
	type seen struct {
		rec   trace.Recorder
		store counted
		cfg   fvm.Config
	}
	begin := func() *seen {
		x := &seen{cfg: s.cfg}
		x.store.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: s.cfg.Blockstore}
		x.cfg.Blockstore, x.cfg.Hooks = &x.store, x.rec.Hooks()
		return x
	}
	first, second := s.messages[0], s.again()
	for _, all := range []bool{false, true} {
		want := begin()
		want.cfg.Engine, want.cfg.FlushAll = a, all
		one, err := fvm.New(t.Context(), want.cfg)
		if err != nil {
			t.Fatal(err)
		}
		r1, err1 := one.Apply(t.Context(), first.msg, first.kind, first.length)
		r2, err2 := one.Apply(t.Context(), second.msg, second.kind, second.length)
		root, err3 := one.Flush(t.Context())
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		events := want.rec.Take()
		for _, o := range []shadow.Options{{}, {Parallel: true}, {RootEachMessage: true}, {Parallel: true, RootEachMessage: true}} {
			got := begin()
			got.cfg.FlushAll = all
			o.Engines = []*fvm.Engine{a, b, b}
			m := machine(t, got.cfg, o)
			puts := got.store.puts
			s1, err1 := m.Apply(t.Context(), first.msg, first.kind, first.length)
			s2, err2 := m.Apply(t.Context(), second.msg, second.kind, second.length)
			if got.store.puts != puts {
				t.Errorf("%+v: %d blocks written before the flush", o, got.store.puts-puts)
			}
			again, err3 := m.Flush(t.Context())
			if err := errors.Join(err1, err2, err3); err != nil {
				t.Fatal(err)
			}
			if again != root || s1.GasUsed != r1.GasUsed || s2.GasUsed != r2.GasUsed || !bytes.Equal(s1.Return, r1.Return) {
				t.Errorf("%+v: root %s, want %s", o, again, root)
			}
			if d := trace.Diff(events, got.rec.Take()); d != "" {
				t.Errorf("%+v: the hooks saw: %s", o, d)
			}
			if got.store.puts != want.store.puts && !all { // with roots after each message there are more blocks to write
				t.Errorf("%+v: %d blocks written, by one machine %d", o, got.store.puts, want.store.puts)
			}
			if got.store.gets > want.store.gets+10 { // the manifest and such, again for each message
				t.Errorf("%+v: the store was asked %d times, by one machine %d", o, got.store.gets, want.store.gets)
			}
			id, st, err := m.Actor(t.Context(), first.msg.From)
			if err != nil || id == 0 || st == nil {
				t.Errorf("the sender is %d, %v, %v", id, st, err)
			}
			if name, ok := m.ActorName(st.Code); !ok || name != "account" {
				t.Errorf("the sender's code is %q", name)
			}
			// It goes on from there.
			third := second
			msg := *second.msg
			msg.Nonce++
			third.msg = &msg
			if _, err := m.Apply(t.Context(), third.msg, third.kind, third.length); err != nil {
				t.Error(err)
			}
			if again, err := m.Flush(t.Context()); err != nil || again == root {
				t.Errorf("a second flush: %s, %v", again, err)
			}
		}
	}
}

func TestHalt(t *testing.T) {
	s := settingOf(t, "nv28-market-001")
	store := &counted{Blockstore: &blockstore.Overlay{Top: blockstore.NewMemory(), Base: s.cfg.Blockstore}}
	s.cfg.Blockstore = store
	m := machine(t, s.cfg, shadow.Options{Engines: []*fvm.Engine{newEngine(t, "wazero"), newFaulty(t, lags(always))}})
	puts := store.puts
	x := s.messages[0]
	if _, err := m.Apply(t.Context(), x.msg, x.kind, x.length); err != nil {
		t.Fatal(err)
	}
	_, err := m.Flush(t.Context())
	var d *shadow.Difference
	if !errors.As(err, &d) || d.Number != -1 || d.Bundle != "" || d.Parts[0].Field != "state_root" {
		t.Errorf("the flush: %v", err)
	}
	if store.puts != puts {
		t.Errorf("%d blocks were written", store.puts-puts)
	}
	for _, err := range []error{second(m.Apply(t.Context(), x.msg, x.kind, x.length)), second(m.Flush(t.Context())), second(m.ApplyImplicit(t.Context(), x.msg))} {
		if !errors.Is(err, fvm.ErrPoisoned) || !errors.As(err, &d) {
			t.Errorf("afterwards: %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// The engine that differs sits out until the flush, and is compared again after it.
func TestContinue(t *testing.T) {
	for _, each := range []bool{false, true} {
		s := settingOf(t, "nv28-market-001")
		s.cfg.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: s.cfg.Blockstore}
		f := counts(1)
		var log bytes.Buffer
		reports := 0
		m := machine(t, s.cfg, shadow.Options{
			Engines:      []*fvm.Engine{newEngine(t, "wazero"), newFaulty(t, f), newEngine(t, "wazero")},
			OnDifference: shadow.Continue, RootEachMessage: each, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Report: func(d shadow.Difference) {
				reports++
				if d.Engine != "faulty" || len(d.Agreed) != 1 || d.Agreed[0] != "wazero#3" {
					t.Error(d.Error())
				}
			},
		})
		x := s.messages[0]
		apply := func() {
			t.Helper()
			if _, err := m.Apply(t.Context(), x.msg, x.kind, x.length); err != nil {
				t.Fatal(err)
			}
			msg := *x.msg
			msg.Nonce++
			x.msg = &msg
		}
		apply()
		if reports != 1 || bytes.Count(log.Bytes(), []byte("level=ERROR msg=\"engines differ\" engine=faulty")) != 1 {
			t.Errorf("%d reports, %s", reports, log.String())
		}
		apply() // it sits out
		if _, err := m.Flush(t.Context()); err != nil || reports != 1 {
			t.Fatal(reports, err)
		}
		apply() // it is back, and still wrong
		if _, err := m.Flush(t.Context()); err != nil || reports != 2 {
			t.Fatal(reports, err)
		}
		f.off.Store(true)
		apply() // it is back, and right
		apply()
		if _, err := m.Flush(t.Context()); err != nil || reports != 2 {
			t.Fatal(reports, err)
		}
	}
}

// If the primary fails and another engine does not, there is a difference and no result, whatever the policy. The bundle
// expects what the other gave.
func TestPrimaryFails(t *testing.T) {
	good := newEngine(t, "wazero")
	for _, p := range []shadow.Policy{shadow.Halt, shadow.Continue} {
		s := settingOf(t, "nv28-market-001")
		m := machine(t, s.cfg, shadow.Options{Engines: []*fvm.Engine{newFaulty(t, breaks()), good}, OnDifference: p, Dir: t.TempDir()})
		x := s.messages[0]
		_, err := m.Apply(t.Context(), x.msg, x.kind, x.length)
		var d *shadow.Difference
		if !errors.As(err, &d) || !errors.Is(err, errBroke) || d.Primary != "faulty" || d.Parts[0].Field != "error" {
			t.Fatal(err)
		}
		if _, err := m.Flush(t.Context()); !errors.Is(err, fvm.ErrPoisoned) {
			t.Error(err)
		}
		b := load(t, d.Bundle)
		if e := b.EngineDifference(); e.Expected != "wazero" || e.Primary != "faulty" {
			t.Errorf("%+v", e)
		}
		if o := runOn(t, b, good); o.Status != "passed" {
			t.Errorf("%+v", o)
		}
	}
}

// What is wrong for every engine alike is no difference: a broken store, an ended context, a message that can have no receipt.
func TestErrorOfAll(t *testing.T) {
	a, b := newEngine(t, "wazero"), newEngine(t, "wazero")
	s := settingOf(t, "nv28-market-001")
	x := s.messages[0]
	ended, end := context.WithCancel(t.Context())
	end()
	for _, parallel := range []bool{false, true} {
		opts := shadow.Options{Engines: []*fvm.Engine{a, b}, Parallel: parallel, Report: func(d shadow.Difference) { t.Error(d.Error()) }}
		m := machine(t, s.cfg, opts)
		if _, err := m.Apply(ended, x.msg, x.kind, x.length); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := m.Apply(t.Context(), nil, x.kind, 0); !errors.Is(err, fvm.ErrInvalidMessage) {
			t.Error(err)
		}
		bad := *x.msg
		bad.GasLimit = 0
		if _, err := m.Apply(t.Context(), &bad, x.kind, x.length); !errors.Is(err, fvm.ErrInvalidMessage) {
			t.Error(err)
		}
		if _, err := m.Apply(t.Context(), x.msg, x.kind, x.length); err != nil {
			t.Error(err)
		}
		if _, err := m.Flush(ended); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := m.Flush(t.Context()); err != nil {
			t.Error(err)
		}

		cfg := s.cfg
		store := &counted{Blockstore: s.cfg.Blockstore}
		cfg.Blockstore = store
		m = machine(t, cfg, opts)
		store.failAt = store.gets + 3
		if _, err := m.Apply(t.Context(), x.msg, x.kind, x.length); !errors.Is(err, errStore) {
			t.Error(err)
		}
		if _, err := m.Apply(t.Context(), x.msg, x.kind, x.length); !errors.Is(err, fvm.ErrPoisoned) {
			t.Error(err)
		}
	}
}

// A context that ends while messages run is no difference either: one engine may have been done.
func TestEndsMidway(t *testing.T) {
	s := settingOf(t, "nv28-market-001")
	ctx, end := context.WithCancel(t.Context())
	f := &fault{call: func(_ engine.Instance, call func() error) error {
		err := call()
		end()
		return errors.Join(err, context.Canceled)
	}}
	m := machine(t, s.cfg, shadow.Options{Engines: []*fvm.Engine{newEngine(t, "wazero"), newFaulty(t, f)}, Report: func(d shadow.Difference) { t.Error(d.Error()) }})
	x := s.messages[0]
	if _, err := m.Apply(ctx, x.msg, x.kind, x.length); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := m.Flush(t.Context()); !errors.Is(err, fvm.ErrPoisoned) {
		t.Error(err)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := settingOf(t, "nv28-market-001")
	var m *shadow.Machine
	var err atomic.Value
	s.cfg.Hooks = &trace.Hooks{OnCall: func(*trace.Call) { err.Store(second(m.Flush(t.Context()))) }}
	e := newEngine(t, "wazero")
	m = machine(t, s.cfg, shadow.Options{Engines: []*fvm.Engine{e, e}})
	x := s.messages[0]
	if _, err := m.Apply(t.Context(), x.msg, x.kind, x.length); err != nil {
		t.Error(err)
	}
	if e, _ := err.Load().(error); !errors.Is(e, fvm.ErrConcurrentUse) {
		t.Error(e)
	}
}

func TestRefused(t *testing.T) {
	s := settingOf(t, "nv28-market-001")
	e := newEngine(t, "wazero")
	withEngine, noStore, noRoot := s.cfg, s.cfg, s.cfg
	withEngine.Engine, noStore.Blockstore, noRoot.StateRoot = e, nil, cid.Undef
	for name, c := range map[string]struct {
		cfg     fvm.Config
		engines []*fvm.Engine
	}{
		"none": {s.cfg, nil}, "one": {s.cfg, []*fvm.Engine{e}}, "four": {s.cfg, []*fvm.Engine{e, e, e, e}}, "nil": {s.cfg, []*fvm.Engine{e, nil}},
		"engine": {withEngine, []*fvm.Engine{e, e}}, "store": {noStore, []*fvm.Engine{e, e}}, "root": {noRoot, []*fvm.Engine{e, e}},
	} {
		if _, err := shadow.New(t.Context(), c.cfg, shadow.Options{Engines: c.engines}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

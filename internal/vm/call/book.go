package call

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
)

// Book has tapes of invocations that somebody ran ahead of their turn, on a state that may since have become another. They decide only
// time: see syscalls.Tape. Safe for several goroutines.
type Book struct {
	// Eager plays each tape there is, also of methods whose tapes were of little use so far. Tests set it.
	Eager bool
	// Played are the tapes that were used, TakenOver those of them that did not hold to the end.
	Played, TakenOver atomic.Int64

	room  atomic.Int64 // for tapes, in bytes
	mu    sync.Mutex
	pages map[pageKey]*page
	hears bool // somebody listens
	heard []Heard
}

// pageKey is by what a tape is found. Whether it is the right one its player finds out.
type pageKey struct {
	epoch        abi.ChainEpoch
	code         cid.Cid
	caller, self abi.ActorID
	method       abi.MethodNum
	params       string
}

// page is a tape that is being made, or is there when done is closed; nil: there is none.
type page struct {
	done chan struct{}
	tape *syscalls.Tape
}

// Heard is a call that an actor made.
type Heard struct {
	Request kernel.SendRequest
	Depth   uint32 // of the caller, 1 for the message's receiver
	// Begin and End are the gas that the message had used before and after.
	Begin, End gas.Gas
}

// Key is the same of calls that are alike.
func (h *Heard) Key() HeardKey {
	k := HeardKey{from: h.Request.From, to: h.Request.To, method: h.Request.Method}
	if h.Request.Params != nil {
		k.params = string(h.Request.Params.Data)
	}
	return k
}

// HeardKey may be compared.
type HeardKey struct {
	from   abi.ActorID
	to     address.Address
	method abi.MethodNum
	params string
}

// NewBook makes an empty book.
func NewBook() *Book {
	b := &Book{pages: map[pageKey]*page{}}
	b.room.Store(maxTapes)
	return b
}

// maxTapes is how many bytes the tapes that are made for an epoch may take.
const maxTapes = 64 << 20

// Turn forgets the tapes of epochs before one, and makes room for as many new ones.
func (b *Book) Turn(epoch abi.ChainEpoch) {
	b.mu.Lock()
	maps.DeleteFunc(b.pages, func(k pageKey, _ *page) bool { return k.epoch < epoch })
	b.mu.Unlock()
	b.room.Store(maxTapes)
}

// With are the same modules for the true execution, which looks into a book.
func (m *Modules) With(b *Book) *Modules { return &Modules{compiled: m.compiled, book: b} }

// Ahead are the same modules for runs ahead, which write into it.
func (m *Modules) Ahead(b *Book) *Modules {
	return &Modules{compiled: m.compiled, book: b, ahead: true}
}

// Listen begins to collect the calls that actors make in the true execution.
func (b *Book) Listen() {
	b.mu.Lock()
	b.hears, b.heard = true, nil
	b.mu.Unlock()
}

// Heard are the calls since Listen, in order. Nobody listens any more.
func (b *Book) Heard() []Heard {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hears = false
	return b.heard
}

// hear notes that a call begins, and what it returns that it has ended.
func (c *Manager) hear(r kernel.SendRequest) func() {
	if c.depth == 0 || c.modules.book == nil || c.modules.ahead {
		return nil
	}
	b := c.modules.book
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.hears {
		return nil
	}
	i := len(b.heard)
	b.heard = append(b.heard, Heard{Request: r, Depth: c.depth, Begin: c.gas.Total()})
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if i < len(b.heard) {
			b.heard[i].End = c.gas.Total()
		}
	}
}

// guest makes an instance; of one that is run ahead a tape is kept, and one of which there is a tape is played.
func (c *Manager) guest(ctx context.Context, inv *syscalls.Invocation, mod *module) (engine.Instance, error) {
	b := c.modules.book
	if b == nil || inv.Watch != nil || mod.start != "" || mod.invoke != invokeOK {
		return mod.wasm.Instantiate(ctx, inv)
	}
	k := inv.Kernel
	key := pageKey{epoch: c.m.Epoch, code: inv.Code, caller: k.Caller, self: k.Self, method: k.Method}
	luck := c.modules.luck.of(inv.Code, k.Method)
	if !b.Eager && !luck.tries(!c.modules.ahead) {
		return mod.wasm.Instantiate(ctx, inv)
	}
	if params, err := k.Blocks.Get(1); err == nil {
		key.params = "p" + string(params.Data)
	}
	if c.modules.ahead {
		return b.write(key, inv, func() (engine.Instance, error) { return mod.wasm.Instantiate(ctx, inv) })
	}
	tape := b.find(key)
	if tape == nil {
		return mod.wasm.Instantiate(ctx, inv)
	}
	luck.count(true)
	b.Played.Add(1)
	return inv.Play(tape, func() (engine.Instance, error) {
		luck.count(false)
		b.TakenOver.Add(1)
		return mod.wasm.Instantiate(ctx, inv)
	}), nil
}

// lucks tell of which methods' tapes hold to the end. They decide only time. Safe for several goroutines.
type lucks struct {
	mu  sync.Mutex
	all map[method]*luck
}

type method struct {
	code   cid.Cid
	method abi.MethodNum
}

// luck is how often a method's tapes held lately.
type luck struct{ score, rest atomic.Int32 }

const (
	maxScore = 4
	missed   = 2  // so much worse is the score after a miss, with what it was raised by beforehand
	restless = 64 // calls until an unlucky method is tried again
)

func (l *lucks) of(code cid.Cid, num abi.MethodNum) *luck {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[method]*luck{}
	}
	k := method{code, num}
	if l.all[k] == nil {
		l.all[k] = &luck{}
	}
	return l.all[k]
}

// tries reports that a tape is worth its while.
func (l *luck) tries(counts bool) bool {
	if l.score.Load() >= 0 {
		return true
	}
	if counts && l.rest.Add(1)%restless == 0 {
		l.score.Store(0)
	}
	return false
}

func (l *luck) count(good bool) {
	switch n := l.score.Load(); {
	case good:
		l.score.Store(min(n+1, maxScore))
	default:
		l.score.Store(n - 1 - missed)
	}
}

// written is an instance whose page is done when it is closed.
type written struct {
	engine.Instance
	page *page
}

func (w *written) Close(ctx context.Context) error {
	if w.page != nil {
		close(w.page.done)
		w.page = nil
	}
	return w.Instance.Close(ctx)
}

// write makes an instance whose tape comes into the book.
func (b *Book) write(key pageKey, inv *syscalls.Invocation, make func() (engine.Instance, error)) (engine.Instance, error) {
	p := newPage()
	b.mu.Lock()
	b.pages[key] = p
	b.mu.Unlock()
	begun := false
	defer func() {
		if !begun {
			close(p.done) // there is no tape: nobody is to wait for it
		}
	}()
	in, err := make()
	if err != nil {
		return nil, err
	}
	in, p.tape = inv.Record(in, &b.room)
	begun = true
	return &written{in, p}, nil
}

func newPage() *page { return &page{done: make(chan struct{})} }

// find takes a tape out of the book, and waits for one that is being made: that began before, and whoever makes it waits for nobody.
func (b *Book) find(key pageKey) *syscalls.Tape {
	b.mu.Lock()
	p := b.pages[key]
	delete(b.pages, key)
	b.mu.Unlock()
	if p == nil {
		return nil
	}
	<-p.done
	return p.tape
}

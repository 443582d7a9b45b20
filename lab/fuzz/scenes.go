package fuzz

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/filecoin-project/go-bitfield"
	rlepluslazy "github.com/filecoin-project/go-bitfield/rle"
	"github.com/filecoin-project/go-state-types/abi"
	gsbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/fuzz/internal/script"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// scene is a chain of calls of builtin actors, each on the state that the one before left: from the world to what a method needs in order to
// succeed. Calls that a version of the actors refuses stay in: that they are refused is compared as well.
type scene struct {
	name string
	// first is the first network version that has it.
	first network.Version
	play  func(*stage)
}

// scenes are all there are. Each begins on the world.
func scenes() []scene {
	return slices.Concat(smallScenes, tokenScenes, minerScenes, dealScenes, contractScenes)
}

// step is one message of a scene, as a request of its own.
type step struct {
	note    string
	request *oracle.Request
	message *fvm.Message
	actor   string      // what the receiver is
	result  *fvm.Result // nil: ours had none, and the scene ended
	root    cid.Cid     // after it
}

// scenery are the scenes of a network version, played. It is not changed.
type scenery struct {
	steps []step
	state duel.Base // the blocks that all of the steps need, besides the world's
	// broken says why scenes ended early: a step did not give what the next ones need.
	broken []error
	seen   *Coverage
}

// stage is a scene while it is played.
type stage struct {
	*world
	ctx     context.Context
	engine  *fvm.Engine
	store   *blockstore.Memory
	out     *scenery
	scene   string
	now     cid.Cid // the state
	epoch   int64
	proofs  string
	faults  []oracle.Fault
	nonces  map[abi.ActorID]uint64
	counter uint64 // of calls and of other things that must differ
}

// stop ends a scene, by a panic that playScene catches.
type stop struct{ err error }

func (s *stage) fail(format string, a ...any) {
	panic(stop{fmt.Errorf("nv%d, scene %s, step %d: %w", s.NV, s.scene, s.counter, fmt.Errorf(format, a...))})
}

// playScenes plays all scenes of a world. An error is one of the surroundings.
func playScenes(ctx context.Context, w *world, e *fvm.Engine) (*scenery, error) {
	out := &scenery{state: duel.Base{Name: fmt.Sprintf("scenes nv%d", w.NV), Store: blockstore.NewMemory()}, seen: newCoverage()}
	for _, sc := range scenes() {
		if w.NV < sc.first {
			continue
		}
		s := &stage{
			world: w, ctx: ctx, engine: e, store: out.state.Store, out: out, scene: sc.name, now: w.root, epoch: int64(w.Epoch), proofs: "valid",
			nonces: map[abi.ActorID]uint64{},
		}
		if err := s.playScene(sc); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			out.broken = append(out.broken, err)
		}
	}
	if len(out.steps) == 0 {
		return nil, fmt.Errorf("no scene of network version %d can be played: %w", w.NV, errors.Join(out.broken...))
	}
	return out, nil
}

func (s *stage) playScene(sc scene) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case stop:
			err = r.err
		default:
			panic(r)
		}
	}()
	sc.play(s)
	return nil
}

// frc is the number of an exported method (FRC-0042).
func frc(name string) uint64 {
	n, err := builtin.GenerateFRCMethodNum(name)
	if err != nil {
		panic(err) // the names are in this package
	}
	return uint64(n)
}

const (
	sceneGas = 10_000_000_000 // of a block
	cronGas  = 1000 * sceneGas
)

// by is a call by an account, whose message pays for itself.
func (s *stage) by(a *account, to uint64, method uint64, params *item, value *big.Int) *fvm.Result {
	s.counter++
	m := script.Message{From: a.address().Bytes(), Nonce: a.Nonce + s.nonces[a.ID], FeeCap: big.NewInt(200), Premium: big.NewInt(10)}
	s.nonces[a.ID]++
	return s.play(m, to, method, params, value, false)
}

// as is an implicit call, which any actor can be the sender of: the calls of singletons, miners and multisigs. New actors' addresses depend on
// its nonce, which nobody checks.
func (s *stage) as(id, to uint64, method uint64, params *item, value *big.Int) *fvm.Result {
	s.counter++
	return s.play(script.Message{From: idBytes(id), Nonce: s.counter}, to, method, params, value, true)
}

func (s *stage) play(m script.Message, to, method uint64, params *item, value *big.Int, implicit bool) *fvm.Result {
	m.To, m.Method, m.Value, m.GasLimit = idBytes(to), method, value, sceneGas
	if to == cronID && implicit {
		m.GasLimit = cronGas
	}
	if params != nil {
		m.Params = params.appendTo(nil)
	}
	return s.apply(oracle.Message{Bytes: m.Marshal(), Implicit: implicit})
}

// apply runs one message, notes it as a step, and moves the state on.
func (s *stage) apply(m oracle.Message) *fvm.Result {
	r := &oracle.Request{
		NV: s.NV, Epoch: abi.ChainEpoch(s.epoch), Timestamp: uint64(s.epoch) * 30, ChainID: 314, Root: s.now.String(), Proofs: s.proofs, BaseFee: "100",
		CircSupply: "700000000000000000000000000", Facts: vector.Facts{Faults: s.faults}, Messages: []oracle.Message{m},
	}
	msg, kind, length, err := r.Messages[0].Decode()
	if err != nil {
		s.fail("%w", err)
	}
	ours, err := s.ours(r, msg, kind, length)
	st := step{note: fmt.Sprintf("scene %s, step %d: method %d of %s", s.scene, s.counter, msg.Method, addr.String(msg.To)), request: r, message: msg}
	if err != nil { // the scene is over; whether there should have been a receipt is still a case
		s.out.steps = append(s.out.steps, st)
		s.fail("%w", err)
	}
	s.out.seen.add(cover(int(s.NV), ours))
	st.actor, st.result, st.root = receiver(ours), ours.Results[0], ours.Root
	s.out.steps = append(s.out.steps, st)
	s.now = ours.Root
	return ours.Results[0]
}

// receiver is the builtin actor that a message called first.
func receiver(o *duel.Ours) string {
	for _, e := range o.Traces[0] {
		if in, ok := e.(*trace.Invoke); ok {
			name, _ := o.ActorName(in.Code)
			return name
		}
	}
	return ""
}

// ours applies a request's message on ours and keeps what it writes.
func (s *stage) ours(r *oracle.Request, msg *fvm.Message, kind fvm.Kind, length int) (*duel.Ours, error) {
	cfg, err := oracle.ConfigOf(r)
	if err != nil {
		return nil, err
	}
	var rec trace.Recorder
	cfg.Blockstore, cfg.Engine, cfg.Hooks = s.blocks(), s.engine, rec.Hooks()
	m, err := fvm.New(s.ctx, cfg)
	if err != nil {
		return nil, err
	}
	res, err := m.Apply(s.ctx, msg, kind, length)
	if err != nil {
		return nil, err
	}
	o := &duel.Ours{Results: []*fvm.Result{res}, Traces: []trace.Events{rec.Take()}, ActorName: m.ActorName}
	o.Root, err = m.Flush(s.ctx)
	return o, err
}

// blocks are those of the state, with the builtin actors.
func (s *stage) blocks() blockstore.Blockstore {
	return &blockstore.Overlay{Top: s.store, Base: s.world.store()}
}

// edit changes the state by hand.
func (s *stage) edit(change func(*state.Tree) error) {
	buf := blockstore.NewBuffered(s.blocks())
	tree, err := state.Load(s.ctx, buf, s.now, treeVersions...)
	if err == nil {
		err = change(tree)
	}
	if err != nil {
		s.fail("%w", err)
	}
	root, err := tree.Flush(s.ctx)
	if err == nil {
		err = buf.Flush(s.ctx, root)
	}
	if err != nil {
		s.fail("%w", err)
	}
	s.now = root
}

// actor reads an actor.
func (s *stage) actor(id uint64) *state.ActorState {
	tree, err := state.Load(s.ctx, blockstore.NewBuffered(s.blocks()), s.now, treeVersions...)
	if err != nil {
		s.fail("%w", err)
	}
	st, err := tree.Actor(s.ctx, abi.ActorID(id))
	if err != nil || st == nil {
		s.fail("no actor f0%d: %w", id, err)
	}
	return st
}

// bare puts an actor without a state there, as a constructor finds it.
func (s *stage) bare(id uint64, name string) uint64 {
	code, ok := s.manifest.ByName(name)
	if !ok {
		s.fail("no actor %q", name)
	}
	empty := dagCBOR([]byte{0x80})
	s.edit(func(t *state.Tree) error {
		return t.SetActor(abi.ActorID(id), state.ActorState{Code: code, Head: empty.CID, Balance: gsbig.Zero()})
	})
	return id
}

// block reads a block of CBOR.
func (s *stage) block(c cid.Cid) *item {
	b, err := s.blocks().Get(s.ctx, c)
	if err != nil {
		s.fail("%w", err)
	}
	return s.parsed(b.RawData())
}

func (s *stage) parsed(b []byte) *item {
	it, rest, err := parseItem(b, 64)
	if err != nil || len(rest) > 0 {
		s.fail("%d bytes that are no CBOR: %w", len(b), err)
	}
	return it
}

// ret is what a step returned; the scene ends if the step failed, since what follows needs it.
func (s *stage) ret(r *fvm.Result) *item {
	if r.ExitCode != 0 {
		s.fail("exit code %d: %s", r.ExitCode, r.Failure)
	}
	if len(r.Return) == 0 {
		return nil
	}
	return s.parsed(r.Return)
}

// at is an item in lists.
func (s *stage) at(it *item, path ...int) *item {
	for _, i := range path {
		if it == nil || it.major != 4 || i >= len(it.items) {
			s.fail("no item %v of a list", path)
		}
		it = it.items[i]
	}
	return it
}

// linked is the block that an item links to.
func (s *stage) linked(it *item) *item {
	if it.major != 6 || it.value != 42 || len(it.items) != 1 || len(it.items[0].data) < 2 {
		s.fail("no link")
	}
	c, err := cid.Cast(it.items[0].data[1:])
	if err != nil {
		s.fail("%w", err)
	}
	return s.block(c)
}

// theater plays the scenes of each network version once. Safe for concurrent use.
type theater struct {
	engine func() (*fvm.Engine, error)
	mu     sync.Mutex
	played map[network.Version]*scenery
}

func (t *theater) at(ctx context.Context, w *world) (*scenery, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.played[w.NV]; s != nil {
		return s, nil
	}
	e, err := t.engine()
	if err != nil {
		return nil, err
	}
	s, err := playScenes(ctx, w, e)
	if err != nil {
		return nil, err
	}
	if t.played == nil {
		t.played = map[network.Version]*scenery{}
	}
	t.played[w.NV] = s
	return s, nil
}

// sceneCase is a step of a scene: each as it is, in turn, then changed ones.
func sceneCase(ctx context.Context, g *gen) (*Case, error) {
	all, err := g.f.theater.at(ctx, g.world)
	if err != nil {
		return nil, err
	}
	n := g.turn
	st := &all.steps[n%uint64(len(all.steps))]
	r := *st.request
	note := st.note
	if n >= uint64(len(all.steps)) {
		r.Messages = slices.Clone(r.Messages)
		if g.one(6) {
			g.otherSetting(&r)
		}
		if err := g.otherMessage(ctx, &r, 0, st.message); err != nil {
			return nil, err
		}
		note += ", changed"
	}
	return &Case{Case: g.onStage(&r, all), Note: note}, nil
}

func (g *gen) onStage(r *oracle.Request, all *scenery) *duel.Case {
	c := g.duel(r)
	c.Scope = &all.state
	return c
}

// cborOf is the CBOR of Go values: numbers, bools, strings, bytes, amounts (*big.Int), lists (tuple), CIDs, items, nil.
func cborOf(v any) *item {
	switch v := v.(type) {
	case nil:
		return &item{major: 7, value: 22}
	case *item:
		return v
	case bool:
		if v {
			return &item{major: 7, value: 21}
		}
		return &item{major: 7, value: 20}
	case int:
		return cborOf(int64(v))
	case int64:
		if v < 0 {
			return &item{major: 1, value: uint64(-v - 1)}
		}
		return uintItem(uint64(v))
	case uint64:
		return uintItem(v)
	case string:
		return &item{major: 3, data: []byte(v)}
	case []byte:
		return bytesItem(v)
	case *big.Int:
		return amountItem(v)
	case cid.Cid:
		return linkItem(v.Bytes())
	case *account:
		return bytesItem(idBytes(uint64(v.ID)))
	case idOf:
		return bytesItem(idBytes(uint64(v)))
	case tuple:
		it := &item{major: 4}
		for _, x := range v {
			it.items = append(it.items, cborOf(x))
		}
		return it
	}
	panic(fmt.Sprintf("no CBOR for %T", v)) // the values are in this package
}

// tuple is a list; the params of methods are tuples.
type tuple []any

// idOf is the f0 address of an actor; an *account is its f0 address, too.
type idOf uint64

// p are params that are a tuple.
func p(fields ...any) *item { return cborOf(tuple(fields)) }

// encoded is the CBOR of values as bytes, for params within params.
func encoded(v any) []byte { return cborOf(v).appendTo(nil) }

// filler is bytes in place of a proof, of which only the length is looked at.
func filler(n int) []byte { return bytes.Repeat([]byte{7}, n) }

// bits is a bit field of some numbers.
func bits(set ...uint64) *item {
	b, err := bitfield.NewFromSet(set).RunIterator()
	if err != nil {
		panic(err) // of a set in memory
	}
	data, err := rlepluslazy.EncodeRuns(b, nil)
	if err != nil {
		panic(err)
	}
	return bytesItem(data)
}

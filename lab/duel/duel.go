package duel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/filecoin-project/go-state-types/exitcode"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// Case is a request with the blocks that it needs.
type Case struct {
	// Request is what runs; its Blocks lie over Bases. Both sides get traces.
	Request *oracle.Request
	// Bases are shared stores, kept by the oracle: the first has the actors' code, and is left out of vectors.
	Bases []Base
	// Scope is one more store, of which the oracle keeps the last one only. May be nil.
	Scope *Base
	// Quiet: no traces are taken and compared.
	Quiet bool
	// Bundle names the first base for vectors, such as "v18/mainnet".
	Bundle string
}

// states are the stores but for the actors' code.
func (c *Case) states() []Base {
	list := slices.Clone(c.Bases[1:])
	if c.Scope != nil {
		list = append(list, *c.Scope)
	}
	return list
}

// Ours is what our machine made of a case.
type Ours struct {
	// Results are one a message, up to the first without a receipt; that one is nil and its reason Err.
	Results []*fvm.Result
	Traces  []trace.Events
	Err     error
	// Broken: the machine failed, so that there is no root.
	Broken bool
	// Missed is how many blocks were asked for that the case has not.
	Missed int
	Root   cid.Cid

	// ActorName is the name of a builtin actor's code.
	ActorName func(cid.Cid) (string, bool)

	read map[cid.Cid]blocks.Block
}

// Theirs is what the reference made of it: an answer, or an error that is its own.
type Theirs struct {
	Answer *oracle.Answer
	Err    *oracle.Error
}

// Verdict is the outcome of a duel.
type Verdict struct {
	Ours   *Ours
	Theirs *Theirs
	// Differences are empty if they agree.
	Differences []vector.Difference
	// Unjudged: the case lacks a block that a machine asked for, so that there is no right answer.
	Unjudged bool
	// Spared is why the reference was not asked (Theirs is then nil); empty if it was, or if there was none to ask.
	Spared string
	// Gone: the reference had no result for the case, and nor had ours, as a failure of the node.
	Gone bool
	// Native: the end of the reference's native stack decided a message's receipt. Where that is, its compiler decides, so that there
	// is nothing to compare with ours.
	Native bool
}

// store has the blocks of a case, with room for what is written.
func (c *Case) store(ctx context.Context) (*blockstore.Overlay, error) {
	top := blockstore.NewMemory()
	for _, b := range c.Request.Blocks {
		blk, err := blocks.NewBlockWithCid(b.Data, b.CID)
		if err != nil {
			return nil, err
		}
		if err := top.Put(ctx, blk); err != nil {
			return nil, err
		}
	}
	var base blockstore.Blockstore = c.Bases[0].Store
	for _, b := range c.states() {
		base = &blockstore.Overlay{Top: b.Store, Base: base}
	}
	return &blockstore.Overlay{Top: top, Base: base}, nil
}

// RunOurs runs a case on an engine. An error is one of the setting, not of a message.
func RunOurs(ctx context.Context, c *Case, e *fvm.Engine) (*Ours, error) {
	return runOurs(ctx, c, e, false)
}

func runOurs(ctx context.Context, c *Case, e *fvm.Engine, keep bool) (*Ours, error) {
	cfg, err := oracle.ConfigOf(c.Request)
	if err != nil {
		return nil, err
	}
	store, err := c.store(ctx)
	if err != nil {
		return nil, err
	}
	w := &witness{Blockstore: store.Base}
	if keep {
		w.read = map[cid.Cid]blocks.Block{}
	}
	store.Base = w
	var rec trace.Recorder
	cfg.Blockstore, cfg.Engine = store, e
	if !c.Quiet {
		cfg.Hooks = rec.Hooks()
	}
	o := &Ours{read: w.read}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	o.ActorName = m.ActorName
	for i := range c.Request.Messages {
		if o.Err != nil {
			break
		}
		o.apply(ctx, m, c.Request, i)
		if !c.Quiet {
			o.Traces = append(o.Traces, rec.Take())
		}
	}
	o.Missed = w.missed
	if o.Broken {
		return o, ctx.Err()
	}
	if o.Root, err = m.Flush(ctx); err != nil {
		o.Broken, o.Err = true, errors.Join(o.Err, fmt.Errorf("flush: %w", err))
	}
	o.Missed = w.missed
	return o, ctx.Err()
}

func (o *Ours) apply(ctx context.Context, m *fvm.Machine, r *oracle.Request, i int) {
	msg, kind, length, err := r.Messages[i].Decode()
	if err != nil {
		o.Results, o.Err = append(o.Results, nil), err
		return
	}
	res, err := m.Apply(ctx, msg, kind, length)
	o.Results = append(o.Results, res)
	if err != nil {
		o.Err = err
		o.Broken = !errors.Is(err, fvm.ErrInvalidMessage)
	}
}

// RunTheirs runs a case on the reference. An error is one of the oracle's process.
func RunTheirs(ctx context.Context, c *Case, p *Peer) (*Theirs, error) {
	r := *c.Request
	r.Trace, r.Terse, r.Discard = !c.Quiet, true, true
	answer, err := p.Apply(ctx, c.Bases, c.Scope, &r)
	var e *oracle.Error
	if errors.As(err, &e) {
		return &Theirs{Err: e}, nil
	}
	if err != nil {
		return nil, err
	}
	return &Theirs{Answer: answer}, nil
}

// Run runs a case on every engine and on the reference, and compares the first engine with the reference and the
// others with the first. Without a peer (nil) only engines are compared. The first engine runs before the reference is asked, which is
// spared what ours ends without a result to compare (Verdict.Spared).
func Run(ctx context.Context, c *Case, engines []*fvm.Engine, p *Peer) (*Verdict, error) {
	first, err := RunOurs(ctx, c, engines[0])
	if err != nil {
		return nil, err
	}
	why := ""
	if p != nil {
		why = spared(c, first)
	}
	type theirs struct {
		t   *Theirs
		err error
	}
	done := make(chan theirs, 1)
	go func() {
		if p == nil || why != "" {
			done <- theirs{}
			return
		}
		t, err := RunTheirs(ctx, c, p)
		done <- theirs{t, err}
	}()
	all := []*Ours{first}
	for _, e := range engines[1:] {
		var o *Ours
		if o, err = RunOurs(ctx, c, e); err != nil {
			break
		}
		all = append(all, o)
	}
	t := <-done
	if err := errors.Join(err, t.err); err != nil {
		return nil, err
	}
	return judgeAll(all, engines, t.t, why)
}

// RunLimits runs a case of one message once for each gas limit, as Run does, but without traces. Verdicts are fewer than limits if the
// reference gave way over the last one: the rest can be asked for again.
func RunLimits(ctx context.Context, c *Case, limits []int64, engines []*fvm.Engine, p *Peer) ([]*Verdict, error) {
	cases, all, err := c.firstOf(ctx, limits, engines[0])
	if err != nil {
		return nil, err
	}
	why := make([]string, len(limits))
	for i := range why {
		if p != nil {
			why[i] = spared(cases[i], all[i][0])
		}
	}
	type theirs struct {
		list []*Theirs
		err  error
	}
	done := make(chan theirs, 1)
	go func() {
		list, err := c.limitsOfTheirs(ctx, limits, why, p)
		done <- theirs{list, err}
	}()
others:
	for i, one := range cases {
		for _, e := range engines[1:] {
			var o *Ours
			if o, err = RunOurs(ctx, one, e); err != nil {
				break others
			}
			all[i] = append(all[i], o)
		}
	}
	t := <-done
	if err := errors.Join(err, t.err); err != nil {
		return nil, err
	}
	var list []*Verdict
	for i := range t.list {
		v, err := judgeAll(all[i], engines, t.list[i], why[i])
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		return nil, errors.New("the reference ran nothing")
	}
	return list, nil
}

// firstOf runs a case on one engine once for each gas limit: the cases, and a list of what came of each, which others may be added to.
func (c *Case) firstOf(ctx context.Context, limits []int64, e *fvm.Engine) (cases []*Case, all [][]*Ours, err error) {
	for _, limit := range limits {
		one, err := c.withLimit(limit)
		if err != nil {
			return nil, nil, err
		}
		o, err := RunOurs(ctx, one, e)
		if err != nil {
			return nil, nil, err
		}
		cases, all = append(cases, one), append(all, []*Ours{o})
	}
	return cases, all, nil
}

// limitsOfTheirs are the reference's results with each gas limit, nil for one that it is spared, up to the first over which it gave way.
func (c *Case) limitsOfTheirs(ctx context.Context, limits []int64, why []string, p *Peer) ([]*Theirs, error) {
	list := make([]*Theirs, len(limits))
	if p == nil {
		return list, nil
	}
	var ask []int64
	var at []int
	for i, limit := range limits {
		if why[i] == "" {
			ask, at = append(ask, limit), append(at, i)
		}
	}
	if len(ask) == 0 {
		return list, nil
	}
	r := *c.Request
	r.Terse, r.Discard = true, true
	got, err := p.Limits(ctx, c.Bases, c.Scope, &r, ask)
	for i, t := range got {
		list[at[i]] = t
	}
	if err == nil && len(got) < len(ask) {
		list = list[:at[len(got)]]
	}
	return list, err
}

// withLimit is a quiet case with another gas limit. What the message takes on the chain stays as it was.
func (c *Case) withLimit(limit int64) (*Case, error) {
	one := *c
	one.Quiet = true
	r, err := WithLimit(c.Request, limit)
	one.Request = r
	return &one, err
}

// WithLimit is a request of one message with another gas limit. What the message takes on the chain stays as it was.
func WithLimit(r *oracle.Request, limit int64) (*oracle.Request, error) {
	msg, _, length, err := r.Messages[0].Decode()
	if err != nil {
		return nil, err
	}
	msg.GasLimit = limit
	var buf bytes.Buffer
	if err := msg.MarshalCBOR(&buf); err != nil {
		return nil, err
	}
	one := *r
	one.Messages = []oracle.Message{{Bytes: buf.Bytes(), Implicit: r.Messages[0].Implicit, ChainLen: &length}}
	return &one, nil
}

func judgeAll(all []*Ours, engines []*fvm.Engine, t *Theirs, why string) (*Verdict, error) {
	v, err := Judge(all[0], t)
	if err != nil {
		return nil, err
	}
	v.Spared = why
	if v.Unjudged || v.Native || why != "" && all[0].outOfStack() {
		return v, nil // each engine has a stack of its own
	}
	for i, o := range all[1:] {
		if d := between(all[0], o); len(d) > 0 {
			for k := range d {
				d[k].Field += " on " + engines[i+1].Name()
			}
			v.Differences = append(v.Differences, d...)
		}
	}
	return v, nil
}

// Judge compares ours with the reference's. Theirs may be nil: nothing to compare with.
func Judge(o *Ours, t *Theirs) (*Verdict, error) {
	v := &Verdict{Ours: o, Theirs: t}
	if t == nil {
		return v, nil
	}
	if err := v.judge(); err != nil {
		return nil, err
	}
	v.Native = v.Native && len(v.Differences) == 0
	if o.Missed > 0 && (v.Gone || len(v.Differences) > 0) {
		v.Unjudged, v.Gone, v.Differences = true, false, nil
	}
	return v, nil
}

func (v *Verdict) judge() error {
	o, t := v.Ours, v.Theirs
	if t.Err != nil {
		v.Gone = true
		if !o.Broken {
			v.differ(len(o.Results)-1, "receipts", "none: "+t.Err.Text, fmt.Sprintf("%d, root %s", len(o.Results), o.Root))
		}
		return nil
	}
	a := t.Answer
	for i := range a.Results {
		if i >= len(o.Results) {
			v.differ(i, "receipt", "one", fmt.Sprintf("none: %v", o.Err))
			return nil
		}
		if done, err := v.message(i, &a.Results[i]); err != nil || done {
			return err
		}
	}
	if len(o.Results) > len(a.Results) {
		v.differ(len(a.Results), "receipt", "none", "one")
		return nil
	}
	switch {
	case o.Broken && a.Root == "":
		v.Gone = true
	case o.Broken:
		v.differ(-1, "state_root", a.Root, fmt.Sprintf("none: %v", o.Err))
	case a.Root == "":
		// The reference lost its machine to the message without a receipt; there is nothing to compare.
	case o.Root.String() != a.Root:
		v.differ(-1, "state_root", a.Root, o.Root.String())
	}
	return nil
}

func (v *Verdict) differ(i int, field, want, got string) {
	v.Differences = append(v.Differences, vector.Difference{Message: i, Field: field, Want: want, Got: got})
}

// message compares a message; done if what follows cannot be compared.
func (v *Verdict) message(i int, theirs *oracle.Result) (done bool, err error) {
	ours := v.Ours.Results[i]
	if theirs.Error != "" {
		switch {
		case ours != nil:
			v.differ(i, "receipt", "none: "+theirs.Error, fmt.Sprintf("exit code %d", ours.ExitCode))
			return true, nil
		case v.Ours.Broken:
			v.Gone = true
		}
		return v.Gone, nil
	}
	if ours == nil {
		v.differ(i, "receipt", fmt.Sprintf("exit code %d (%s)", theirs.ExitCode, theirs.Failure), fmt.Sprintf("none: %v", v.Ours.Err))
		return true, nil
	}
	want, err := oracle.ResultOf(theirs)
	if err != nil {
		return true, err
	}
	d := vector.CompareResults(i, want, ours)
	if c := theirs.ReturnCodec; c != nil && *c != ours.ReturnCodec {
		d = append(d, vector.Difference{Message: i, Field: "return_codec", Want: fmt.Sprint(*c), Got: fmt.Sprint(ours.ReturnCodec)})
	}
	if v.Ours.Traces != nil {
		text, err := traceDiff(theirs.Trace, v.Ours.Traces[i])
		if err != nil {
			return true, err
		}
		if text != "" {
			d = append(d, vector.Difference{Message: i, Field: "trace", Got: text})
		}
	}
	if len(d) > 0 && exhausted(theirs) {
		v.Native = true
		return true, nil
	}
	v.Differences = append(v.Differences, d...)
	return false, nil
}

// exhausted tells whether a message failed for the end of the reference's native stack, in the words of wasmtime. The stack limit that the
// network counts is another trap.
func exhausted(theirs *oracle.Result) bool {
	return theirs.ExitCode == uint32(exitcode.SysErrIllegalInstruction) && strings.Contains(theirs.Failure, "-- wasm trap: call stack exhausted (4)")
}

// traceDiff compares the text first: parsing is slow, and traces seldom differ.
func traceDiff(want []byte, got trace.Events) (string, error) {
	clipped := slices.Clone(got)
	for i, e := range clipped {
		if x, ok := e.(*trace.Error); ok && x.Text != "" {
			clipped[i] = &trace.Error{Errno: x.Errno}
		}
	}
	text, err := clipped.MarshalJSON()
	if err != nil {
		return "", fmt.Errorf("a trace: %w", err)
	}
	if bytes.Equal(text, want) {
		return "", nil
	}
	var events trace.Events
	if err := events.UnmarshalJSON(want); err != nil {
		return "", fmt.Errorf("the reference's trace: %w", err)
	}
	return trace.Diff(events, clipped), nil
}

// between compares two of our own.
func between(want, got *Ours) (list []vector.Difference) {
	if len(want.Results) != len(got.Results) || want.Broken != got.Broken {
		return []vector.Difference{{Message: -1, Field: "receipts", Want: fmt.Sprintf("%d, %v", len(want.Results), want.Err), Got: fmt.Sprintf("%d, %v", len(got.Results), got.Err)}}
	}
	for i := range want.Results {
		if want.Results[i] != nil || got.Results[i] != nil {
			list = append(list, vector.CompareResults(i, want.Results[i], got.Results[i])...)
		}
		if want.Traces == nil {
			continue
		}
		if text := trace.Diff(want.Traces[i], got.Traces[i]); text != "" {
			list = append(list, vector.Difference{Message: i, Field: "trace", Got: text})
		}
	}
	if !want.Broken && want.Root != got.Root {
		list = append(list, vector.Difference{Message: -1, Field: "state_root", Want: want.Root.String(), Got: got.Root.String()})
	}
	return list
}

package shadow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// scene is a difference on its way to a bundle. The engines run the message again, each on a fresh machine over the
// state before it: that shows which blocks the bundle needs, and whether they differ again.
type scene struct {
	*Machine
	d              *Difference
	primary, other *lane
	expected       *lane // the primary, or the first other engine with a receipt
	// past: what was seen is not of messages, but of what came after them. They are known by running again only.
	past bool

	before, messages []applied // since s.base: what comes first, and what the bundle is of
	pre              cid.Cid   // the root before messages
	store            blockstore.Blockstore
	again            map[*lane][]outcome // of messages
	asked            map[string]bool
	read             map[cid.Cid]blocks.Block
}

// write makes the bundle, and sets d.Again.
func (s *scene) write(ctx context.Context) (string, error) {
	s.asked = s.known.take()
	s.expected = s.primary
	if err := s.primary.out.err; err != nil && !isInvalid(err) {
		s.expected = s.other
	}
	// Everything from here on stays in memory.
	s.store = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: s.expected.view}
	if s.past {
		s.messages = s.log
		list, err := s.find(ctx)
		if err != nil {
			return "", err
		}
		if list != nil {
			s.d.Parts = list
		}
	}
	if len(s.messages) == 0 {
		return "", errors.New("no message ran since the last flush")
	}
	if err := s.runAgain(ctx); err != nil {
		return "", err
	}
	s.d.Again = s.verdict()
	if s.d.Again == noneAgain && len(s.before) > 0 {
		if err := s.earlier(ctx); err != nil {
			return "", err
		}
	}
	post, err := s.post(ctx)
	if err != nil {
		return "", err
	}
	return s.save(ctx, post)
}

// fresh is an engine with a new machine, which nobody watches.
func (s *scene) fresh(ctx context.Context, of *lane, root cid.Cid, store blockstore.Blockstore) (*lane, error) {
	l := &lane{label: of.label, engine: of.engine}
	cfg := s.known.config(s.cfg)
	cfg.StateRoot, cfg.Blockstore, cfg.Engine, cfg.Hooks = root, store, of.engine, l.rec.Hooks()
	var err error
	l.m, err = fvm.New(ctx, cfg)
	return l, err
}

func (l *lane) applyAgain(ctx context.Context, a applied, root bool) outcome {
	msg := *a.msg
	l.apply(ctx, &msg, a.kind, a.length, root)
	return l.out
}

// earlier looks for the cause in the messages before: roots may have differed long before a result did.
func (s *scene) earlier(ctx context.Context) error {
	seen := s.messages[0].number
	list, err := s.find(ctx)
	if err != nil || list == nil {
		return err
	}
	first := s.d.Parts[0]
	s.past, s.d.Parts = true, list
	if err := s.runAgain(ctx); err != nil {
		return err
	}
	s.d.Again = fmt.Sprintf("seen first in message %d (%s), and by running again found to begin here", seen, first)
	return nil
}

// find looks for the first message that differs, its root included, when all since the last root run again. The bundle is
// then of that one.
func (s *scene) find(ctx context.Context) (parts, error) {
	want, err := s.fresh(ctx, s.primary, s.base, &blockstore.Overlay{Top: blockstore.NewMemory(), Base: s.store})
	if err != nil {
		return nil, err
	}
	got, err := s.fresh(ctx, s.other, s.base, &blockstore.Overlay{Top: blockstore.NewMemory(), Base: s.store})
	if err != nil {
		return nil, err
	}
	for i, a := range s.log {
		x, y := want.applyAgain(ctx, a, true), got.applyAgain(ctx, a, true)
		if list := compare(&x, &y); len(list) > 0 {
			s.before, s.messages = s.log[:i], s.log[i:i+1]
			s.d.at(a)
			return list, nil
		}
	}
	return nil, nil
}

// prologue runs what came before, for the root that messages begin from.
func (s *scene) prologue(ctx context.Context) error {
	s.pre = s.base
	if len(s.before) > 0 {
		l, err := s.fresh(ctx, s.expected, s.base, s.store)
		if err != nil {
			return err
		}
		for _, a := range s.before {
			if out := l.applyAgain(ctx, a, false); out.err != nil {
				return fmt.Errorf("running message %d again, which came before: %w", a.number, out.err)
			}
		}
		if s.pre, err = l.m.Flush(ctx); err != nil {
			return err
		}
	}
	s.known.take() // what earlier messages asked is not the bundle's
	return nil
}

// runAgain runs messages on every engine and notes the blocks that it reads.
func (s *scene) runAgain(ctx context.Context) error {
	if err := s.prologue(ctx); err != nil {
		return err
	}
	w := &witness{Blockstore: s.store, read: map[cid.Cid]blocks.Block{}}
	s.again = map[*lane][]outcome{}
	for _, of := range s.lanes {
		if of.m == nil {
			continue
		}
		l, err := s.fresh(ctx, of, s.pre, &blockstore.Overlay{Top: blockstore.NewMemory(), Base: w})
		if err != nil && of == s.expected {
			return err
		}
		for _, a := range s.messages {
			if err != nil {
				s.again[of] = append(s.again[of], outcome{err: err, trace: trace.Events{}})
				continue
			}
			s.again[of] = append(s.again[of], l.applyAgain(ctx, a, true))
		}
	}
	maps.Copy(s.asked, s.known.take())
	s.read = w.read
	return nil
}

const noneAgain = "run again, they did not differ"

// verdict says what running again showed.
func (s *scene) verdict() string {
	var first, second parts
	for i := range s.messages {
		if !s.past {
			seen := s.expected.out
			seen.root = s.again[s.expected][i].root // of a message there may be none to compare
			first = compare(&seen, &s.again[s.expected][i])
		}
		if second = compare(&s.again[s.primary][i], &s.again[s.other][i]); len(first)+len(second) > 0 {
			break
		}
	}
	switch {
	case len(first) > 0:
		return fmt.Sprintf("run again, %s itself gave something else: %s", s.expected.label, first[0])
	case len(second) == 0:
		return noneAgain
	case slices.Equal(second.without("state_root"), parts(s.d.Parts).without("state_root")):
		return "run again, they differed in the same way"
	}
	return fmt.Sprintf("run again, they differed in another way: %s", second[0])
}

func (p parts) without(field string) parts {
	return slices.DeleteFunc(slices.Clone(p), func(d vector.Difference) bool { return d.Field == field })
}

// post is the root that the bundle expects: the one that was seen, if one was.
func (s *scene) post(ctx context.Context) (cid.Cid, error) {
	switch {
	case s.expected.out.err != nil && !isInvalid(s.expected.out.err):
		return cid.Undef, errors.New("no engine came to a result")
	case s.past && len(s.messages) < len(s.log):
		list := s.again[s.expected]
		last := list[len(list)-1]
		return last.root, last.err
	case s.expected.out.root.Defined():
		return s.expected.out.root, nil
	}
	return s.expected.m.Flush(ctx) // into its view
}

// traces are those of an engine: as they were seen, or as they are when it runs again.
func (s *scene) traces(l *lane) (list []trace.Events) {
	if !s.past {
		return []trace.Events{l.out.trace}
	}
	for _, o := range s.again[l] {
		list = append(list, o.trace)
	}
	return list
}

func (s *scene) save(ctx context.Context, post cid.Cid) (string, error) {
	cfg := s.cfg
	cfg.StateRoot = s.pre
	name, err := s.actors(ctx)
	if err != nil {
		return "", err
	}
	d := vector.NewDraft(cfg, name, fmt.Sprintf("%s differs from %s", s.other.label, s.primary.label))
	for _, a := range s.messages {
		res := a.res
		if !s.past {
			res = s.expected.out.res
		}
		if err := d.Message(a.msg, a.kind, a.length, res); err != nil {
			return "", err
		}
	}
	s.known.tell(d, s.asked)
	beside := s.other // whose trace the vector does not expect
	if s.expected == s.other {
		beside = s.primary
	}
	diff := &vector.EngineDifference{
		Primary: s.primary.label, Engine: s.other.label, Agreed: s.d.Agreed, Differences: s.d.Parts, Expected: s.expected.label, Again: s.d.Again,
	}
	d.Traces(s.traces(s.expected), s.traces(beside), diff)
	list := slices.SortedFunc(maps.Values(s.read), func(a, b blocks.Block) int { return bytes.Compare(a.Cid().Bytes(), b.Cid().Bytes()) })
	return d.Save(s.opts.Dir, post, list)
}

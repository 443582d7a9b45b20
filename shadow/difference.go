package shadow

import (
	"context"
	"fmt"
	"strings"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/vector"
)

// Difference is an engine that made something else of a message than the primary. As an error it is one for which
// errors.Is finds vector.ErrEnginesDiffer, and the primary's own error if it had one.
type Difference struct {
	Primary, Engine string
	// Agreed are the other engines that gave what the primary gave. If there are three engines and this is empty, it is
	// the primary that stands alone, or each.
	Agreed []string
	// Number of the message, counted from 0 since New: the one where the difference showed or, where running again for
	// the bundle finds an earlier one to be the cause, that. -1: state roots differ at a Flush, and no cause is known.
	Number int
	// Message that ran, nil for Number -1.
	Message *fvm.Message
	Kind    fvm.Kind
	// Parts say what differs: want is the primary's. A trace is told by its first event that differs.
	Parts []vector.Difference
	// Again says what came when all engines ran the message anew. Empty without Options.Dir.
	Again string
	// Bundle is the vector file, "" if there is none.
	Bundle string
	// BundleError is why there is none although Options.Dir asks for one.
	BundleError error

	primaryErr error
}

func (d *Difference) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "engine %s differs from %s", d.Engine, d.Primary)
	if d.Message == nil {
		s.WriteString(" at the flush")
	} else {
		fmt.Fprintf(&s, " in message %d (%s to %s, method %d, nonce %d)", d.Number, addr.String(d.Message.From), addr.String(d.Message.To), d.Message.Method, d.Message.Nonce)
	}
	for i, p := range d.Parts {
		s.WriteString([]string{": ", "; "}[min(i, 1)])
		s.WriteString(p.String())
	}
	for _, a := range d.Agreed {
		fmt.Fprintf(&s, "; %s agrees with %s", a, d.Primary)
	}
	switch {
	case d.Bundle != "":
		fmt.Fprintf(&s, "; %s; bundle: %s", d.Again, d.Bundle)
	case d.BundleError != nil:
		fmt.Fprintf(&s, "; no bundle could be written: %v", d.BundleError)
	}
	return s.String()
}

// Is is true of vector.ErrEnginesDiffer.
func (d *Difference) Is(target error) bool { return target == vector.ErrEnginesDiffer }

// Unwrap is the primary's own error.
func (d *Difference) Unwrap() error { return d.primaryErr }

// judge compares what the engines made of the last message, or of a flush, and acts. An error is the machine's: the
// engines differ, or none could go on.
func (m *Machine) judge(ctx context.Context, flush bool) error {
	p := m.lanes[0]
	failed := false // an engine, not the message
	for _, l := range m.lanes {
		failed = failed || l.m != nil && l.out.err != nil && !isInvalid(l.out.err)
	}
	if err := ctx.Err(); err != nil && failed {
		// It caught one engine earlier than the other.
		m.poison = err
		if p.out.err != nil {
			m.poison = p.out.err
		}
		return m.poison
	}
	var agreed, differ []*lane
	var diffs []*Difference
	for _, l := range m.lanes[1:] {
		if l.m == nil {
			continue
		}
		if list := compare(&p.out, &l.out); len(list) > 0 {
			differ = append(differ, l)
			diffs = append(diffs, &Difference{Primary: p.label, Engine: l.label, Number: -1, Parts: list, primaryErr: p.out.err})
			continue
		}
		agreed = append(agreed, l)
	}
	if len(diffs) == 0 {
		if failed {
			m.poison = p.out.err
			return p.out.err
		}
		return nil
	}
	for i, d := range diffs {
		for _, l := range agreed {
			d.Agreed = append(d.Agreed, l.label)
		}
		m.tell(ctx, d, differ[i], flush)
	}
	if m.opts.OnDifference == Halt || p.out.err != nil && !isInvalid(p.out.err) {
		m.poison = diffs[0]
		return diffs[0]
	}
	for _, l := range differ {
		l.m = nil
	}
	return nil
}

// tell writes the bundle of a difference and reports it.
func (m *Machine) tell(ctx context.Context, d *Difference, other *lane, flush bool) {
	s := &scene{Machine: m, d: d, primary: m.lanes[0], other: other, past: flush}
	if !flush {
		s.messages = m.log[len(m.log)-1:]
		s.before = m.log[:len(m.log)-1]
		d.at(s.messages[0])
	}
	if m.opts.Dir != "" {
		// What is already asked for is written, even if the caller has no more time.
		d.Bundle, d.BundleError = s.write(context.WithoutCancel(ctx))
	}
	args := []any{"engine", d.Engine, "primary", d.Primary, "message", d.Number, "difference", d.Error(), "bundle", d.Bundle}
	m.opts.Logger.Error("engines differ", args...)
	if m.opts.Report != nil {
		m.opts.Report(*d)
	}
}

func (d *Difference) at(a applied) {
	d.Number, d.Message, d.Kind = a.number, a.msg, a.kind
}

package gasreport

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/edgefvm/fvm/internal/layout"
)

// Snapshot is what a text file keeps of a report: gas in units by name, rounded up.
type Snapshot map[string]int64

// Snapshot of a report: the total, and each function with what it took with the calls below.
func (r *Report) Snapshot() Snapshot {
	s := Snapshot{"total": r.GasUsed}
	for _, f := range r.Functions {
		milli := f.Total
		if f.Name == Inclusion {
			milli = f.Milli
		}
		s[f.Name] = units(milli)
	}
	return s
}

func units(milli int64) int64 {
	if milli <= 0 {
		return milli / 1000
	}
	return (milli + 999) / 1000
}

// Write writes a line for each name, in the order of the alphabet: "Token.transfer(address,uint256) (gas: 1234)".
func (s Snapshot) Write(w io.Writer) error {
	names := make([]string, 0, len(s))
	for n := range s {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if _, err := fmt.Fprintf(w, "%s (gas: %d)\n", strings.NewReplacer("\n", " ", "\r", " ").Replace(n), s[n]); err != nil {
			return err
		}
	}
	return nil
}

// ErrSnapshot is wrapped by errors about a file that is no snapshot.
var ErrSnapshot = errors.New("no snapshot of gas")

// mostLines bounds a snapshot.
const mostLines = 1_000_000

// ReadSnapshot reads what Write wrote. Empty lines are left out.
func ReadSnapshot(r io.Reader) (Snapshot, error) {
	s := Snapshot{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<10)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		if n > mostLines {
			return nil, fmt.Errorf("%w: more than %d lines", ErrSnapshot, mostLines)
		}
		i := strings.LastIndex(line, " (gas: ")
		if i <= 0 || !strings.HasSuffix(line, ")") {
			return nil, fmt.Errorf("%w: line %d is %q: want NAME (gas: NUMBER)", ErrSnapshot, n, layout.Cut(line, 60))
		}
		gas, err := strconv.ParseInt(line[i+len(" (gas: "):len(line)-1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %q is no number", ErrSnapshot, n, layout.Cut(line[i+len(" (gas: "):len(line)-1], 60))
		}
		name := line[:i]
		if _, twice := s[name]; twice {
			return nil, fmt.Errorf("%w: line %d: %q is there twice", ErrSnapshot, n, layout.Cut(name, 60))
		}
		s[name] = gas
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return s, nil
}

// Difference is a name whose gas is another than before.
type Difference struct {
	Name   string `json:"name"`
	Before *int64 `json:"before"` // nil: it is new
	After  *int64 `json:"after"`  // nil: it is gone
	// Beyond says that it took more than the tolerance allows. What is new or gone is never beyond.
	Beyond bool `json:"beyond"`
}

// Delta is After less Before, in units of gas; of what is new or gone all of it.
func (d Difference) Delta() int64 { return value(d.After) - value(d.Before) }

// Percent is Delta in parts of a hundred of Before; 0 of what is new.
func (d Difference) Percent() float64 {
	if d.Before == nil || *d.Before == 0 {
		return 0
	}
	return 100 * float64(d.Delta()) / float64(*d.Before)
}

func value(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

// Diff tells what differs from one snapshot to another, the largest difference first. tolerance is in parts of a hundred of what it was
// before.
func Diff(before, after Snapshot, tolerance float64) []Difference {
	out := []Difference{}
	for name, b := range before {
		if a, ok := after[name]; !ok {
			out = append(out, Difference{Name: name, Before: &b})
		} else if a != b {
			out = append(out, Difference{name, &b, &a, float64(a-b)*100 > tolerance*float64(max(b, 0))})
		}
	}
	for name, a := range after {
		if _, ok := before[name]; !ok {
			out = append(out, Difference{Name: name, After: &a})
		}
	}
	slices.SortFunc(out, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(abs(b.Delta()), abs(a.Delta())), strings.Compare(a.Name, b.Name))
	})
	return out
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

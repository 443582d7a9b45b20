package gas_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/fuzz"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// Every price of every list is paid by the cases with which a campaign begins: where it is a gas more, they cost something else.
// So what a campaign compares with the reference compares every price.
func TestEveryPriceIsPaid(t *testing.T) {
	dir, err := fvm.DefaultCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := fuzz.ListeningWazero(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	actors := vector.NewActors(bundle.Options{})
	for _, c := range []struct {
		nv     network.Version
		prices int // at least
	}{{17, 35}, {20, 50}, {24, 55}, {29, 70}} {
		t.Run(fmt.Sprint("nv", c.nv), func(t *testing.T) {
			cases, err := fuzz.Reaching(t.Context(), actors, c.nv)
			if err != nil {
				t.Fatal(err)
			}
			r := &runner{t: t, e: e}
			for _, x := range cases {
				r.add(x)
			}
			entries, err := gas.Entries(c.nv)
			if err != nil || len(entries) < c.prices {
				t.Fatalf("only %d prices, %v", len(entries), err)
			}
			if r.differs() {
				t.Fatal("with the same prices the cases cost something else")
			}
			for _, x := range entries {
				was := *x.Price
				*x.Price = was.Add(1000)
				if !r.differs() {
					t.Errorf("nobody pays %s", x.Name)
				}
				*x.Price = was
			}
			t.Logf("%d prices", len(entries))
		})
	}
}

// paid is a case and its charges.
type paid struct {
	of      *fuzz.Case
	charges []trace.GasCharge
	took    time.Duration
}

type runner struct {
	t     *testing.T
	e     *fvm.Engine
	cases []*paid // the one that told last first, then the quick ones
}

func (r *runner) charges(c *fuzz.Case) []trace.GasCharge {
	r.t.Helper()
	o, err := duel.RunOurs(r.t.Context(), c.Case, r.e)
	if err != nil {
		r.t.Fatal(err)
	}
	var list []trace.GasCharge
	for _, events := range o.Traces {
		for _, e := range events {
			if c, ok := e.(*trace.GasCharge); ok {
				list = append(list, *c)
			}
		}
	}
	return list
}

func (r *runner) add(c *fuzz.Case) {
	r.t.Helper()
	r.charges(c) // compiled
	began := time.Now()
	p := &paid{of: c, charges: r.charges(c)}
	p.took = time.Since(began)
	r.cases = append(r.cases, p)
	slices.SortFunc(r.cases, func(a, b *paid) int { return int(a.took - b.took) })
}

// differs tells whether some case costs something else than it did.
func (r *runner) differs() bool {
	r.t.Helper()
	for i, p := range r.cases {
		if !slices.Equal(r.charges(p.of), p.charges) {
			r.cases = slices.Insert(slices.Delete(r.cases, i, i+1), 0, p)
			return true
		}
	}
	return false
}

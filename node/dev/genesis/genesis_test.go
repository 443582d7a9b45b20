package genesis

import (
	"fmt"
	"os"
	"testing"
	"time"

	netver "github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/blockstore"
)

func make1(t testing.TB, o Options) *Genesis {
	t.Helper()
	g, err := Make(t.Context(), blockstore.NewMemory(), o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var versions = []netver.Version{18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29}

func TestSameRoot(t *testing.T) {
	for _, nv := range versions {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			o := Options{NetworkVersion: nv, Miners: 2}
			t0 := time.Now()
			a := make1(t, o)
			t1 := time.Now()
			b := make1(t, o)
			if a.Root != b.Root {
				t.Errorf("two roots: %s and %s", a.Root, b.Root)
			}
			o.Miners = 1
			if c := make1(t, o); c.Root == a.Root {
				t.Error("another number of miners has the same root")
			}
			t.Log(a.Root, t1.Sub(t0), time.Since(t1)/2)
		})
	}
}

func TestMain(m *testing.M) { os.Exit(m.Run()) }

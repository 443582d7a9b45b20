package follow

import (
	"testing"
	"time"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/follow/standin"
	"github.com/edgefvm/fvm/node/remote"
)

// What fetching ahead is worth with a node that is 10 ms away: a tipset of which nothing is there yet.
//
//	go test ./node/follow -run '^$' -bench Ahead -benchtime 20x
func BenchmarkAhead(b *testing.B) {
	for _, lazy := range []bool{true, false} {
		name := "ahead"
		if lazy {
			name = "lazy"
		}
		b.Run(name, func(b *testing.B) {
			c := load(b, "two29")
			n := standin.Start(b, c, c.Tipsets[len(c.Tipsets)-1])
			n.Delay = 10 * time.Millisecond
			requests := 0
			for i := 0; b.Loop(); i++ {
				w := &world{disks: new(remote.Memories), chain: c, node: n, dir: b.TempDir()}
				at := 1 + i%(len(c.Tipsets)-2)
				n.SetHead(c.Tipsets[at+1])
				o := Options{Node: w.client(b, "http"), Network: c.Network, Engines: []*fvm.Engine{theEngine(b)}, Dir: w.dir, Open: w.disks.Open, To: c.Tipsets[at].Height()}
				f, err := New(o)
				if err != nil {
					b.Fatal(err)
				}
				f.fetch.lazy = lazy
				before := n.Objects.Load()
				if err := f.Run(b.Context()); err != nil || f.Status().Passed != 1 {
					b.Fatal(f.Status(), err)
				}
				requests += int(n.Objects.Load() - before)
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(requests)/float64(b.N), "blocks/op")
		})
	}
}

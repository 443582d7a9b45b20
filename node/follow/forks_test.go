package follow

import (
	"os"
	"slices"
	"testing"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/follow/standin"
	"github.com/edgefvm/fvm/node/remote"
)

const shared = "../../../shared/chains"

// forks are the tipsets of a chain's archive that are not on it, lowest first: all blocks of a height on the same parents, but for
// second ones of a miner.
func forks(t *testing.T, c *standin.Chain) []*chain.Tipset {
	t.Helper()
	main := map[string]bool{}
	for _, ts := range c.Tipsets {
		for _, id := range ts.CIDs {
			main[id.KeyString()] = true
		}
	}
	type place struct {
		height  int64
		parents chain.Key
	}
	groups := map[place][]*chain.Header{}
	for _, id := range c.Blocks.Keys() {
		data, err := c.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		h, err := chain.DecodeHeader(data)
		if err != nil || main[id.KeyString()] || h.Height == 0 {
			continue
		}
		p := place{int64(h.Height), chain.NewKey(h.Parents...)}
		if !slices.ContainsFunc(groups[p], func(o *chain.Header) bool { return o.Miner == h.Miner }) {
			groups[p] = append(groups[p], h)
		}
	}
	var list []*chain.Tipset
	for _, g := range groups {
		ts, err := chain.NewTipset(g)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, ts)
	}
	slices.SortFunc(list, func(a, b *chain.Tipset) int { return int(a.Height() - b.Height()) })
	return list
}

// A head that moves over the side chains which Lotus made beside a chain, and back each time: all of them pass.
func TestForksShared(t *testing.T) {
	if _, err := os.Stat(shared); err != nil {
		t.Skip("SKIPPED: ../shared/chains is not there; TestReorg has a fork of its own")
	}
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	c := standin.Load(t, shared, "dev29-with-forks", theEngine(t))
	side := forks(t, c)
	if len(side) < 4 {
		t.Fatalf("%d tipsets are beside the chain", len(side))
	}
	w := &world{disks: new(remote.Memories), t: t, chain: c, node: standin.Start(t, c, side[0]), dir: t.TempDir()}
	o := w.options("ws")
	o.From, o.Parallel = max(side[0].Height()-20, 1), 2
	r := w.run(o)
	for _, ts := range side {
		w.node.SetHead(ts)
		r.until("the fork", func(Status) bool { return r.finishedWith() == ts.Key() })
		for _, m := range c.Tipsets {
			if m.Height() > ts.Height() {
				w.node.SetHead(m)
				r.until("the way back", func(Status) bool { return r.finishedWith() == m.Key() })
				break
			}
		}
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	s := r.Status()
	if s.Differs+s.Undecided+s.Skipped != 0 || s.Reorgs < len(side)/3 || s.Passed < len(side) {
		t.Errorf("%+v", s)
	}
	t.Logf("%d tipsets beside the chain, %d passed in all, %d reorganisations", len(side), s.Passed, s.Reorgs)
}

// finishedWith is the last head of which all was judged.
func (f *Follower) finishedWith() chain.Key {
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	return f.finished
}

// By WebSocket each head is told at once: nothing is left to the question that is asked once an epoch.
func TestNotified(t *testing.T) {
	w := newWorld(t, "two29", 5)
	o := w.options("ws")
	slow := *o.Network
	slow.BlockDelay = 3600
	o.Network = &slow
	r := w.run(o)
	r.until("the first", func(s Status) bool { return s.Head == w.chain.Tipsets[5].Height() })
	for _, i := range []int{6, 7, 8, 6, 9, 10, 3, 11} {
		w.node.SetHead(w.chain.Tipsets[i])
		r.until("the head", func(s Status) bool { return s.Head == w.chain.Tipsets[i].Height() })
	}
}

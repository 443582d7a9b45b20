package script

import "fmt"

// reachPrices pays what prices depend on besides the syscall: hash functions, distances, types and numbers of seals.
func reachPrices(b *builder) {
	e := b.e
	b.add("hashes", func(s *Script) {
		text := s.Bytes([]byte("something to hash"))
		for _, code := range []uint64{hashSha256, hashBlake2b256, hashBlake2b512, hashKeccak256, hashRipemd160} {
			at := s.Out(64)
			s.Do(OpHash, s.Out(4), code, text, 17, at, 64)
			s.Fnv(at, 64)
		}
	})
	if e.Era > 2 {
		b.add("tipsets", func(s *Script) {
			for _, back := range []int64{1, 2, 100} {
				s.Do(OpTipsetCid, s.Out(4), e.Epoch-back, s.Out(104), 100)
			}
		})
	}
	for _, t := range []struct {
		seal  int64
		steps []int
	}{
		{8, []int{1, 4, 7, 13, 26, 52, 103, 205, 410}}, {9, []int{1, 4, 7, 13, 26, 52, 103, 205, 410}},
		{18, []int{1, 2, 3, 5, 9, 17, 33}}, {19, []int{1, 2, 3, 5, 9, 17, 33}},
	} {
		b.add(fmt.Sprint("aggregates of type ", t.seal), func(s *Script) { aggregatesOf(s, t.seal, t.steps) })
	}
}

// aggregatesOf judges aggregates of several sizes. The parameters of the largest would be too long for a script, so it
// doubles one seal up to the greatest number, and puts the head of each aggregate before them.
func aggregatesOf(s *Script, seal int64, sizes []int) {
	whole := aggregateSeals(seal, 1, 1)
	head := len(aggregateSeals(seal, 1, 0)) // its last byte is the head of an empty list
	item := whole[head:]
	at := uint64(memSize + 1024)
	s.Do(OpMemGrow, 2)
	s.Do(OpMemCopy, at, s.Bytes(item), len(item))
	most := sizes[len(sizes)-1]
	for n := 1; n < most; n *= 2 {
		s.Do(OpMemCopy, at+uint64(n*len(item)), at, min(n, most-n)*len(item))
	}
	for _, n := range sizes {
		front := cat(whole[:head-1], cborHead(4, uint64(n)))
		from := at - uint64(len(front))
		s.Do(OpMemCopy, from, s.Bytes(front), len(front))
		out := s.Out(4)
		s.Do(OpVerifyAggregateSeals, out, from, len(front)+n*len(item))
		s.Do(OpLoad32, out)
	}
}

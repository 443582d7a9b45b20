package collections

import (
	"bytes"
	"context"
	"iter"

	"github.com/ipfs/go-cid"
)

// DiffArrays calls fn, in the order of indexes, for each index whose value differs; before or after is nil where there is
// none. It loads only nodes that differ, whatever the heights, if both have the same width; where they have not, it reads
// all of both.
func DiffArrays(ctx context.Context, a, b *Array, fn func(index uint64, before, after []byte) error) error {
	if a.Root == b.Root {
		return nil
	}
	d := arrayDiff{ctx: ctx, a: a, b: b, fn: fn}
	if a.bits != b.bits {
		return d.merge()
	}
	height := max(a.height, b.height)
	return d.subs(sub{node: a.top, height: a.height}, sub{node: b.top, height: b.height}, height, 0)
}

type arrayDiff struct {
	ctx  context.Context
	a, b *Array
	fn   func(index uint64, before, after []byte) error
}

// sub is a part of an AMT: a node, or the link to one. Its height may be less than that of the place where it stands:
// then it is what the first place leads to of a node that is not there. The zero sub is empty.
type sub struct {
	node   *arrayNode
	link   cid.Cid
	height int
}

func (s *sub) empty() bool { return s.node == nil && !s.link.Defined() }

// open is a sub as a node of that height; ok is false if the walk is to go on without it.
func (d *arrayDiff) open(a *Array, s sub, height int) (at []int, subs []sub, values [][]byte, ok bool, err error) {
	if s.empty() {
		return nil, nil, nil, true, nil
	}
	if s.height < height {
		return []int{0}, []sub{s}, nil, true, nil
	}
	n := s.node
	if n == nil {
		if n, err = a.child(d.ctx, s.link, height); err != nil || n == nil {
			return nil, nil, nil, false, err
		}
	}
	for _, l := range n.links {
		subs = append(subs, sub{link: l, height: height - 1})
	}
	return n.at, subs, n.values, true, nil
}

func (d *arrayDiff) subs(a, b sub, height int, base uint64) error {
	if a.link.Defined() && a.link == b.link && a.height == b.height {
		return nil
	}
	atA, subsA, valuesA, ok, err := d.open(d.a, a, height)
	if err != nil || !ok {
		return err
	}
	atB, subsB, valuesB, ok, err := d.open(d.b, b, height)
	if err != nil || !ok {
		return err
	}
	for i, j := 0, 0; i < len(atA) || j < len(atB); {
		place := 1 << maxArrayBits
		if i < len(atA) {
			place = atA[i]
		}
		if j < len(atB) {
			place = min(place, atB[j])
		}
		inA, inB := i < len(atA) && atA[i] == place, j < len(atB) && atB[j] == place
		index := base | uint64(place)<<(d.a.bits*height)
		if height == 0 {
			err = d.values(index, pick(valuesA, i, inA), pick(valuesB, j, inB))
		} else {
			err = d.subs(pick(subsA, i, inA), pick(subsB, j, inB), height-1, index)
		}
		if err != nil {
			return err
		}
		if inA {
			i++
		}
		if inB {
			j++
		}
	}
	return nil
}

// pick is all[i] if there is one.
func pick[T any](all []T, i int, there bool) (v T) {
	if there {
		v = all[i]
	}
	return v
}

func (d *arrayDiff) values(index uint64, before, after []byte) error {
	if bytes.Equal(before, after) {
		return nil
	}
	return d.fn(index, before, after)
}

// merge compares arrays of different widths, walking both at once.
func (d *arrayDiff) merge() error {
	nextA, stopA := iter.Pull(d.a.items(d.ctx))
	defer stopA()
	nextB, stopB := iter.Pull(d.b.items(d.ctx))
	defer stopB()
	x, okA := nextA()
	y, okB := nextB()
	for okA || okB {
		if x.err != nil || y.err != nil {
			if x.err != nil {
				return x.err
			}
			return y.err
		}
		var err error
		switch {
		case okA && (!okB || x.index < y.index):
			err = d.fn(x.index, x.value, nil)
			x, okA = nextA()
		case okB && (!okA || y.index < x.index):
			err = d.fn(y.index, nil, y.value)
			y, okB = nextB()
		default:
			err = d.values(x.index, x.value, y.value)
			x, okA = nextA()
			y, okB = nextB()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

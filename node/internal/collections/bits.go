package collections

import "errors"

var errTooDeep = errors.New("deeper than its keys are long")

// runOfBits is a run of bits of a byte string, most significant first.
type runOfBits struct {
	data     []byte
	off, end int // in bits
}

func bitsOf(data []byte) runOfBits { return runOfBits{data, 0, 8 * len(data)} }

func (b runOfBits) len() int { return b.end - b.off }

// next takes n bits, at most 8, off the front; at the end those that are left: of 256 bits, 5 at a time, the last is alone.
func (b *runOfBits) next(n int) (int, error) {
	if b.len() == 0 {
		return 0, errTooDeep
	}
	n = min(n, b.len())
	v := 0
	for range n {
		v = v<<1 | int(b.data[b.off/8]>>(7-b.off%8)&1)
		b.off++
	}
	return v, nil
}

// equal tells whether the bits that are left are the same.
func (b runOfBits) equal(o runOfBits) bool {
	if b.len() != o.len() {
		return false
	}
	for i := range b.len() {
		x, y := b.off+i, o.off+i
		if (b.data[x/8]>>(7-x%8)^o.data[y/8]>>(7-y%8))&1 != 0 {
			return false
		}
	}
	return true
}

// prefix are the bits that the keys below a place of a map begin with.
type prefix struct {
	data [keyBytes]byte
	n    int
}

// add appends a place of that many bits, or, at the end of a key, of those that are left.
func (p *prefix) add(place, width int) error {
	if width = min(width, keyBits-p.n); width == 0 || place>>width != 0 {
		return errTooDeep
	}
	for i := width - 1; i >= 0; i-- {
		p.data[p.n/8] |= byte(place>>i&1) << (7 - p.n%8)
		p.n++
	}
	return nil
}

// addRun appends what a link skips.
func (p *prefix) addRun(b runOfBits) error {
	for b.len() > 0 {
		v, err := b.next(1)
		if err == nil {
			err = p.add(v, 1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// of tells whether a key's bits begin so.
func (p *prefix) of(where runOfBits) bool {
	where.end = min(where.end, where.off+p.n)
	return where.equal(runOfBits{p.data[:], 0, p.n})
}

package binary

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

func TestNumbers(t *testing.T) {
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, 127, 128, 1 << 31, math.MinInt32, math.MaxInt64, math.MinInt64} {
		var b []byte
		for x := v; ; x >>= 7 {
			if x>>6 == 0 || x>>6 == -1 {
				b = append(b, byte(x&0x7f))
				break
			}
			b = append(b, byte(x)|0x80)
		}
		if r := (Reader{B: append(b, 9)}); r.Signed() != v || r.Byte() != 9 || r.Err != nil {
			t.Errorf("%d: %+v", v, r)
		}
	}
	for _, v := range []uint32{0, 127, 128, math.MaxUint32} {
		if r := (Reader{B: binary.AppendUvarint(nil, uint64(v))}); r.U32() != v || r.Err != nil {
			t.Errorf("%d: %+v", v, r)
		}
	}
	if r := (Reader{B: []byte{0x83, 0x80, 0x00, 9}}); r.U32() != 3 || r.Byte() != 9 { // padded
		t.Errorf("%+v", r)
	}
}

// The first failure sticks.
func TestFailures(t *testing.T) {
	for name, read := range map[string]func(*Reader){
		"byte": func(r *Reader) { r.Take(2); r.Byte() }, "take": func(r *Reader) { r.Take(3) },
		"cut": func(r *Reader) { r.U32() }, "long": func(r *Reader) { r.B = make([]byte, 20); fill(r.B); r.Signed() },
	} {
		r := Reader{B: []byte{0x80, 0x80}}
		read(&r)
		r.Fail(errors.New("a later one"))
		if !errors.Is(r.Err, ErrMalformed) {
			t.Errorf("%s: %v", name, r.Err)
		}
	}
}

func fill(b []byte) {
	for i := range b {
		b[i] = 0x80
	}
}

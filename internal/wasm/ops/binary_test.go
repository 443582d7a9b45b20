package ops_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// Numbers have their shortest form: 7 bits a byte, the sign in bit 6 of the last one.
func TestNumbers(t *testing.T) {
	for v, want := range map[int64]string{
		0: "00", 1: "01", 63: "3f", 64: "c000", 127: "ff00", 128: "8001", -1: "7f", -64: "40", -65: "bf7f", -128: "807f", -129: "ff7e",
		math.MaxInt32: "ffffffff07", math.MinInt32: "8080808078", math.MaxInt64: "ffffffffffffffffff00", math.MinInt64: "8080808080808080807f",
	} {
		if got := fmt.Sprintf("%x", ops.AppendSigned(nil, v)); got != want {
			t.Errorf("signed %d: %s, want %s", v, got, want)
		}
	}
	for v, want := range map[uint32]string{0: "00", 127: "7f", 128: "8001", 65536: "808004", math.MaxUint32: "ffffffff0f"} {
		if got := fmt.Sprintf("%x", ops.AppendU32(nil, v)); got != want {
			t.Errorf("%d: %s, want %s", v, got, want)
		}
	}
}

func TestWriter(t *testing.T) {
	w := &ops.Writer{B: []byte(ops.Header)}
	own := &ops.Writer{}
	own.Len(1)
	own.String("f")
	own.Op(ops.KindFunc, 300)
	w.Section(ops.SecExport, own.B)
	if got, want := fmt.Sprintf("%x", w.B), "0061736d01000000"+"0706"+"01"+"0166"+"00"+"ac02"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

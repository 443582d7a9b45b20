package wazero

import (
	"context"
	"errors"
	"testing"

	"github.com/edgefvm/fvm/engine"
)

func TestSmoke(t *testing.T) {
	sec := func(id byte, body ...byte) []byte { return append([]byte{id, byte(len(body))}, body...) }
	name := func(s string) []byte { return append([]byte{byte(len(s))}, s...) }
	cat := func(bs ...[]byte) (r []byte) {
		for _, b := range bs {
			r = append(r, b...)
		}
		return
	}
	w := cat([]byte("\x00asm\x01\x00\x00\x00"),
		sec(1, 1, 0x60, 1, 0x7f, 1, 0x7f),
		sec(2, cat([]byte{1}, name("host"), name("f"), []byte{0, 0})...),
		sec(3, 3, 0, 0, 0),
		sec(5, 1, 0, 1),
		sec(6, 1, 0x7e, 1, 0x42, 0, 0x0b),
		sec(7, cat([]byte{5}, name("memory"), []byte{2, 0}, name("gas_counter"), []byte{3, 0},
			name("invoke"), []byte{0, 1}, name("grow"), []byte{0, 2}, name("trap"), []byte{0, 3})...),
		sec(10, 3, 6, 0, 0x20, 0, 0x10, 0, 0x0b, 6, 0, 0x20, 0, 0x40, 0, 0x0b, 3, 0, 0x00, 0x0b))
	for _, o := range []Options{{}, {Interpreter: true}, {CacheDir: t.TempDir()}} {
		e, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		want := errors.New("x")
		v, err := e.Env(ctx, engine.EnvConfig{Counter: "gas_counter", Host: []engine.HostFunc{{Module: "host", Name: "f", Params: []engine.ValueType{engine.I32}, Results: []engine.ValueType{engine.I32},
			Fn: func(ctx context.Context, in engine.Instance, st []uint64) error {
				in.SetCounter(in.Counter() + 5)
				if st[0] == 7 {
					return want
				}
				st[0]++
				return nil
			}}}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := v.Compile(ctx, w)
		if err != nil {
			t.Fatal(err)
		}
		in, err := m.Instantiate(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		st := []uint64{1}
		err = in.Call(ctx, "invoke", st)
		t.Log(st, err, in.Counter(), len(in.Memory()))
		st[0] = 7
		if err = in.Call(ctx, "invoke", st); err != want {
			t.Fatal(err)
		}
		var tr *engine.Trap
		if err = in.Call(ctx, "trap", st); !errors.As(err, &tr) || tr.Kind != engine.TrapUnreachable {
			t.Fatal(err)
		}
		st[0] = 3
		if err = in.Call(ctx, "grow", st); err != nil || len(in.Memory()) != 4<<16 {
			t.Fatal(err)
		}
		if err := in.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

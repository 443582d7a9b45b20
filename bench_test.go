package fvm_test

import (
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm"
)

// BenchmarkMachine is what a machine costs before its first message, one message on it, and its flush: what a node that asks
// for one gas estimate pays.
func BenchmarkMachine(b *testing.B) {
	s := newSetting(b, true)
	apply := func(m *fvm.Machine) {
		if res, err := m.Apply(b.Context(), s.msg, fvm.Explicit, chainLength); err != nil || res.ExitCode != 0 {
			b.Fatalf("%+v, %v", res, err)
		}
	}
	apply(s.machine(b)) // compiles
	b.Run("New", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.machine(b)
		}
	})
	b.Run("NewApply", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			apply(s.machine(b))
		}
	})
	b.Run("NewApplyFlush", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m := s.machine(b)
			apply(m)
			if _, err := m.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkApply is a message on a machine that is warm: a contract's call, and messages that are refused before an actor
// runs, for their nonce, their gas limit, and a sender that is not there.
func BenchmarkApply(b *testing.B) {
	s := newSetting(b, true)
	stranger, err := address.NewIDAddress(1 << 40)
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct {
		name   string
		change func(*fvm.Message)
		code   exitcode.ExitCode
	}{
		{"Nonce", func(m *fvm.Message) { m.Nonce += 1000 }, exitcode.SysErrSenderStateInvalid},
		{"GasLimit", func(m *fvm.Message) { m.GasLimit = 1000 }, exitcode.SysErrOutOfGas},
		{"Sender", func(m *fvm.Message) { m.From = stranger }, exitcode.SysErrSenderInvalid},
	} {
		b.Run(bb.name, func(b *testing.B) {
			m := s.machine(b)
			msg := *s.msg
			bb.change(&msg)
			b.ReportAllocs()
			for b.Loop() {
				res, err := m.Apply(b.Context(), &msg, fvm.Explicit, chainLength)
				if err != nil || res.ExitCode != bb.code {
					b.Fatalf("%+v, %v", res, err)
				}
			}
		})
	}
}

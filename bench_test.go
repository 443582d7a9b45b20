package fvm_test

import (
	"testing"

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

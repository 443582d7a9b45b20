package evmtrace

import (
	"cmp"
	"slices"
)

// Spent is what the steps of one opcode cost together.
type Spent struct {
	Op    byte
	Count int
	Cost  uint64 // milligas
}

// ByOpcode sums up the costs of a log's steps, the dearest opcode first.
func (l *Log) ByOpcode() []Spent {
	var all [256]Spent
	for i := range l.Steps {
		s := &all[l.Steps[i].Op]
		s.Count++
		s.Cost += l.Steps[i].Cost
	}
	var some []Spent
	for op := range all {
		if all[op].Count > 0 {
			all[op].Op = byte(op)
			some = append(some, all[op])
		}
	}
	slices.SortStableFunc(some, func(a, b Spent) int { return cmp.Compare(b.Cost, a.Cost) })
	return some
}

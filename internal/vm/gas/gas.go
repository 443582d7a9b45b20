// Package gas counts what execution costs: the unit, charges, the tracker of a
// message, the networks' price lists, and the fees that gas turns into.
//
// executor, call, kernel and syscalls use it; it calls nothing but trace hooks.
// A new network version with new prices is a new file prices_nvNN_NAME.go that
// says what it changes in the list before it, and a line in the table of
// PricesFor. What does not belong here: when something is charged (kernel and
// call decide), and the gas that the instrumentation writes into Wasm code.
//
// Charges carry the names that the network's other implementations give them,
// since explorers and nodes read traces by these names.
package gas

import (
	"math"
	"math/bits"
)

// Gas is an amount of gas in milligas, a thousandth of the unit that messages
// pay for. Arithmetic saturates: it never wraps around and never fails.
type Gas uint64

// precision is the number of milligas in a unit of gas.
const precision = 1000

// New is an amount of whole units, at most the largest amount.
func New(units uint64) Gas { return Gas(precision).Mul(units) }

// Add is g + h, at most the largest amount.
func (g Gas) Add(h Gas) Gas {
	s, carry := bits.Add64(uint64(g), uint64(h), 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return Gas(s)
}

// Sub is g - h, at least zero.
func (g Gas) Sub(h Gas) Gas {
	if h > g {
		return 0
	}
	return g - h
}

// Mul is g times n, at most the largest amount.
func (g Gas) Mul(n uint64) Gas {
	hi, lo := bits.Mul64(uint64(g), n)
	if hi != 0 {
		return math.MaxUint64
	}
	return Gas(lo)
}

// NewSigned is an amount of whole units that may be negative, as a tracker that counts in signed gas takes it: the
// milligas in two's complement, at least and at most what 64 bits hold.
func NewSigned(units int64) Gas {
	switch {
	case units > math.MaxInt64/precision:
		return math.MaxInt64
	case units < math.MinInt64/precision:
		return 1 << 63
	}
	return Gas(units * precision)
}

// addSigned is a + b, at least the least and at most the greatest number.
func addSigned(a, b int64) int64 {
	s := a + b
	switch {
	case a > 0 && b > 0 && s < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && s >= 0:
		return math.MinInt64
	}
	return s
}

// subSigned is a - b, at least the least and at most the greatest number.
func subSigned(a, b int64) int64 {
	s := a - b
	switch {
	case a >= 0 && b < 0 && s < 0:
		return math.MaxInt64
	case a < 0 && b > 0 && s >= 0:
		return math.MinInt64
	}
	return s
}

// RoundUp is g in whole units, rounded up.
func (g Gas) RoundUp() uint64 {
	u := uint64(g) / precision
	if uint64(g)%precision != 0 {
		u++
	}
	return u
}

// RoundDown is g in whole units, rounded down.
func (g Gas) RoundDown() uint64 { return uint64(g) / precision }

// Charge is an amount taken, with its name. Compute is what executing costs,
// Other what storage, retained memory, deferred work and the node's externs do.
// Only their sum decides anything; the split shows in traces. The zero Charge is none at all.
type Charge struct {
	Name           string
	Compute, Other Gas
}

// Total is the sum of both parts.
func (c Charge) Total() Gas { return c.Compute.Add(c.Other) }

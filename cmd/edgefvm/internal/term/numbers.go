package term

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
)

// Grouped writes a number with commas.
func Grouped[N ~int | ~int64 | ~uint64](n N) string {
	return groupDigits(fmt.Sprint(n))
}

func groupDigits(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Choose is one for 1 and many for any other number.
func Choose(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Plural is s, with an s but for 1.
func Plural(n int, s string) string { return Choose(n, s, s+"s") }

// Count is a number of things: "1,234 vectors".
func Count(n int, s string) string { return Grouped(n) + " " + Plural(n, s) }

// Gas writes milligas as gas, rounded up as receipts are.
func Gas(milligas int64) string {
	if milligas < 0 {
		return Grouped(milligas / 1000)
	}
	return Grouped((milligas + 999) / 1000)
}

// FIL writes an amount for people: exact, in FIL from a billionth on.
func FIL(v abi.TokenAmount) string {
	if v.Int == nil || v.Sign() == 0 {
		return "0 FIL"
	}
	abs := new(big.Int).Abs(v.Int)
	sign := ""
	if v.Sign() < 0 {
		sign = "-"
	}
	const nano = 1_000_000_000
	if abs.Cmp(big.NewInt(nano)) < 0 {
		return sign + groupDigits(abs.String()) + " attoFIL"
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)
	whole, rest := new(big.Int).QuoRem(abs, unit, new(big.Int))
	text := sign + groupDigits(whole.String())
	if rest.Sign() != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%018s", rest.String()), "0")
	}
	return text + " FIL"
}

// Short writes a time with three or four digits.
func Short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

package layout

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
)

// Grouped writes a number with commas.
func Grouped[N ~int | ~int64 | ~uint64](n N) string { return groupDigits(fmt.Sprint(n)) }

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

// Gas writes milligas as gas, rounded up as receipts are.
func Gas(milligas int64) string {
	if milligas < 0 {
		return Grouped(milligas / 1000)
	}
	gas := milligas / 1000
	if milligas%1000 > 0 {
		gas++
	}
	return Grouped(gas)
}

// FIL writes an amount of attoFIL for people: exact, in FIL from a billionth on.
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

// Percent writes a part of a whole, "" if there is no whole.
func Percent(part, of int64) string {
	if of <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(of))
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

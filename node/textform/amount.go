package textform

import (
	"math/big"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/internal/layout"
)

// maxAmountBits is the longest amount that the chain stores: 128 bytes, one of which is the sign.
const maxAmountBits = 127 * 8

// units and how many decimal places of an attoFIL they have.
var units = []struct {
	name   string
	places int
}{
	{"attofil", 0}, {"femtofil", 3}, {"picofil", 6}, {"nanofil", 9}, {"microfil", 12}, {"millifil", 15}, {"fil", 18},
	{"afil", 0}, {"ffil", 3}, {"pfil", 6}, {"nfil", 9}, {"µfil", 12}, {"μfil", 12}, {"ufil", 12}, {"mfil", 15},
	{"wei", 0}, {"gwei", 9},
}

// Amount reads an amount of Filecoin: whole attoFIL, or a decimal number with a unit, as 1.5fil, "1.5 FIL" or
// 200 nanofil. Letters may be capital or small. Signs, exponents, thousands' marks and parts of an attoFIL are
// errors, ErrNoReading.
func Amount(s string) (abi.TokenAmount, error) {
	fail := func(format string, a ...any) (abi.TokenAmount, error) {
		return fbig.Zero(), noReading(format, a...)
	}
	s = strings.TrimSpace(s)
	number := strings.TrimRight(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyzµμ")
	unit := strings.ToLower(s)[len(number):]
	number = strings.TrimSpace(number)
	places := 0
	if unit != "" {
		found := false
		for _, u := range units {
			if u.name == unit {
				places, found = u.places, true
			}
		}
		if !found {
			return fail("there is no unit %s: want whole attoFIL, or FIL as 1.5fil", layout.OneLine(layout.Cut(unit, 20)))
		}
	}
	whole, part, dot := strings.Cut(number, ".")
	switch {
	case strings.HasPrefix(number, "-"):
		return fail("it is negative")
	case whole+part == "":
		return fail("want whole attoFIL, or FIL as 1.5fil")
	case isExponent(number):
		return fail("exponents are not read: write all digits, or a unit as in 1.5fil")
	case strings.ContainsAny(number, ",_' "):
		return fail("want digits without marks between them: whole attoFIL, or FIL as 1.5fil")
	case whole != "" && !isDigits(whole), part != "" && !isDigits(part):
		return fail("want whole attoFIL, or FIL as 1.5fil")
	case dot && part == "":
		return fail("no digit follows the point")
	case dot && unit == "":
		return fail("a part of an attoFIL does not exist: want whole attoFIL, or FIL as %sfil", show(number))
	case len(part) > places:
		return fail("%d %s the point, and an attoFIL is the smallest amount: of %s at most %d may", len(part), layout.Choose(len(part), "digit follows", "digits follow"), unit, places)
	case len(whole) > maxAmountBits:
		return fail("it is too large for the chain")
	}
	v, ok := new(big.Int).SetString(whole+part+strings.Repeat("0", places-len(part)), 10)
	if !ok {
		return fail("want whole attoFIL, or FIL as 1.5fil")
	}
	if v.BitLen() > maxAmountBits {
		return fail("it is too large for the chain")
	}
	return fbig.NewFromGo(v), nil
}

// isExponent tells whether a number is written as 1e18.
func isExponent(s string) bool {
	mantissa, exponent, is := strings.Cut(s, "e")
	return is && strings.Trim(mantissa, "0123456789.") == "" && mantissa != "" && strings.Trim(exponent, "+-0123456789") == ""
}

package cheats

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/node/textform"
)

// Address is an actor's, as anybody writes it. The case of letters after 0x does not count.
type Address struct{ address.Address }

// UnmarshalJSON reads it.
func (a *Address) UnmarshalJSON(b []byte) error {
	s, err := textOf(b)
	if err != nil {
		return fmt.Errorf("want an address as text: %w", err)
	}
	if len(s) > 1 && s[0] == '0' && s[1]|0x20 == 'x' {
		s = strings.ToLower(s)
	}
	a.Address, err = textform.Address(s)
	return err
}

// textOf is a JSON string.
func textOf(b []byte) (s string, err error) {
	if len(b) == 0 || b[0] != '"' {
		return "", fmt.Errorf("got %s", shown(b))
	}
	err = json.Unmarshal(b, &s)
	return s, err
}

func shown(b []byte) string {
	const most = 60
	if len(b) > most {
		return string(b[:most]) + "…"
	}
	return string(b)
}

// number reads a whole number of at most so many bits: a JSON number, hex or decimal text.
func number(b []byte, bits int) (*big.Int, error) {
	s := string(bytes.TrimSpace(b))
	if len(s) > 400 {
		return nil, fmt.Errorf("a number of %d digits", len(s))
	}
	quoted := len(s) > 1 && s[0] == '"'
	if quoted {
		var err error
		if s, err = textOf([]byte(s)); err != nil {
			return nil, err
		}
		s = strings.TrimSpace(s)
	}
	n, ok := new(big.Int), false
	switch hex, is := cutHex(s); {
	case quoted && is:
		if hex == "" {
			hex, ok = "0", true
		}
		if !strings.ContainsAny(hex, "+-_") {
			n, ok = n.SetString(hex, 16)
		}
	case strings.ContainsAny(s, "+_"):
	case !quoted && strings.ContainsAny(s, ".eE"):
		n, ok = whole(s)
	default:
		n, ok = n.SetString(s, 10)
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("want a whole number, as a number, hex or decimal text, got %s", shown(b))
	case n.Sign() < 0:
		return nil, fmt.Errorf("%s is below 0", shown(b))
	case n.BitLen() > bits:
		return nil, fmt.Errorf("%s has more than %d bits", shown(b), bits)
	}
	return n, nil
}

// whole reads a number with a point or an exponent that is whole, such as 1e18.
func whole(s string) (*big.Int, bool) {
	if _, e, is := strings.Cut(strings.ToLower(s), "e"); is && len(e) > 3 {
		return nil, false
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || !r.IsInt() {
		return nil, false
	}
	return r.Num(), true
}

func cutHex(s string) (digits string, ok bool) {
	if len(s) > 1 && s[0] == '0' && s[1]|0x20 == 'x' {
		return s[2:], true
	}
	return "", false
}

// Uint is a number of 64 bits.
type Uint uint64

// UnmarshalJSON reads it.
func (u *Uint) UnmarshalJSON(b []byte) error {
	n, err := number(b, 64)
	if err == nil {
		*u = Uint(n.Uint64())
	}
	return err
}

// Amount is a number of 256 bits: attoFIL, units of a token.
type Amount struct{ *big.Int }

// UnmarshalJSON reads it.
func (a *Amount) UnmarshalJSON(b []byte) (err error) {
	a.Int, err = number(b, 256)
	return err
}

func (a Amount) tokens() abi.TokenAmount { return fbig.Int{Int: a.Int} }

// Word is 32 bytes: a slot, or what it has. Shorter ones are numbers.
type Word [32]byte

// UnmarshalJSON reads it.
func (w *Word) UnmarshalJSON(b []byte) error {
	n, err := number(b, 256)
	if err == nil {
		n.FillBytes(w[:])
	}
	return err
}

// Data are bytes, as hex with 0x before it.
type Data []byte

// UnmarshalJSON reads them.
func (d *Data) UnmarshalJSON(b []byte) error {
	s, err := textOf(b)
	if err != nil {
		return fmt.Errorf("want bytes as hex with 0x: %w", err)
	}
	digits, ok := cutHex(s)
	if !ok {
		if s != "" {
			return errors.New("want bytes as hex, which begins with 0x")
		}
	}
	if len(digits)%2 == 1 {
		return errors.New("want bytes as hex: a digit is missing")
	}
	*d, err = hex.DecodeString(digits)
	return err
}

func hexOf(b []byte) string { return "0x" + hex.EncodeToString(b) }

func quantity(n uint64) string { return fmt.Sprintf("0x%x", n) }

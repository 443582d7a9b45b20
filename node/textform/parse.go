package textform

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/internal/layout"
)

// certainHex is the number of hex digits from which text is hex without a prefix. Of base64 of that length one in
// 10^14 has hex digits only; but bytes of zero make the base64 "AAAA", which is why zeros keeps such text open.
const (
	certainHex = 32
	zeros      = "AAAA"
)

// Parse reads text by these rules. White space around it does not count.
//
//   - "0x" or "hex:" before it: hex, with white space anywhere between digits. "base64:" before it: base64, "json:":
//     JSON, in which a string's characters are the bytes' hex or base64.
//   - It begins with { or [: JSON. It begins with ": a JSON string, whose text is read by these rules.
//   - Hex digits alone, an even number of them, are hex if they are no base64, or if there is white space between them
//     or 32 of them or more, and no "AAAA" among them, which is how base64 writes zeros. Else they are hex and base64
//     at once: ErrAmbiguous. An odd number of them is ErrNoReading, also where it would be base64.
//   - A dump that has places before its lines, as od and hexdump write, is no hex, though all of it be digits.
//   - Base64 is of the standard alphabet or of that for URLs, padded or not, on one line or on lines of one length
//     of which the last may be shorter. Letters of one case alone, without padding, may be a name instead: they need
//     the prefix.
//
// The errors are ErrAmbiguous and ErrNoReading in words that say what to write instead.
func Parse(text string) (*Data, error) { return parse(text, true, nil) }

// A Decider tells whether text that is hex and base64 is meant as hex. why says, for people, what is wrong with the base64.
type Decider func(hex, base64 []byte) (isHex bool, why string)

// CBOR decides for hex that is one whole item of CBOR, as parameters are, if the base64 is not.
func CBOR(hex, base64 []byte) (isHex bool, why string) {
	return cbg.ValidateCBOR(hex) == nil && cbg.ValidateCBOR(base64) != nil, "as base64 it is no CBOR"
}

// StringOfBytes tells whether bytes are one string of bytes in CBOR, as the parameters of contracts are.
func StringOfBytes(data []byte) bool {
	const kind = 2 << 5 // of CBOR's major type 2
	return len(data) > 1 && data[0]&0xe0 == kind && cbg.ValidateCBOR(data) == nil
}

// Digits decides for hex: calldata are never written otherwise.
func Digits(_, _ []byte) (isHex bool, why string) { return true, "" }

func parse(text string, mayQuote bool, decide Decider) (*Data, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, noReading("it is empty; an empty list of bytes is 0x")
	}
	if rest, is := cutPrefix(text, "0x"); is {
		return hexData(rest)
	}
	if rest, is := cutPrefix(text, "hex:"); is {
		rest = strings.TrimSpace(rest)
		if bare, is := cutPrefix(rest, "0x"); is {
			rest = bare
		}
		return hexData(rest)
	}
	if rest, is := cutPrefix(text, "base64:"); is {
		b, why := decodeBase64(rest)
		if why != "" {
			return nil, noReading("no base64: %s", why)
		}
		return &Data{Bytes: b, Form: Base64}, nil
	}
	if rest, is := cutPrefix(text, "json:"); is && mayQuote {
		return jsonData(strings.TrimSpace(rest), decide)
	}
	if mayQuote && strings.IndexByte(`{["`, text[0]) >= 0 {
		return jsonData(text, decide)
	}
	return bare(text, decide)
}

func cutPrefix(s, prefix string) (rest string, is bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

// bare reads text that says nothing of its form.
func bare(text string, decide Decider) (*Data, error) {
	if isDump(text) {
		return nil, noReading(aDump)
	}
	b64, why64 := decodeBase64(text)
	digits, spaces := stripSpace(text)
	if isHex(digits) {
		b, whyHex := decodeHex(text)
		switch {
		case whyHex != "" && why64 == "":
			return nil, noReading("hex with an odd number of digits, %d: a digit is lost or too many; if it is base64 of %s, write base64:%s", len(digits), countBytes(b64), show(text))
		case whyHex != "":
			return nil, noReading("hex with an odd number of digits, %d: a digit is lost or too many", len(digits))
		case why64 != "" || (spaces || len(digits) >= certainHex) && !strings.Contains(digits, zeros):
			return &Data{Bytes: b, Form: Hex}, nil
		}
		if decide != nil {
			if is, why := decide(b, b64); is {
				return &Data{Bytes: b, Form: Hex, Why: why}, nil
			}
		}
		return nil, ambiguous("it is hex of %s and base64 of %s: write 0x%s or base64:%s", countBytes(b), countBytes(b64), show(text), show(text))
	}
	if why64 == "" {
		if text == "null" || text == "true" { // false has 5 characters
			return nil, ambiguous("it is JSON and base64 of %s: write json:%s or base64:%s", countBytes(b64), text, text)
		}
		if isName(text) {
			return nil, ambiguous("it may be a name or base64 of %s: write base64:%s if it is that", countBytes(b64), show(text))
		}
		return &Data{Bytes: b64, Form: Base64}, nil
	}
	_, whyHex := decodeHex(text)
	return nil, noReading("neither hex (%s) nor base64 (%s)", whyHex, why64)
}

// hexData reads what was said to be hex.
func hexData(text string) (*Data, error) {
	if isDump(text) {
		return nil, noReading(aDump)
	}
	b, why := decodeHex(text)
	if why != "" {
		return nil, noReading("no hex: %s", why)
	}
	return &Data{Bytes: b, Form: Hex}, nil
}

// jsonData reads what was said to be JSON. Strings are read by the rules for other text.
func jsonData(text string, decide Decider) (*Data, error) {
	if err := validJSON([]byte(text)); err != nil {
		return nil, noReading("no JSON: %v", err)
	}
	if !strings.HasPrefix(text, `"`) {
		return &Data{Bytes: []byte(text), Form: JSON}, nil
	}
	var s string
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, noReading("no JSON: %v", err)
	}
	if strings.TrimSpace(s) == "" {
		return &Data{Form: Hex, Quoted: true}, nil
	}
	d, err := parse(s, false, decide)
	if err != nil {
		return nil, fmt.Errorf("the JSON string: %w", err)
	}
	d.Quoted = true
	return d, nil
}

// validJSON says where text is not one value of JSON.
func validJSON(text []byte) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("it is not UTF-8")
	}
	var raw json.RawMessage
	err := json.Unmarshal(text, &raw)
	if syntax, ok := err.(*json.SyntaxError); ok {
		at := int(min(max(syntax.Offset, 1), int64(len(text)))) - 1
		before := text[:max(at, 0)]
		line := bytes.Count(before, []byte("\n")) + 1
		return fmt.Errorf("line %d, column %d: %v", line, at-(bytes.LastIndexByte(before, '\n')+1)+1, err)
	}
	return err
}

// decodeHex reads hex digits with white space among them; why says what is wrong.
func decodeHex(text string) (b []byte, why string) {
	b = make([]byte, 0, len(text)/2)
	var high byte
	n := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if isSpace(c) {
			continue
		}
		v, ok := digit(c)
		if !ok {
			r, _ := utf8.DecodeRuneInString(text[i:])
			if v == 'x' && n%2 == 1 && text[i-1] == '0' {
				return nil, "a 0x in the midst of it"
			}
			return nil, fmt.Sprintf("%s at character %d is no digit", layout.Clean(fmt.Sprintf("%q", r)), i+1)
		}
		if n++; n%2 == 1 {
			high = v
		} else {
			b = append(b, high<<4|v)
		}
	}
	if n%2 == 1 {
		return nil, fmt.Sprintf("%d digits, an odd number: one is lost or too many", n)
	}
	return b, ""
}

// digit is the value of a hex digit; of an x, which is none, it is 'x'.
func digit(c byte) (v byte, ok bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return c | 0x20, false
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if _, ok := digit(s[i]); !ok {
			return false
		}
	}
	return s != ""
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// stripSpace is text without white space; spaces tells whether there was any.
func stripSpace(text string) (digits string, spaces bool) {
	digits = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < utf8.RuneSelf && isSpace(byte(r)) }), "")
	return digits, len(digits) != len(text)
}

// decodeBase64 reads base64 of either alphabet, padded or not, on lines of one length; why says what is wrong.
func decodeBase64(text string) (b []byte, why string) {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n")
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		l = strings.TrimRight(l, " \t")
		if lines[i] = l; i > 0 && (len(l) > len(lines[0]) || i < len(lines)-1 && len(l) < len(lines[0]) || l == "") {
			return nil, fmt.Sprintf("line %d is of another length than the first", i+1)
		}
	}
	text = strings.Join(lines, "")
	body := strings.TrimRight(text, "=")
	pad := len(text) - len(body)
	var standard, urls bool // which alphabet's own characters are there
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case c == '+' || c == '/':
			standard = true
		case c == '-' || c == '_':
			urls = true
		default:
			r, _ := utf8.DecodeRuneInString(body[i:])
			return nil, fmt.Sprintf("%s at character %d does not belong to it", layout.Clean(fmt.Sprintf("%q", r)), i+1)
		}
	}
	encoding := base64.StdEncoding
	if urls {
		encoding = base64.URLEncoding
	}
	switch {
	case standard && urls:
		return nil, "it mixes the characters + and / with - and _"
	case len(body)%4 == 1:
		return nil, fmt.Sprintf("no bytes have %d characters", len(body))
	case pad > 0 && pad != -len(body)&3:
		return nil, fmt.Sprintf("%d characters are padded with %d =, not %d", len(body), -len(body)&3, pad)
	}
	b, err := encoding.WithPadding(base64.NoPadding).Strict().DecodeString(body)
	if err != nil {
		return nil, "bits are left over after the last byte"
	}
	return b, ""
}

// isName tells whether base64 may be the name of something instead: letters of one case, not padded, and what joins words.
func isName(text string) bool {
	return !strings.ContainsAny(text, "+=0123456789\n") && (strings.ToLower(text) == text || strings.ToUpper(text) == text)
}

func countBytes(b []byte) string { return fmt.Sprintf("%d %s", len(b), layout.Plural(len(b), "byte")) }

// show is text for an error.
func show(text string) string {
	if len(text) > 24 {
		return "..."
	}
	return layout.OneLine(text)
}

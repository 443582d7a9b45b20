package ethabi

import (
	"fmt"
	"math/big"

	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// Call is what calldata, a log or the data of an error say.
type Call struct {
	Selector  string          `json:"selector,omitempty"`  // in hex; of a log the whole first topic
	Name      string          `json:"name,omitempty"`      // "" if no ABI has it
	Signature string          `json:"signature,omitempty"` // of the same
	Args      jsonview.Object `json:"args,omitempty"`
	// Words are the data behind the selector in words of 32 bytes, the last perhaps shorter, where no ABI has it or the data
	// do not fit it.
	Words []string `json:"words,omitempty"`
	// Text says it in one line, where there is something to say: the reason of a revert, a panic in words.
	Text string `json:"text,omitempty"`
	Note string `json:"note,omitempty"` // what a reader should know
}

// DecodeCall reads calldata. abi may be nil.
func DecodeCall(abi *ABI, data []byte) (*Call, error) {
	if len(data) == 0 {
		return &Call{Note: "no calldata: a contract's receive or fallback function hears them"}, nil
	}
	if len(data) < 4 {
		return nil, errShort
	}
	return byEntry(abi.bySelector("function", data), data), nil
}

// DecodeResult reads what a function returned.
func DecodeResult(e *Entry, data []byte) (jsonview.Object, error) { return Decode(e.Outputs, data) }

// EncodeCall makes calldata for a function.
func EncodeCall(e *Entry, args any) ([]byte, error) {
	data, err := Encode(e.Inputs, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Signature(), err)
	}
	s := e.Selector()
	return append(s[:], data...), nil
}

// byEntry reads data behind a selector by an entry, which may be nil.
func byEntry(e *Entry, data []byte) *Call {
	c := &Call{Selector: jsonview.Hex(data[:4])}
	if e == nil {
		c.Words = words(data[4:])
		return c
	}
	c.Name, c.Signature = e.Name, e.Signature()
	args, err := Decode(e.Inputs, data[4:])
	if err != nil {
		c.Words, c.Note = words(data[4:]), fmt.Sprintf("the selector is that of %s, and the data do not fit it: %v", e.Signature(), err)
		return c
	}
	c.Args = args
	if again, err := Encode(e.Inputs, args); err != nil || len(again) != len(data)-4 || string(again) != string(data[4:]) {
		c.Note = "the data are not laid out as compilers do it: encoding these arguments gives other bytes"
	}
	return c
}

func words(data []byte) (list []string) {
	for len(data) > 0 {
		n := min(word, len(data))
		list = append(list, jsonview.Hex(data[:n]))
		data = data[n:]
	}
	return list
}

// Two errors are Solidity's own.
var (
	errorEntry = &Entry{Kind: "error", Name: "Error", Inputs: []Param{{Name: "reason", Type: must("string")}}}
	panicEntry = &Entry{Kind: "error", Name: "Panic", Inputs: []Param{{Name: "code", Type: must("uint256")}}}
)

func must(text string) *Type {
	t, err := ParseType(text, nil)
	if err != nil {
		panic(err) // the text is a constant
	}
	return t
}

// panics say Solidity's codes in words.
var panics = map[uint64]string{
	0x00: "a panic that the compiler put in", 0x01: "assertion failed", 0x11: "arithmetic overflow or underflow", 0x12: "division or modulo by zero",
	0x21: "a number that is no member of the enum", 0x22: "a byte array in storage that is encoded wrongly", 0x31: "pop from an empty array",
	0x32: "array index out of bounds", 0x41: "too much memory was asked for", 0x51: "a function variable that was never set was called",
}

// PanicMeaning says a code of Panic(uint256) in words.
func PanicMeaning(code *big.Int) string {
	if code.IsUint64() {
		if s := panics[code.Uint64()]; s != "" {
			return s
		}
	}
	return "a panic with a code that Solidity does not have"
}

// DecodeRevert reads the data that a contract reverted with: Error(string), Panic(uint256), an error of the ABI's own, or
// whatever it is. abi may be nil.
func DecodeRevert(abi *ABI, data []byte) *Call {
	switch {
	case len(data) == 0:
		return &Call{Text: "reverted without a reason"}
	case len(data) < 4:
		return &Call{Words: words(data), Text: "reverted with " + jsonview.Hex(data), Note: "too short for a selector"}
	}
	for _, e := range []*Entry{errorEntry, panicEntry} {
		if s := e.Selector(); string(s[:]) == string(data[:4]) {
			c := byEntry(e, data)
			c.Text = ownText(c)
			return c
		}
	}
	c := byEntry(abi.bySelector("error", data), data)
	switch {
	case c.Name == "":
		c.Text = "reverted with a custom error " + c.Selector
	case c.Args == nil:
		c.Text = "reverted with " + c.Name
	default:
		c.Text = "reverted with " + c.Name + argsText(c.Args)
	}
	return c
}

// ownText is the line of Solidity's own errors.
func ownText(c *Call) string {
	if c.Args == nil {
		return "reverted with " + c.Name + ", whose data are broken"
	}
	value, _ := c.Args[0].Value.(string)
	if c.Name == "Error" {
		return "reverted: " + value
	}
	code, ok := new(big.Int).SetString(value, 10)
	if !ok {
		return "panicked"
	}
	return fmt.Sprintf("panicked with code 0x%02x: %s", code, PanicMeaning(code))
}

func argsText(args jsonview.Object) string {
	text := "("
	for i, a := range args {
		if i > 0 {
			text += ", "
		}
		b, err := jsonview.Marshal(a.Value)
		if err != nil {
			b = []byte("?")
		}
		text += a.Name + ": " + string(b)
	}
	return text + ")"
}

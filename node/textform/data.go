package textform

import (
	"errors"
	"fmt"

	"github.com/edgefvm/fvm/internal/layout"
)

// Form is how bytes were written.
type Form uint8

// The forms.
const (
	Raw    Form = iota // the bytes themselves
	Hex                // hexadecimal digits
	Base64             // RFC 4648, either alphabet
	JSON               // a value of JSON that is no string
)

// String is the form in words.
func (f Form) String() string {
	switch f {
	case Raw:
		return "bytes as they are"
	case Hex:
		return "hex"
	case Base64:
		return "base64"
	case JSON:
		return "JSON"
	}
	return "unknown form"
}

// Source is where text was.
type Source uint8

// The sources.
const (
	Argument Source = iota // the text itself was given
	File
	Stdin
)

// Data is what was read.
type Data struct {
	// Bytes are what the text stands for. Of JSON they are the text of the value, without white space around it.
	Bytes  []byte
	Form   Form
	Quoted bool // it was a JSON string
	// Quote is that string as it was written, with its quotes. Only a Reader tells it.
	Quote  []byte
	Source Source
	Name   string // of the file
	Why    string // this form was chosen where another fits too; "": no other does
}

// String says what was read: "89 bytes, from hex in a file".
func (d *Data) String() string {
	if d.Why != "" {
		return d.what() + " (" + d.Why + ")"
	}
	return d.what()
}

func (d *Data) what() string {
	size := fmt.Sprintf("%d %s", len(d.Bytes), layout.Plural(len(d.Bytes), "byte"))
	form := d.Form.String()
	switch {
	case d.Form == JSON:
		size += " of JSON"
	case d.Quoted:
		form += " in quotes"
	}
	where := [...]string{"", "a file", "standard input"}[d.Source]
	switch {
	case d.Form == Raw && where == "":
		return size
	case d.Form == Raw || d.Form == JSON && where != "":
		return size + ", from " + where
	case d.Form == JSON:
		return size
	case where == "":
		return size + ", from " + form
	}
	return size + ", from " + form + " in " + where
}

var (
	// ErrAmbiguous is text that fits more than one reading.
	ErrAmbiguous = errors.New("it fits more than one reading")
	// ErrNoReading is text that fits none.
	ErrNoReading = errors.New("it fits no reading")
)

// problem is an error whose words are for people and that is of a kind.
type problem struct {
	kind error
	text string
}

func (p *problem) Error() string { return p.text }
func (p *problem) Unwrap() error { return p.kind }

func ambiguous(format string, a ...any) error {
	return &problem{ErrAmbiguous, fmt.Sprintf(format, a...)}
}

func noReading(format string, a ...any) error {
	return &problem{ErrNoReading, fmt.Sprintf(format, a...)}
}

package cbor

import (
	"errors"
	"fmt"
)

// LinkRules is how strictly Links reads DAG-CBOR. The zero value has the rules of network versions 18 and later.
type LinkRules struct {
	// Shortest refuses integers and lengths that are not in their shortest form.
	Shortest bool
	// LooseStrings lets a string that is the last item be longer than the data.
	LooseStrings bool
	// MaxLink is the longest link in bytes, with its zero byte; 0: any.
	MaxLink uint64
	// AnyPrefix takes a link whose first byte is not zero.
	AnyPrefix bool
}

// What can be wrong with a block. The texts say what, not where: no node agrees with another on that.
var (
	errCut     = errors.New("it is cut short")
	errHeader  = errors.New("it has an indefinite length or a reserved header")
	errLong    = errors.New("it has an integer that is not in its shortest form")
	errNoBytes = errors.New("it has a link that is no byte string")
	errPrefix  = errors.New("it has a link that does not begin with a zero byte")
	errMaxLink = errors.New("it has a link that is too long")
)

func (rules *LinkRules) header(b []byte) (major byte, arg uint64, n int, err error) {
	major, arg, n = Header(b)
	switch {
	case n == 0:
		return 0, 0, 0, errCut
	case n < 0:
		return 0, 0, 0, errHeader
	case rules.Shortest && !minimal(arg, n):
		return 0, 0, 0, errLong
	}
	return major, arg, n, nil
}

// Links calls visit with the bytes of every link of a DAG-CBOR block, in order. Bytes after the first item do
// not matter, nor do those of a link after its CID. It allocates nothing for a well-formed block.
//
// Quirk: the count of items left to read is one of 64 bits and wraps, so a map of 2^63 entries is as good as
// an empty one.
func Links(data []byte, rules *LinkRules, visit func(raw []byte) error) error {
	for left := uint64(1); left > 0; left-- {
		// Many at once; the last is for what follows, which takes one from left.
		if n := Scalars(data, left); n > 1 {
			data, left = data[n-1:], left-uint64(n-1)
		}
		major, arg, n, err := rules.header(data)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		data = data[n:]
		switch major {
		case Bytes, Text:
			switch {
			case arg <= uint64(len(data)):
				data = data[arg:]
			case rules.LooseStrings:
				data = nil
			default:
				return fmt.Errorf("%w: %w", ErrMalformed, errCut)
			}
		case Array:
			left += arg
		case Map:
			left += 2 * arg
		case Tag:
			if arg != TagCID {
				left++
				continue
			}
			if data, err = rules.link(data, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// link reads a link whose tag has been read, and returns what follows.
func (rules *LinkRules) link(data []byte, visit func([]byte) error) ([]byte, error) {
	major, arg, n, err := rules.header(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	data = data[n:]
	switch {
	case major != Bytes:
		err = errNoBytes
	case rules.MaxLink > 0 && arg > rules.MaxLink:
		err = errMaxLink
	case arg > uint64(len(data)):
		err = errCut
	case !rules.AnyPrefix && len(data) > 0 && data[0] != 0, arg == 0:
		err = errPrefix
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := visit(data[1:arg]); err != nil {
		return nil, err
	}
	return data[arg:], nil
}

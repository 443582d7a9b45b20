package ethtx

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/edgefvm/fvm/internal/layout"
)

// RLP is Ethereum's encoding of lists and byte strings (Ethereum yellow paper, appendix B). Of an item there is one
// encoding only, and another is refused, as nodes refuse it.

// rlpList takes apart data, which must be one list of byte strings and empty lists, as transactions are. An empty list
// is an item whose list is true.
func rlpList(data []byte) ([]rlpItem, error) {
	item, rest, err := rlpNext(data)
	switch {
	case err != nil:
		return nil, err
	case !item.list:
		return nil, errors.New("it is no list")
	case len(rest) > 0:
		return nil, fmt.Errorf("%d %s follow the list", len(rest), layout.Plural(len(rest), "byte"))
	}
	var items []rlpItem
	for body := item.body; len(body) > 0; {
		if item, body, err = rlpNext(body); err != nil {
			return nil, fmt.Errorf("field %d: %w", len(items)+1, err)
		}
		if items = append(items, item); len(items) > maxFields {
			return nil, fmt.Errorf("it has more than %d fields", maxFields)
		}
	}
	return items, nil
}

const maxFields = 12 // of the kinds of transactions that Filecoin knows

type rlpItem struct {
	list bool
	body []byte
}

// rlpNext is the first item of data.
func rlpNext(data []byte) (item rlpItem, rest []byte, err error) {
	if len(data) == 0 {
		return item, nil, errors.New("it ends early")
	}
	b, data := data[0], data[1:]
	if b < 0x80 {
		return rlpItem{false, []byte{b}}, data, nil
	}
	item.list = b >= 0xc0
	size := uint64(b & 0x3f)
	if size > 55 { // the length follows, in so many bytes
		n := int(size - 55)
		if n > len(data) {
			return item, nil, errors.New("it ends early")
		}
		size = 0
		for i, c := range data[:n] {
			if i == 0 && c == 0 {
				return item, nil, errors.New("a length begins with a zero")
			}
			size = size<<8 | uint64(c)
		}
		if size < 56 {
			return item, nil, errors.New("a short length is written as a long one")
		}
		data = data[n:]
	}
	if size > uint64(len(data)) {
		return item, nil, errors.New("it ends early")
	}
	if !item.list && size == 1 && data[0] < 0x80 {
		return item, nil, errors.New("a byte below 0x80 has a length before it")
	}
	item.body = data[:size]
	return item, data[size:], nil
}

// appendRLP appends a byte string, or a list of what body holds already.
func appendRLP(to []byte, list bool, body []byte) []byte {
	kind := byte(0x80)
	if list {
		kind = 0xc0
	} else if len(body) == 1 && body[0] < 0x80 {
		return append(to, body[0])
	}
	if len(body) <= 55 {
		return append(append(to, kind+byte(len(body))), body...)
	}
	size := trimZeros(binary.BigEndian.AppendUint64(nil, uint64(len(body))))
	return append(append(append(to, kind+55+byte(len(size))), size...), body...)
}

func trimZeros(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

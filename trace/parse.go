package trace

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// UnmarshalJSON reads the form that MarshalJSON writes. null is no events.
func (es *Events) UnmarshalJSON(data []byte) error {
	var lists [][]json.RawMessage
	if err := json.Unmarshal(data, &lists); err != nil {
		return fmt.Errorf("a trace is a list of lists: %w", err)
	}
	out := make(Events, 0, len(lists))
	for i, l := range lists {
		e, err := parseEvent(l)
		if err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
		out = append(out, e)
	}
	*es = out
	return nil
}

// fields are the items of an event that are yet to be read. The first error
// stays; what is read after it is zero.
type fields struct {
	items []json.RawMessage
	pos   int
	err   error
}

func parseEvent(items []json.RawMessage) (Event, error) {
	f := &fields{items: items}
	var e Event
	switch kind := f.text(); kind {
	case "gas":
		e = &GasCharge{Name: f.text(), Compute: uint64(f.signed()), Other: uint64(f.signed())}
	case "call":
		e = f.call()
	case "invoke":
		e = &Invoke{ID: abi.ActorID(f.unsigned(64)), Code: f.cid()}
	case "return":
		e = &Return{ExitCode: exitcode.ExitCode(f.unsigned(32)), Data: f.block()}
	case "error":
		e = &Error{Errno: uint32(f.unsigned(32)), Text: f.text()}
	case "log":
		e = &Log{Text: f.text()}
	case "ipld":
		e = &IPLD{Put: f.put(), Cid: f.cid(), Size: int(f.unsigned(31))}
	default:
		f.fail(fmt.Errorf("%q is no kind of event", kind))
	}
	if f.err == nil && f.pos != len(items) {
		f.err = fmt.Errorf("%d items, want %d", len(items), f.pos)
	}
	if f.err != nil {
		return nil, f.err
	}
	return e, nil
}

func (f *fields) fail(err error) {
	if f.err == nil && err != nil {
		f.err = fmt.Errorf("item %d: %w", f.pos, err)
	}
}

var errMissing = errors.New("is missing")

// next is the next item, nil at the end.
func (f *fields) next() json.RawMessage {
	if f.pos >= len(f.items) {
		f.fail(errMissing)
		return nil
	}
	f.pos++
	return f.items[f.pos-1]
}

func (f *fields) text() (s string) {
	if item := f.next(); item != nil {
		if len(item) == 0 || item[0] != '"' {
			f.fail(fmt.Errorf("%s is no string", item))
			return ""
		}
		f.fail(json.Unmarshal(item, &s))
	}
	return s
}

func (f *fields) bool() bool {
	b, err := strconv.ParseBool(string(f.next()))
	f.fail(err)
	return b
}

func (f *fields) signed() int64 {
	n, err := strconv.ParseInt(string(f.next()), 10, 64)
	f.fail(err)
	return n
}

func (f *fields) unsigned(bits int) uint64 {
	n, err := strconv.ParseUint(string(f.next()), 10, bits)
	f.fail(err)
	return n
}

func (f *fields) amount() abi.TokenAmount {
	s := f.text()
	if f.err != nil {
		return big.Zero()
	}
	v, err := big.FromString(s)
	f.fail(err)
	return v
}

func (f *fields) cid() cid.Cid {
	s := f.text()
	if f.err != nil {
		return cid.Undef
	}
	c, err := cid.Decode(s)
	f.fail(err)
	return c
}

func (f *fields) put() bool {
	s := f.text()
	if s != "get" && s != "put" {
		f.fail(fmt.Errorf("%q is neither get nor put", s))
	}
	return s == "put"
}

func (f *fields) call() *Call {
	c := &Call{From: abi.ActorID(f.unsigned(64)), To: f.address(), Method: abi.MethodNum(f.unsigned(64)), Value: f.amount()}
	if f.nulls(2) {
		c.NoLimits = true
	} else {
		c.GasLimit, c.ReadOnly = f.unsigned(64), f.bool()
	}
	c.Params = f.block()
	return c
}

// nulls passes over n nulls, if there are so many.
func (f *fields) nulls(n int) bool {
	if f.pos+n > len(f.items) {
		return false
	}
	for _, item := range f.items[f.pos : f.pos+n] {
		if !isNull(item) {
			return false
		}
	}
	f.pos += n
	return true
}

// block is a codec, which may be null, and data, or two nulls.
func (f *fields) block() *Block {
	if f.nulls(2) {
		return nil
	}
	b := new(Block)
	if !f.nulls(1) {
		b.Codec = f.unsigned(64)
	}
	data, err := base64.StdEncoding.DecodeString(f.text())
	f.fail(err)
	b.Data = data
	return b
}

func isNull(item json.RawMessage) bool { return bytes.Equal(item, []byte("null")) }

func (f *fields) address() address.Address {
	s := f.text()
	if f.err != nil {
		return address.Undef
	}
	a, err := parseAddress(s)
	f.fail(err)
	return a
}

// parseAddress also reads IDs and namespaces of 64 bits, which go-address refuses.
func parseAddress(s string) (address.Address, error) {
	switch {
	case strings.HasPrefix(s, "f0"):
		id, err := strconv.ParseUint(s[2:], 10, 64)
		return addr.NewID(id), err
	case strings.HasPrefix(s, "f4"):
		return parseDelegated(s)
	}
	return address.NewFromString(s)
}

func parseDelegated(s string) (address.Address, error) {
	number, text, _ := strings.Cut(s[2:], "f")
	namespace, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return address.Undef, err
	}
	sub, err := address.AddressEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || len(sub) < address.ChecksumHashLength {
		return address.Undef, fmt.Errorf("%q is no address", s)
	}
	b := binary.AppendUvarint([]byte{address.Delegated}, namespace)
	a, err := addr.ParseAddress(append(b, sub[:len(sub)-address.ChecksumHashLength]...))
	if err == nil && addr.String(a) != s {
		err = fmt.Errorf("%q has a wrong checksum", s)
	}
	return a, err
}

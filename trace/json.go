package trace

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// Events is the trace of a message. As JSON it is a list of small lists, the
// form in which conformance vectors keep traces:
//
//	["gas", name, compute milligas, other milligas]
//	["call", from, to, method, value, gas limit|null, read only|null, codec|null, params base64|null]
//	["invoke", actor id, code cid]
//	["return", exit code, codec|null, data base64|null]
//	["error", errno, text]
//	["log", text]
//	["ipld", "get"|"put", cid, size]
//
// Gas limit and read only are null, and so is the codec of data, in traces of network versions 16 and 17. Values are decimal strings of attoFIL, addresses those of mainnet. Milligas
// are signed: an amount of 2^63 and more is negative.
type Events []Event

// MarshalJSON never fails for events that a machine made.
func (es Events) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, e := range es {
		if extra(e) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		l := list{buf: append(out, '[')}
		if err := l.event(e); err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
		out = append(l.buf, ']')
	}
	return append(out, ']'), nil
}

// extra reports an event that is not part of the network's traces.
func extra(e Event) bool {
	i, ok := e.(*Invoke)
	return ok && i.Extra
}

// list is a JSON list being written.
type list struct {
	buf  []byte
	some bool
}

func (l *list) next() {
	if l.some {
		l.buf = append(l.buf, ',')
	}
	l.some = true
}

func (l *list) raw(s string) { l.next(); l.buf = append(l.buf, s...) }

func (l *list) signed(n int64) { l.next(); l.buf = strconv.AppendInt(l.buf, n, 10) }

func (l *list) unsigned(n uint64) { l.next(); l.buf = strconv.AppendUint(l.buf, n, 10) }

func (l *list) text(s string) { l.next(); l.buf = appendString(l.buf, s) }

func (l *list) block(b *Block) {
	if b == nil {
		l.raw("null")
		l.raw("null")
		return
	}
	if b.Codec == 0 {
		l.raw("null")
	} else {
		l.unsigned(b.Codec)
	}
	l.text(base64.StdEncoding.EncodeToString(b.Data))
}

func (l *list) event(e Event) error {
	switch e := e.(type) {
	case *GasCharge:
		l.text("gas")
		l.text(e.Name)
		l.signed(int64(e.Compute))
		l.signed(int64(e.Other))
	case *Call:
		l.text("call")
		l.unsigned(uint64(e.From))
		l.text(addr.String(e.To))
		l.unsigned(uint64(e.Method))
		l.text(amount(e.Value))
		if e.NoLimits {
			l.raw("null")
			l.raw("null")
		} else {
			l.unsigned(e.GasLimit)
			l.raw(strconv.FormatBool(e.ReadOnly))
		}
		l.block(e.Params)
	case *Invoke:
		l.text("invoke")
		l.unsigned(uint64(e.ID))
		l.text(e.Code.String())
	case *Return:
		l.text("return")
		l.unsigned(uint64(uint32(e.ExitCode)))
		l.block(e.Data)
	case *Error:
		l.text("error")
		l.unsigned(uint64(e.Errno))
		l.text(e.Text)
	case *Log:
		l.text("log")
		l.text(e.Text)
	case *IPLD:
		l.text("ipld")
		l.text(direction(e.Put))
		l.text(e.Cid.String())
		l.signed(int64(e.Size))
	default:
		return fmt.Errorf("%T is no event", e)
	}
	return nil
}

func direction(put bool) string {
	if put {
		return "put"
	}
	return "get"
}

// appendString escapes no more than JSON demands, unlike encoding/json, so that
// the bytes are those of other implementations.
func appendString(buf []byte, s string) []byte {
	const hex = "0123456789abcdef"
	buf = append(buf, '"')
	for _, r := range s { // a byte that is not UTF-8 becomes U+FFFD
		switch {
		case r == '"' || r == '\\':
			buf = append(buf, '\\', byte(r))
		case r == '\b':
			buf = append(buf, '\\', 'b')
		case r == '\f':
			buf = append(buf, '\\', 'f')
		case r == '\n':
			buf = append(buf, '\\', 'n')
		case r == '\r':
			buf = append(buf, '\\', 'r')
		case r == '\t':
			buf = append(buf, '\\', 't')
		case r < ' ':
			buf = append(buf, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			buf = utf8.AppendRune(buf, r)
		}
	}
	return append(buf, '"')
}

package kernel

import (
	"unicode/utf8"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/event"
	"github.com/edgefvm/fvm/internal/vm/execerr"
)

const maxEventValues = 8 << 10 // bytes, all values of an event together

// EventHeader is one entry of an event as nv21 and later pass it.
type EventHeader struct {
	Flags, Codec     uint64
	KeyLen, ValueLen uint32
}

const (
	maxEntries4  = 255
	maxKeyLen4   = 31
	eventFlags   = 0b11 // indexed key, indexed value
	maxEntries3  = 256
	maxKeyLen3   = 32
	maxEventBlob = 1 << 20
)

// EmitEvent records an event, given as headers and concatenated keys and
// values (nv21 and later). headerAt decodes the i-th of n headers.
func (k *Kernel) EmitEvent(n int, headerAt func(i int) EventHeader, keys, values []byte) error {
	if k.ReadOnly {
		return execerr.Syscallf(execerr.ReadOnly, "events cannot be emitted in a read-only call")
	}
	if err := k.gas.Apply(k.prices.OnActorEvent(n, len(keys), len(values))); err != nil {
		return err
	}
	switch {
	case n > maxEntries4:
		return execerr.Syscallf(execerr.LimitExceeded, "an event has at most %d entries, not %d", maxEntries4, n)
	case len(values) > maxEventValues:
		return execerr.Syscallf(execerr.LimitExceeded, "an event has at most %d bytes of values, not %d", maxEventValues, len(values))
	case !utf8.Valid(keys):
		return execerr.Syscallf(execerr.IllegalArgument, "the event's keys are not UTF-8")
	}
	entries := make([]event.Entry, 0, n)
	var ko, vo int
	for i := range n {
		h := headerAt(i)
		e, err := entry4(h, keys[ko:], values[vo:])
		if err != nil {
			return err
		}
		ko += int(h.KeyLen)
		vo += int(h.ValueLen)
		entries = append(entries, e)
	}
	if ko != len(keys) || vo != len(values) {
		return execerr.Syscallf(execerr.IllegalArgument, "the event's buffers hold %d bytes more of keys and %d more of values than its entries", len(keys)-ko, len(values)-vo)
	}
	k.calls.AppendEvent(event.Stamped{Emitter: k.Self, Entries: entries})
	return nil
}

// entry4 takes one entry off the front of keys and values.
func entry4(h EventHeader, keys, values []byte) (event.Entry, error) {
	switch {
	case h.Flags&^eventFlags != 0:
		return event.Entry{}, execerr.Syscallf(execerr.IllegalArgument, "unknown event flags %#x", h.Flags)
	case h.KeyLen > maxKeyLen4:
		return event.Entry{}, execerr.Syscallf(execerr.LimitExceeded, "an event's key has at most %d bytes, not %d", maxKeyLen4, h.KeyLen)
	case h.ValueLen > maxEventValues:
		return event.Entry{}, execerr.Syscallf(execerr.IllegalArgument, "an event's value of %d bytes is out of range", h.ValueLen)
	case int(h.KeyLen) > len(keys) || !runeStart(keys, int(h.KeyLen)):
		return event.Entry{}, execerr.Syscallf(execerr.IllegalArgument, "an event's key leaves the buffer or splits a character")
	case int(h.ValueLen) > len(values):
		return event.Entry{}, execerr.Syscallf(execerr.IllegalArgument, "an event's value leaves the buffer")
	case h.Codec != cbor.CodecRaw && h.Codec != cbor.CodecCBOR:
		return event.Entry{}, execerr.Syscallf(execerr.IllegalCodec, "an event's value has codec %#x, not raw or CBOR", h.Codec)
	}
	return event.Entry{
		Flags: h.Flags, Key: string(keys[:h.KeyLen]), Codec: h.Codec, Value: append([]byte(nil), values[:h.ValueLen]...),
	}, nil
}

// runeStart reports whether i is between two characters of valid UTF-8.
func runeStart(b []byte, i int) bool { return i >= len(b) || utf8.RuneStart(b[i]) }

// EmitEncodedEvent records an event given as CBOR (until nv20).
func (k *Kernel) EmitEncodedEvent(raw []byte) error {
	if k.ReadOnly {
		return execerr.Syscallf(execerr.ReadOnly, "events cannot be emitted in a read-only call")
	}
	if err := k.gas.Apply(k.prices.OnActorEventValidate(len(raw))); err != nil {
		return err
	}
	if len(raw) > maxEventBlob {
		return execerr.Syscallf(execerr.IllegalArgument, "an event has at most %d bytes, not %d", maxEventBlob, len(raw))
	}
	entries, err := event.DecodeEntries(raw)
	if err != nil {
		return execerr.Syscallf(execerr.IllegalArgument, "decoding an event: %v", err)
	}
	if err := checkEntries3(entries); err != nil {
		return err
	}
	if err := k.gas.Apply(k.prices.OnActorEventAccept(len(raw))); err != nil {
		return err
	}
	k.calls.AppendEvent(event.Stamped{Emitter: k.Self, Entries: entries})
	return nil
}

func checkEntries3(entries []event.Entry) error {
	if len(entries) > maxEntries3 {
		return execerr.Syscallf(execerr.IllegalArgument, "an event has at most %d entries, not %d", maxEntries3, len(entries))
	}
	total := 0
	for _, e := range entries {
		if len(e.Key) > maxKeyLen3 {
			return execerr.Syscallf(execerr.IllegalArgument, "an event's key has at most %d bytes, not %d", maxKeyLen3, len(e.Key))
		}
		if e.Codec != cbor.CodecRaw {
			return execerr.Syscallf(execerr.IllegalCodec, "an event's value has codec %#x, not raw", e.Codec)
		}
		total += len(e.Value)
	}
	if total > maxEventValues {
		return execerr.Syscallf(execerr.IllegalArgument, "an event has at most %d bytes of values, not %d", maxEventValues, total)
	}
	return nil
}

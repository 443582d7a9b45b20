package explain

import (
	"context"
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// Event is an event that a message left.
type Event struct {
	Emitter abi.ActorID  `json:"emitter"`
	Eth     string       `json:"eth,omitempty"`   // the emitter in Ethereum's form, see EthAddress; "" if nobody looked it up
	Actor   string       `json:"actor,omitempty"` // the emitter's kind, "" if it is not known
	Type    string       `json:"type,omitempty"`  // the value of "$type", which builtin actors set (FIP-0083)
	Entries []EventEntry `json:"entries"`
}

// EventEntry is a key and a value of an event.
type EventEntry struct {
	Key   string `json:"key"`
	Value string `json:"value"` // CBOR as text, see Diagnostic; else hex that begins with 0x
	Flags uint64 `json:"flags"` // 1: the key is indexed, 2: the value is
	Codec uint64 `json:"codec"` // of the value
	Hex   string `json:"hex"`   // the value itself
}

// EthAddress is an actor's address in the form of Ethereum, with 0x, as logs of nodes have it: of its f410f address, or
// if it has none (delegated is nil, or of another namespace) of its masked ID (FIP-0054).
func EthAddress(id abi.ActorID, delegated *address.Address) string {
	if delegated != nil {
		if eth, ok := addr.Ethereum(*delegated); ok {
			return eth
		}
	}
	eth, _ := addr.Ethereum(addr.NewID(uint64(id)))
	return eth
}

// EthAddresses makes Options.EthAddress of the state of a machine. The function is the machine's goroutine's.
func EthAddresses(ctx context.Context, m *fvm.Machine) func(abi.ActorID) (string, bool) {
	return func(id abi.ActorID) (string, bool) {
		_, st, err := m.Actor(ctx, addr.NewID(uint64(id)))
		if err != nil || st == nil {
			return "", false
		}
		return EthAddress(id, st.Delegated), true
	}
}

// ViewEvent reads an event. actor is the emitter's kind, "" if it is not known.
func ViewEvent(e fvm.Event, actor string) Event {
	v := Event{Emitter: e.Emitter, Actor: actor}
	for _, n := range e.Entries {
		text := "0x" + hex.EncodeToString(n.Value)
		if n.Codec == cbor.CodecCBOR {
			if s, ok := Diagnostic(n.Value); ok {
				text = s
			}
		}
		if n.Key == "$type" {
			v.Type = strings.Trim(text, `"`)
		}
		v.Entries = append(v.Entries, EventEntry{n.Key, text, n.Flags, n.Codec, hex.EncodeToString(n.Value)})
	}
	return v
}

// Diagnostic writes CBOR for people, nearly as CBOR's diagnostic notation does: [1, -2, "text", 0xc0ffee, true, null], and
// links as CIDs. ok is false for what is not one whole item, is nested deeper than 16, or has maps, floats or other tags,
// which builtin actors do not use.
func Diagnostic(data []byte) (text string, ok bool) {
	text, rest, ok := showCBOR(data, 0)
	if !ok || len(rest) > 0 {
		return "", false
	}
	return text, true
}

const maxNesting = 16

// showCBOR writes the first item of data, see Diagnostic.
func showCBOR(data []byte, depth int) (text string, rest []byte, ok bool) {
	major, arg, n := cbor.Header(data)
	if n <= 0 || depth > maxNesting {
		return "", nil, false
	}
	body := data[n:]
	switch major {
	case cbor.Uint:
		return strconv.FormatUint(arg, 10), body, true
	case cbor.Negint:
		v := new(big.Int).SetUint64(arg)
		return v.Not(v).String(), body, true
	case cbor.Bytes, cbor.Text:
		if arg > uint64(len(body)) {
			return "", nil, false
		}
		s := body[:arg]
		if major == cbor.Text && utf8.Valid(s) {
			return strconv.Quote(string(s)), body[arg:], true
		}
		return "0x" + hex.EncodeToString(s), body[arg:], true
	case cbor.Array:
		return showItems(body, arg, depth, "[", "]")
	case cbor.Tag:
		all := cbor.NewReader(data)
		item := all.Raw()
		r := cbor.NewReader(item)
		if c := r.CID(); !all.Failed() && r.End() == nil {
			return c.String(), data[len(item):], true
		}
		return "", nil, false
	case cbor.Simple: // true, false, null
		if name, ok := map[uint64]string{20: "false", 21: "true", 22: "null"}[arg]; ok && n == 1 {
			return name, body, true
		}
	}
	return "", nil, false
}

func showItems(body []byte, count uint64, depth int, begin, end string) (string, []byte, bool) {
	if count > uint64(len(body)) {
		return "", nil, false
	}
	parts := make([]string, 0, count)
	for range count {
		s, rest, ok := showCBOR(body, depth+1)
		if !ok {
			return "", nil, false
		}
		parts, body = append(parts, s), rest
	}
	return begin + strings.Join(parts, ", ") + end, body, true
}

package actors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/filecoin-project/go-state-types/abi"
	gobig "github.com/filecoin-project/go-state-types/big"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/ethabi"
)

// Event is an event in words.
type Event struct {
	Emitter abi.ActorID `json:"emitter"`
	// Type is what builtin actors say in "$type" (FIP-0083): "sector-activated". "" for others.
	Type string `json:"type,omitempty"`
	// Fields are the keys and values but $type, in their order. A key may be there more than once.
	Fields []EventField `json:"fields,omitempty"`
	// Log is the log of a contract, instead of Fields.
	Log *ethabi.Call `json:"log,omitempty"`
}

// EventField is a key with its value.
type EventField struct {
	Key     string `json:"key"`
	Value   any    `json:"value"` // as package jsonview has it: links as CIDs, bytes in hex, amounts in decimal
	Indexed bool   `json:"indexed"`
}

// DecodeEvent reads an event. Contracts' logs are told by their keys, t1 to t4 and d (FIP-0054), and read by abi, which may
// be nil.
func DecodeEvent(e fvm.Event, abi *ethabi.ABI) Event {
	v := Event{Emitter: e.Emitter}
	if topics, data, ok := logOf(e); ok {
		v.Log = ethabi.DecodeLog(abi, topics, data)
		return v
	}
	for _, n := range e.Entries {
		value := eventValue(n)
		if text, ok := value.(string); ok && n.Key == "$type" && v.Type == "" {
			v.Type = text
			continue
		}
		v.Fields = append(v.Fields, EventField{n.Key, value, n.Flags&2 != 0})
	}
	return v
}

// logOf are the topics and the data of a contract's log; ok is false for other events.
func logOf(e fvm.Event) (topics [][]byte, data []byte, ok bool) {
	for i, n := range e.Entries {
		switch {
		case n.Codec != cbor.CodecRaw:
			return nil, nil, false
		case n.Key == "t"+strconv.Itoa(i+1) && i < 4 && len(n.Value) == 32:
			topics = append(topics, n.Value)
		case n.Key == "d" && i == len(e.Entries)-1:
			data = n.Value
		default:
			return nil, nil, false
		}
	}
	return topics, data, len(e.Entries) > 0
}

// eventValue is the value of an entry: what its CBOR says, or bytes in hex.
func eventValue(n fvm.EventEntry) any {
	if n.Codec != cbor.CodecCBOR {
		return jsonview.Hex(n.Value)
	}
	if n.Key == "balance" { // of DataCap, as a big integer
		var b gobig.Int
		if unmarshalOne(n.Value, &b) == nil {
			return b.String()
		}
	}
	r := bytes.NewReader(n.Value)
	v, ok := plain(r, 0)
	if !ok || r.Len() > 0 {
		return jsonview.Hex(n.Value)
	}
	return v
}

// plain reads what CBOR says without a type: numbers, text, bytes, links, lists, true, false and null.
func plain(r *bytes.Reader, depth int) (any, bool) {
	start := *r
	major, n, err := cbg.CborReadHeader(r)
	if err != nil || depth > 16 {
		return nil, false
	}
	switch major {
	case cbg.MajUnsignedInt:
		return json.Number(strconv.FormatUint(n, 10)), true
	case cbg.MajNegativeInt:
		return json.Number(new(big.Int).Not(new(big.Int).SetUint64(n)).String()), true
	case cbg.MajByteString, cbg.MajTextString:
		b, err := take(r, major, major, n)
		if err != nil || major == cbg.MajTextString && !utf8.Valid(b) {
			return nil, false
		}
		if major == cbg.MajTextString {
			return string(b), true
		}
		return jsonview.Hex(b), true
	case cbg.MajArray:
		if n > uint64(r.Len()) {
			return nil, false
		}
		list := []any{}
		for range n {
			v, ok := plain(r, depth+1)
			if !ok {
				return nil, false
			}
			list = append(list, v)
		}
		return list, true
	case cbg.MajTag:
		*r = start
		c, err := cbg.ReadCid(r)
		return c.String(), err == nil
	case cbg.MajOther:
		switch n {
		case 20, 21:
			return n == 21, true
		case 22:
			return nil, true
		}
	}
	return nil, false
}

// ReadEvents reads the CBOR of events: one or a list of them, each as the network has it, [emitter, [[flags, key, codec,
// value], …]] (FIP-0049), or without the emitter.
func ReadEvents(data []byte) ([]fvm.Event, error) {
	type stamped struct {
		Emitter abi.ActorID
		Entries []eventEntry
	}
	var one stamped
	var err error
	if err = unmarshalOne(data, &one); err == nil {
		return []fvm.Event{{Emitter: one.Emitter, Entries: plainEntries(one.Entries)}}, nil
	}
	var list []stamped
	if unmarshalOne(data, &list) == nil {
		events := []fvm.Event{}
		for _, e := range list {
			events = append(events, fvm.Event{Emitter: e.Emitter, Entries: plainEntries(e.Entries)})
		}
		return events, nil
	}
	var bare []eventEntry
	if unmarshalOne(data, &bare) == nil {
		return []fvm.Event{{Entries: plainEntries(bare)}}, nil
	}
	var wrapped struct{ Entries []eventEntry }
	if unmarshalOne(data, &wrapped) == nil {
		return []fvm.Event{{Entries: plainEntries(wrapped.Entries)}}, nil
	}
	return nil, fmt.Errorf("no event in CBOR, want [emitter, [[flags, key, codec, value], …]]: %w", err)
}

// eventEntry is fvm.EventEntry with the fields in CBOR's order.
type eventEntry struct {
	Flags uint64
	Key   string
	Codec uint64
	Value []byte
}

func plainEntries(list []eventEntry) (entries []fvm.EventEntry) {
	for _, n := range list {
		entries = append(entries, fvm.EventEntry{Flags: n.Flags, Key: n.Key, Codec: n.Codec, Value: n.Value})
	}
	return entries
}

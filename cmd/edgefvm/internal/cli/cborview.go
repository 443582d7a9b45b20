package cli

import (
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// The codecs of event values.
const (
	codecRaw  = 0x55
	codecCBOR = 0x51
)

// eventView is an event for people and for JSON.
type eventView struct {
	Emitter uint64       `json:"emitter"`
	Actor   string       `json:"actor,omitempty"`
	Type    string       `json:"type,omitempty"`
	Entries []eventEntry `json:"entries"`
}

type eventEntry struct {
	Key   string `json:"key"`
	Value string `json:"value"` // decoded, or hex
	Flags uint64 `json:"flags"`
	Codec uint64 `json:"codec"`
	Hex   string `json:"hex"`
}

func viewEvent(e fvm.Event, actor string) eventView {
	v := eventView{Emitter: uint64(e.Emitter), Actor: actor}
	for _, n := range e.Entries {
		text := "0x" + hex.EncodeToString(n.Value)
		if n.Codec == codecCBOR {
			if s, rest, ok := showCBOR(n.Value, 0); ok && len(rest) == 0 {
				text = s
			}
		}
		if n.Key == "$type" {
			v.Type = strings.Trim(text, `"`)
		}
		v.Entries = append(v.Entries, eventEntry{n.Key, text, n.Flags, n.Codec, hex.EncodeToString(n.Value)})
	}
	return v
}

const maxNesting = 16

// showCBOR writes the first item of data for people, as CBOR diagnostic notation does, with links as CIDs.
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

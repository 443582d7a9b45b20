package evmtrace

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
)

// MarshalJSON writes geth's form:
//
//	{"gas", "failed", "returnValue", "structLogs": [{"pc", "op", "gas", "gasCost", "depth", "error"?, "stack"?, "returnData"?,
//	"memory"?, "storage"?}], "gasKind": "filecoin", "leftOut"?, "unwatched"?}
//
// Words of the stack are quantities (0x0, 0x2a), those of memory and storage have 32 bytes. Gas is Filecoin's, in whole units,
// rounded down. unwatched is a list of texts.
func (l *Log) MarshalJSON() ([]byte, error) { return l.AppendJSON(nil) }

// AppendJSON appends what MarshalJSON gives. encoding/json looks through that once more, which takes as long as writing it.
func (l *Log) AppendJSON(b []byte) ([]byte, error) {
	b = slices.Grow(b, 256*len(l.Steps)+256)
	b = append(b, `{"gas":`...)
	b = strconv.AppendUint(b, l.GasUsed, 10)
	b = append(b, `,"gasKind":"filecoin","failed":`...)
	b = strconv.AppendBool(b, l.Failed)
	b = append(b, `,"returnValue":"0x`...)
	b = hex.AppendEncode(b, l.Return)
	b = append(b, '"')
	if l.LeftOut > 0 {
		b = append(b, `,"leftOut":`...)
		b = strconv.AppendInt(b, int64(l.LeftOut), 10)
	}
	if len(l.Unwatched) > 0 {
		texts := make([]string, len(l.Unwatched))
		for i, u := range l.Unwatched {
			texts[i] = u.Error()
		}
		list, err := json.Marshal(texts)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"unwatched":`...), list...)
	}
	b = append(b, `,"structLogs":[`...)
	for i := range l.Steps {
		if i > 0 {
			b = append(b, ',')
		}
		b = l.Steps[i].append(b)
	}
	return append(b, "]}"...), nil
}

// MarshalJSON writes one of the structLogs of a Log.
func (s *Step) MarshalJSON() ([]byte, error) { return s.append(nil), nil }

const milli = 1000

func (s *Step) append(b []byte) []byte {
	b = append(b, `{"pc":`...)
	b = strconv.AppendUint(b, uint64(s.PC), 10)
	b = append(b, `,"op":"`...)
	b = append(b, OpName(s.Op)...)
	b = append(b, `","gas":`...)
	b = strconv.AppendUint(b, s.Gas/milli, 10)
	b = append(b, `,"gasCost":`...)
	b = strconv.AppendUint(b, s.Cost/milli, 10)
	b = append(b, `,"depth":`...)
	b = strconv.AppendInt(b, int64(s.Depth), 10)
	if s.Error != "" {
		b = append(b, `,"error":`...)
		b = strconv.AppendQuote(b, s.Error) // plain words
	}
	if s.Stack != nil {
		b = append(b, `,"stack":[`...)
		for i := range s.Stack {
			if i > 0 {
				b = append(b, ',')
			}
			b = s.Stack[i].quantity(b)
		}
		b = append(b, ']')
	}
	if len(s.Returned) > 0 {
		b = append(b, `,"returnData":`...)
		b = data(b, s.Returned)
	}
	if len(s.Memory) > 0 {
		b = append(b, `,"memory":[`...)
		for i := 0; i+32 <= len(s.Memory); i += 32 {
			if i > 0 {
				b = append(b, ',')
			}
			b = data(b, s.Memory[i:i+32])
		}
		b = append(b, ']')
	}
	if len(s.Storage) > 0 {
		b = append(b, `,"storage":{`...)
		for i, k := range s.slots() {
			if i > 0 {
				b = append(b, ',')
			}
			v := s.Storage[k]
			b = append(data(b, k[:]), ':')
			b = data(b, v[:])
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// slots are the keys of the storage in order.
func (s *Step) slots() []Word {
	keys := make([]Word, 0, len(s.Storage))
	for k := range s.Storage {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b Word) int { return bytes.Compare(a[:], b[:]) })
	return keys
}

func data(b, d []byte) []byte {
	b = append(b, `"0x`...)
	b = hex.AppendEncode(b, d)
	return append(b, '"')
}

// String is the number as a quantity: 0x and no leading zeros.
func (w Word) String() string {
	q := w.quantity(nil)
	return string(q[1 : len(q)-1])
}

// quantity appends a number without leading zeros.
func (w *Word) quantity(b []byte) []byte {
	b = append(b, `"0x`...)
	i := 0
	for i < 31 && w[i] == 0 {
		i++
	}
	if w[i] < 16 {
		b = append(b, "0123456789abcdef"[w[i]])
		i++
	}
	b = hex.AppendEncode(b, w[i:])
	return append(b, '"')
}

package ethabi

import (
	"fmt"

	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// DecodeLog reads a log of a contract: its topics and its data. abi may be nil. Of an indexed argument that does not fit a
// topic (text, bytes, lists, tuples) only the hash is there, which is shown as {"Hash": "0x…"}.
func DecodeLog(abi *ABI, topics [][]byte, data []byte) *Call {
	c := &Call{}
	if len(topics) == 0 {
		c.Words, c.Note = words(data), "a log without topics: an anonymous event"
		return c
	}
	c.Selector = jsonview.Hex(topics[0])
	e := abi.event(topics)
	if e == nil {
		c.Words = below(topics, data)
		return c
	}
	c.Name, c.Signature = e.Name, e.Signature()
	args, err := logArgs(e, topics[1:], data)
	if err != nil {
		c.Words, c.Note = below(topics, data), fmt.Sprintf("the first topic is that of %s, and the rest does not fit it: %v", e.Signature(), err)
		return c
	}
	c.Args = args
	return c
}

// below are the topics behind the first, and the words of the data.
func below(topics [][]byte, data []byte) (list []string) {
	for _, t := range topics[1:] {
		list = append(list, jsonview.Hex(t))
	}
	return append(list, words(data)...)
}

// event is the event with the first topic and as many topics. Some contracts have two of the same signature that differ in
// what is indexed.
func (a *ABI) event(topics [][]byte) *Entry {
	if a == nil {
		return nil
	}
	var found *Entry
	for _, e := range a.Entries {
		if h := e.Hash(); e.Kind != "event" || e.Anonymous || string(h[:]) != string(topics[0]) {
			continue
		}
		if found == nil || indexed(e) == len(topics)-1 {
			found = e
		}
	}
	return found
}

func indexed(e *Entry) (n int) {
	for _, p := range e.Inputs {
		if p.Indexed {
			n++
		}
	}
	return n
}

func logArgs(e *Entry, topics [][]byte, data []byte) (jsonview.Object, error) {
	if n := indexed(e); n != len(topics) {
		return nil, fmt.Errorf("it has %d indexed arguments, and the log %d", n, len(topics))
	}
	var rest []Param
	for i, p := range e.Inputs {
		if !p.Indexed {
			rest = append(rest, Param{Name: nameOf(e.Inputs, i), Type: p.Type})
		}
	}
	values, err := Decode(rest, data)
	if err != nil {
		return nil, err
	}
	args := jsonview.Object{}
	for i, p := range e.Inputs {
		name := nameOf(e.Inputs, i)
		if !p.Indexed {
			args = append(args, values[0])
			values = values[1:]
			continue
		}
		topic := topics[0]
		topics = topics[1:]
		var v any = jsonview.Object{{Name: "Hash", Value: jsonview.Hex(topic)}}
		if len(topic) == word && p.Type.kind < kindBytes {
			if v, err = scalar(name, p.Type, topic); err != nil {
				return nil, err
			}
		}
		args = append(args, jsonview.Field{Name: name, Value: v})
	}
	return args, nil
}

package decoding

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/textform"
)

func newDecodeEvent() *cobra.Command {
	var w which
	var o output
	cmd := &cobra.Command{
		Use:     "event INPUT",
		Aliases: []string{"events", "log", "logs"},
		Short:   "Events of actors, and logs of contracts by their ABI",
		Long: `Shows events: type and fields of those of builtin actors (FIP-0083), the name and the
arguments of contracts' logs with --abi. INPUT is an event's CBOR, one or a list of them,
with or without the emitter; or JSON: of 'edgefvm explain --json' and 'exec --json', of a
node ("Entries" with base64), or a log of Ethereum ("topics", "data").

` + inputHelp,
		Example: "  edgefvm explain --json v.json | jq '.messages[0].events' | edgefvm decode event -\n  edgefvm decode event --abi Token.json log.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			abi, err := w.loadABI()
			if err != nil {
				return err
			}
			d, err := readBytes(cmd, args[0], textform.CBOR)
			if err != nil {
				return err
			}
			events, err := readEvents(d)
			if err != nil {
				return fmt.Errorf("INPUT, %s: %w", d, err)
			}
			list := make([]actors.Event, 0, len(events))
			for _, e := range events {
				list = append(list, actors.DecodeEvent(e, abi))
			}
			if o.asJSON {
				return kit.WriteJSON(cmd, list)
			}
			return printEvents(cmd, list)
		},
	}
	w.abiFlag(cmd)
	o.flags(cmd, "")
	return cmd
}

func printEvents(cmd *cobra.Command, list []actors.Event) error {
	for _, e := range list {
		head := e.Type
		if head == "" {
			head = "event"
		}
		var body []string
		if e.Log != nil {
			head = "log"
			if e.Log.Signature != "" {
				head = e.Log.Signature
			}
			for _, a := range e.Log.Args {
				body = append(body, fieldText(a.Name, a.Value))
			}
			for i, word := range e.Log.Words {
				body = append(body, fieldText(fmt.Sprint(i), word))
			}
			if e.Log.Signature == "" && e.Log.Selector != "" {
				body = append([]string{fieldText("topic", e.Log.Selector)}, body...)
			}
			body = append(body, notes(e.Log.Note))
		}
		if e.Emitter != 0 { // the system actor emits nothing: nobody said who did
			head += fmt.Sprintf(", by f0%d", e.Emitter)
		}
		for _, f := range e.Fields {
			body = append(body, fieldText(f.Key, f.Value))
		}
		if err := lines(cmd, append([]string{head}, body...)...); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		return lines(cmd, "no events")
	}
	return nil
}

func fieldText(name string, value any) string {
	text, err := json.Marshal(jsonValue(value))
	if err != nil {
		return ""
	}
	return "  " + name + ": " + string(text)
}

// readEvents reads events in any of their forms.
func readEvents(d *textform.Data) ([]fvm.Event, error) {
	if d.Form != textform.JSON {
		return actors.ReadEvents(d.Bytes)
	}
	tree, err := jsonview.Parse(d.Bytes)
	if err != nil {
		return nil, err
	}
	list, ok := tree.([]any)
	if !ok {
		list = []any{tree}
	}
	var events []fvm.Event
	for i, one := range list {
		o, ok := one.(jsonview.Object)
		if !ok {
			return nil, fmt.Errorf("[%d]: want an event as an object", i)
		}
		e, err := eventOf(o)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		events = append(events, e)
	}
	return events, nil
}

// get is a field by one of its names.
func get(o jsonview.Object, names ...string) any {
	for _, f := range o {
		for _, n := range names {
			if strings.EqualFold(f.Name, n) {
				return f.Value
			}
		}
	}
	return nil
}

// eventOf reads one event of JSON.
func eventOf(o jsonview.Object) (e fvm.Event, err error) {
	if topics, ok := get(o, "topics").([]any); ok {
		return logOf(o, topics)
	}
	if e.Emitter, err = emitterOf(get(o, "emitter")); err != nil {
		return e, err
	}
	entries, ok := get(o, "entries").([]any)
	if !ok {
		return e, fmt.Errorf(`want an object with "entries", or a log of Ethereum with "topics" and "data"`)
	}
	for i, one := range entries {
		o, ok := one.(jsonview.Object)
		if !ok {
			return e, fmt.Errorf("entries[%d]: want an object", i)
		}
		var n fvm.EventEntry
		n.Key, _ = get(o, "key").(string)
		n.Flags, n.Codec = numberOf(get(o, "flags")), numberOf(get(o, "codec"))
		// Our own JSON has the bytes in "hex", a node's in "Value", in base64.
		text, prefix := "", "hex:"
		if h, ok := get(o, "hex").(string); ok {
			text = h
		} else if b, ok := get(o, "value").(string); ok {
			text, prefix = b, "base64:"
			if strings.HasPrefix(b, "0x") {
				prefix = "hex:"
			}
		}
		if text != "" {
			data, err := textform.Parse(prefix + text)
			if err != nil {
				return e, fmt.Errorf("entries[%d]: %w", i, err)
			}
			n.Value = data.Bytes
		}
		e.Entries = append(e.Entries, n)
	}
	return e, nil
}

// emitterOf is an id, as a number or an address.
func emitterOf(v any) (abi.ActorID, error) {
	switch x := v.(type) {
	case json.Number:
		return abi.ActorID(numberOf(x)), nil
	case string:
		a, err := textform.Address(x)
		if err != nil {
			return 0, fmt.Errorf("emitter: %w", err)
		}
		if id, ok := addr.ID(a); ok {
			return abi.ActorID(id), nil
		}
	}
	return 0, nil // not told, or by an address that only the state resolves
}

func numberOf(v any) (n uint64) {
	if x, ok := v.(json.Number); ok {
		fmt.Sscan(x.String(), &n)
	}
	return n
}

// logOf is a log of Ethereum's JSON as the event that it was made from.
func logOf(o jsonview.Object, topics []any) (e fvm.Event, err error) {
	for i, t := range topics {
		s, _ := t.(string)
		data, err := textform.Parse(s)
		if err != nil || len(data.Bytes) != 32 {
			return e, fmt.Errorf("topics[%d]: want 32 bytes in hex", i)
		}
		e.Entries = append(e.Entries, fvm.EventEntry{Flags: 3, Key: fmt.Sprintf("t%d", i+1), Codec: 0x55, Value: data.Bytes})
	}
	if s, ok := get(o, "data").(string); ok && s != "" && s != "0x" {
		data, err := textform.Parse(s)
		if err != nil {
			return e, fmt.Errorf("data: %w", err)
		}
		e.Entries = append(e.Entries, fvm.EventEntry{Flags: 3, Key: "d", Codec: 0x55, Value: data.Bytes})
	}
	e.Emitter, err = emitterOf(get(o, "address"))
	return e, err
}

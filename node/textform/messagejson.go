package textform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/layout"
)

// MessageFromJSON reads a message as nodes, wallets and explorers show it:
//
//   - an object with To, From, Nonce, Value, GasLimit, GasFeeCap, GasPremium and Method, and perhaps Version, Params and CID; Value
//     and the fees are attoFIL or have a unit, numbers may be strings. Params are base64, as nodes write them, or hex,
//     by the rules of Parse; where both fit, the CID decides, and without it that is ErrAmbiguous. Params that are an object
//     or a list are the decoded ones;
//   - an object with Message and Signature, which has Type (a number or a name) and Data;
//   - a transaction of Ethereum with its signature, as eth_getTransactionByHash gives it;
//   - a string with what DecodeMessage reads, as hex or base64;
//   - any of these alone in a list, as the answer or the first parameter of JSON-RPC, or as Msg of a replay.
//
// Names of fields may be in small letters. Fields that are not a message's are passed over and told in Notes, one
// that is missing or there twice is an error.
func MessageFromJSON(text []byte) (*Message, error) { return messageFromJSON(text, 0) }

const maxWraps = 8

func messageFromJSON(text []byte, depth int) (*Message, error) {
	if depth == 0 {
		if err := validJSON(text); err != nil {
			return nil, noReading("no JSON: %v", err)
		}
	}
	if depth > maxWraps {
		return nil, noReading("JSON that is wrapped more than %d times", maxWraps)
	}
	switch text = bytes.TrimSpace(text); text[0] {
	case '[':
		return fromList(text, depth)
	case '"':
		d, err := jsonData(string(text), nil)
		if err != nil {
			return nil, err
		}
		return DecodeMessage(d.Bytes)
	case '{':
	default:
		return nil, noReading("JSON, but no message: %s", layout.OneLine(layout.Cut(string(text), 40)))
	}
	o, err := readObject(text)
	if err != nil {
		return nil, noReading("JSON, but no message: %v", err)
	}
	switch {
	case o.has("message") && o.has("signature"):
		return o.signed()
	case o.has("r") && o.has("s") && (o.has("gas") || o.has("input")):
		return o.ethereum()
	case o.has("to") && o.has("from") && (o.has("method") || o.has("methodnum") || o.has("methodnumber")):
		return o.message()
	case o.has("jsonrpc") || o.has("result"):
		return o.answer(depth)
	case o.has("msg"):
		return messageFromJSON(o.fields["msg"], depth+1)
	case o.has("to") && (o.has("data") || o.has("input")):
		return nil, noReading("a call of Ethereum without a signature: give it by its parts, --from, --to, --calldata and --value")
	}
	return o.message() // which says what is missing
}

func fromList(text []byte, depth int) (*Message, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, noReading("no JSON: %v", err)
	}
	if len(list) != 1 {
		return nil, noReading("a list of %d; want one message", len(list))
	}
	return messageFromJSON(list[0], depth+1)
}

// answer is what a node was asked or has answered.
func (o *object) answer(depth int) (*Message, error) {
	switch {
	case o.has("error"):
		return nil, noReading("a node's answer that is an error: %s", layout.OneLine(layout.Cut(string(o.fields["error"]), 120)))
	case o.has("result"):
		return messageFromJSON(o.fields["result"], depth+1)
	case o.has("params"):
		var list []json.RawMessage
		if err := json.Unmarshal(o.fields["params"], &list); err != nil || len(list) == 0 {
			return nil, noReading("a question to a node whose parameters hold no message")
		}
		return messageFromJSON(list[0], depth+1)
	}
	return nil, noReading("a node's answer without a result: it knows no such message")
}

// wanted are the fields that each message has; Version and Params may be missing.
var wanted = []string{"To", "From", "Nonce", "Value", "GasLimit", "GasFeeCap", "GasPremium", "Method"}

func (o *object) message() (*Message, error) {
	number := "Method"
	for _, n := range []string{"MethodNumber", "MethodNum"} { // explorers and indexers: the name is in Method
		if o.has(plainName(n)) {
			number = n
			o.used["method"] = true
		}
	}
	var lacks []string
	for _, name := range wanted {
		if name == "Method" {
			name = number
		}
		if o.take(plainName(name)) == nil {
			lacks = append(lacks, name)
		}
	}
	if len(lacks) > 0 {
		text := fmt.Sprintf("the message lacks %s", list(lacks))
		if len(lacks) == len(wanted) {
			text = "JSON, but no message: it has none of To, From, Nonce, Value and so on"
		} else if rest := o.others(); len(rest) > 0 {
			text += fmt.Sprintf("; it has %s, which no message has", list(rest))
		}
		return nil, noReading("%s", text)
	}
	msg := &fvm.Message{
		Version: o.number("Version", math.MaxUint64), To: o.address("To"), From: o.address("From"), Nonce: o.number("Nonce", math.MaxUint64),
		Value: o.amount("Value"), GasLimit: int64(o.number("GasLimit", math.MaxInt64)), GasFeeCap: o.amount("GasFeeCap"), GasPremium: o.amount("GasPremium"),
	}
	m := &Message{Message: msg, Form: "a message's JSON"}
	if s, _ := o.text(number); isDigits(s) || o.err != nil {
		msg.Method = abi.MethodNum(o.number(number, math.MaxUint64))
	} else if m.MethodName = strings.TrimSpace(s); strings.Trim(s, "+-.0123456789eE") == "" {
		o.fail(number, noReading("%s is no method", layout.OneLine(layout.Cut(s, 40))))
	}
	m.readParams(o)
	if o.err != nil {
		return nil, o.err
	}
	if rest := o.others(); len(rest) > 0 {
		m.Notes = append(m.Notes, "passed over: "+list(rest))
	}
	return m, nil
}

// others are the fields that no message has.
func (o *object) others() []string {
	for _, n := range []string{"version", "params", "cid"} {
		o.used[n] = true
	}
	return o.rest()
}

// list names some things.
func list(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// readParams reads the parameters, and compares the CID.
func (m *Message) readParams(o *object) {
	var readings [][]byte
	switch raw := o.take("params"); {
	case raw == nil:
		readings = [][]byte{nil}
	case raw[0] == '{' || raw[0] == '[':
		m.ParamsJSON = raw
		return
	case raw[0] != '"':
		o.fail("Params", noReading("%s is no string", layout.OneLine(layout.Cut(string(raw), 40))))
		return
	default:
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			o.fail("Params", err)
			return
		}
		var err error
		readings, err = readingsOf(s)
		// An address, with its checksum, is what methods take that take an address alone.
		if a, no := Address(s); no == nil && s[0] != '0' && (err != nil || a.Protocol() != address.ID) {
			m.ParamsJSON = raw
			return
		}
		if err != nil {
			o.fail("Params", err)
			return
		}
	}
	if o.err != nil {
		return
	}
	told, ofNode := o.cid()
	for _, r := range readings {
		m.Params = r
		if c, err := m.unsignedCID(); err != nil || c == told {
			o.fail("the message", err)
			return
		}
	}
	switch {
	case len(readings) > 1:
		o.fail("Params", ambiguous("they are hex of %s and base64 of %s, and no CID tells which: write them as 0x... or base64:...", countBytes(readings[0]), countBytes(readings[1])))
	case ofNode && m.MethodName == "":
		m.Notes = append(m.Notes, "its CID is another message's: was a field changed?")
	}
}

// readingsOf are the readings of parameters in JSON, hex before base64.
func readingsOf(s string) (readings [][]byte, err error) {
	if strings.TrimSpace(s) == "" {
		return [][]byte{nil}, nil
	}
	d, err := parse(s, false, nil)
	if err == nil {
		return [][]byte{d.Bytes}, nil
	}
	b64, why := decodeBase64(s)
	if why != "" {
		return nil, err
	}
	if b, why := decodeHex(s); why == "" {
		readings = append(readings, b)
	}
	return append(readings, b64), nil
}

// cid is the CID that comes with a message; ofNode tells that it is written as nodes do, and so is the CID of the message
// without its signature.
func (o *object) cid() (c cid.Cid, ofNode bool) {
	raw := o.take("cid")
	if raw == nil {
		return cid.Undef, false
	}
	var link struct {
		Text string `json:"/"`
	}
	if json.Unmarshal(raw, &link) == nil {
		ofNode = true
	} else if json.Unmarshal(raw, &link.Text) != nil {
		return cid.Undef, false
	}
	c, err := CID(link.Text)
	if err != nil {
		return cid.Undef, false
	}
	return c, ofNode
}

func (m *Message) unsignedCID() (cid.Cid, error) {
	var buf bytes.Buffer
	if err := m.MarshalCBOR(&buf); err != nil {
		return cid.Undef, err
	}
	return abi.CidBuilder.Sum(buf.Bytes())
}

// signed reads an object with a message and a signature.
func (o *object) signed() (*Message, error) {
	inner, err := readObject(o.take("message"))
	if err != nil {
		return nil, noReading("JSON, but no message: Message: %v", err)
	}
	m, err := inner.message()
	if err != nil {
		return nil, err
	}
	sig, err := readObject(o.take("signature"))
	if err != nil {
		return nil, noReading("Signature: %v", err)
	}
	kind, _ := sig.text("Type")
	m.Signature = new(crypto.Signature)
	if m.Signature.Type, err = SignatureType(kind); err != nil {
		return nil, fmt.Errorf("the Signature's Type %s: %w", layout.OneLine(layout.Cut(kind, 40)), err)
	}
	data, _ := sig.text("Data")
	readings, err := readingsOf(data)
	if len(readings) > 1 { // the length may tell
		readings = slices.DeleteFunc(readings, func(b []byte) bool { return !fits(m.Signature.Type, len(b)) })
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("the Signature's Data: %w", err)
	case len(readings) != 1:
		return nil, ambiguous("Signature: Data is hex and base64: write it as 0x... or base64:...")
	case len(readings[0])+1 > crypto.SignatureMaxLength:
		return nil, noReading("Signature: it has %s, and no signature is that long", countBytes(readings[0]))
	}
	m.Signature.Data, m.Form = readings[0], "a signed message's JSON"
	o.used["cid"] = true
	if rest := append(o.rest(), sig.rest()...); len(rest) > 0 {
		m.Notes = append(m.Notes, "passed over: "+list(rest))
	}
	return m, m.checkSignature()
}

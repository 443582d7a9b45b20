package decoding_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// lotusMessage is a line of textform's testdata/lotus.json: what Lotus v1.36.3 makes of a message or a transaction.
type lotusMessage struct {
	Name, Raw, Signed, Bare string // hex
	JSON                    json.RawMessage
	Eth                     json.RawMessage
	Length                  int
	CID                     string
}

// link is a CID in a node's JSON.
type link struct {
	CID string `json:"/"`
}

// nodesMessage is a node's JSON of a message that may be signed.
type nodesMessage struct {
	Message *fields
	fields
	Signature *struct {
		Type int
		Data []byte
	}
	CID link
}

type fields struct {
	To, From, Value, GasFeeCap, GasPremium string
	Nonce, Method                          uint64
	GasLimit                               int64
	Params                                 []byte
	CID                                    link
}

func lotusMessages(t *testing.T) []lotusMessage {
	t.Helper()
	return clitest.FromJSON[[]lotusMessage](t, string(clitest.ReadFrom(t, "../../../../node/textform/testdata/lotus.json")))
}

// shownMessage is what decode message prints as JSON.
type shownMessage struct {
	Form, CID string
	Signed    string `json:"signed_cid"`
	Length    int    `json:"chain_length"`
	Message   struct {
		To, From, Value, GasFeeCap, GasPremium, Params string
		Nonce, Method                                  uint64
		GasLimit                                       int64
	}
	Signature *struct{ Data string }
	FromEth   string `json:"from_ethereum"`
	ToEth     string `json:"to_ethereum"`
}

// A message is shown as a node shows it, whichever of its forms is given, and each form becomes the bytes that the node makes.
func TestMessagesOfLotus(t *testing.T) {
	dir := t.TempDir()
	for i, want := range lotusMessages(t) {
		if i%3 == 1 && testing.Short() {
			continue
		}
		theirs := clitest.FromJSON[nodesMessage](t, string(want.JSON))
		inner := theirs.fields
		if theirs.Message != nil {
			inner = *theirs.Message
		}
		bare := theirs.CID.CID
		if theirs.Message != nil {
			bare = inner.CID.CID
		}
		forms := map[string]string{"json": string(want.JSON)}
		if want.Signed != "" {
			forms["signed"] = "0x" + want.Signed
		} else {
			forms["bare"] = "0x" + want.Bare
		}
		if want.Raw != "" {
			forms["raw"] = "0x" + want.Raw
			forms["eth"] = clitest.WriteTo(t, filepath.Join(dir, fmt.Sprint(i)), want.Eth)
		}
		for form, input := range forms {
			out := edgefvm.OK(t, "decode", "message", "--json", input)
			got := clitest.FromJSON[shownMessage](t, out)
			m := got.Message
			if m.Nonce != inner.Nonce || m.Method != inner.Method || m.Value != inner.Value || m.GasLimit != inner.GasLimit || m.GasFeeCap != inner.GasFeeCap ||
				m.GasPremium != inner.GasPremium || m.Params != "0x"+hex.EncodeToString(inner.Params) || m.To != inner.To || m.From != inner.From {
				t.Errorf("%s, %s: %s\nwant %s", want.Name, form, out, want.JSON)
			}
			if got.CID != bare || got.Length != want.Length && form != "bare" {
				t.Errorf("%s, %s: CID %s, %d bytes; want %s, %d", want.Name, form, got.CID, got.Length, bare, want.Length)
			}
			switch {
			case theirs.Signature == nil:
				if got.Signature != nil || got.Signed != "" {
					t.Errorf("%s, %s: a signature out of nothing: %s", want.Name, form, out)
				}
			case got.Signature == nil || got.Signature.Data != "0x"+hex.EncodeToString(theirs.Signature.Data):
				t.Errorf("%s, %s: signature %+v", want.Name, form, got.Signature)
			case theirs.Signature.Type == 2: // BLS: blocks name the message without it
				if got.Signed != "" || want.CID != got.CID {
					t.Errorf("%s, %s: CIDs %s %s, want %s", want.Name, form, got.CID, got.Signed, want.CID)
				}
			case got.Signed != want.CID:
				t.Errorf("%s, %s: CID with the signature %s, want %s", want.Name, form, got.Signed, want.CID)
			}
			if want.Signed != "" {
				r := edgefvm.Run(t, "encode", "message", "--signed", input)
				if r.Code != kit.ExitOK || strings.TrimSpace(r.Out) != "0x"+want.Signed || r.Err != "" {
					t.Errorf("%s, %s: %+v", want.Name, form, r)
				}
			}
		}
	}
}

// The Ethereum form of sender and receiver is the one that the transaction has.
func TestEthereumSidesOfLotus(t *testing.T) {
	n := 0
	for _, want := range lotusMessages(t) {
		if want.Eth == nil {
			continue
		}
		n++
		var tx struct{ From, To string }
		if err := json.Unmarshal(want.Eth, &tx); err != nil {
			t.Fatal(err)
		}
		got := clitest.FromJSON[shownMessage](t, edgefvm.OK(t, "decode", "message", "--json", "0x"+want.Raw))
		if got.FromEth != tx.From || tx.To != "" && got.ToEth != tx.To {
			t.Errorf("%s: from %s to %s, want %s and %s", want.Name, got.FromEth, got.ToEth, tx.From, tx.To)
		}
		text := edgefvm.OK(t, "decode", "message", "0x"+want.Raw)
		clitest.Plain(t, text)
		for _, w := range []string{"CID " + got.CID + "\n", "from " + tx.From + " for Ethereum\n", fmt.Sprintf("%d bytes on the chain\n", want.Length)} {
			if !strings.Contains(text, w) {
				t.Errorf("%s: the text lacks %q:\n%s", want.Name, w, text)
			}
		}
	}
	if n < 30 {
		t.Errorf("%d transactions", n)
	}
}

// What is printed with --to is the message without its signature in that form.
func TestMessageForms(t *testing.T) {
	for _, want := range lotusMessages(t) {
		if want.Bare == "" || want.Signed == "" {
			continue
		}
		raw, err := hex.DecodeString(want.Bare)
		if err != nil {
			t.Fatal(err)
		}
		for form, out := range map[string]string{"hex": "0x" + want.Bare + "\n", "base64": base64.StdEncoding.EncodeToString(raw) + "\n", "raw": string(raw)} {
			if got := edgefvm.OK(t, "decode", "message", "--to", form, "0x"+want.Signed); got != out {
				t.Errorf("%s as %s: %q", want.Name, form, got)
			}
			r := edgefvm.Run(t, "encode", "message", "--to", form, "0x"+want.Signed)
			if r.Out != out || !strings.Contains(r.Err, "its signature is left out") {
				t.Errorf("%s encoded to %s: %+v", want.Name, form, r)
			}
		}
		if got := edgefvm.OK(t, "decode", "message", "--to", "json", "0x"+want.Signed); strings.Contains(got, "Signature") || !json.Valid([]byte(got)) {
			t.Errorf("%s as JSON: %s", want.Name, got)
		}
	}
}

// ethTipset is an object of node/eth's testdata: a tipset of a chain and what Lotus shows of it.
type ethTipset struct {
	Messages []struct {
		CID    string
		CBOR   string
		Signed bool
		Events []struct {
			Emitter uint64
			Entries []struct {
				Flags, Codec uint64
				Key, Value   string
			}
		}
	}
	Lotus struct {
		Receipts []struct {
			Logs []ethLog
		}
	}
}

type ethLog struct {
	Address string   `json:"address"`
	Data    string   `json:"data"`
	Topics  []string `json:"topics"`
}

func ethTipsets(t *testing.T) []ethTipset {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(clitest.ReadFrom(t, "../../../../node/eth/testdata/dev29.json.gz")))
	if err != nil {
		t.Fatal(err)
	}
	var list []ethTipset
	if err := json.NewDecoder(z).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

// Messages of a chain have the CIDs by which it names them.
func TestMessagesOfAChain(t *testing.T) {
	kinds := map[bool]int{}
	for _, ts := range ethTipsets(t) {
		for i, m := range ts.Messages {
			if (i+len(m.CBOR))%3 != 0 {
				continue
			}
			got := clitest.FromJSON[shownMessage](t, edgefvm.OK(t, "decode", "message", "--json", "0x"+m.CBOR))
			name := got.CID
			if m.Signed {
				name = got.Signed
			}
			if kinds[m.Signed]++; name != m.CID {
				t.Errorf("%s: %+v", m.CID, got)
			}
		}
	}
	if kinds[true] < 20 || kinds[false] < 5 {
		t.Errorf("messages with a signature of their own and without: %v", kinds)
	}
}

type shownEvent struct {
	Emitter uint64
	Type    string
	Fields  []struct {
		Key     string
		Value   any
		Indexed bool
	}
	Log *struct {
		Selector, Signature string
		Words               []string
	}
}

// A log that Ethereum's tools get of a contract is its topics and the words of its data; of builtin actors' events the type and the
// keys are those of the entries.
func TestEventsOfAChain(t *testing.T) {
	logs, builtin := 0, 0
	for _, ts := range ethTipsets(t) {
		var theirs []ethLog
		for _, r := range ts.Lotus.Receipts {
			theirs = append(theirs, r.Logs...)
		}
		for _, m := range ts.Messages {
			for _, e := range m.Events {
				var entries []map[string]any
				for _, n := range e.Entries {
					entries = append(entries, map[string]any{"flags": n.Flags, "key": n.Key, "codec": n.Codec, "hex": n.Value})
				}
				text, err := json.Marshal(map[string]any{"emitter": e.Emitter, "entries": entries})
				if err != nil {
					t.Fatal(err)
				}
				if len(e.Entries) == 0 || e.Entries[0].Key != "$type" {
					continue
				}
				builtin++
				list := clitest.FromJSON[[]shownEvent](t, edgefvm.OK(t, "decode", "event", "--json", string(text)))
				name, err := hex.DecodeString(e.Entries[0].Value[2:]) // text of up to 23 bytes has a byte before it in CBOR
				if err != nil || len(list) != 1 || list[0].Type != string(name) || list[0].Emitter != e.Emitter || len(list[0].Fields) != len(e.Entries)-1 {
					t.Errorf("%+v, %v\nof %s", list, err, text)
					continue
				}
				for i, f := range list[0].Fields {
					if n := e.Entries[i+1]; f.Key != n.Key || f.Indexed != (n.Flags == 3) {
						t.Errorf("field %d: %+v of %s", i, f, text)
					}
				}
			}
		}
		for _, l := range theirs {
			logs++
			text, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			list := clitest.FromJSON[[]shownEvent](t, edgefvm.OK(t, "decode", "event", "--json", string(text)))
			if len(list) != 1 || list[0].Log == nil || len(l.Topics) == 0 {
				t.Errorf("%+v of %s", list, text)
				continue
			}
			words := "0x" + strings.Join(l.Topics[1:], "")
			words = strings.ReplaceAll(words[2:], "0x", "") + l.Data[2:]
			if got := strings.ReplaceAll(strings.Join(list[0].Log.Words, ""), "0x", ""); list[0].Log.Selector != l.Topics[0] || got != words {
				t.Errorf("%s: selector %s, words %s", text, list[0].Log.Selector, got)
			}
		}
	}
	if logs < 5 || builtin < 10 {
		t.Errorf("%d logs, %d events of builtin actors", logs, builtin)
	}
}

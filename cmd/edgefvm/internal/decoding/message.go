package decoding

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/node/textform"
)

// messageView is a message, for JSON. The names in Message are those of a node's JSON; its parameters are in hex.
type messageView struct {
	Read        string          `json:"read"`
	Form        string          `json:"form"`
	CID         string          `json:"cid"`                  // of the message without its signature
	SignedCID   string          `json:"signed_cid,omitempty"` // with it, by which blocks have it; not with a BLS signature
	Message     jsonview.Object `json:"message"`
	ChainLength int             `json:"chain_length"` // bytes, with the signature that is there
	Signature   any             `json:"signature,omitempty"`
	FromEth     string          `json:"from_ethereum,omitempty"`
	ToEth       string          `json:"to_ethereum,omitempty"`
	Method      *methodView     `json:"method,omitempty"` // where the receiver's kind is known
	Params      any             `json:"params,omitempty"` // decoded
	Diagnostic  string          `json:"params_diagnostic,omitempty"`
	Contract    *ethabi.Call    `json:"contract,omitempty"`
	Notes       []string        `json:"notes,omitempty"`
}

func newDecodeMessage() *cobra.Command {
	var w which
	var o output
	cmd := &cobra.Command{
		Use:     "message INPUT",
		Aliases: []string{"msg"},
		Short:   "A message, signed or not, with its CID and its parameters",
		Long: `Shows a message: CBOR, with or without its signature, a node's JSON, or a raw Ethereum
transaction. Parameters are decoded where the kind of the receiver is known: of singletons
by their address, of others by --actor.

` + inputHelp,
		Example: "  edgefvm decode message message.cbor\n  edgefvm decode message --actor evm --abi Token.json message.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			d, m, err := w.message(cmd, args[0])
			if err != nil {
				return err
			}
			if o.to != "" && o.to != formJSON {
				data, err := serialize(m)
				if err != nil {
					return err
				}
				return o.writeBytes(cmd, data)
			}
			v, err := w.viewMessage(d, m)
			if err != nil {
				return err
			}
			return o.message(cmd, v)
		},
	}
	w.actorFlag(cmd)
	w.versionFlags(cmd)
	w.abiFlag(cmd)
	o.flags(cmd, "print the message alone", formJSON, formHex, formBase64, formDiag, formRaw)
	return cmd
}

// message reads a message, and makes what its JSON says by names.
func (w *which) message(cmd *cobra.Command, arg string) (*textform.Data, *textform.Message, error) {
	d, err := readBytes(cmd, arg, textform.CBOR)
	if err != nil {
		return nil, nil, err
	}
	m, err := textform.ReadMessage(d)
	if err != nil {
		return nil, nil, fmt.Errorf("INPUT, %s: %w", d, err)
	}
	return d, m, w.fill(m)
}

// fill makes what JSON said by names: the method's number, the parameters.
func (w *which) fill(m *textform.Message) error {
	if m.MethodName == "" && m.ParamsJSON == nil {
		return nil
	}
	method, _, err := w.methodOf(m)
	if err != nil {
		return err
	}
	if method == nil {
		return kit.Usagef("the message names its method or has its parameters decoded: --actor must say what kind of actor %s is", jsonview.Address(m.To))
	}
	m.Method, m.MethodName = method.Number, ""
	if m.ParamsJSON != nil {
		if m.Params, err = method.EncodeParams(m.ParamsJSON); err != nil {
			return err
		}
		m.ParamsJSON = nil
	}
	return nil
}

// methodOf is the method of a message, nil if the receiver's kind is not known.
func (w *which) methodOf(m *textform.Message) (*actors.Method, string, error) {
	version, note, err := w.resolve()
	if err != nil {
		return nil, "", err
	}
	named := w.actor
	if named == "" {
		named = m.To.String()
	}
	actor, err := actors.ParseActor(version, named)
	if err != nil {
		if w.actor == "" {
			return nil, "", nil
		}
		return nil, "", meant(err)
	}
	name := m.MethodName
	if name == "" {
		name = strconv.FormatUint(uint64(m.Method), 10)
	}
	method, err := actors.FindMethod(version, actor, name)
	if err != nil {
		if m.MethodName == "" { // a number that nobody has is no mistake of the command line
			return nil, err.Error(), nil
		}
		return nil, "", meant(err)
	}
	return method, note, nil
}

func (w *which) viewMessage(d *textform.Data, m *textform.Message) (messageView, error) {
	v := messageView{Read: d.String(), Form: m.Form, Notes: m.Notes}
	length, err := m.ChainLength()
	if err != nil {
		return v, err
	}
	v.ChainLength = length
	if v.CID, v.SignedCID, err = cidsOf(m); err != nil {
		return v, err
	}
	v.FromEth, _ = textform.ToEth(m.From)
	v.ToEth, _ = textform.ToEth(m.To)
	v.Message = jsonview.Object{
		{Name: "Version", Value: jsonValue(m.Version)}, {Name: "To", Value: jsonview.Address(m.To)}, {Name: "From", Value: jsonview.Address(m.From)},
		{Name: "Nonce", Value: jsonValue(m.Nonce)}, {Name: "Value", Value: m.Value.String()}, {Name: "GasLimit", Value: jsonValue(m.GasLimit)},
		{Name: "GasFeeCap", Value: m.GasFeeCap.String()}, {Name: "GasPremium", Value: m.GasPremium.String()}, {Name: "Method", Value: jsonValue(m.Method)},
		{Name: "Params", Value: jsonview.Hex(m.Params)},
	}
	if m.Signature != nil {
		if v.Signature, err = jsonview.View(m.Signature); err != nil {
			return v, err
		}
	}
	method, note, err := w.methodOf(m)
	if err != nil {
		return v, err
	}
	if method == nil {
		v.Notes = append(v.Notes, joinNotes(note)...)
		return v, nil
	}
	view := viewOf(method)
	v.Method = &view
	value, err := method.DecodeParams(m.Params)
	if err != nil {
		v.Notes = append(v.Notes, fmt.Sprintf("parameters: %v", err))
		return v, nil
	}
	v.Params = value.JSON
	if !value.Typed {
		v.Diagnostic = value.Diagnostic
	}
	v.Notes = append(v.Notes, joinNotes(value.Note, gone(method), note)...)
	if method.Actor == "evm" {
		v.Contract, err = w.contract(method, "params", m.Params)
	}
	return v, err
}

func (o *output) message(cmd *cobra.Command, v messageView) error {
	if o.asJSON {
		return kit.WriteJSON(cmd, v)
	}
	text, err := pretty(v.Message)
	if err != nil {
		return err
	}
	if o.to == formJSON {
		return lines(cmd, text)
	}
	list := []string{v.Read + ": " + v.Form, text, "CID " + v.CID, signedText(v.SignedCID), fmt.Sprintf("%d bytes on the chain", v.ChainLength)}
	for _, part := range []struct{ name, eth string }{{"from ", v.FromEth}, {"to ", v.ToEth}} {
		if part.eth != "" {
			list = append(list, part.name+part.eth+" for Ethereum")
		}
	}
	for _, part := range []struct {
		title string
		value any
		there bool
	}{
		{"signature", v.Signature, v.Signature != nil},
		{methodText(v.Method), v.Params, v.Method != nil && v.Params != nil},
		{"contract", v.Contract, v.Contract != nil},
	} {
		if !part.there {
			continue
		}
		text, err := pretty(part.value)
		if err != nil {
			return err
		}
		list = append(list, part.title+": "+text)
	}
	if v.Method != nil && v.Params == nil {
		list = append(list, methodText(v.Method))
	}
	return lines(cmd, append(list, v.Diagnostic, notes(v.Notes...))...)
}

func methodText(m *methodView) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%s · %s (actors v%d)", m.Actor, m.Name, m.Version)
}

func diagnosticOf(data []byte) string {
	text, err := actors.Diagnostic(data)
	if err != nil {
		return ""
	}
	return text
}

func signedText(id string) string {
	if id == "" {
		return ""
	}
	return "CID with the signature " + id
}

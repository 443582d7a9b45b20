package decoding

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/node/textform"
)

func newEncode() *cobra.Command {
	cmd := inGroups("encode", "Make parameters, returns, calldata, messages and addresses as they are on chain",
		group{"actors", "Builtin actors:", []*cobra.Command{newEncodeData("params", "parameters"), newEncodeData("return", "a return value")}},
		group{"contracts", "Contracts:", []*cobra.Command{newEncodeCalldata()}},
		group{"parts", "Messages and their parts:", []*cobra.Command{newEncodeMessage(), newEncodeAddress(), newEncodeBitfield()}})
	cmd.Example = `  edgefvm encode params --actor miner --method TerminateSectors --template
  edgefvm encode params --actor storagemarket --method AddBalance '"f0100"'
  edgefvm encode calldata --function 'transfer(address,uint256)' '["f0100","1000"]'`
	return cmd
}

// jsonHelp tells what an INPUT of JSON may be.
const jsonHelp = `INPUT is JSON, a file of it (@FILE where the name could be JSON too), or - for standard input.`

// encoded is what was made, for JSON.
type encoded struct {
	methodView
	Hex        string   `json:"hex"`
	Data       []byte   `json:"data"`
	Diagnostic string   `json:"diagnostic,omitempty"`
	Notes      []string `json:"notes,omitempty"`
}

func newEncodeData(kind, what string) *cobra.Command {
	var w which
	var o output
	var template bool
	cmd := &cobra.Command{
		Use:   kind + " --actor A --method M INPUT",
		Short: map[string]string{"params": "Parameters of a method of a builtin actor, of JSON", "return": "A return value of a method of a builtin actor, of JSON"}[kind],
		Long: `Makes ` + what + ` of JSON, as 'edgefvm decode ` + kind + `' shows them: addresses as text, CIDs as text,
amounts in attoFIL as decimal text, bytes as 0x and hex, bitfields as "0-4,7". A field that
is unknown, missing or there twice is an error that says where. --template prints JSON to
start from, instead of reading INPUT.

` + jsonHelp,
		Example: map[string]string{
			"params": "  edgefvm encode params --actor storagemarket --method AddBalance '\"f0100\"'\n" +
				"  edgefvm encode params --actor market --method WithdrawBalance '{\"ProviderOrClientAddress\":\"f0100\",\"Amount\":\"200\"}'\n" +
				"  edgefvm encode params --actor miner --method TerminateSectors --template > terminate.json\n" +
				"  edgefvm encode params --actor miner --method TerminateSectors --to diag terminate.json",
			"return": "  edgefvm encode return --actor account --method PubkeyAddress '\"f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za\"'",
		}[kind],
		Args: func(cmd *cobra.Command, args []string) error {
			if template {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			m, note, err := w.find()
			if err != nil {
				return err
			}
			if template {
				return printTemplate(cmd, m, kind)
			}
			text, err := readText(cmd, args[0])
			if err != nil {
				return err
			}
			encode := m.EncodeParams
			if kind == "return" {
				encode = m.EncodeReturn
			}
			data, err := encode(text)
			if err != nil {
				return fmt.Errorf("%s of %s: %w%s", kind, m, err, quotesHint(text))
			}
			// The note about the version would stand among the bytes.
			if g := gone(m); !o.asJSON && g != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "note: "+g)
			}
			if !o.asJSON {
				return o.writeBytes(cmd, data)
			}
			return kit.WriteJSON(cmd, encoded{viewOf(m), jsonview.Hex(data), data, diagnosticOf(data), joinNotes(gone(m), note)})
		},
	}
	w.actorFlag(cmd)
	w.methodFlag(cmd)
	w.versionFlags(cmd)
	cmd.Flags().BoolVar(&template, "template", false, "print JSON to start from")
	o.flags(cmd, "print in this form (default: hex)", formHex, formBase64, formDiag, formRaw)
	return cmd
}

// printTemplate prints JSON to be filled in.
func printTemplate(cmd *cobra.Command, m *actors.Method, kind string) error {
	of := m.ParamsTemplate
	if kind == "return" {
		of = m.ReturnTemplate
	}
	v, err := of()
	if err != nil {
		return err
	}
	text, err := pretty(v)
	if err != nil {
		return err
	}
	return lines(cmd, text)
}

// quotesHint helps where text stands for itself: a shell takes the quotes away that JSON needs.
func quotesHint(text []byte) string {
	if word := string(text); !json.Valid(text) && word != "" && !strings.ContainsAny(word, " {}[]\",'\n") && len(word) < 200 {
		return fmt.Sprintf(`; text has quotes in JSON, and the shell needs more around them: '"%s"'`, word)
	}
	return ""
}

func newEncodeCalldata() *cobra.Command {
	var w which
	var o output
	var wrap bool
	cmd := &cobra.Command{
		Use:   "calldata --function F INPUT",
		Short: "Calldata for a contract, of JSON",
		Long: `Makes the calldata for a function of a contract, by its signature or by its name and
--abi: arguments by name ({"to": "0x…"}) or in
order (["0x…", "1"]). Numbers may be in quotes. Addresses may be Filecoin's where they have
an Ethereum form. --wrap puts them into the CBOR in which InvokeContract takes them.

` + jsonHelp,
		Example: "  edgefvm encode calldata --function 'transfer(address,uint256)' '[\"f0100\",\"1000\"]'\n" +
			"  edgefvm encode calldata --abi Token.json --function transfer '[\"f0100\",\"1000\"]'\n" +
			"  edgefvm encode calldata --abi Token.json --function transfer --wrap args.json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			e, err := w.entry()
			if err != nil {
				return err
			}
			text, err := readText(cmd, args[0])
			if err != nil {
				return err
			}
			tree, err := jsonview.Parse(text)
			if err != nil {
				return err
			}
			data, err := ethabi.EncodeCall(e, tree)
			if err != nil {
				return err
			}
			if wrap || o.to == formDiag {
				data = textform.WrapBytes(data)
			}
			if o.asJSON {
				return kit.WriteJSON(cmd, struct {
					Signature string `json:"signature"`
					Hex       string `json:"hex"`
					Wrapped   bool   `json:"wrapped"` // in CBOR
				}{e.Signature(), jsonview.Hex(data), wrap})
			}
			return o.writeBytes(cmd, data)
		},
	}
	w.abiFlag(cmd)
	w.functionFlag(cmd)
	cmd.Flags().BoolVar(&wrap, "wrap", false, "put it into a CBOR string of bytes, as parameters of InvokeContract are")
	o.flags(cmd, "print in this form (default: hex)", formHex, formBase64, formDiag, formRaw)
	return cmd
}

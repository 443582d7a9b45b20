package decoding

import (
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/ethabi"
)

func newDecode() *cobra.Command {
	cmd := inGroups("decode", "Show what parameters, returns, events, messages, addresses, CIDs and codes say",
		group{"actors", "Builtin actors:", []*cobra.Command{
			newDecodeData("params", "parameters"), newDecodeData("return", "what a call returned"), newDecodeEvent(), newDecodeExit(), newDecodeMethods(),
		}},
		group{"contracts", "Contracts:", []*cobra.Command{newDecodeCalldata(), newDecodeResult(), newDecodeRevert()}},
		group{"parts", "Messages and their parts:", []*cobra.Command{
			newDecodeMessage(), newDecodeAddress(), newDecodeCID(), newDecodeBitfield(), newDecodeCBOR(),
		}})
	cmd.Example = `  edgefvm decode params --actor storagemarket --method AddBalance 0x420064
  edgefvm decode exit-code --actor evm 33
  edgefvm decode revert 0x4e487b710000000000000000000000000000000000000000000000000000000000000011
  edgefvm decode message message.json
  edgefvm decode address 0xff00000000000000000000000000000000000064`
	return cmd
}

// group are commands that stand together in the help.
type group struct {
	id, title string
	commands  []*cobra.Command
}

func inGroups(use, short string, groups ...group) *cobra.Command {
	var all []*cobra.Command
	for _, g := range groups {
		for _, c := range g.commands {
			c.GroupID = g.id
			all = append(all, c)
		}
	}
	cmd := kit.Group(use, short, all...)
	for _, g := range groups {
		cmd.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
	}
	return cmd
}

// methodView is a method, for JSON.
type methodView struct {
	Actor   string        `json:"actor"`
	Version int           `json:"actors_version"`
	Method  abi.MethodNum `json:"method"`
	Name    string        `json:"name"`
	Gone    string        `json:"gone,omitempty"` // why the actors of this version do not have it
}

func viewOf(m *actors.Method) methodView {
	return methodView{m.Actor, m.Version, m.Number, m.Name, m.Gone}
}

// title is the line above what is decoded.
func title(m *actors.Method, what string) string {
	return fmt.Sprintf("%s of %s · %s (method %d), actors v%d", what, m.Actor, m.Name, m.Number, m.Version)
}

// gone is the note about a method that the actors do not have.
func gone(m *actors.Method) string {
	if m.Gone == "" {
		return ""
	}
	return fmt.Sprintf("%s of actors v%d has no such method (%s): the network answers exit code 22", m.Actor, m.Version, m.Gone)
}

// newDecodeData decodes parameters or returns.
func newDecodeData(kind, what string) *cobra.Command {
	var w which
	var o output
	cmd := &cobra.Command{
		Use:   kind + " --actor A --method M INPUT",
		Short: map[string]string{"params": "Parameters of a method of a builtin actor, as JSON", "return": "What a method of a builtin actor returned, as JSON"}[kind],
		Long: `Decodes ` + what + ` of a method of a builtin actor by its types, of actors v8 to v19.
Where go-state-types, whose types these are, refuses data that the network's own code may
take, they are shown in CBOR's diagnostic notation, and a note says so. --to json prints
the value alone, from which 'edgefvm encode ` + kind + `' makes the same bytes.

` + inputHelp,
		Example: map[string]string{
			"params": "  edgefvm decode params --actor storagemarket --method AddBalance 0x420064\n" +
				"  edgefvm decode params --actor f05 --method 3 --nv 25 --to json 0x824200644200c8\n" +
				"  edgefvm decode params --actor evm --method InvokeContract --abi Token.json calldata.hex",
			"return": "  edgefvm decode return --actor reward --method ThisEpochReward return.b64\n" +
				"  edgefvm decode return --actor miner --method GetOwner --actors v16 0x824300c801f6",
		}[kind],
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			m, note, err := w.find()
			if err != nil {
				return err
			}
			d, err := readCBOR(cmd, args[0])
			if err != nil {
				return err
			}
			if o.to == formHex || o.to == formDiag {
				return o.writeBytes(cmd, d.Bytes)
			}
			decode := m.DecodeParams
			if kind == "return" {
				decode = m.DecodeReturn
			}
			v, err := decode(d.Bytes)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", kind, m, err)
			}
			contract, err := w.contract(m, kind, d.Bytes)
			if err != nil {
				return err
			}
			return o.decoded(cmd, decoded{methodView: viewOf(m), Read: d.String(), Value: v.JSON, Typed: v.Typed, Diagnostic: v.Diagnostic, Contract: contract,
				Notes: joinNotes(v.Note, gone(m), note)}, title(m, map[string]string{"params": "Parameters", "return": "Return"}[kind]))
		},
	}
	w.actorFlag(cmd)
	w.methodFlag(cmd)
	w.versionFlags(cmd)
	w.abiFlag(cmd)
	o.flags(cmd, "print this alone", formJSON, formHex, formDiag)
	return cmd
}

// decoded is what was decoded, for JSON.
type decoded struct {
	methodView
	Read       string       `json:"read"`
	Value      any          `json:"value"`
	Typed      bool         `json:"typed"` // value is by the method's types; else see diagnostic
	Diagnostic string       `json:"diagnostic,omitempty"`
	Contract   *ethabi.Call `json:"contract,omitempty"` // the calldata of a contract
	Notes      []string     `json:"notes,omitempty"`
}

// decoded prints it.
func (o *output) decoded(cmd *cobra.Command, d decoded, title string) error {
	if o.asJSON {
		return kit.WriteJSON(cmd, d)
	}
	if !d.Typed && o.to == formJSON {
		return fmt.Errorf("there is no JSON of it: %s", first(d.Notes))
	}
	var text string
	var err error
	switch {
	case o.to == formJSON:
		text, err = pretty(d.Value)
		if err != nil {
			return err
		}
		return lines(cmd, text)
	case !d.Typed && d.Diagnostic == "":
		text = "no data"
	case !d.Typed:
		text = d.Diagnostic
	case d.Value == nil && d.Diagnostic == "":
		text = "no data, and none belongs there"
	default:
		text, err = pretty(d.Value)
	}
	if err != nil {
		return err
	}
	contract := ""
	if d.Contract != nil {
		if contract, err = pretty(d.Contract); err != nil {
			return err
		}
	}
	return lines(cmd, title, d.Read, text, contract, notes(d.Notes...))
}

func first(list []string) string {
	if len(list) == 0 {
		return "the types do not fit"
	}
	return list[0]
}

// contract reads calldata in parameters of a contract, where an ABI is given.
func (w *which) contract(m *actors.Method, kind string, data []byte) (*ethabi.Call, error) {
	table, err := w.loadABI()
	if err != nil || table == nil {
		return nil, err
	}
	if m.Actor != "evm" || m.Name != "InvokeContract" || kind != "params" {
		return nil, kit.Usagef("--abi is for parameters of InvokeContract; 'edgefvm decode revert' reads why a contract reverted")
	}
	bare, err := actors.Unwrap(data)
	if err != nil {
		return nil, err
	}
	return ethabi.DecodeCall(table, bare)
}

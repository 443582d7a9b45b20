package decoding

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/actors"
)

// methodRow is a method with JSON of its parameters and return to start from, null where it has none.
type methodRow struct {
	Method abi.MethodNum `json:"method"`
	Name   string        `json:"name"`
	Params any           `json:"params"`
	Return any           `json:"return"`
}

func newDecodeMethods() *cobra.Command {
	var w which
	var o output
	cmd := &cobra.Command{
		Use:   "methods --actor A",
		Short: "The methods of a builtin actor, with what they take and return",
		Long: `Lists the methods of a builtin actor of a version by number, with their parameters and returns
as JSON that has one element in each list and nothing elsewhere.`,
		Example: "  edgefvm decode methods --actor storagemarket\n  edgefvm decode methods --actor miner --actors v12 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			version, _, err := w.resolve()
			if err != nil {
				return err
			}
			if w.actor == "" {
				names, err := actors.Names(version)
				if err != nil {
					return err
				}
				return kit.Usagef("--actor is missing; actors v%d are %s", version, strings.Join(names, ", "))
			}
			list, err := actors.Methods(version, w.actor)
			if err != nil {
				return meant(err)
			}
			rows := []methodRow{}
			for _, m := range list {
				r := methodRow{Method: m.Number, Name: m.Name}
				if r.Params, err = m.ParamsTemplate(); err != nil {
					return err
				}
				if r.Return, err = m.ReturnTemplate(); err != nil {
					return err
				}
				rows = append(rows, r)
			}
			if o.asJSON {
				return kit.WriteJSON(cmd, rows)
			}
			return printMethods(cmd, rows)
		},
	}
	w.actorFlag(cmd)
	w.versionFlags(cmd)
	o.flags(cmd, "")
	return cmd
}

func printMethods(cmd *cobra.Command, rows []methodRow) error {
	g := term.NewPage(cmd.OutOrStdout())
	for _, r := range rows {
		g.Line("%s  %s", layout.PadLeft(fmt.Sprint(r.Method), 10), r.Name)
		for _, part := range []struct {
			name  string
			value any
		}{{"takes", r.Params}, {"returns", r.Return}} {
			if part.value == nil {
				continue
			}
			text, err := json.Marshal(part.value)
			if err != nil {
				return err
			}
			g.Line("            %s", g.P.Dim(layout.Cut(part.name+" "+string(text), g.Columns-12)))
		}
	}
	return g.Err
}

func newDecodeCBOR() *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "cbor INPUT",
		Short: "Any CBOR, in diagnostic notation",
		Long: `Shows one item of CBOR in diagnostic notation (RFC 8949): [1, "text", h'00ff', null], links as
42(h'00…').

` + inputHelp,
		Example: "  edgefvm decode cbor 0x824200644200c8",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := readCBOR(cmd, args[0])
			if err != nil {
				return err
			}
			text, err := actors.Diagnostic(d.Bytes)
			if err != nil {
				return fmt.Errorf("INPUT, %s: %w", d, err)
			}
			if o.asJSON {
				return kit.WriteJSON(cmd, struct {
					Read       string `json:"read"`
					Diagnostic string `json:"diagnostic"`
				}{d.String(), text})
			}
			return lines(cmd, text)
		},
	}
	o.flags(cmd, "")
	return cmd
}

package decoding

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/actors/jsonview"
)

// output are the flags for what is printed.
type output struct {
	asJSON bool
	to     string
	forms  []string // that --to knows
}

func (o *output) flags(cmd *cobra.Command, usage string, forms ...string) {
	o.forms = forms
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON with all that is known")
	if len(forms) > 0 {
		cmd.Flags().StringVar(&o.to, "to", "", usage+": one of "+strings.Join(forms, ", "))
		_ = cmd.RegisterFlagCompletionFunc("to", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp))
	}
}

// check refuses what --to does not know.
func (o *output) check() error {
	if o.to == "" {
		return nil
	}
	if o.asJSON {
		return kit.Usagef("--json and --to both say what to print: leave one out")
	}
	for _, f := range o.forms {
		if f == o.to {
			return nil
		}
	}
	return kit.Usagef("--to %s is not known%s", o.to, kit.DidYouMean(o.to, o.forms))
}

// The forms that --to has.
const (
	formJSON   = "json"
	formHex    = "hex"
	formBase64 = "base64"
	formDiag   = "diag"
	formRaw    = "raw"
)

// writeBytes prints bytes in a form: hex with 0x before it if none is named.
func (o *output) writeBytes(cmd *cobra.Command, data []byte) error {
	w := cmd.OutOrStdout()
	var err error
	switch o.to {
	case formRaw:
		_, err = w.Write(data)
	case formBase64:
		_, err = fmt.Fprintln(w, base64.StdEncoding.EncodeToString(data))
	case formDiag:
		text := ""
		if text, err = actors.Diagnostic(data); err == nil {
			_, err = fmt.Fprintln(w, text)
		}
	default:
		_, err = fmt.Fprintln(w, jsonview.Hex(data))
	}
	return err
}

// pretty is a value as JSON on lines.
func pretty(v any) (string, error) {
	text, err := json.Marshal(jsonValue(v))
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return "", err
	}
	return b.String(), nil
}

// jsonValue is a value that jsonview takes: structs of the command go through encoding/json.
func jsonValue(v any) any {
	switch v.(type) {
	case nil, bool, json.Number, string, jsonview.Object, []any:
		return v
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return nil
	}
	tree, err := jsonview.Parse(b.Bytes())
	if err != nil {
		return nil
	}
	return tree
}

// lines prints text, each on a line; empty ones are left out.
func lines(cmd *cobra.Command, list ...string) error {
	for _, s := range list {
		if s == "" {
			continue
		}
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), s); err != nil {
			return err
		}
	}
	return nil
}

// notes are lines that begin with the word.
func notes(list ...string) (text string) {
	for _, s := range list {
		if s != "" {
			text += "note: " + s + "\n"
		}
	}
	return strings.TrimSuffix(text, "\n")
}

// joinNotes is them for JSON.
func joinNotes(list ...string) (kept []string) {
	for _, s := range list {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

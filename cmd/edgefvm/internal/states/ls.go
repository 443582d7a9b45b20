package states

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/state"
	"github.com/edgefvm/fvm/node/textform"
)

// actorRow is an actor as JSON has it.
type actorRow struct {
	ID        string  `json:"id"`
	Kind      string  `json:"kind"`
	Bundle    string  `json:"bundle,omitempty"`
	Code      string  `json:"code"`
	Head      string  `json:"head"`
	Nonce     uint64  `json:"nonce"`
	Balance   string  `json:"balance"`
	Delegated *string `json:"delegated_address"`
	Eth       string  `json:"eth_address,omitempty"`
}

func newActorRow(ctx context.Context, t *state.Tree, a *state.Actor) actorRow {
	kind := t.Kind(ctx, a.Code)
	row := actorRow{
		ID: addr.String(a.Address()), Kind: kind.String(), Bundle: kind.Bundle, Code: a.Code.String(), Head: a.Head.String(),
		Nonce: a.Nonce, Balance: a.Balance.String(),
	}
	if a.DelegatedAddress != nil {
		text := addr.String(*a.DelegatedAddress)
		row.Delegated = &text
		row.Eth, _ = textform.ToEth(*a.DelegatedAddress)
	}
	return row
}

func newLs() *cobra.Command {
	var s source
	var l listing
	cmd := &cobra.Command{
		Use:   "ls --car STATE.car",
		Short: "List the actors of a state",
		Long: `Lists the actors of a state in the order of ids: id, kind, balance, nonce, and the
delegated address of those that have one. The kind is what the state's own manifest, or
else a known bundle, says of the actor's code. Memory stays small whatever the size of
the state; --unsorted does not wait for the last actor before it prints the first.

With --json each actor is an object on a line of its own.`,
		Example: `  edgefvm state ls --car state.car
  edgefvm state ls --car snapshot.car.zst --kind storageminer,evm --json | jq -r .id`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer s.close()
			t, err := s.openTree(cmd)
			if err != nil {
				return err
			}
			return list(cmd, &s, t, l)
		},
	}
	s.flags(cmd)
	l.flags(cmd)
	s.partialFlag(cmd)
	return cmd
}

// listing are the flags that say which actors are listed, and how.
type listing struct {
	kinds            []string
	unsorted, asJSON bool
}

func (l *listing) flags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&l.kinds, "kind", nil, "`kinds` to list, such as storageminer,evm (default: all)")
	cmd.Flags().BoolVar(&l.unsorted, "unsorted", false, "print actors as they are found")
	cmd.Flags().BoolVar(&l.asJSON, "json", false, linesOfJSON)
}

// linesOfJSON is what --json prints of much.
const linesOfJSON = "print JSON, an object a line"

func list(cmd *cobra.Command, s *source, t *state.Tree, l listing) error {
	ctx := cmd.Context()
	p := term.NewProgress(cmd.ErrOrStderr())
	defer p.End()
	g := term.NewPage(cmd.OutOrStdout())
	seen := map[string]bool{}
	printed := 0
	o := state.ListOptions{Unsorted: l.unsorted, Missing: s.missing()}
	if !l.unsorted {
		o.Progress = func(n int) { p.Line(fmt.Sprintf("reading actors: %s", layout.Grouped(n))) }
	}
	err := t.Actors(ctx, o, func(a *state.Actor) error {
		p.End()
		kind := t.Kind(ctx, a.Code).String()
		seen[kind] = true
		if len(l.kinds) > 0 && !slices.Contains(l.kinds, kind) {
			return nil
		}
		printed++
		row := newActorRow(ctx, t, a)
		if l.asJSON {
			return writeLine(cmd.OutOrStdout(), row)
		}
		tail := ""
		if row.Delegated != nil {
			tail = *row.Delegated
			if row.Eth != "" {
				tail = row.Eth
			}
		}
		g.Line("%s %s %s %s  %s", layout.PadRight(row.ID, 10), layout.PadRight(row.Kind, 16), layout.PadLeft(layout.FIL(a.Balance), 32), layout.PadLeft(fmt.Sprint(a.Nonce), 8), g.P.Dim(tail))
		return g.Err
	})
	if err != nil {
		return s.hint(err, true)
	}
	s.tellMissing(cmd)
	for _, k := range l.kinds {
		if !seen[k] && printed == 0 {
			return fmt.Errorf("the state has no actor of kind %q%s", k, kit.DidYouMean(k, slices.Sorted(maps.Keys(seen))))
		}
	}
	return nil
}

// writeLine writes JSON on one line.
func writeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// longest is how many columns of a value are printed for people; JSON has all of it.
const longest = 400

// oneLine is JSON on one line, for people; text stands without quotes.
func oneLine(v any) string { return layout.Cut(jsonOrText(v), longest) }

func jsonOrText(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if v == "" {
			return `""`
		}
		return layout.OneLine(v)
	}
	var b strings.Builder
	if err := writeLine(&b, v); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}

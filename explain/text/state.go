package text

import (
	"fmt"
	"strings"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/layout"
)

func (g *page) events(events []explain.Event) {
	if len(events) == 0 {
		return
	}
	g.Title("Events")
	for _, e := range events {
		who := fmt.Sprintf("f0%d", e.Emitter)
		if e.Actor != "" {
			who = layout.Cut(layout.OneLine(e.Actor), g.Columns/3) + " " + who
		}
		if ofContract(e.Actor, e.Eth) && len(e.Eth) < g.Columns/2 {
			who += " " + g.P.Dim(layout.OneLine(e.Eth))
		}
		text := "  " + who
		if e.Type != "" {
			text += " · " + g.P.Bold(layout.Cut(layout.OneLine(e.Type), min(g.Columns/2, g.Columns-layout.Width(text)-3)))
		}
		const indent = "      "
		for _, n := range e.Entries {
			if n.Key == "$type" {
				continue
			}
			key := layout.Cut(layout.OneLine(n.Key), g.Columns/2)
			part := g.P.Dim(key+"=") + layout.Cut(layout.OneLine(n.Value), min(70, g.Columns-len(indent)-layout.Width(key)-1))
			if last := text[strings.LastIndex(text, "\n")+1:]; layout.Width(last)+1+layout.Width(part) > g.Columns {
				text += "\n" + indent + part
			} else {
				text += " " + part
			}
		}
		g.Line("%s", text)
	}
}

// ofContract tells whether an address in Ethereum's form is one that people look for: not the masked ID of a builtin actor.
func ofContract(actor, eth string) bool {
	const maskedID = "0xff0000000000000000000000"
	return eth != "" && (actor == "evm" || !strings.HasPrefix(eth, maskedID))
}

const nameColumn = 26 // of the actor whose entry changed

func (g *page) changes(changes []explain.Change) {
	if changes == nil { // nobody looked
		return
	}
	if len(changes) == 0 {
		g.Title("The state did not change")
		return
	}
	g.Title("Changes of the state")
	for i := range changes {
		c := &changes[i]
		line := "  " + layout.PadRight(layout.Cut(layout.OneLine(c.Actor), g.Columns/2)+fmt.Sprintf(" f0%d", c.ID), nameColumn)
		at := layout.Width(line)
		parts := g.changed(c)
		for i, part := range parts {
			if i < len(parts)-1 {
				part += g.P.Dim(",")
			}
			if wide := layout.Width(part); at+1+wide > g.Columns {
				at = max(0, min(nameColumn+3, g.Columns-wide))
				line = strings.TrimRight(line, " ") + "\n" + strings.Repeat(" ", at) + part
				at += wide
			} else {
				line += " " + part
				at += 1 + wide
			}
		}
		g.Line("%s", line)
	}
}

// changed are the parts of an entry that changed, in words.
func (g *page) changed(c *explain.Change) (parts []string) {
	switch {
	case c.Before == nil:
		parts = append(parts, g.P.Green("new"))
	case c.After == nil:
		parts = append(parts, g.P.Red("gone"))
	}
	if s := c.Delta.Sign(); s > 0 {
		parts = append(parts, g.P.Green("+"+layout.FIL(c.Delta)))
	} else if s < 0 {
		parts = append(parts, g.P.Red(layout.FIL(c.Delta)))
	}
	if a, b := c.Before, c.After; a != nil && b != nil {
		if a.Nonce != b.Nonce {
			parts = append(parts, fmt.Sprintf("nonce %d → %d", a.Nonce, b.Nonce))
		}
		if a.Head != b.Head {
			parts = append(parts, "head "+shortCID(a.Head)+" → "+shortCID(b.Head))
		}
		if a.Code != b.Code {
			parts = append(parts, "code "+shortCID(a.Code)+" → "+shortCID(b.Code))
		}
	} else if b != nil {
		parts = append(parts, "head "+shortCID(b.Head))
	}
	return parts
}

// shortCID is the end of a CID, where CIDs of one kind differ.
func shortCID(c cid.Cid) string {
	s := c.String()
	const tail = 8
	if len(s) <= tail {
		return s
	}
	return "…" + s[len(s)-tail:]
}

package gasreport

import (
	"fmt"
	"io"
	"strings"

	"github.com/edgefvm/fvm/internal/layout"
)

// table is a part of a report.
type table struct {
	title, first string
	rows         []Row
	counted      bool
}

func (r *Report) tables() []table {
	out := []table{
		{"By contract", "Contract", r.Contracts, true}, {"By function", "Function", r.Functions, true}, {"By kind of charge", "Kind", r.Kinds, false},
		{"By charge", "Charge", r.Charges, false},
	}
	if r.Opcodes != nil {
		out = append(out, table{"By group of opcodes", "Opcodes", r.Opcodes, true})
	}
	return out
}

// all is what the shares are parts of.
func (r *Report) all() int64 { return 1000*r.GasUsed - r.Rounding }

// WriteText writes the report in columns. most is how many rows a table has, 0: all.
func (r *Report) WriteText(w io.Writer, most int) error {
	p := &printer{w: w}
	p.f("%s: %s gas, %s\n", r.Title, layout.Grouped(r.GasUsed), layout.Choose(r.Messages, "1 message", fmt.Sprintf("%d messages", r.Messages)))
	for _, t := range r.tables() {
		p.f("\n%s %10s %16s %7s %16s\n", layout.PadRight(t.title, 48), layout.Choose(count(t.counted), "calls", ""), "own gas", "share", "with calls")
		for i, x := range t.rows {
			if most > 0 && i == most {
				p.f("  and %d more\n", len(t.rows)-most)
				break
			}
			calls, total := "", ""
			if x.Calls > 0 {
				calls = layout.Grouped(int64(x.Calls))
			}
			if x.Total != 0 {
				total = layout.Grouped(units(x.Total))
			}
			p.f("%s %10s %16s %6.1f%% %16s\n", layout.PadRight("  "+layout.Cut(x.Name, 46), 48), calls, layout.Grouped(units(x.Milli)), r.share(x.Milli), total)
		}
	}
	for _, u := range r.Unwatched {
		p.f("%s\n", u)
	}
	return p.err
}

func count(b bool) int {
	if b {
		return 1
	}
	return 2
}

func (r *Report) share(milli int64) float64 {
	if r.all() <= 0 {
		return 0
	}
	return 100 * float64(milli) / float64(r.all())
}

// WriteMarkdown writes tables for a pull request: functions and kinds, and what differs from before if that is not nil.
func (r *Report) WriteMarkdown(w io.Writer, differs []Difference) error {
	p := &printer{w: w}
	p.f("### Gas: %s\n\n%s gas in %s.\n", cell(r.Title), layout.Grouped(r.GasUsed), layout.Choose(r.Messages, "1 message", fmt.Sprintf("%d messages", r.Messages)))
	if differs != nil {
		p.f("\n| Changed | Before | After | Difference | |\n|---|---:|---:|---:|---:|\n")
		for _, d := range differs {
			before, after, percent := "new", "gone", ""
			if d.Before != nil {
				before = layout.Grouped(*d.Before)
			}
			if d.After != nil {
				after = layout.Grouped(*d.After)
			}
			if d.Before != nil && d.After != nil {
				percent = fmt.Sprintf("%+.2f%%", d.Percent())
			}
			if d.Beyond {
				percent = "**" + percent + "**"
			}
			p.f("| %s | %s | %s | %s | %s |\n", cell(d.Name), before, after, signed(d.Delta()), percent)
		}
		if len(differs) == 0 {
			p.f("| nothing | | | | |\n")
		}
	}
	for _, t := range r.tables()[1:3] {
		p.f("\n| %s | Calls | Own gas | Share | With calls |\n|---|---:|---:|---:|---:|\n", t.first)
		for _, x := range t.rows {
			calls, total := "", ""
			if x.Calls > 0 {
				calls = layout.Grouped(int64(x.Calls))
			}
			if x.Total != 0 {
				total = layout.Grouped(units(x.Total))
			}
			p.f("| %s | %s | %s | %.1f%% | %s |\n", cell(x.Name), calls, layout.Grouped(units(x.Milli)), r.share(x.Milli), total)
		}
	}
	return p.err
}

// WriteDifferences writes what differs in columns.
func WriteDifferences(w io.Writer, list []Difference) error {
	p := &printer{w: w}
	for _, d := range list {
		how := fmt.Sprintf("%+.2f%%", d.Percent())
		switch {
		case d.Before == nil:
			how = "new"
		case d.After == nil:
			how = "gone"
		}
		mark := " "
		if d.Beyond {
			mark = "!"
		}
		p.f("%s %s %16s %s\n", mark, layout.PadRight(layout.Cut(d.Name, 56), 56), signed(d.Delta()), how)
	}
	return p.err
}

func signed(n int64) string {
	if n > 0 {
		return "+" + layout.Grouped(n)
	}
	return layout.Grouped(n)
}

// cell makes any text one cell of a table, as code.
func cell(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", "\\|", "\n", " ", "\r", " ").Replace(s) + "`"
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

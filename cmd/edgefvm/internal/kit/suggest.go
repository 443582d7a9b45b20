package kit

import (
	"strings"

	"github.com/spf13/cobra"
)

// mostMeant is how many names a suggestion holds.
const mostMeant = 3

// DidYouMean ends an error about a name that is not known: with the names that are like it, or else with all.
func DidYouMean(typed string, known []string) string { return didYouMean(typed, known, "known: ") }

// Alike ends an error that lists the known names already: with those that are like the one that was typed.
func Alike(typed string, known []string) string { return didYouMean(typed, known, "") }

// didYouMean is that with a word before all names; without one they are not listed.
func didYouMean(typed string, known []string, all string) string {
	if like := alike(typed, known); len(like) > 0 {
		return "; did you mean " + strings.Join(like, " or ") + "?"
	}
	if all == "" {
		return ""
	}
	return "; " + all + strings.Join(known, ", ")
}

// alike are the known names that may have been meant: those that cobra would suggest among commands, the nearest only.
func alike(typed string, known []string) []string {
	bare := strings.TrimLeft(typed, "-")
	if bare == "" {
		return nil
	}
	all := cobra.Command{}
	for _, n := range known {
		all.AddCommand(&cobra.Command{Use: n, Run: func(*cobra.Command, []string) {}})
	}
	furthest := 2 // letters
	if len(bare) < 4 {
		furthest = 1 // of a short word two letters are all of it
	}
	for all.SuggestionsMinimumDistance = 1; all.SuggestionsMinimumDistance <= furthest; all.SuggestionsMinimumDistance++ {
		if like := all.SuggestionsFor(typed); len(like) > 0 {
			return like[:min(len(like), mostMeant)]
		}
	}
	return nil
}

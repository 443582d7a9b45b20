package kit

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// mostMeant is how many names a suggestion holds.
const mostMeant = 3

// DidYouMean ends an error about a name that is not known: with the names that are like it, or else with all.
func DidYouMean(typed string, known []string) string { return didYouMean(typed, known, "known: ") }

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

// alike are the known names that may have been meant: those that cobra would suggest among commands.
func alike(typed string, known []string) []string {
	bare := strings.TrimLeft(typed, "-")
	if bare == "" {
		return nil
	}
	all := cobra.Command{SuggestionsMinimumDistance: 2}
	if len(bare) < 4 { // of a short word two letters are all of it
		all.SuggestionsMinimumDistance = 1
	}
	for _, n := range known {
		all.AddCommand(&cobra.Command{Use: n, Run: func(*cobra.Command, []string) {}})
	}
	like := slices.Compact(all.SuggestionsFor(typed))
	return like[:min(len(like), mostMeant)]
}

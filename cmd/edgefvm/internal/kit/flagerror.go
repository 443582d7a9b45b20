package kit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/edgefvm/fvm/internal/layout"
)

// flagError says in plain words what is wrong with a flag, and which one may have been meant.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		lacks   *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if len(name) < 2 {
			return err
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		return fmt.Errorf("%w%s", err, didYouMean("--"+name, dashed(names), ""))
	case errors.As(err, &lacks):
		kind, _ := pflag.UnquoteUsage(lacks.GetFlag())
		for prefix, word := range map[string]string{"int": "a whole number", "uint": "a whole number", "float": "a number", "duration": "a time such as 10m", "string": "text"} {
			if strings.HasPrefix(kind, prefix) {
				kind = word
			}
		}
		return fmt.Errorf("--%s needs a value: %s", lacks.GetFlag().Name, kind)
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		return fmt.Errorf("--%s %q: %s", f.Name, layout.Cut(invalid.GetValue(), 60), wantOf(f.Value.Type(), err))
	}
	return err
}

// wantOf says what values a type of flags takes.
func wantOf(kind string, err error) string {
	large := errors.Is(err, strconv.ErrRange)
	switch strings.TrimSuffix(kind, "Slice") {
	case "uint", "uint8", "uint16", "uint32", "uint64":
		if large {
			return "that is too large"
		}
		return "want a whole number, 0 or more"
	case "int", "int8", "int16", "int32", "int64", "count":
		if large {
			return "that is too large"
		}
		return "want a whole number"
	case "float32", "float64":
		if large {
			return "that is too large"
		}
		return "want a number"
	case "bool":
		return "want true or false, or nothing after the flag"
	case "duration":
		return "want a time such as 90s, 10m or 2h"
	case "string", "stringArray":
		return "it cannot be read"
	}
	return err.Error() // of a type of our own, in our words
}

func dashed(names []string) (list []string) {
	for _, n := range names {
		list = append(list, "--"+n)
	}
	return list
}

// plain puts an error of cobra's, which has no type, into the words of the others.
func plain(cmd *cobra.Command, err error) error {
	list, begins := strings.CutPrefix(err.Error(), "required flag(s) ")
	list, ends := strings.CutSuffix(list, " not set")
	if !begins || !ends {
		return err
	}
	var names []string
	for _, n := range strings.Split(list, ", ") {
		names = append(names, "--"+strings.Trim(n, `"`))
	}
	text := names[len(names)-1]
	if rest := names[:len(names)-1]; len(rest) > 0 {
		text = strings.Join(rest, ", ") + " and " + text
	}
	return fmt.Errorf("%s needs %s", pathOf(cmd), text)
}

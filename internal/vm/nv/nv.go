// Package nv is which network versions there are to this release. Whoever has a table by network version, of eras, of price
// lists, of actors, takes the ends from here.
package nv

import (
	"fmt"

	"github.com/filecoin-project/go-state-types/network"
)

const (
	Oldest  = network.Version16
	Newest  = network.Version(29)
	Preview = Newest + 1 // runs only when asked for: its rules may still change
)

// Admit refuses a network version that does not run; preview admits Preview.
func Admit(v network.Version, preview bool) error {
	switch {
	case v >= Oldest && v <= Newest, v == Preview && preview:
		return nil
	case v == Preview:
		return fmt.Errorf("network version %d is a preview: set Preview to use it", v)
	}
	return fmt.Errorf("network version %d is not supported: %d to %d are (and %d as a preview)", v, Oldest, Newest, Preview)
}

package term

import (
	"io"

	"github.com/edgefvm/fvm/internal/layout"
)

// NewPage is a page on w, in the width and the colours that suit it.
func NewPage(w io.Writer) *layout.Page {
	return &layout.Page{W: w, P: NewPainter(w), Columns: Columns(w)}
}

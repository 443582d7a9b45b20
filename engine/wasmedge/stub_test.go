//go:build !(wasmedge && cgo && linux)

package wasmedge

import (
	"strings"
	"testing"
)

func TestWithoutTheLibrary(t *testing.T) {
	e, err := New(Options{})
	if e != nil || err == nil || !strings.Contains(err.Error(), "libwasmedge-dev") || !strings.Contains(err.Error(), "-tags wasmedge") {
		t.Errorf("%v, %v", e, err)
	}
}

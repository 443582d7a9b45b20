//go:build !(wasmtime && cgo && linux && (amd64 || arm64))

package wasmtime

import (
	"errors"
	"testing"
)

func TestStub(t *testing.T) {
	if e, err := New(Options{}); e != nil || !errors.Is(err, ErrNotBuilt) {
		t.Errorf("New = %v, %v", e, err)
	}
}

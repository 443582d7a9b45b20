package ffi

import (
	"os"
	"testing"
)

// TestMain keeps the keys of this machine's node out of the tests: a verdict there needs a verifier that a test gives.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "no-keys")
	if err != nil {
		panic(err)
	}
	os.Setenv("FIL_PROOFS_PARAMETER_CACHE", dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

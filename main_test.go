package fvm_test

import (
	"os"
	"testing"

	"github.com/edgefvm/fvm"
)

// envNoCompiler makes the test's program one that does not call RunIfChild.
const envNoCompiler = "EDGEFVM_TEST_NO_COMPILER"

func TestMain(m *testing.M) {
	if os.Getenv(envNoCompiler) == "" {
		fvm.RunIfChild()
	}
	os.Exit(m.Run())
}

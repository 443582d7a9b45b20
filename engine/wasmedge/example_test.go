//go:build wasmedge

package wasmedge_test

import (
	"context"
	"fmt"
	"log"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine/wasmedge"
)

// An engine that runs machine code which somebody else has compiled: native says where it is. Most programs want
// fvm.NewEngine with the name "wasmedge" instead, which compiles in the background and keeps what it made.
func ExampleNew() {
	native := func(_ context.Context, wasm []byte) (path string, err error) {
		return "", fmt.Errorf("no machine code for %d bytes of Wasm", len(wasm))
	}
	eng, err := wasmedge.New(wasmedge.Options{Native: native})
	if err != nil {
		log.Fatal(err)
	}
	shared := fvm.EngineFrom(eng) // for Config.Engine of any number of machines
	defer shared.Close(context.Background())
}

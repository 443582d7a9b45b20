//go:build wasmtime

package wasmtime_test

import (
	"context"
	"fmt"
	"log"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wasmtime"
)

// A program that wants wasmtime adds it to what it can start by name: package fvm does not know it.
func ExampleNew() {
	kinds := append(fvm.Engines(), fvm.EngineKind{
		Name: "wasmtime", Built: wasmtime.Built, Start: func(fvm.EngineConfig) (engine.Engine, error) { return wasmtime.New(wasmtime.Options{}) },
	})
	eng, err := kinds.New(fvm.EngineConfig{Name: "wasmtime"})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(context.Background())
	fmt.Println(eng.Name())
	// Output: wasmtime
}

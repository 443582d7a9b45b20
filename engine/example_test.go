package engine_test

import (
	"context"
	"fmt"
	"log"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
)

// guest is a module that gives its argument to a function of the host, and returns the one after it:
//
//	(module
//	  (import "host" "say" (func $say (param i32)))
//	  (func (export "run") (param i32) (result i32)
//	    (call $say (local.get 0))
//	    (i32.add (local.get 0) (i32.const 1))))
const guest = "\x00asm\x01\x00\x00\x00" +
	"\x01\x0a\x02\x60\x01\x7f\x00\x60\x01\x7f\x01\x7f" + // types
	"\x02\x0c\x01\x04host\x03say\x00\x00" + // import
	"\x03\x02\x01\x01" + // function
	"\x07\x07\x01\x03run\x00\x01" + // export
	"\x0a\x0d\x01\x0b\x00\x20\x00\x10\x00\x20\x00\x41\x01\x6a\x0b" // code

// A host function, an environment that offers it, a module of that environment, and an instance that runs.
func Example() {
	ctx := context.Background()
	eng, err := wazero.New(wazero.Options{})
	check(err)
	defer eng.Close(ctx)
	env, err := eng.Env(ctx, engine.EnvConfig{Host: []engine.HostFunc{{
		Module: "host", Name: "say", Params: []engine.ValueType{engine.I32},
		Fn: func(_ context.Context, in engine.Instance, stack []uint64) error {
			fmt.Println(in.Data(), "says", uint32(stack[0]))
			return nil
		},
	}}})
	check(err)
	module, err := env.Compile(ctx, []byte(guest))
	check(err)
	instance, err := module.Instantiate(ctx, "the guest")
	check(err)
	defer instance.Close(ctx)

	stack := []uint64{41}
	check(instance.Call(ctx, "run", stack))
	fmt.Println("it returns", uint32(stack[0]))
	// Output:
	// the guest says 41
	// it returns 42
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

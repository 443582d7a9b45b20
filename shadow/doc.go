// Package shadow runs each message on several engines in lock-step and compares
// what they make of it: result, gas, events, the trace charge by charge, and the
// state root. The engines decide no result of the network's, so any difference
// is a fault of an engine (or of the machine that it runs on), found before it
// becomes a fork.
//
//	native, err := fvm.NewEngine(fvm.EngineConfig{})
//	second, err := fvm.NewEngine(fvm.EngineConfig{Name: "wazero-interpreter"}) // any two that fvm.EngineNames has
//	m, err := shadow.New(ctx, cfg, shadow.Options{Engines: []*fvm.Engine{native, second}, Dir: "differences"})
//	res, err := m.Apply(ctx, msg, fvm.Explicit, len(raw)) // as of an fvm.Machine
//	var d *shadow.Difference
//	if errors.As(err, &d) {
//		log.Printf("%v; to run it again: edgefvm explain %s", d, d.Bundle)
//	}
//
// The first engine is the primary: what a caller gets is its result, the user's
// hooks see its run, and only its flush writes to the blockstore. The chain is
// asked once for each answer, and each block is read once a message, so that an
// answer that changes is no difference of engines.
//
// A difference is written as a closed bundle: a vector of the one message on the
// state before it, with every block that the engines read, every answer of the
// chain, what the primary gave, and the traces of both. `edgefvm explain` and
// `edgefvm vectors run` take it.
//
// What is not seen: the kind of a trap in a call whose caller went on. No result
// depends on it.
//
// Nodes and the command line call this package. It calls fvm for the machines,
// and vector for the form of the bundles. How a message executes, and how an
// engine works, does not belong here.
package shadow

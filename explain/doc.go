// Package explain says what a message did: the tree of calls between actors with the gas of each, the gas by kind of charge,
// the events, and what changed in the state. A trace or a vector goes in, a tree comes out.
//
// [Trace] explains a message that a program applied, from what its hooks recorded:
//
//	var rec trace.Recorder
//	m, err := fvm.New(ctx, fvm.Config{Hooks: rec.Hooks(), …})
//	res, err := m.Apply(ctx, msg, fvm.Explicit, chainLength)
//	x, err := explain.Trace(explain.Applied{Message: msg, Trace: rec.Take(), Result: res}, explain.Options{ActorName: m.ActorName})
//	for _, c := range x.Calls.Calls { fmt.Println(c.Who(), c.Name, c.Total, c.Why()) }
//
// [Vector] runs a conformance vector and explains each of its messages, with the changes of the state, which [Changes] finds
// between any two state roots.
//
// A trace that ends early makes a tree of what there is: calls without an end have no exit code. One of network version 16 or
// 17 read from a file has no invocations, so that receivers have an address and no name. The same input gives the same output,
// in the same order; nothing here is kept or shared, so that any number of goroutines may explain at once.
//
// # JSON
//
// An [Explanation] is what `edgefvm explain --json` prints, new names may come, and
// one goes or changes its meaning with a minor version only. Gas of messages is in units of gas, gas of calls, kinds and charges in milligas (1/1000, names that end in "milli" or
// "milligas"), where sums are exact and gas that was given back is less than none. Amounts are decimal strings of attoFIL, ""
// where none is known. Addresses are text of mainnet; CIDs in changes are links, {"/": "bafy…"}. The root of "calls" stands for
// the message itself, and its "from", "to" and "value" say nothing. What has no exit code has null (a message) or no
// "exit_code" (a call).
//
// # What does not belong here
//
// Printing: package text beside this one writes it for a terminal, flame as a picture, pprof as a profile. What the data of
// single actors mean: [Decoders] are the place to plug that in. How a message executes, and whether a vector counts as passed:
// the latter is for the laboratory, whose rules can be given as [VectorOptions].Judge.
//
// It calls vector and fvm as any program would, and reads state trees block by block. The command calls it.
package explain

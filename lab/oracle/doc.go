// Package oracle talks to the reference FVM, which runs as a child process: the
// published crates of ref-fvm behind a protocol of JSON lines. Its sources are in
// program; its README is the protocol. They are pinned to the last crate, so
// that whoever builds the program has the same judge. Everything else in this
// module works without it: it is for tools that ask what the reference says.
//
//	path, err := oracle.Find("")            // or oracle.Build, where cargo is
//	c, err := oracle.Start(ctx, path)
//	_, err = c.LoadCAR(ctx, "v18-mainnet.car")
//	answer, err := c.Apply(ctx, request)
//
// The command line, the fuzzer and the sweeps call this package; it uses the
// vector format and the front door, to put questions, and asks who can have laid a program there before it names it. How results are compared
// does not belong here.
package oracle

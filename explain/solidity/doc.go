// Package solidity says where in the source of contracts a message spent its gas, and where it failed: by contract, function, file and line.
//
//	project, err := solidity.Open(ctx, "my-project") // of Hardhat or Foundry
//	t := solidity.New(project, load)
//	m, err := fvm.New(ctx, fvm.Config{Hooks: t.Hooks(nil), …})
//	res, err := m.Apply(ctx, msg, fvm.Explicit, chainLength)
//	report := t.Take(uint64(res.GasUsed))
//
// The compiler's source maps tell which part of a source an opcode comes from, and which jumps call functions and come back. Contracts are
// known by their code: links, immutables and the compiler's hash at the end may differ. Gas is Filecoin's, of each opcode what was used until
// the next one.
//
// It takes opcodes as evmtrace does, by trace.Hooks.OnOpcode, and artefacts as files: the compiler is not run. Sources are strangers', so
// what is read of them is bounded.
package solidity

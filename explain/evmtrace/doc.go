// Package evmtrace makes of a message what Ethereum's debug_traceTransaction makes of a transaction when no tracer is named:
// the opcodes of its contracts, one by one, with program counter, stack, memory and storage ("struct logs").
//
//	t := evmtrace.New(evmtrace.Options{})
//	m, err := fvm.New(ctx, fvm.Config{Hooks: t.Hooks(nil), …})
//	res, err := m.Apply(ctx, msg, fvm.Explicit, chainLength)
//	logs := t.Take(res.GasUsed)
//
// A message traced so has the same receipt, charges and state as without; it runs several times as slow. What the steps mean
// where Filecoin is not Ethereum:
//
//   - Gas is Filecoin's: Gas is what the call has left before the opcode, Cost what was used until the next step, whoever's
//     that is. So a call's cost is Filecoin's price of calling and of coming back, without what the callee's opcodes cost, and
//     the costs of all steps and Log.Outside add up to what the message used. As JSON it is in whole units, rounded down, and
//     the field "gasKind" says "filecoin".
//   - Depth counts contracts that run: 1 for the one that the message calls, directly or by way of other actors, such as the
//     one that creates contracts. Native actors and precompiles have no steps.
//   - A failed frame's last step has Error. Where Ethereum refuses an opcode before it does it, for want of gas or of words on
//     the stack, Filecoin fails while it does it: both have a step for it.
//   - The EVM actor steps over the JUMPDEST that a jump goes to. It gets its step here, at no cost.
//   - Running off the end of the code is no step; geth has a STOP there.
//   - There is no refund counter.
//
// The opcodes come from the EVM actor itself, whose code is looked through when it is loaded (trace.Hooks.OnOpcode). Where that
// fails, Log.Unwatched says for which bundle and why; nothing is guessed.
//
// It uses trace and bundle as any program would. What a contract's source has at an opcode does not belong here.
package evmtrace

// Package evmloop finds the interpreter of Ethereum's virtual machine in the Wasm of the network's EVM actor: where its loop
// takes the next opcode, and where stack, memory and program counter lie in the guest's memory.
//
// Nothing is known by a place in a file. The loop is the one call through a table whose index is a byte of a program, by way of
// a list of 256 functions in the module's data. What the list has at an opcode is that opcode's own code, and a few opcodes are
// so simple that their code can only be read in one way: JUMPDEST adds one to the program counter, POP takes one off the
// stack's length, PUSH0 stores a zero word behind the last one, MSIZE reads the memory's length, MSTORE8 stores a byte. Their
// functions are run on symbols instead of numbers (see symbols.go), and the addresses at which they store tell the layout.
// Whatever does not fit is an error that says what; a module is never understood by halves.
//
// The actor is the project's builtin-actors, crate fil_actor_evm: versions 10 and later.
//
// internal/vm/call asks, when a machine is to trace opcodes. What is done with the place found does not belong here.
package evmloop

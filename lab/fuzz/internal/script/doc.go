// Package script makes the params of the script actor: a list of raw syscalls
// with any arguments, and of Wasm that traps, computes or runs away. The actor
// (actor/script.c, compiled into the states of package fuzz) runs them and
// returns a log of what each gave.
//
// Params: u32 count, u32 data address (0: 0x20000), u32 length of the records,
// the records, then data, which is copied to the data address; all little-endian.
// A record is a u8 operation, a u8 number of arguments, u24 flags, and the
// arguments as unsigned LEB128. Flags: bit k takes argument k from the u32 in
// memory at that address, bit 9+k from the u64; bit 18: do not log; bit 19 and 20:
// only if the last result was 0, or was not 0.
//
// Package fuzz calls it. What is done with a message does not belong here.
package script

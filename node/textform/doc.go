// Package textform reads what people write and what tools print: bytes as hex or base64, messages as CBOR, JSON or
// Ethereum transactions, addresses of Filecoin and of Ethereum, amounts.
//
// Nothing is guessed. Text that fits two readings, or none, is an error that names the readings and says how to
// choose one; each result tells how it was read. The rules that make a reading certain are those of Parse.
//
// All functions may be called by any number of goroutines at once. What is read comes from outside: whatever it is,
// the answer is a value or an error.
package textform

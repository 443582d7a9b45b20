// Package kit is what the commands have in common: exit codes and errors of usage,
// groups and help, the flags for engines, caches, bundles and the keys of proofs, the
// files of vectors, states and contracts' ABI, and JSON. It knows no command; the groups call it, and package cli puts them
// together.
package kit

// Package bundle gives the network's own actors: their WebAssembly, by version
// and network, such as version 16 of mainnet.
//
// A bundle is a CAR file. Its root is the manifest, a list of actor names and
// the CIDs of their code. The bundles come from the Go module of Lotus, which
// packs every released version in build/actors. That module is read as an
// archive, never imported: a program that imports EdgeFVM inherits neither
// Lotus nor its dependencies, and needs no C compiler. [Open] looks for the
// archives in a folder that the caller names, then in the module cache of the
// go command, and lets `go mod download` fetch the module when it is not there.
// What comes from the module is checked three times: by the go command against
// the sum in this package, by the manifest's CID against the list in this
// package, and block by block against the CIDs.
//
// # Version 19
//
// The archive v19 in the module of Lotus v1.36.3 is that of v18, byte for byte:
// each network's v19 has the manifest of its v18. So network version 29 runs here
// with its own rules and the code of version 18. The actors of FIP-0118, version
// 19 as the network will run it, are in no Go module yet. Module go-state-types
// v0.19.0 has their types and their migration, which do not fit the archive that
// Lotus calls v19; those of v0.19.0-rc1, which Lotus requires, do.
//
// [Entry].SameAs tells of a version that is another one again.
//
// # Bundles from elsewhere
//
// [Add] checks a bundle's CAR and keeps it in the user's folder ([DefaultAdded]),
// where Open finds it: the code of a new version, or of a development network,
// without a new release of this module. The order is:
//
//  1. Options.Dir, if it is given. Then nothing was added unless Options.Added
//     names a folder, which goes before.
//  2. added bundles, by name;
//  3. the folder that EDGEFVM_BUNDLES names; or else the folder ../share/edgefvm/bundles, or bundles, from that of the
//     running program, where a package installed them; or else the Lotus module.
//
// An added bundle takes a name's place in Load, Store, Export and List. It does
// not hide code: with it come the blocks of the bundle whose place it took, so
// that states made with that one still execute. A bundle that Lotus's list knows
// is refused under a name that is not its own there, when it is added and when
// it is loaded.
//
// A bundle CAR is read without any of this by [LoadCAR].
//
// Programs, package vector and the command call this package; it calls blockstore,
// and asks internal/wasm/instrument and internal/vm/actors whether a bundle can
// run. What runs the code does not belong here.
package bundle

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
// A bundle CAR from elsewhere (a development network, a release candidate) is
// read with [LoadCAR].
//
// Programs, package vector and the command call this package; it calls
// blockstore. What runs the code does not belong here.
package bundle

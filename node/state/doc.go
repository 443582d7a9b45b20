// Package state reads the states of Filecoin chains: all actors at some epoch, what each of them stores, and what differs
// between two states.
//
// A [Tree] is a state in any store that gives blocks. It lists actors ([Tree.Actors]), finds them by any address
// ([Tree.Actor]), and says which builtin actor each is ([Tree.Kind]): by the list of code that the state's own system actor
// names, and for code that is not in it by what package bundle knows of all released bundles. The state of an actor is
// read by the types that go-state-types has for the version of its code, 8 to 19. Versions are told by code and list, never
// by a network version: the code that Lotus v1.36.3 calls version 19 is version 18's, with version 18's states.
//
// [Tree.Get] walks a path, such as "actors/f01000/state/Sectors/17/Expiration", through structs, lists, HAMTs, AMTs and
// the KAMTs of contracts to a [Node], which can be shown as JSON ([Node.View], in the forms of package jsonview) or, if it
// is a map or array, walked ([Node.Each]). [OpenData] does so below any CID, with or without types. [Diff] tells what
// differs, [Tree.Stat] counts blocks, [Tree.Export] writes actors' states to an archive.
//
// A [MissingError] says where in a state a block is missing, a [FormError] what does not read as its type, a [PathError]
// which part of a path leads nowhere and what would go on. Walks go on past missing blocks if they are told to.
//
// Keys of maps as they stand in paths: addresses and ids as "f01000", epochs and other numbers in decimal, a contract's
// slots as 0x and hex or decimal, CIDs as text, pairs of addresses with a comma between.
//
// Time and memory of a walk are those of what it reads: nothing is kept but nodes on the way down, and, where blocks are
// counted once, 16 bytes of each CID. A Tree may be used by any number of goroutines at once if its store may.
//
// The command `edgefvm state` is built on it. What a chain is, and which state belongs to which tipset, does not belong
// here.
package state

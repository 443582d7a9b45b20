// Package actors knows the methods of Filecoin's builtin actors, versions 8 to 19: the types of their parameters and of what they
// return, by name and number, and turns both from CBOR to JSON and back, exactly.
//
//	m, err := actors.FindMethod(16, "storagemarket", "PublishStorageDeals") // or "f05", "4", the code's CID
//	v, err := m.DecodeParams(data)                                          // v.JSON, and v.Note where there is something to say
//	data, err := m.EncodeParams(text)
//
// The types are go-state-types', corrected where the actors' own code has others, as far as that is published
// (github.com/filecoin-project/builtin-actors, until v18). How values look in JSON is package jsonview's to say. Bytes that hold a
// value of their own are shown as it, under its name: the parameters of a proposal to an actor whose kind its address tells, those
// of a constructor, the payload of tokens (FRC-0046) with the allocations in it. Hex is taken there as well.
//
// Where go-state-types refuses data, [Value] has them in CBOR's diagnostic notation and a note that says so: the network's code,
// which is not theirs, may have taken them. Which it is, a receipt tells.
//
// Version 19 is go-state-types' (FIP-0118 among them). No network has run such code yet; the bundles that bear the number so
// far hold the code of 18. [VersionFor] goes by the number, [ActorByCode] by what the code is, and [Decoders] by the code first.
//
// Everything here may be used by any number of goroutines.
package actors

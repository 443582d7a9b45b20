// Package jsonview shows values of go-state-types as JSON that people read and programs parse, and reads that JSON back
// to the same value.
//
// Go's own JSON of these types is of no use for that: bytes come out as base64 that nobody tells from text, bitfields as
// lengths of runs without a start, enumerations as bare numbers. Here
//
//	addresses            "f01234", "f410f…": text of mainnet
//	CIDs                 "bafy2bzace…", null where there is none
//	big integers         "1000000000000000000": decimal, amounts of tokens in attoFIL
//	bytes                "0x00ff"
//	bitfields            "0-4,7,9-12": members in ascending order, ranges with both ends
//	proof types, and     "StackedDrg32GiBV1_1": the name where one is known, else the number
//	kinds of signatures
//	deal labels          "text", or {"Bytes": "0x…"}: a label is either, and the two are not the same on chain
//	other CBOR           {"CBOR": "0x…"}: what the type leaves open
//
// and structs are objects with the names of go-state-types' fields, which are those of the JSON of nodes. [View] makes a tree of
// it for programs that walk it, [Marshal] the text. [Unmarshal] reads the text: whatever names a thing in more than one
// reading is refused, an unknown, missing or repeated field is an error that says where ("Deals[2].Proposal.Client").
// Where DAG-JSON has a form for links and bytes, that is read too: {"/": "bafy…"}, {"/": {"bytes": "base64"}}.
//
// Nothing is kept between calls, so that any number of goroutines may use it.
package jsonview

// Package vector is the file format of message vectors: a state, messages, and what the network (or an implementation)
// made of them. [Load] reads one, [Prepare] unpacks its state and makes a machine over it, and a [Draft] writes one.
//
//	v, err := vector.Load("nv28-onboard-035.json")
//	s, err := vector.Prepare(ctx, v, 0, vector.NewActors(bundle.Options{}), nil, nil)
//	res, err := s.Apply(ctx, 0)
//	for _, d := range vector.Compare(0, &v.Receipts()[0], res) { fmt.Println(d) }
//
// The format is the official one of the Filecoin test vectors, class "message", plus optional fields: in "preconditions"
// "chain_id", "proofs", "proof_keys", "bundle" ("none" where all code is in the CAR) and "actor_debugging"; "timestamp" of a variant;
// "tipsets", "faults" and "proof_answers" (verdicts by the content of what was to be judged, which come before the mode of
// proofs); an "error" in the place of an answer; "chain_len" and "implicit" of a message; fees in receipts; "trace", the
// file beside the vector; and "difference" in "_meta", of bundles of package shadow.
//
// Proofs of a vector are all valid, all invalid, or ("judged") real: then "proof_keys" names the folder of their keys, from that
// of the vector. The verifiers here are for vectors only.
//
// It calls fvm as any program would, and bundle for the actors. Packages shadow and explain and the laboratory call it. How
// a run is judged and reported is lab/conformance; how a message executes does not belong here.
package vector

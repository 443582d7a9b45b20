package proofs

import (
	"context"

	"github.com/edgefvm/fvm/internal/proofs/keys"
)

// KeyFile is a file that verdicts need, and what the folder has of it.
type KeyFile struct {
	Name   string // of the file
	Kind   string // seal, winning PoSt, window PoSt, sector update, or SRS of aggregates
	Size   string // of the sectors, as people say: 32GiB; "" for the SRS, which all share
	Digest string // of the published file: the first 16 bytes of its BLAKE2b-512, in hex
	CID    string // of the published file, in IPFS
	State  KeyState
	Bytes  int64  // there
	Found  string // the digest there
	// Problem is what keeps the file from being used: nil if it can be, or is not there.
	Problem error
}

// KeyState is what a folder has of a file.
type KeyState = keys.State

// States of files.
const (
	KeyPublished = keys.Published // the network's
	KeyOther     = keys.Other     // well formed, but not the network's: taken with Options.TrustParams
	KeyMissing   = keys.Missing
	KeyWrong     = keys.Wrong // not readable, cut short or malformed
)

// KeyFiles reads every file that verdicts need and tells what the folder has of it: the keys by kind and size, and the SRS of
// aggregates. That takes a second or two with the SRS of the network. The error is ctx's.
func (v *Verifier) KeyFiles(ctx context.Context) ([]KeyFile, error) {
	var all []KeyFile
	for _, f := range keys.Files() {
		st, err := v.keys.Check(ctx, f)
		if err != nil {
			return nil, err
		}
		k := KeyFile{Name: f.Name, Kind: "SRS of aggregates", Digest: f.Digest, CID: f.CID, State: st.State, Bytes: st.Bytes, Found: st.Found}
		if f.Size != nil {
			k.Kind, k.Size = f.Kind.String(), f.Size.Name
		}
		if st.State != keys.Missing {
			k.Problem = st.Err
		}
		all = append(all, k)
	}
	return all, nil
}

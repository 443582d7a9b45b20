package kernel

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	stcrypto "github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
)

func appendUint64(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }

// externFailure makes one of ours of an error of the node's answers: the actor hears of
// it unless it is the node's own failure.
func externFailure(what string, err error) error {
	if externs.IsNodeFailure(err) {
		return execerr.Nodef("%s: %w", what, err)
	}
	return execerr.Syscallf(execerr.IllegalArgument, "%s: %v", what, err)
}

// VerifySignature checks a signature by a key address (f1 or f3), until nv17 also by an account's other addresses.
func (k *Kernel) VerifySignature(ctx context.Context, typ stcrypto.SigType, sig []byte, signer address.Address, text []byte) (bool, error) {
	if err := k.gas.Apply(k.prices.OnVerifySignature(typ, len(text))); err != nil {
		return false, err
	}
	if k.m.Profile.ResolveSigner {
		key, err := k.keyAddress(ctx, signer, true)
		if err != nil {
			return false, err
		}
		signer = key // of whatever protocol: the check below is then false
	} else if p := signer.Protocol(); p != address.BLS && p != address.SECP256K1 {
		return false, execerr.Syscallf(execerr.IllegalArgument, "an address of protocol %d signs nothing", p)
	}
	if typ == stcrypto.SigTypeBLS {
		return crypto.VerifyBLS(sig, signer, text), nil
	}
	return crypto.VerifySecp(sig, signer, text), nil
}

// VerifyBLSAggregate checks an aggregate signature over one text a key. lens
// are the texts' lengths in texts.
func (k *Kernel) VerifyBLSAggregate(ctx context.Context, sig *[96]byte, keys [][48]byte, texts []byte, lens []uint32) (bool, error) {
	if err := k.gas.Apply(k.prices.OnVerifyAggregateSignature(len(keys), len(texts))); err != nil {
		return false, err
	}
	msgs := make([][]byte, len(lens))
	var off uint64
	for i, n := range lens {
		end := off + uint64(n)
		if end > uint64(len(texts)) {
			return false, execerr.Syscallf(execerr.IllegalArgument, "text %d of the aggregate ends beyond the buffer", i)
		}
		msgs[i], off = texts[off:end], end
	}
	if off != uint64(len(texts)) {
		return false, execerr.Syscallf(execerr.IllegalArgument, "the texts of the aggregate do not fill the buffer")
	}
	ok, err := crypto.VerifyBLSAggregateWhile(ctx, *sig, keys, msgs)
	if err != nil {
		return false, execerr.Nodef("the message was interrupted: %w", err)
	}
	return ok, nil
}

// RecoverSecpPublicKey is the uncompressed key that made a signature.
func (k *Kernel) RecoverSecpPublicKey(hash *[32]byte, sig *[65]byte) ([65]byte, error) {
	if err := k.gas.Apply(k.prices.OnRecoverSecpPublicKey()); err != nil {
		return [65]byte{}, err
	}
	key, err := crypto.RecoverSecp(*hash, *sig)
	if err != nil {
		return key, execerr.Syscallf(execerr.IllegalArgument, "recovering a public key: %v", err)
	}
	return key, nil
}

// hashPart is how much data is hashed between two looks at the context, in bytes.
const hashPart = 1 << 20

// AppendHash appends the digest of data under a multihash function to dst.
func (k *Kernel) AppendHash(ctx context.Context, dst []byte, code uint64, data []byte) ([]byte, error) {
	if k.m.Profile.HashFirst {
		if err := k.gas.Apply(k.prices.OnHashing(code, len(data))); err != nil {
			return nil, err
		}
	}
	if !crypto.SupportedHash(code) {
		return nil, execerr.Syscallf(execerr.IllegalArgument, "the hash function %#x is not supported", code)
	}
	if !k.m.Profile.HashFirst {
		if err := k.gas.Apply(k.prices.OnHashing(code, len(data))); err != nil {
			return nil, err
		}
	}
	if len(data) <= hashPart {
		digest, _ := crypto.AppendHash(dst, code, data)
		return digest, nil
	}
	h, _ := crypto.NewHash(code)
	for part := range slices.Chunk(data, hashPart) {
		if err := execerr.Interrupted(ctx); err != nil {
			return nil, err
		}
		h.Write(part)
	}
	return h.Sum(dst), nil
}

// KnownSealProof reports that the network has the seal proof type.
func (k *Kernel) KnownSealProof(typ abi.RegisteredSealProof) bool {
	return typ >= 0 && typ <= k.m.Profile.MaxSealProof
}

// ComputeUnsealedSectorCID is the commitment to the data of a sector made of pieces.
func (k *Kernel) ComputeUnsealedSectorCID(ctx context.Context, typ abi.RegisteredSealProof, pieces []abi.PieceInfo) (cid.Cid, error) {
	if err := k.gas.Apply(k.prices.OnComputeUnsealedSectorCid(typ, len(pieces))); err != nil {
		return cid.Undef, err
	}
	c, err := crypto.ComputeUnsealedSectorCID(ctx, typ, pieces)
	if err != nil {
		if ierr := execerr.Interrupted(ctx); ierr != nil {
			return cid.Undef, ierr
		}
		return cid.Undef, execerr.Syscallf(execerr.IllegalArgument, "computing an unsealed sector's CID: %v", err)
	}
	return c, nil
}

// VerifyConsensusFault asks the node to judge two block headers; nil means no fault.
func (k *Kernel) VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*externs.ConsensusFault, error) {
	if err := k.gas.Apply(k.prices.OnVerifyConsensusFault(len(h1), len(h2), len(extra))); err != nil {
		return nil, err
	}
	f, err := k.m.Externs.VerifyConsensusFault(ctx, h1, h2, extra)
	if err != nil {
		return nil, externFailure("verifying a consensus fault", err)
	}
	return f, nil
}

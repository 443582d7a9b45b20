package syscalls

import (
	"context"
	"encoding/binary"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/proofparams"
)

const (
	sigSecp = 1
	sigBLS  = 2
)

func cryptoVerifySignature(ctx context.Context, s *sys) error {
	var typ crypto.SigType
	switch s.u32(0) {
	case sigSecp:
		typ = crypto.SigTypeSecp256k1
	case sigBLS:
		typ = crypto.SigTypeBLS
	default:
		return execerr.Syscallf(execerr.IllegalArgument, "unknown signature type %d", s.u32(0))
	}
	sig, err := s.mem.slice(s.u32(1), s.u32(2))
	if err != nil {
		return err
	}
	signer, err := s.address(s.u32(3), s.u32(4))
	if err != nil {
		return err
	}
	text, err := s.mem.slice(s.u32(5), s.u32(6))
	if err != nil {
		return err
	}
	ok, err := s.k.VerifySignature(ctx, typ, sig, signer, text)
	return s.putBool(ok, err)
}

// putBool returns a verdict to the actor.
func (s *sys) putBool(ok bool, err error) error {
	if err == nil {
		s.putU32(boolResult(ok))
	}
	return err
}

const (
	blsKeyLen = 48
	blsSigLen = 96
)

func cryptoVerifyBLSAggregate(ctx context.Context, s *sys) error {
	n := s.u32(0)
	if uint64(n)*blsKeyLen > 1<<32-1 {
		return execerr.Syscallf(execerr.IllegalArgument, "%d signatures are too many to aggregate", n)
	}
	sig, err := s.mem.slice(s.u32(1), blsSigLen)
	if err != nil {
		return err
	}
	rawKeys, err := s.mem.slice(s.u32(2), n*blsKeyLen)
	if err != nil {
		return err
	}
	rawLens, err := s.mem.slice(s.u32(4), n*4)
	if err != nil {
		return err
	}
	lens := make([]uint32, n)
	var total uint32 // Quirk: the sum of the lengths wraps at 32 bits; the kernel then finds that they do not fit
	for i := range lens {
		lens[i] = binary.LittleEndian.Uint32(rawLens[4*i:])
		total += lens[i]
	}
	texts, err := s.mem.slice(s.u32(3), total)
	if err != nil {
		return err
	}
	keys := make([][blsKeyLen]byte, n)
	for i := range keys {
		copy(keys[i][:], rawKeys[i*blsKeyLen:])
	}
	ok, err := s.k.VerifyBLSAggregate(ctx, (*[blsSigLen]byte)(sig), keys, texts, lens)
	return s.putBool(ok, err)
}

func cryptoRecoverSecpPublicKey(_ context.Context, s *sys) error {
	hash, err := s.mem.slice(s.u32(0), 32)
	if err != nil {
		return err
	}
	sig, err := s.mem.slice(s.u32(1), 65)
	if err != nil {
		return err
	}
	key, err := s.k.RecoverSecpPublicKey((*[32]byte)(hash), (*[65]byte)(sig))
	if err == nil {
		copy(s.out, key[:])
	}
	return err
}

func cryptoHash(ctx context.Context, s *sys) error {
	out, err := s.mem.slice(s.u32(3), s.u32(4))
	if err != nil {
		return err
	}
	data, err := s.mem.slice(s.u32(1), s.u32(2))
	if err != nil {
		return err
	}
	digest, err := s.k.AppendHash(ctx, s.scratch[:0], s.a[0], data) // out may overlap with data
	if err != nil {
		return err
	}
	s.putU32(uint32(copy(out, digest)))
	return nil
}

func cryptoComputeUnsealedSectorCID(ctx context.Context, s *sys) error {
	typ := abi.RegisteredSealProof(s.a[0])
	if !s.k.KnownSealProof(typ) {
		return execerr.Syscallf(execerr.IllegalArgument, "unknown seal proof type %d", typ)
	}
	raw, err := s.mem.slice(s.u32(1), s.u32(2))
	if err != nil {
		return err
	}
	pieces, err := proofparams.DecodePieces(raw)
	if err != nil {
		return decoding("pieces", err)
	}
	return s.putCIDOf(s.u32(3), s.u32(4), func() (cid.Cid, error) { return s.k.ComputeUnsealedSectorCID(ctx, typ, pieces) })
}

func decoding(what string, err error) error {
	return execerr.Syscallf(execerr.IllegalArgument, "decoding %s: %v", what, err)
}

func cryptoVerifyPoSt(ctx context.Context, s *sys) error {
	raw, err := s.mem.slice(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	info, err := proofparams.DecodeWindowPoSt(raw)
	if err != nil {
		return decoding("a window proof", err)
	}
	ok, err := s.k.VerifyPoSt(ctx, info)
	return s.putBool(ok, err)
}

func cryptoVerifySeal(ctx context.Context, s *sys) error {
	raw, err := s.mem.slice(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	info, err := proofparams.DecodeSeal(raw)
	if err != nil {
		return decoding("a seal", err)
	}
	ok, err := s.k.VerifySeal(ctx, info)
	return s.putBool(ok, err)
}

func cryptoVerifyAggregateSeals(ctx context.Context, s *sys) error {
	raw, err := s.mem.slice(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	info, err := proofparams.DecodeAggregateSeals(raw)
	if err != nil {
		return decoding("an aggregate of seals", err)
	}
	ok, err := s.k.VerifyAggregateSeals(ctx, info)
	return s.putBool(ok, err)
}

func cryptoVerifyReplicaUpdate(ctx context.Context, s *sys) error {
	raw, err := s.mem.slice(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	info, err := proofparams.DecodeReplicaUpdate(raw)
	if err != nil {
		return decoding("a replica update", err)
	}
	ok, err := s.k.VerifyReplicaUpdate(ctx, info)
	return s.putBool(ok, err)
}

func cryptoBatchVerifySeals(ctx context.Context, s *sys) error {
	raw, err := s.mem.slice(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	infos, err := proofparams.DecodeSeals(raw)
	if err != nil {
		return decoding("seals", err)
	}
	out, err := s.mem.slice(s.u32(2), uint32(len(infos)))
	if err != nil {
		return err
	}
	verdicts, err := s.k.BatchVerifySeals(ctx, infos)
	if err != nil {
		return err
	}
	for i, ok := range verdicts {
		out[i] = 0
		if ok {
			out[i] = 1
		}
	}
	return nil
}

func cryptoVerifyConsensusFault(ctx context.Context, s *sys) error {
	var parts [3][]byte
	for i := range parts {
		b, err := s.mem.slice(s.u32(2*i), s.u32(2*i+1))
		if err != nil {
			return err
		}
		parts[i] = b
	}
	f, err := s.k.VerifyConsensusFault(ctx, parts[0], parts[1], parts[2])
	if err != nil {
		return err
	}
	clear(s.out)
	if f != nil {
		binary.LittleEndian.PutUint64(s.out, uint64(f.Epoch))
		binary.LittleEndian.PutUint64(s.out[8:], uint64(f.Target))
		binary.LittleEndian.PutUint32(s.out[16:], f.Type)
	}
	return nil
}

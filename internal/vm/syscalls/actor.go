package syscalls

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/execerr"
)

func actorResolveAddress(ctx context.Context, s *sys) error {
	a, err := s.address(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	id, err := s.k.ResolveAddress(ctx, a)
	if err != nil {
		return err
	}
	s.putU64(uint64(id))
	return nil
}

func actorLookupDelegatedAddress(ctx context.Context, s *sys) error {
	buf, err := s.mem.slice(s.u32(1), s.u32(2))
	if err != nil {
		return err
	}
	a, err := s.k.LookupDelegatedAddress(ctx, abi.ActorID(s.a[0]))
	if err != nil {
		return err
	}
	if a == nil {
		s.putU32(0)
		return nil
	}
	b := a.Bytes()
	if len(b) > len(buf) {
		return execerr.Syscallf(execerr.BufferTooSmall, "an address of %d bytes does not fit into %d", len(b), len(buf))
	}
	s.putU32(uint32(copy(buf, b)))
	return nil
}

func actorGetActorCodeCID(ctx context.Context, s *sys) error {
	return s.putCIDOf(s.u32(1), s.u32(2), func() (cid.Cid, error) { return s.k.ActorCodeCID(ctx, abi.ActorID(s.a[0])) })
}

const actorAddressLen = 21 // an f2 address, in bytes

func actorNextActorAddress(_ context.Context, s *sys) error {
	return s.putActorAddress(s.k.NextActorAddress)
}

func actorNewActorAddress(ctx context.Context, s *sys) error {
	return s.putActorAddress(func() (address.Address, error) { return s.k.NewActorAddress(ctx) })
}

// putActorAddress checks the buffer first, then writes what get returns into it.
func (s *sys) putActorAddress(get func() (address.Address, error)) error {
	buf, err := s.mem.slice(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	if len(buf) < actorAddressLen {
		return execerr.Syscallf(execerr.BufferTooSmall, "an actor's address has %d bytes, the buffer %d", actorAddressLen, len(buf))
	}
	a, err := get()
	if err != nil {
		return err
	}
	s.putU32(uint32(copy(buf, a.Bytes())))
	return nil
}

func actorCreateActor(ctx context.Context, s *sys) error {
	code, err := s.mem.cid(s.u32(1))
	if err != nil {
		return err
	}
	var delegated *address.Address
	if n := s.u32(3); n > 0 {
		a, err := s.address(s.u32(2), n)
		if err != nil {
			return err
		}
		delegated = &a
	}
	return s.k.CreateActor(ctx, code, abi.ActorID(s.a[0]), delegated)
}

func actorCreateBuiltinActor(ctx context.Context, s *sys) error {
	code, err := s.mem.cid(s.u32(1))
	if err != nil {
		return err
	}
	return s.k.CreateBuiltinActor(ctx, code, abi.ActorID(s.a[0]))
}

func actorGetBuiltinActorType(_ context.Context, s *sys) error {
	code, err := s.mem.cid(s.u32(0))
	if err != nil {
		return err
	}
	typ, err := s.k.BuiltinActorType(code)
	if err != nil {
		return err
	}
	s.putU32(typ)
	return nil
}

func actorGetCodeCIDForType(_ context.Context, s *sys) error {
	return s.putCIDOf(s.u32(1), s.u32(2), func() (cid.Cid, error) { return s.k.CodeCIDForType(s.u32(0)) })
}

func actorBalanceOf(ctx context.Context, s *sys) error {
	v, err := s.k.BalanceOf(ctx, abi.ActorID(s.a[0]))
	if err != nil {
		return err
	}
	return putTokens(s.out, "balance", v)
}

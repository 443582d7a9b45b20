package syscalls

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/gas"
	"github.com/edgefvm/fvm/internal/vm/kernel"
)

const maxExitMessage = 1024 // bytes

// vmExit ends the invocation. Codes below 16, but for 0, belong to the system:
// an actor that uses one exits with code 9, and keeps its block.
func vmExit(_ context.Context, s *sys) error {
	code := exitcode.ExitCode(s.u32(0))
	if code != exitcode.Ok && code < exitcode.FirstActorErrorCode {
		return &execerr.Abort{Code: exitcode.SysErrIllegalExitCode, Message: fmt.Sprintf("actor aborted with code %d", s.u32(0)), Block: s.u32(1)}
	}
	msg := "actor aborted"
	if n := s.u32(3); n > 0 {
		b, err := s.mem.slice(s.u32(2), n)
		switch {
		case err != nil:
			msg = "its message is not readable: " + err.Error()
		case len(b) > maxExitMessage:
			half := maxExitMessage / 2
			msg = fmt.Sprintf("%s ... (%d bytes left out) ... %s", text(b[:half]), len(b)-maxExitMessage, text(b[len(b)-half:]))
		default:
			msg = text(b)
		}
	}
	return &execerr.Abort{Code: code, Message: msg, Block: s.u32(1)}
}

// vmAbort ends the invocation in failure (until nv17): an actor that uses a code of the system, 0 among them, exits with code
// 9, and one whose message is not readable still with its own code.
func vmAbort(_ context.Context, s *sys) error {
	code := exitcode.ExitCode(s.u32(0))
	if code < exitcode.FirstActorErrorCode {
		return &execerr.Abort{Code: exitcode.SysErrIllegalExitCode, Message: fmt.Sprintf("actor aborted with code %d", s.u32(0))}
	}
	msg := "actor aborted"
	if n := s.u32(2); n > 0 {
		b, err := s.mem.slice(s.u32(1), n)
		switch {
		case err != nil:
			msg = "its message is not readable: " + err.Error()
		case !utf8.Valid(b):
			msg = "its message is not UTF-8"
		default:
			msg = string(b)
		}
	}
	return &execerr.Abort{Code: code, Message: msg}
}

// text makes valid UTF-8 of an actor's bytes.
func text(b []byte) string { return strings.ToValidUTF8(string(b), string(utf8.RuneError)) }

func vmMessageContext(_ context.Context, s *sys) error {
	c, err := s.k.MessageContext()
	if err != nil {
		return err
	}
	if err := putTokens(s.out[40:], "value", c.Value); err != nil {
		return err
	}
	if err := putTokens(s.out[56:], "gas premium", c.GasPremium); err != nil {
		return err
	}
	for i, v := range [...]uint64{uint64(c.Origin), c.Nonce, uint64(c.Caller), uint64(c.Receiver), uint64(c.Method)} {
		binary.LittleEndian.PutUint64(s.out[8*i:], v)
	}
	var flags uint64
	if c.ReadOnly {
		flags = 1
	}
	binary.LittleEndian.PutUint64(s.out[72:], flags)
	return nil
}

func vmContext(_ context.Context, s *sys) error {
	c, err := s.k.MessageContext()
	if err != nil {
		return err
	}
	if err := putTokens(s.out, "value", c.Value); err != nil {
		return err
	}
	epoch, _, _, version := s.k.Network()
	for i, v := range [...]uint64{uint64(c.Caller), uint64(c.Receiver), uint64(c.Method), uint64(epoch)} {
		binary.LittleEndian.PutUint64(s.out[16+8*i:], v)
	}
	binary.LittleEndian.PutUint32(s.out[48:], version)
	return nil
}

func networkBaseFee(_ context.Context, s *sys) error {
	return putTokens(s.out, "base fee", s.k.BaseFee())
}

func networkContext(_ context.Context, s *sys) error {
	if err := s.k.NetworkContext(); err != nil {
		return err
	}
	epoch, timestamp, chainID, version := s.k.Network()
	if err := putTokens(s.out[16:], "base fee", s.k.BaseFee()); err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(s.out, uint64(epoch))
	binary.LittleEndian.PutUint64(s.out[8:], timestamp)
	binary.LittleEndian.PutUint64(s.out[32:], chainID)
	binary.LittleEndian.PutUint32(s.out[40:], version)
	return nil
}

// putCIDOf checks the buffer first, then writes what get returns into it.
func (s *sys) putCIDOf(off, n uint32, get func() (cid.Cid, error)) error {
	if _, err := s.mem.slice(off, n); err != nil {
		return err
	}
	c, err := get()
	if err != nil {
		return err
	}
	size, err := s.mem.putCID(c, off, n)
	if err != nil {
		return err
	}
	s.putU32(size)
	return nil
}

func networkTipsetCID(ctx context.Context, s *sys) error {
	return s.putCIDOf(s.u32(1), s.u32(2), func() (cid.Cid, error) { return s.k.TipsetCID(ctx, abi.ChainEpoch(s.a[0])) })
}

func networkTotalFilCircSupply(_ context.Context, s *sys) error {
	return putTokens(s.out, "circulating supply", s.k.CircSupply())
}

func ipldBlockOpen(ctx context.Context, s *sys) error {
	c, err := s.mem.cid(s.u32(0))
	if err != nil {
		return err
	}
	id, st, err := s.k.BlockOpen(ctx, c)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(s.out, st.Codec)
	binary.LittleEndian.PutUint32(s.out[8:], id)
	binary.LittleEndian.PutUint32(s.out[12:], st.Size)
	return nil
}

func ipldBlockCreate(_ context.Context, s *sys) error {
	data, err := s.mem.slice(s.u32(1), s.u32(2))
	if err != nil {
		return err
	}
	id, err := s.k.BlockCreate(s.a[0], data)
	if err != nil {
		return err
	}
	s.putU32(id)
	return nil
}

func ipldBlockRead(_ context.Context, s *sys) error {
	buf, err := s.mem.slice(s.u32(2), s.u32(3))
	if err != nil {
		return err
	}
	left, err := s.k.BlockRead(s.u32(0), s.u32(1), buf)
	if err != nil {
		return err
	}
	s.putU32(uint32(left))
	return nil
}

func ipldBlockStat(_ context.Context, s *sys) error {
	st, err := s.k.BlockStat(s.u32(0))
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(s.out, st.Codec)
	binary.LittleEndian.PutUint32(s.out[8:], st.Size)
	return nil
}

func ipldBlockLink(_ context.Context, s *sys) error {
	return s.putCIDOf(s.u32(3), s.u32(4), func() (cid.Cid, error) { return s.k.BlockLink(s.u32(0), s.a[1], s.u32(2)) })
}

func selfRoot(ctx context.Context, s *sys) error {
	return s.putCIDOf(s.u32(0), s.u32(1), func() (cid.Cid, error) { return s.k.Root(ctx) })
}

func selfSetRoot(ctx context.Context, s *sys) error {
	c, err := s.mem.cid(s.u32(0))
	if err != nil {
		return err
	}
	return s.k.SetRoot(ctx, c)
}

func selfCurrentBalance(ctx context.Context, s *sys) error {
	v, err := s.k.CurrentBalance(ctx)
	if err != nil {
		return err
	}
	return putTokens(s.out, "balance", v)
}

func selfDestruct(ctx context.Context, s *sys) error { return s.k.SelfDestruct(ctx, s.u32(0) > 0) }

func selfDestructTo(ctx context.Context, s *sys) error {
	a, err := s.address(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	return s.k.SelfDestructTo(ctx, a)
}

func sendSend(ctx context.Context, s *sys) error {
	to, err := s.address(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	p := kernel.SendParams{To: to, Method: abi.MethodNum(s.a[2]), Params: s.u32(3), Value: tokens(s.a[4], s.a[5])}
	if limit := s.a[6]; limit != ^uint64(0) {
		g := gas.New(limit)
		p.GasLimit = &g
	}
	flags := s.a[7]
	if flags&^1 != 0 {
		return execerr.Syscallf(execerr.IllegalArgument, "unknown send flags %#x", flags)
	}
	p.ReadOnly = flags&1 != 0
	return s.send(ctx, p)
}

// sendPlain is send without a gas limit and without flags (until nv17). A call that failed returns no data.
func sendPlain(ctx context.Context, s *sys) error {
	to, err := s.address(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	return s.send(ctx, kernel.SendParams{To: to, Method: abi.MethodNum(s.a[2]), Params: s.u32(3), Value: tokens(s.a[4], s.a[5])})
}

func (s *sys) send(ctx context.Context, p kernel.SendParams) error {
	r, err := s.k.Send(ctx, p)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(s.out, uint32(r.ExitCode))
	binary.LittleEndian.PutUint32(s.out[4:], r.Return)
	binary.LittleEndian.PutUint64(s.out[8:], r.Stat.Codec)
	binary.LittleEndian.PutUint32(s.out[16:], r.Stat.Size)
	return nil
}

func gasCharge(_ context.Context, s *sys) error {
	name, err := s.chargeName()
	if err != nil {
		return err
	}
	return s.k.ChargeGas(name, s.a[2])
}

func gasChargeSigned(_ context.Context, s *sys) error {
	name, err := s.chargeName()
	if err != nil {
		return err
	}
	return s.k.ChargeSignedGas(name, int64(s.a[2]))
}

func (s *sys) chargeName() (string, error) {
	name, err := s.mem.slice(s.u32(0), s.u32(1))
	if err == nil && !utf8.Valid(name) {
		err = execerr.Syscallf(execerr.IllegalArgument, "the charge's name is not UTF-8")
	}
	return string(name), err
}

func gasAvailable(_ context.Context, s *sys) error {
	s.putU64(s.k.GasAvailable())
	return nil
}

func randGetChain(ctx context.Context, s *sys) error {
	return s.randomness(ctx, kernel.ChainRandomness)
}

func randGetBeacon(ctx context.Context, s *sys) error {
	return s.randomness(ctx, kernel.BeaconRandomness)
}

func (s *sys) randomness(ctx context.Context, kind kernel.RandomnessKind) error {
	d, err := s.k.Randomness(ctx, kind, abi.ChainEpoch(s.a[0]))
	if err == nil {
		copy(s.out, d[:])
	}
	return err
}

func randDrawChain(ctx context.Context, s *sys) error { return s.draw(ctx, kernel.ChainRandomness) }

func randDrawBeacon(ctx context.Context, s *sys) error { return s.draw(ctx, kernel.BeaconRandomness) }

func (s *sys) draw(ctx context.Context, kind kernel.RandomnessKind) error {
	entropy, err := s.mem.slice(s.u32(2), s.u32(3))
	if err != nil {
		return err
	}
	d, err := s.k.DrawRandomness(ctx, kind, int64(s.a[0]), abi.ChainEpoch(s.a[1]), entropy)
	if err == nil {
		copy(s.out, d[:])
	}
	return err
}

const eventHeaderSize = 24 // flags, codec, key length, value length

func eventEmit(_ context.Context, s *sys) error {
	n := s.u32(1)
	if uint64(n)*eventHeaderSize > 1<<32-1 {
		return execerr.Syscallf(execerr.IllegalArgument, "an event of %d entries is out of range", n)
	}
	headers, err := s.mem.slice(s.u32(0), n*eventHeaderSize)
	if err != nil {
		return err
	}
	keys, err := s.mem.slice(s.u32(2), s.u32(3))
	if err != nil {
		return err
	}
	values, err := s.mem.slice(s.u32(4), s.u32(5))
	if err != nil {
		return err
	}
	return s.k.EmitEvent(int(n), func(i int) kernel.EventHeader {
		h := headers[i*eventHeaderSize:]
		return kernel.EventHeader{
			Flags: binary.LittleEndian.Uint64(h), Codec: binary.LittleEndian.Uint64(h[8:]),
			KeyLen: binary.LittleEndian.Uint32(h[16:]), ValueLen: binary.LittleEndian.Uint32(h[20:]),
		}
	}, keys, values)
}

func eventEmitEncoded(_ context.Context, s *sys) error {
	raw, err := s.mem.slice(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	return s.k.EmitEncodedEvent(raw)
}

func debugLog(_ context.Context, s *sys) error {
	if !s.k.DebugEnabled() {
		return nil
	}
	msg, err := s.mem.slice(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	if !utf8.Valid(msg) {
		return execerr.Syscallf(execerr.IllegalArgument, "the log line is not UTF-8")
	}
	s.k.Log(string(msg))
	return nil
}

func debugEnabled(_ context.Context, s *sys) error {
	s.putU32(boolResult(s.k.DebugEnabled()))
	return nil
}

// boolResult is how syscalls say yes (0) and no (-1).
func boolResult(yes bool) uint32 {
	if yes {
		return 0
	}
	return ^uint32(0)
}

func debugStoreArtifact(_ context.Context, s *sys) error {
	if !s.k.DebugEnabled() {
		return nil
	}
	if _, err := s.mem.slice(s.u32(2), s.u32(3)); err != nil {
		return err
	}
	name, err := s.mem.slice(s.u32(0), s.u32(1))
	if err != nil {
		return err
	}
	if !utf8.Valid(name) {
		return execerr.Syscallf(execerr.IllegalArgument, "the artifact's name is not UTF-8")
	}
	return s.k.CheckArtifactName(string(name))
}

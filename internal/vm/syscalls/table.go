package syscalls

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
)

const (
	i32 = engine.I32
	i64 = engine.I64
)

// sys is what a syscall works with: its invocation's kernel, the guest's
// memory, the arguments, and the place for what it returns.
type sys struct {
	k   *kernel.Kernel
	mem memory
	a   []uint64 // without the out-pointer
	out []byte   // of the row's outSize

	scratch [64]byte // of a digest
}

func (s *sys) u32(i int) uint32 { return uint32(s.a[i]) }

func (s *sys) putU32(v uint32) { binary.LittleEndian.PutUint32(s.out, v) }
func (s *sys) putU64(v uint64) { binary.LittleEndian.PutUint64(s.out, v) }

// row is one syscall of the table. outSize is the bytes written through the
// out-pointer that precedes params, 0 for a syscall that returns nothing.
type row struct {
	module, name string
	params       []engine.ValueType
	outSize      uint32
	operation    func(ctx context.Context, s *sys) error
}

func params(p ...engine.ValueType) []engine.ValueType { return p }

// common are the syscalls that all eras have.
var common = []row{
	{"network", "total_fil_circ_supply", params(), 16, networkTotalFilCircSupply},
	{"ipld", "block_open", params(i32), 16, ipldBlockOpen},
	{"ipld", "block_create", params(i64, i32, i32), 4, ipldBlockCreate},
	{"ipld", "block_read", params(i32, i32, i32, i32), 4, ipldBlockRead},
	{"ipld", "block_stat", params(i32), 12, ipldBlockStat},
	{"ipld", "block_link", params(i32, i64, i32, i32, i32), 4, ipldBlockLink},
	{"self", "root", params(i32, i32), 4, selfRoot},
	{"self", "set_root", params(i32), 0, selfSetRoot},
	{"self", "current_balance", params(), 16, selfCurrentBalance},
	{"actor", "resolve_address", params(i32, i32), 8, actorResolveAddress},
	{"actor", "get_actor_code_cid", params(i64, i32, i32), 4, actorGetActorCodeCID},
	{"actor", "get_builtin_actor_type", params(i32), 4, actorGetBuiltinActorType},
	{"actor", "get_code_cid_for_type", params(i32, i32, i32), 4, actorGetCodeCIDForType},
	{"crypto", "verify_signature", params(i32, i32, i32, i32, i32, i32, i32), 4, cryptoVerifySignature},
	{"crypto", "recover_secp_public_key", params(i32, i32), 65, cryptoRecoverSecpPublicKey},
	{"crypto", "hash", params(i64, i32, i32, i32, i32), 4, cryptoHash},
	{"crypto", "compute_unsealed_sector_cid", params(i64, i32, i32, i32, i32), 4, cryptoComputeUnsealedSectorCID},
	{"crypto", "verify_post", params(i32, i32), 4, cryptoVerifyPoSt},
	{"crypto", "verify_consensus_fault", params(i32, i32, i32, i32, i32, i32), 20, cryptoVerifyConsensusFault},
	{"crypto", "verify_aggregate_seals", params(i32, i32), 4, cryptoVerifyAggregateSeals},
	{"crypto", "verify_replica_update", params(i32, i32), 4, cryptoVerifyReplicaUpdate},
	{"crypto", "batch_verify_seals", params(i32, i32, i32), 0, cryptoBatchVerifySeals},
	{"debug", "log", params(i32, i32), 0, debugLog},
	{"debug", "enabled", params(), 4, debugEnabled},
	{"debug", "store_artifact", params(i32, i32, i32, i32), 0, debugStoreArtifact},
}

// only2 are the syscalls that nv16 and nv17 have besides.
var only2 = []row{
	{"vm", "abort", params(i32, i32, i32), 0, vmAbort},
	{"vm", "context", params(), 52, vmContext},
	{"network", "base_fee", params(), 16, networkBaseFee},
	{"self", "self_destruct", params(i32, i32), 0, selfDestructTo},
	{"actor", "new_actor_address", params(i32, i32), 4, actorNewActorAddress},
	{"actor", "create_actor", params(i64, i32), 0, actorCreateBuiltinActor},
	{"crypto", "verify_seal", params(i32, i32), 4, cryptoVerifySeal},
	{"rand", "get_chain_randomness", params(i64, i64, i32, i32), 32, randDrawChain},
	{"rand", "get_beacon_randomness", params(i64, i64, i32, i32), 32, randDrawBeacon},
	{"gas", "charge", params(i32, i32, i64), 0, gasChargeSigned},
	{"send", "send", params(i32, i32, i64, i32, i64, i64), 20, sendPlain},
}

// since3 are the syscalls that all eras since nv18 have besides.
var since3 = []row{
	{"vm", "exit", params(i32, i32, i32, i32), 0, vmExit},
	{"vm", "message_context", params(), 80, vmMessageContext},
	{"network", "context", params(), 44, networkContext},
	{"network", "tipset_cid", params(i64, i32, i32), 4, networkTipsetCID},
	{"actor", "lookup_delegated_address", params(i64, i32, i32), 4, actorLookupDelegatedAddress},
	{"actor", "next_actor_address", params(i32, i32), 4, actorNextActorAddress},
	{"actor", "create_actor", params(i64, i32, i32, i32), 0, actorCreateActor},
	{"actor", "balance_of", params(i64), 16, actorBalanceOf},
	{"gas", "charge", params(i32, i32, i64), 0, gasCharge},
	{"gas", "available", params(), 8, gasAvailable},
	{"send", "send", params(i32, i32, i64, i32, i64, i64, i64, i64), 20, sendSend},
}

// only3 are the syscalls that nv18 to nv20 have besides.
var only3 = []row{
	{"self", "self_destruct", params(i32, i32), 0, selfDestructTo},
	{"event", "emit_event", params(i32, i32), 0, eventEmitEncoded},
	{"rand", "get_chain_randomness", params(i64, i64, i32, i32), 32, randDrawChain},
	{"rand", "get_beacon_randomness", params(i64, i64, i32, i32), 32, randDrawBeacon},
}

// only4 are the syscalls that nv21 and later have besides.
var only4 = []row{
	{"self", "self_destruct", params(i32), 0, selfDestruct},
	{"event", "emit_event", params(i32, i32, i32, i32, i32, i32), 0, eventEmit},
	{"rand", "get_chain_randomness", params(i64), 32, randGetChain},
	{"rand", "get_beacon_randomness", params(i64), 32, randGetBeacon},
	{"crypto", "verify_bls_aggregate", params(i32, i32, i32, i32, i32), 4, cryptoVerifyBLSAggregate},
}

func rows(abi machine.ABI) []row {
	switch abi {
	case machine.ABI2:
		return slices.Concat(common, only2)
	case machine.ABI3:
		return slices.Concat(common, since3, only3)
	}
	return slices.Concat(common, since3, only4)
}

// HostFuncs is the import surface of an era, the instrumentation's helpers included.
func HostFuncs(abi machine.ABI) []engine.HostFunc {
	rs := rows(abi)
	fs := make([]engine.HostFunc, 0, len(rs)+len(helpers))
	for _, r := range rs {
		fs = append(fs, r.hostFunc())
	}
	return append(fs, helpers...)
}

func (r row) hostFunc() engine.HostFunc {
	ps := r.params
	if r.outSize > 0 {
		ps = append([]engine.ValueType{i32}, ps...)
	}
	return engine.HostFunc{Module: r.module, Name: r.name, Params: ps, Results: []engine.ValueType{i32}, Fn: r.host}
}

// host is the envelope of every syscall: settle the guest's gas, charge for
// the call, check the out-pointer, run, report, hand the guest its gas again.
// It looks at the context now and then, since it gives a new slice of gas before the last one has come to its end.
func (r *row) host(ctx context.Context, in engine.Instance, stack []uint64) error {
	inv := in.Data().(*Invocation)
	if inv.tape != nil {
		return inv.tape.host(ctx, in, hostCall{inv: inv, row: r, stack: stack})
	}
	return r.serve(ctx, in, memory{guestMemory: in.Memory()}, stack)
}

// serve is host with a guest's memory that may be another than the instance's.
func (r *row) serve(ctx context.Context, in engine.Instance, mem memory, stack []uint64) error {
	inv := in.Data().(*Invocation)
	if inv.starting {
		return execerr.Nodef("%s::%s is not served to this actor: %w", r.module, r.name, execerr.ErrNoReference)
	}
	if inv.lookDue() {
		if err := inv.look(ctx); err != nil {
			return err
		}
	}
	outside, err := Inside{inv, in}.Leave()
	if err != nil {
		return err
	}
	if err := inv.Kernel.Gas().Charge("OnSyscall", inv.Kernel.Prices().Wasm.HostCallCost); err != nil {
		return err
	}
	s := &inv.call
	*s = sys{k: inv.Kernel, mem: mem, a: stack}
	if r.outSize > 0 {
		out, err := s.mem.slice(uint32(stack[0]), r.outSize)
		if err != nil {
			inv.Last = &Cause{r.module, r.name, &execerr.Syscall{Number: execerr.IllegalArgument, Reason: "no space for the return value"}}
			stack[0] = uint64(execerr.IllegalArgument)
			outside.Reenter(in) // Quirk: not Enter
			return nil
		}
		s.out, s.a = out, stack[1:]
	}
	err = r.operation(ctx, s)
	if err == nil {
		inv.Last = nil
		stack[0] = 0
	} else if e := execerr.Classify(err).Syscall; e != nil {
		inv.Last = &Cause{r.module, r.name, e}
		stack[0] = uint64(e.Number)
		err = nil
	}
	outside.Enter(in)
	return err
}

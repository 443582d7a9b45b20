package script

import (
	"encoding/binary"
	"fmt"
)

// Op is an operation of the script actor (actor/script.c): 1..43 are raw syscalls, 64.. are plain Wasm.
type Op uint32

const (
	OpExit Op = iota + 1
	OpMessageContext
	OpNetworkContext
	OpTipsetCid
	OpCircSupply
	OpBaseFee
	OpBlockOpen
	OpBlockCreate
	OpBlockRead
	OpBlockStat
	OpBlockLink
	OpRoot
	OpSetRoot
	OpCurrentBalance
	OpSelfDestruct
	OpResolveAddress
	OpLookupDelegated
	OpGetActorCodeCid
	OpNextActorAddress
	OpCreateActor
	OpGetBuiltinActorType
	OpGetCodeCidForType
	OpBalanceOf
	OpVerifySignature
	OpVerifyBlsAggregate
	OpRecoverSecp
	OpHash
	OpUnsealedSectorCid
	OpVerifyPost
	OpVerifyConsensusFault
	OpVerifyAggregateSeals
	OpVerifyReplicaUpdate
	OpBatchVerifySeals
	OpVerifySeal
	OpEmitEvent
	OpChainRandomness
	OpBeaconRandomness
	OpGasCharge
	OpGasAvailable
	OpSend
	OpDebugLog
	OpDebugEnabled
	OpDebugStoreArtifact
)

const (
	OpStore32 Op = iota + 64
	OpStore64
	OpLoad32
	OpLoad64
	OpFnv
	OpBurn
	OpRecurse
	OpMemGrow
	OpMemCopy
	OpMemFill
	OpDiv32
	OpDiv64
	OpRem32
	OpFloat
	OpToInt
	OpUnreachable
	_
	OpCallIndirect
	OpJump
	OpReturnID
	OpReturnData
	OpAdd32
	OpMemSize
	OpLoop
	OpExitLog
	OpReturnLog
)

// opNames gives the import a syscall operation stands for.
var opNames = map[Op]string{
	OpExit: "vm::exit", OpMessageContext: "vm::message_context", OpNetworkContext: "network::context", OpTipsetCid: "network::tipset_cid",
	OpCircSupply: "network::total_fil_circ_supply", OpBaseFee: "network::base_fee", OpBlockOpen: "ipld::block_open",
	OpBlockCreate: "ipld::block_create", OpBlockRead: "ipld::block_read", OpBlockStat: "ipld::block_stat", OpBlockLink: "ipld::block_link",
	OpRoot: "self::root", OpSetRoot: "self::set_root", OpCurrentBalance: "self::current_balance", OpSelfDestruct: "self::self_destruct",
	OpResolveAddress: "actor::resolve_address", OpLookupDelegated: "actor::lookup_delegated_address",
	OpGetActorCodeCid: "actor::get_actor_code_cid", OpNextActorAddress: "actor::next_actor_address", OpCreateActor: "actor::create_actor",
	OpGetBuiltinActorType: "actor::get_builtin_actor_type", OpGetCodeCidForType: "actor::get_code_cid_for_type",
	OpBalanceOf: "actor::balance_of", OpVerifySignature: "crypto::verify_signature", OpVerifyBlsAggregate: "crypto::verify_bls_aggregate",
	OpRecoverSecp: "crypto::recover_secp_public_key", OpHash: "crypto::hash", OpUnsealedSectorCid: "crypto::compute_unsealed_sector_cid",
	OpVerifyPost: "crypto::verify_post", OpVerifyConsensusFault: "crypto::verify_consensus_fault",
	OpVerifyAggregateSeals: "crypto::verify_aggregate_seals", OpVerifyReplicaUpdate: "crypto::verify_replica_update",
	OpBatchVerifySeals: "crypto::batch_verify_seals", OpVerifySeal: "crypto::verify_seal", OpEmitEvent: "event::emit_event",
	OpChainRandomness: "rand::get_chain_randomness", OpBeaconRandomness: "rand::get_beacon_randomness", OpGasCharge: "gas::charge",
	OpGasAvailable: "gas::available", OpSend: "send::send", OpDebugLog: "debug::log", OpDebugEnabled: "debug::enabled",
	OpDebugStoreArtifact: "debug::store_artifact",
}

// Memory of the script actor.
const (
	memSize  = 4 * 65536 // initial memory
	outStart = 0xA000    // results of syscalls
	outEnd   = 0x10000
	dataAddr = 0x20000 // data of the script
	paramsAt = 0x30000 // the params as they came
)

// Flags of a record, above the 18 bits that say where arguments come from.
const (
	noLog  = 1 << 18
	ifOK   = 1 << 19
	ifFail = 1 << 20
)

// Ref32 and Ref64 are arguments taken from the actor's memory when the operation runs.
type (
	Ref32 uint64
	Ref64 uint64
)

type record struct {
	op    Op
	flags uint32
	args  [9]uint64
}

// Script builds the params of a message to the script actor.
type Script struct {
	recs []record
	data []byte
	out  uint64
}

// NewScript returns an empty script.
func NewScript() *Script { return &Script{out: outStart} }

// Do appends an operation. An argument is an int, int64, uint64, Ref32 or Ref64.
func (s *Script) Do(op Op, args ...any) *record {
	r := record{op: op}
	for k, a := range args {
		switch v := a.(type) {
		case int:
			r.args[k] = uint64(int64(v))
		case int64:
			r.args[k] = uint64(v)
		case uint64:
			r.args[k] = v
		case uint32:
			r.args[k] = uint64(v)
		case Ref32:
			r.args[k] = uint64(v)
			r.flags |= 1 << k
		case Ref64:
			r.args[k] = uint64(v)
			r.flags |= 1 << (9 + k)
		default:
			panic(fmt.Sprintf("script: argument of type %T", a))
		}
	}
	s.recs = append(s.recs, r)
	return &s.recs[len(s.recs)-1]
}

// Bytes puts b into the script's data and returns its address.
func (s *Script) Bytes(b []byte) uint64 {
	at := uint64(dataAddr + len(s.data))
	s.data = append(s.data, b...)
	for len(s.data)%8 != 0 {
		s.data = append(s.data, 0)
	}
	return at
}

// Out reserves n bytes for a result and returns their address.
func (s *Script) Out(n int) uint64 {
	at := s.out
	if at+uint64(n) > outEnd {
		at = outStart
	}
	s.out = (at + uint64(n) + 7) &^ 7
	return at
}

// Fnv logs a hash of n bytes at address at.
func (s *Script) Fnv(at uint64, n int) { s.Do(OpFnv, at, n).flags |= noLog }

// Len is the number of operations so far.
func (s *Script) Len() int { return len(s.recs) }

// Marshal gives the script's bytes: u32 count, u32 0, u32 length of the records, the records, the data.
func (s *Script) Marshal() []byte {
	var recs []byte
	for _, r := range s.recs {
		n := len(r.args)
		for n > 0 && r.args[n-1] == 0 {
			n--
		}
		recs = append(recs, byte(r.op), byte(n), byte(r.flags), byte(r.flags>>8), byte(r.flags>>16))
		for _, a := range r.args[:n] {
			recs = binary.AppendUvarint(recs, a)
		}
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(s.recs)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(recs)))
	return append(append(b, recs...), s.data...)
}

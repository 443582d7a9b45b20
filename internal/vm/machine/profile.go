package machine

import (
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/nv"
)

// ABI names a set of syscalls: their names, signatures and out-structs.
type ABI uint8

// The syscall sets, by the era that introduced them.
const (
	ABI2 ABI = 2 // network versions 16 and 17
	ABI3 ABI = 3 // network versions 18 to 20
	ABI4 ABI = 4 // network versions 21 and later
)

// Profile is what one era of the FVM does differently from the others. Code
// asks for a rule by its name, never for a network version.
//
// The flags are in groups by when they hold. Within a group all are set or none: what is apart is the rule, not the time. A rule
// that holds at other times gets a group of its own.
type Profile struct {
	Name     string
	ABI      ABI
	From, To network.Version // inclusive; above To: preview
	// OldestTree and NewestTree are the versions of the state tree that it reads. It writes the one that it read.
	OldestTree, NewestTree uint64
	// CallDepth is how many calls a message can have open, its own included: until nv17 one more than since, as its own did
	// not count.
	CallDepth uint32
	// InstanceMemory is the most memory of an instance, MessageMemory that of all instances of a call stack, in bytes; in the latter
	// a table's element counts 8. Until nv17 there was no limit but that of Wasm: MessageMemory is then what this node gives, and if
	// it is used up there is no receipt.
	InstanceMemory, MessageMemory uint64
	// TableElements is the most elements of a table.
	TableElements uint32
	// MaxSealProof is the highest seal proof type: interactive PoRep until nv17, synthetic PoRep until nv20,
	// non-interactive PoRep since (FIP-0092).
	MaxSealProof abi.RegisteredSealProof
	// WindowV1 and WindowV1P1 are the types of window proofs that exist: V1 until nv20, V1P1 since nv18 (FIP-0061).
	WindowV1, WindowV1P1 bool
	// CalibnetPoStEpoch is the last epoch at which calibnet (chain id 314159)
	// verified 32 GiB window proofs of type V1 under the type V1P1; 0: never.
	CalibnetPoStEpoch int64

	Until17
	Since18
	From18Until20
	Since21
}

// Until17 are the rules of E2 that no later era has.
type Until17 struct {
	// NoMemoryLimits: see MessageMemory.
	NoMemoryLimits bool
	// SignedGas counts gas in signed numbers: a charge may give gas back, beyond what was used.
	SignedGas bool
	// FirstPass prepares modules by the rules of fvm-wasm-instrument 0.2.0 instead of 0.4.0.
	FirstPass bool
	// OnlyBuiltins runs no code but that of the manifest, which must all be acceptable before any message is.
	OnlyBuiltins bool
	// FatalStart makes it fatal if an instance cannot be made, rather than an exit with code 4. The guest had no
	// gas before it was called, so every start function is such a failure.
	FatalStart bool
	// SettleMarks takes what the guest's counter stands at for the beginning of the next settlement, so that settling twice
	// charges once.
	SettleMarks bool
	// SendFirst charges a call and its transfer together, before either, and nothing for memory; the message's return value
	// it charges when the call is over, even an empty one.
	SendFirst bool
	// TraceFirst is the first form of traces: the end of a call that ran out of gas is an error, there are no limits and codecs,
	// and no invocations but those marked as extra.
	TraceFirst bool
	// LateZeroKey charges for an account with the BLS zero address before it is refused.
	LateZeroKey bool
	// OnlyDagCBOR has blocks of no other codec and of any size. The message's parameters are such a block.
	OnlyDagCBOR bool
	// HashFirst charges for a hash before it looks whether there is the function.
	HashFirst bool
	// ResolveSigner looks up the key address of a signer that is an ID or actor address.
	ResolveSigner bool
	// StrictFlush refuses to write DAG-CBOR that is not in its shortest form, and links of codec CBOR.
	StrictFlush bool
	// FreeBatches has batches of seals judged for nothing: they were paid for when the seals were handed in.
	FreeBatches bool
}

// Since18 are the rules of E3 and later.
type Since18 struct {
	// Ethereum has placeholders, Ethereum accounts and f4 addresses (FIP-0048, FIP-0055). Without it an f4 address is no address.
	Ethereum bool
	// WriteEmptyArray writes the block of the empty array, which new actors point at, to the store when a machine is made.
	WriteEmptyArray bool
}

// From18Until20 are the rules of E3 alone.
type From18Until20 struct {
	// TipsetFinality refuses tipset_cid for epochs 900 or more back.
	TipsetFinality bool
	// DepthKeepsLimit leaves the gas limit of a call that is too deep in force
	// for its caller.
	DepthKeepsLimit bool
	// TraceImplicit traces the constructor of an auto-created account as an invocation.
	TraceImplicit bool
}

// Since21 are the rules of E4.
type Since21 struct {
	// Reachability limits block_open, block_create and set_root to what the
	// actor can have learnt of, and charges for keeping track of that, in root too (FIP-0071).
	Reachability bool
	// MissingInvokeExits makes a module without "invoke" exit with code 5
	// rather than fail fatally.
	MissingInvokeExits bool
	// LooseInvoke lets "invoke" have a result of another type than i32 until
	// it returns.
	LooseInvoke bool
	// TraceBlocks traces IPLD reads and writes and actor logs.
	TraceBlocks bool
	// ReturnCodec reports the codec of the return value.
	ReturnCodec bool
}

// The eras, oldest first, without a gap. See ARCHITECTURE.md, "adding a network version".
var profiles = [...]Profile{
	{
		Name: "E2", ABI: ABI2, From: nv.Oldest, To: network.Version17, OldestTree: 3, NewestTree: 4, CallDepth: maxSubcalls + 1,
		InstanceMemory: 4 << 30, MessageMemory: 128 << 30, TableElements: 10_000_000,
		MaxSealProof: abi.RegisteredSealProof_StackedDrg64GiBV1_1, WindowV1: true,
		Until17: Until17{
			NoMemoryLimits: true, SignedGas: true, FirstPass: true, OnlyBuiltins: true, FatalStart: true, SettleMarks: true, SendFirst: true,
			TraceFirst: true, LateZeroKey: true, OnlyDagCBOR: true, HashFirst: true, ResolveSigner: true, StrictFlush: true, FreeBatches: true,
		},
	},
	{
		Name: "E3", ABI: ABI3, From: network.Version18, To: network.Version20, OldestTree: 5, NewestTree: 5, CallDepth: maxSubcalls,
		InstanceMemory: maxInstanceMemory, MessageMemory: MaxMessageMemory, TableElements: MaxTableElements,
		MaxSealProof: abi.RegisteredSealProof_StackedDrg64GiBV1_1_Feat_SyntheticPoRep, WindowV1: true, WindowV1P1: true, CalibnetPoStEpoch: 498691,
		Since18: since18, From18Until20: From18Until20{TipsetFinality: true, DepthKeepsLimit: true, TraceImplicit: true},
	},
	{
		Name: "E4", ABI: ABI4, From: network.Version21, To: nv.Newest, OldestTree: 5, NewestTree: 5, CallDepth: maxSubcalls,
		InstanceMemory: maxInstanceMemory, MessageMemory: MaxMessageMemory, TableElements: MaxTableElements,
		MaxSealProof: abi.RegisteredSealProof_StackedDrg64GiBV1_2_Feat_NiPoRep, WindowV1P1: true,
		Since18: since18,
		Since21: Since21{Reachability: true, MissingInvokeExits: true, LooseInvoke: true, TraceBlocks: true, ReturnCodec: true},
	},
}

var since18 = Since18{Ethereum: true, WriteEmptyArray: true}

// FlushRules is what a flush refuses to write.
func (p *Profile) FlushRules() blockstore.FlushRules {
	return blockstore.FlushRules{Skyr: p.StrictFlush}
}

// trees are the versions of the state tree that it reads.
func (p *Profile) trees() []uint64 {
	var list []uint64
	for v := p.OldestTree; v <= p.NewestTree; v++ {
		list = append(list, v)
	}
	return list
}

// required are the actors that the manifest must have.
func (p *Profile) required() []string {
	if p.Ethereum {
		return actors.RequiredEthereum()
	}
	return actors.Required()
}

// ProfileFor is the profile of a network version; preview admits the version
// after the newest one, which has the rules of the last era.
func ProfileFor(v network.Version, preview bool) (*Profile, error) {
	if err := nv.Admit(v, preview); err != nil {
		return nil, err
	}
	i := len(profiles) - 1
	for v < profiles[i].From {
		i--
	}
	return &profiles[i], nil
}

package machine

import (
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
)

// ABI names a set of syscalls: their names, signatures and out-structs.
type ABI uint8

// The syscall sets, by the era that introduced them.
const (
	ABI3 ABI = 3 // network versions 18 to 20
	ABI4 ABI = 4 // network versions 21 and later
)

// Profile is what one era of the FVM does differently from the others. Code
// asks for a rule by its name, never for a network version.
type Profile struct {
	Name     string
	ABI      ABI
	From, To network.Version // inclusive; above To: preview

	// Reachability limits block_open, block_create and set_root to what the
	// actor can have learnt of (FIP-0071; nv21).
	Reachability bool
	// MissingInvokeExits makes a module without "invoke" exit with code 5
	// rather than fail fatally (nv21).
	MissingInvokeExits bool
	// LooseInvoke lets "invoke" have a result of another type than i32 until
	// it returns (nv21).
	LooseInvoke bool
	// TipsetFinality refuses tipset_cid for epochs 900 or more back (until nv20).
	TipsetFinality bool
	// DepthKeepsLimit leaves the gas limit of a call that is too deep in force
	// for its caller (until nv20).
	DepthKeepsLimit bool
	// TraceImplicit traces the constructor of an auto-created account as an invocation (until nv20).
	TraceImplicit bool
	// TraceBlocks traces IPLD reads and writes and actor logs (nv21).
	TraceBlocks bool
	// ReturnCodec reports the codec of the return value (nv21).
	ReturnCodec bool
	// MaxSealProof is the highest seal proof type: synthetic PoRep until nv20,
	// non-interactive PoRep since (FIP-0092).
	MaxSealProof abi.RegisteredSealProof
	// CalibnetPoStEpoch is the last epoch at which calibnet (chain id 314159)
	// verified 32 GiB window proofs of type V1 under the type V1P1; 0: never.
	CalibnetPoStEpoch int64
}

// The eras, oldest first. A new network version is a new upper bound here and a
// price list in internal/gas; see ARCHITECTURE.md, "adding a network version".
var profiles = [...]Profile{
	{
		Name: "E3", ABI: ABI3, From: network.Version18, To: network.Version20,
		TipsetFinality: true, DepthKeepsLimit: true, TraceImplicit: true, MaxSealProof: abi.RegisteredSealProof_StackedDrg64GiBV1_1_Feat_SyntheticPoRep,
		CalibnetPoStEpoch: 498691,
	},
	{
		Name: "E4", ABI: ABI4, From: network.Version21, To: 29,
		Reachability: true, MissingInvokeExits: true, LooseInvoke: true, TraceBlocks: true, ReturnCodec: true,
		MaxSealProof: abi.RegisteredSealProof_StackedDrg64GiBV1_2_Feat_NiPoRep,
	},
}

// Preview is the highest network version that runs only when asked for.
const Preview network.Version = 30

// Versions are the first and the last network version that run without being asked for as a preview.
func Versions() (first, last network.Version) {
	return profiles[0].From, profiles[len(profiles)-1].To
}

// ProfileFor is the profile of a network version; preview admits the version
// after the newest one.
func ProfileFor(nv network.Version, preview bool) (*Profile, error) {
	last := &profiles[len(profiles)-1]
	for i := range profiles {
		if p := &profiles[i]; nv >= p.From && nv <= p.To {
			return p, nil
		}
	}
	if nv == Preview {
		if preview {
			return last, nil
		}
		return nil, fmt.Errorf("network version %d is a preview: set Preview to use it", nv)
	}
	return nil, fmt.Errorf("network version %d is not supported: %d to %d are (and %d as a preview)", nv, profiles[0].From, last.To, Preview)
}

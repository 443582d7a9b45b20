package actors

import (
	"errors"
	"io"
	"reflect"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/batch"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/ipfs/go-cid"
)

// The types below are those that go-state-types lacks or has otherwise than the actors' code
// (github.com/filecoin-project/builtin-actors, at the tags v8.0.0 to v18.0.0). Their fields are tuples in this order.
type (
	// ActivateDealsResult is what the market tells a miner about the deals of one sector (v9 to v11).
	ActivateDealsResult struct {
		NonVerifiedDealSpace big.Int
		VerifiedInfos        []VerifiedDealInfo
	}
	// VerifiedDealInfo is a verified deal that was activated.
	VerifiedDealInfo struct {
		Client       abi.ActorID
		AllocationId uint64
		Data         cid.Cid
		Size         abi.PaddedPieceSize
	}
	// BatchActivateDealsResult12 is it about the deals of several sectors, in v12.
	BatchActivateDealsResult12 struct {
		ActivationResults batch.BatchReturn
		Activations       []SectorDealActivation12
	}
	// SectorDealActivation12 is the part of one sector.
	SectorDealActivation12 struct {
		NonVerifiedDealSpace big.Int
		VerifiedInfos        []VerifiedDealInfo
		UnsealedCid          *cid.Cid
	}
	// BatchActivateDealsResult is it from v13 on.
	BatchActivateDealsResult struct {
		ActivationResults batch.BatchReturn
		Activations       []SectorDealActivation
	}
	// SectorDealActivation is the part of one sector.
	SectorDealActivation struct {
		Activated   []VerifiedDealInfo
		UnsealedCid *cid.Cid
	}
	// VerifyDealsParams12 are deals to check by sector, in v12.
	VerifyDealsParams12 struct {
		Sectors []SectorDeals12
	}
	// BatchActivateDealsParams12 are deals to activate by sector, in v12.
	BatchActivateDealsParams12 struct {
		Sectors    []SectorDeals12
		ComputeCID bool
	}
	// SectorDeals12 are the deals of one sector, which has no number there yet.
	SectorDeals12 struct {
		SectorType   abi.RegisteredSealProof
		SectorExpiry abi.ChainEpoch
		DealIDs      []abi.DealID
	}
	// OnMinerSectorsTerminateParams name sectors whose deals end (v13 on; before that, the deals).
	OnMinerSectorsTerminateParams struct {
		Epoch   abi.ChainEpoch
		Sectors bitfield.BitField
	}
	// ClaimAllocationsReturn has the claimed space of each sector (v12 on; before that, of all).
	ClaimAllocationsReturn struct {
		SectorResults batch.BatchReturn
		SectorClaims  []abi.StoragePower
	}
	// GetMultiaddrsReturn are all of a miner's multiaddresses.
	GetMultiaddrsReturn struct {
		MultiAddrs [][]byte
	}
	// GetVestingFundsReturn are all funds that vest, though the state keeps them in two parts (v16 on).
	GetVestingFundsReturn struct {
		Funds []VestingFund
	}
	// VestingFund is an amount that vests at an epoch.
	VestingFund struct {
		Epoch  abi.ChainEpoch
		Amount abi.TokenAmount
	}
	// AllocationRequests9 come with DataCap in v9, where providers are addresses.
	AllocationRequests9 struct {
		Allocations []AllocationRequest9
		Extensions  []ClaimExtensionRequest9
	}
	// AllocationRequest9 asks for an allocation.
	AllocationRequest9 struct {
		Provider   address.Address
		Data       cid.Cid
		Size       abi.PaddedPieceSize
		TermMin    abi.ChainEpoch
		TermMax    abi.ChainEpoch
		Expiration abi.ChainEpoch
	}
	// ClaimExtensionRequest9 asks for a longer claim.
	ClaimExtensionRequest9 struct {
		Provider address.Address
		Claim    uint64
		TermMax  abi.ChainEpoch
	}
	// MinerPowerReturn is a miner's claim (v16 on).
	MinerPowerReturn struct {
		RawBytePower    abi.StoragePower
		QualityAdjPower abi.StoragePower
	}
	// GetStorageAtParams name a slot of a contract: at most 32 bytes, of which the actor strips leading zeros when it writes
	// them.
	GetStorageAtParams struct {
		StorageKey []byte
	}
	// UniversalReceiverParams are what an actor hears of tokens that came to it (FRC-0046).
	UniversalReceiverParams struct {
		Type_   uint32 // the kind of Payload
		Payload []byte
	}
	// TokensReceived is the payload of fungible tokens, Type_ 2233613279.
	TokensReceived struct {
		From         abi.ActorID
		To           abi.ActorID
		Operator     abi.ActorID
		Amount       abi.TokenAmount
		OperatorData []byte
		TokenData    []byte
	}
	// MarketNotifyDealParams are what a contract hears of a deal that it is the client of.
	MarketNotifyDealParams struct {
		Proposal []byte
		DealID   uint64
	}
	// Nothing is what null stands for, where a method wants it said.
	Nothing struct{}
	// AuthenticateMessageParams are what an actor is asked whether its owner signed.
	AuthenticateMessageParams struct {
		Signature []byte
		Message   []byte
	}
)

// MarshalCBOR errs: a Nothing is never there, only its pointer is.
func (*Nothing) MarshalCBOR(io.Writer) error { return errNotNull }

// UnmarshalCBOR errs, as any value but null is one too many.
func (*Nothing) UnmarshalCBOR(io.Reader) error { return errNotNull }

var errNotNull = errors.New("want null")

// correction is a method that go-state-types does not have, or has with other types.
type correction struct {
	actor          string
	number         abi.MethodNum
	from, to       int // versions
	name           string
	params, result reflect.Type // nil: what go-state-types has
}

func frc(name string) abi.MethodNum { return builtin.MustGenerateFRCMethodNum(name) }

var corrections = []correction{
	{actor: "storagemarket", number: 5, from: 12, to: 12, params: reflect.TypeFor[VerifyDealsParams12]()},
	{actor: "storagemarket", number: 6, from: 12, to: 12, params: reflect.TypeFor[BatchActivateDealsParams12]()},
	{actor: "storagemarket", number: 7, from: 13, to: NewestVersion, params: reflect.TypeFor[OnMinerSectorsTerminateParams]()},
	{actor: "verifiedregistry", number: 9, from: 12, to: NewestVersion, result: reflect.TypeFor[ClaimAllocationsReturn]()},
	{actor: "storageminer", number: frc("GetMultiaddrs"), from: 10, to: NewestVersion, result: reflect.TypeFor[GetMultiaddrsReturn]()},
	{actor: "storageminer", number: frc("GetVestingFunds"), from: 16, to: NewestVersion, result: reflect.TypeFor[GetVestingFundsReturn]()},
	{actor: "storagemarket", number: 6, from: 9, to: 11, result: reflect.TypeFor[ActivateDealsResult]()},
	{actor: "storagemarket", number: 6, from: 12, to: 12, result: reflect.TypeFor[BatchActivateDealsResult12]()},
	{actor: "storagemarket", number: 6, from: 13, to: NewestVersion, result: reflect.TypeFor[BatchActivateDealsResult]()},
	{actor: "storageminer", number: 36, from: 14, to: NewestVersion, result: reflect.TypeFor[batch.BatchReturn]()},
	{actor: "storagepower", number: frc("MinerPower"), from: 16, to: NewestVersion, name: "MinerPowerExported",
		params: reflect.TypeFor[abi.ActorID](), result: reflect.TypeFor[MinerPowerReturn]()},
	// The power is optional: null stands for none.
	{actor: "reward", number: 1, from: OldestVersion, to: NewestVersion, params: reflect.TypeFor[*abi.StoragePower]()},
	{actor: "reward", number: 4, from: OldestVersion, to: NewestVersion, params: reflect.TypeFor[*abi.StoragePower]()},
	{actor: "evm", number: 5, from: 10, to: NewestVersion, params: reflect.TypeFor[GetStorageAtParams]()},
	// The actor reads one value, the empty one, where there should be no data: only null is taken.
	{actor: "datacap", number: 12, from: 9, to: 9, params: reflect.TypeFor[*Nothing]()},
	// The kind of a payload has 32 bits.
	{actor: "verifiedregistry", number: frc("Receive"), from: 9, to: NewestVersion, params: reflect.TypeFor[UniversalReceiverParams]()},
	{actor: "multisig", number: frc("Receive"), from: 9, to: NewestVersion, params: reflect.TypeFor[UniversalReceiverParams]()},
	{actor: "account", number: frc("Receive"), from: 9, to: 9, params: reflect.TypeFor[UniversalReceiverParams]()},
}

// gone are the methods that go-state-types has for versions whose actors have them no more, or never had: the network answers
// "unhandled message". to is the last version that has it, 0 if there is none.
var gone = []struct {
	actor  string
	number abi.MethodNum
	last   int
}{
	{"multisig", frc("Propose"), 0}, {"multisig", frc("Approve"), 0}, {"multisig", frc("Cancel"), 0}, {"multisig", frc("AddSigner"), 0},
	{"multisig", frc("RemoveSigner"), 0}, {"multisig", frc("SwapSigner"), 0}, {"multisig", frc("ChangeNumApprovalsThreshold"), 0},
	{"multisig", frc("LockBalance"), 0},
	{"storagemarket", 8, 11},
	{"storageminer", 6, 12}, {"storageminer", 7, 13}, {"storageminer", 8, 16}, {"storageminer", 25, 12}, {"storageminer", 26, 16},
	{"storageminer", 27, 16}, {"storageminer", 29, 12},
	{"storagepower", 7, 0}, {"storagepower", 8, 13},
	{"verifiedregistry", 5, 8}, {"verifiedregistry", 6, 8},
}

// public are methods that any actor may have, contracts above all, by the name that their number is made from. A caller's side
// of them is fixed by the actor that calls.
var public = []struct {
	name           string
	params, result reflect.Type
}{
	{"Receive", reflect.TypeFor[UniversalReceiverParams](), nil},
	{"MarketNotifyDeal", reflect.TypeFor[MarketNotifyDealParams](), nil},
	{"AuthenticateMessage", reflect.TypeFor[AuthenticateMessageParams](), reflect.TypeFor[bool]()},
}

// aliases are other names of methods: those of builtin-actors, and those that numbers are made from.
var aliases = map[string]map[string]string{
	"storagepower": {"OnEpochTickEnd": "CronTick"},
	"evm":          {"InvokeEVM": "InvokeContract"},
	"storageminer": {"ConfirmUpdateWorkerKey": "ConfirmChangeWorkerAddress"},
}

package state

import (
	"fmt"
	"reflect"
	"sync"
)

// Shape says what a block or a value is, and so how it is read, shown, and walked on from.
type Shape struct {
	kind   shapeKind
	name   string       // of a value's type, such as "SectorOnChainInfo"
	typ    reflect.Type // of a value: a type that reads CBOR
	layout *layout      // of a value: where its links lead
	key    Key          // of a map's or array's keys
	bits   int          // of a map: how many bits of a key choose the place in a node
	elem   *Shape       // of a map's or array's values; of a link, what it leads to
}

type shapeKind int

const (
	anything shapeKind = iota // DAG-CBOR of which no type is known
	typed                     // a value of a type of go-state-types
	kindHAMT
	kindAMT
	kindKAMT
	link   // a CID, and what is there is known
	octets // a block of bytes, such as a contract's code
)

// String is the shape in words, such as "HAMT of sector → SectorPreCommitOnChainInfo".
func (s *Shape) String() string {
	switch s.kind {
	case typed:
		return s.name
	case kindHAMT, kindAMT, kindKAMT:
		what := map[shapeKind]string{kindHAMT: "HAMT", kindAMT: "AMT", kindKAMT: "KAMT"}[s.kind]
		if s.elem.kind == anything {
			return what + " of " + s.key.name
		}
		return what + " of " + s.key.name + " → " + s.elem.String()
	case link:
		return s.elem.String()
	case octets:
		return "bytes"
	}
	return "data of no known type"
}

// isCollection tells whether it has entries under keys.
func (s *Shape) isCollection() bool {
	return s.kind == kindHAMT || s.kind == kindAMT || s.kind == kindKAMT
}

// unknown is the shape of data of which no type is known.
var unknown = &Shape{kind: anything}

// bytesShape is a block of bytes.
var bytesShape = &Shape{kind: octets}

// layout are the states of one version's actors.
type layout struct {
	version int
	states  map[string]*Shape                  // by the actor's name in the manifest
	links   map[reflect.Type]map[string]*Shape // what the CIDs in a type's fields lead to
	leading sync.Map                           // by type: whether it has links; see leads
}

// linkOf is what the CID in a field leads to; nil if it is not one of the state's, such as a piece's.
func (l *layout) linkOf(t reflect.Type, field string) *Shape {
	if l == nil {
		return nil
	}
	return l.links[t][field]
}

// parts are the types of which a version's states are made, as zero values; nil where the version has none.
type parts struct {
	Account, Cron, Datacap, DatacapToken, EVM, EVMTransient, Init, Multisig, Transaction, Paych, LaneState, Reward, RewardStreams, System any

	Market, DealProposal, DealState, SectorDeals any

	Miner, MinerInfo, VestingFunds, VestingTail, Deadlines, Deadline, Partition, ExpirationSet, PreCommit, Sector, WindowedPoSt any

	Power, CronEvent, PowerClaim, Verifreg, RemoveID, Allocation, Claim any
}

// newLayout puts a version's types together. Key types, widths and what leads where are those of the state types' own
// comments and of builtin-actors.
func newLayout(version int, p *parts) *layout {
	l := &layout{version: version, states: map[string]*Shape{}, links: map[reflect.Type]map[string]*Shape{}}
	value := func(v any) *Shape {
		if v == nil {
			return unknown
		}
		t := reflect.TypeOf(v)
		return &Shape{kind: typed, name: typeName(t), typ: t, layout: l}
	}
	mapOf := func(k Key, v *Shape) *Shape { return &Shape{kind: kindHAMT, key: k, elem: v, bits: 5} }
	wide := func(s *Shape, bits int) *Shape { s.bits = bits; return s }
	arrayOf := func(k Key, v *Shape) *Shape { return &Shape{kind: kindAMT, key: k, elem: v} }
	to := func(s *Shape) *Shape { return &Shape{kind: link, elem: s, name: s.name} }
	amount, bitfield, words := value(amountValue{}), value(bitfieldValue{}), &Shape{kind: kindKAMT, key: keySlot, bits: 5, elem: value(Word{})}
	links := func(of any, fields map[string]*Shape) {
		if of != nil {
			l.links[reflect.TypeOf(of)] = fields
		}
	}

	for name, state := range map[string]any{
		"account": p.Account, "cron": p.Cron, "datacap": p.Datacap, "evm": p.EVM, "init": p.Init, "multisig": p.Multisig,
		"paymentchannel": p.Paych, "reward": p.Reward, "storagemarket": p.Market, "storageminer": p.Miner,
		"storagepower": p.Power, "system": p.System, "verifiedregistry": p.Verifreg,
	} {
		if state != nil {
			s := value(state)
			s.name = fmt.Sprintf("%s state v%d", name, version)
			l.states[name] = s
		}
	}
	// These have no state of their own: their head is the empty list.
	for _, name := range stateless {
		l.states[name] = unknown
	}

	links(p.System, map[string]*Shape{"BuiltinActors": value(manifestValue{})})
	links(p.Init, map[string]*Shape{"AddressMap": mapOf(keyAddress, value(number(0)))})
	links(p.DatacapToken, map[string]*Shape{
		// The width of these is what the field HamtBitWidth says: see fieldShape.
		"Balances":   mapOf(keyActor, amount),
		"Allowances": mapOf(keyActor, to(mapOf(keyActor, amount))),
	})
	links(p.EVM, map[string]*Shape{"Bytecode": bytesShape, "ContractState": words})
	links(p.EVMTransient, map[string]*Shape{"TransientDataState": words})
	links(p.Multisig, map[string]*Shape{"PendingTxns": mapOf(keyTransaction, value(p.Transaction))})
	links(p.Paych, map[string]*Shape{"LaneStates": arrayOf(keyLane, value(p.LaneState))})
	links(p.Reward, map[string]*Shape{"StreamsRoot": value(p.RewardStreams)})
	links(p.Market, map[string]*Shape{
		"Proposals":                arrayOf(keyDeal, value(p.DealProposal)),
		"States":                   arrayOf(keyDeal, value(p.DealState)),
		"PendingProposals":         mapOf(keyCID, unknown),
		"EscrowTable":              wide(mapOf(keyAddress, amount), 6),
		"LockedTable":              wide(mapOf(keyAddress, amount), 6),
		"DealOpsByEpoch":           mapOf(keyEpochUnsigned, to(mapOf(keyDeal, unknown))),
		"PendingDealAllocationIds": mapOf(keyDeal, value(number(0))),
		"ProviderSectors":          mapOf(keyActor, to(mapOf(keySector, value(p.SectorDeals)))),
	})
	links(p.Miner, map[string]*Shape{
		"Info":                       value(p.MinerInfo),
		"VestingFunds":               value(p.VestingFunds),
		"PreCommittedSectors":        mapOf(keySector, value(p.PreCommit)),
		"PreCommittedSectorsCleanUp": arrayOf(keyEpochUnsigned, bitfield),
		"AllocatedSectors":           bitfield,
		"Sectors":                    arrayOf(keySector, value(p.Sector)),
		"Deadlines":                  value(p.Deadlines),
	})
	if p.VestingTail != nil {
		links(p.VestingFunds, map[string]*Shape{"Tail": value(p.VestingTail)})
	}
	links(p.Deadlines, map[string]*Shape{"Due": value(p.Deadline)})
	links(p.Deadline, map[string]*Shape{
		"Partitions":                        arrayOf(keyPartition, value(p.Partition)),
		"ExpirationsEpochs":                 arrayOf(keyEpochUnsigned, bitfield),
		"OptimisticPoStSubmissions":         arrayOf(keyIndex, value(p.WindowedPoSt)),
		"SectorsSnapshot":                   arrayOf(keySector, value(p.Sector)),
		"PartitionsSnapshot":                arrayOf(keyPartition, value(p.Partition)),
		"OptimisticPoStSubmissionsSnapshot": arrayOf(keyIndex, value(p.WindowedPoSt)),
	})
	links(p.Partition, map[string]*Shape{
		"ExpirationsEpochs": arrayOf(keyEpochUnsigned, value(p.ExpirationSet)),
		"EarlyTerminated":   arrayOf(keyEpochUnsigned, bitfield),
	})
	links(p.Power, map[string]*Shape{
		"CronEventQueue":       wide(mapOf(keyEpoch, to(arrayOf(keyIndex, value(p.CronEvent)))), 6),
		"Claims":               mapOf(keyAddress, value(p.PowerClaim)),
		"ProofValidationBatch": mapOf(keyAddress, to(arrayOf(keyIndex, value(sealVerifyInfo{})))),
	})
	links(p.Verifreg, map[string]*Shape{
		"Verifiers":                mapOf(keyAddress, amount),
		"VerifiedClients":          mapOf(keyAddress, amount),
		"RemoveDataCapProposalIDs": mapOf(keyAddressPair, value(p.RemoveID)),
		"Allocations":              mapOf(keyActor, to(mapOf(keyAllocation, value(p.Allocation)))),
		"Claims":                   mapOf(keyActor, to(mapOf(keyAllocation, value(p.Claim)))),
	})
	return l
}

// typeName is a type's name for people: that of go-state-types, and for those that have several uses what they are here.
func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[amountValue]():
		return "amount"
	case reflect.TypeFor[number]():
		return "number"
	case reflect.TypeFor[Word]():
		return "word"
	}
	return t.Name()
}

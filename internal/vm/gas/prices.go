package gas

import (
	"math"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/nv"
)

// unit is a unit of gas, for the tables of prices.
const unit Gas = precision

// scaling is a price with a fixed part and a part for each byte, link, entry or epoch.
type scaling struct{ flat, scale Gas }

func (s scaling) of(n uint64) Gas { return s.flat.Add(s.scale.Mul(n)) }

// sending is the price of a call until nv17: a base, and what comes to it or goes from it.
type sending struct {
	base       Gas
	funds      Gas // more if there is a value
	onlyFunds  Gas // more again if no method is called with it
	callRebate Gas // less if a method is called
}

// step is a price that holds from a count on.
type step struct {
	from uint64
	cost Gas
}

// lookup is the price of the last step at or below n, and zero below the first.
func lookup(steps []step, n uint64) Gas {
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].from <= n {
			return steps[i].cost
		}
	}
	return 0
}

// aggregate is the price of an aggregate of seals of one proof type: per seal,
// and a part that grows in steps with their number.
type aggregate struct {
	proof abi.RegisteredSealProof
	per   Gas
	steps []step
}

// hashPrices are the prices of a hashed byte.
type hashPrices struct{ sha2256, blake2b256, blake2b512, keccak256, ripemd160 Gas }

// perByte is the price of a byte under a multihash function. Callers refuse
// other functions before they charge; if one forgets, it is out of gas rather
// than free.
func (h *hashPrices) perByte(code uint64) Gas {
	switch code {
	case crypto.SHA256:
		return h.sha2256
	case crypto.BLAKE2b256:
		return h.blake2b256
	case crypto.BLAKE2b512:
		return h.blake2b512
	case crypto.Keccak256:
		return h.keccak256
	case crypto.RIPEMD160:
		return h.ripemd160
	}
	return math.MaxUint64
}

// WasmPrices are the prices of running Wasm, beside those that the
// instrumentation writes into the code.
type WasmPrices struct {
	HostCallCost Gas // a syscall
	MemoryByte   Gas // a byte of memory, initial or grown
}

// OfMemory is the price of a guest's memory, which it gets with its instance or grows, and then has paid for inline.
func (w *WasmPrices) OfMemory(bytes uint64) Gas { return w.MemoryByte.Mul(bytes) }

// TableElement is what an element of a table counts for, in bytes of memory.
const TableElement = 8

// OfTable is the price of a guest's initial table.
func (w *WasmPrices) OfTable(elements uint32) Gas {
	return w.MemoryByte.Mul(uint64(elements)).Mul(TableElement)
}

// PriceList is what a network version charges. It is shared and immutable: safe
// for concurrent use. Its methods do not allocate.
type PriceList struct {
	// Messages and calls.
	messageCompute, messageStorage scaling // of a message's bytes on the chain
	returnStorage                  scaling // of a return value's bytes on the chain
	send                           sending // until nv17, instead of the next two
	transfer                       Gas     // moving funds
	invoke                         Gas     // calling a method
	innerReturns                   bool    // returns from an actor to an actor are charged (links only)

	// The state tree.
	actorLookup, actorUpdate, actorCreate Gas
	actorCreateCompute                    Gas
	actorDelete                           Gas // a signed number
	addressLookup, addressAssign          Gas // of a new address in the init actor's table

	// Cryptography.
	secp, bls               scaling // a signature over so many bytes
	secpRecover, blsPairing Gas
	blsHashing              scaling
	hashing                 hashPrices
	hashingFlat             Gas // if not zero, the price of any hash of any size

	// Sectors and proofs.
	unsealedSectorCID, verifySeal Gas
	aggregates                    []aggregate // the first is also the price of types that are not listed
	windowPoSt                    scaling     // of the challenged sectors
	consensusFault, replicaUpdate Gas

	// The chain.
	randomness     scaling // a digest, of the epochs that it lies back
	drawRandomness Gas     // a digest to draw from; the hash of the draw comes on top
	tipsetLatest   scaling // the parent tipset's CID, of the epochs that it lies back (one)
	tipsetEarlier  scaling // any other's

	// Blocks.
	blockAllocate, blockMemcpy    Gas // a byte
	blockRetention                Gas // a byte: the least that a block in memory costs
	blockOpen                     Gas
	blockOpenName                 string  // of the charge for a found block
	blockOpenIsOther              bool    // that charge counts the copying as other gas
	blockLink                     scaling // if not zero, the computing of storing a block, with its copies and its hash
	blockPersist                  scaling
	blockPersistCompute           Gas
	linkTracked, linkChecked      Gas // a link that becomes reachable; one that has to be
	eventEntry, utf8, eventDecode scaling

	// How charges show in traces.
	silent         bool // what is free is not charged at all
	externComputes bool // what the node's externs do counts as computing

	// IPLDScanPerField and IPLDScanPerCID are the prices of a CBOR item and of
	// a link, when a block is searched for links.
	IPLDScanPerField, IPLDScanPerCID Gas
	// Wasm are the prices of running Wasm.
	Wasm WasmPrices
	// PreloadedActors are those whose access is free. Not to be changed.
	PreloadedActors []abi.ActorID
}

// lists says which list holds from which network version on, oldest first.
var lists = [...]struct {
	from network.Version
	list *PriceList
}{
	{network.Version16, &skyr},
	{network.Version18, &hygge},
	{network.Version21, &watermelon},
	{network.Version25, &teep},
}

// PricesFor is the price list of a network version; preview admits the version after the newest one.
func PricesFor(v network.Version, preview bool) (*PriceList, error) {
	if err := nv.Admit(v, preview); err != nil {
		return nil, err
	}
	i := len(lists) - 1
	for v < lists[i].from {
		i--
	}
	return lists[i].list, nil
}

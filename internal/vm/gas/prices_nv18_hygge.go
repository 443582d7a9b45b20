package gas

import "github.com/filecoin-project/go-state-types/abi"

// hygge is the list of network versions 18 to 20: FIP-0057 repriced for the FEVM
// what FIP-0032 and, before the FVM, the actors' own VM had charged.
var hygge = PriceList{
	messageCompute: scaling{flat: 38863 * unit},                         // before the FVM
	messageStorage: scaling{flat: 36 * 1300 * unit, scale: 1300 * unit}, // before the FVM
	returnStorage:  scaling{scale: 1300 * unit},                         // before the FVM
	transfer:       6000 * unit,                                         // FIP-0057
	invoke:         75000 * unit,                                        // FIP-0057
	actorLookup:    500_000 * unit,                                      // FIP-0057
	actorUpdate:    475_000 * unit,                                      // FIP-0057
	actorCreate:    650_000 * unit,                                      // FIP-0057
	addressLookup:  1_050_000 * unit,                                    // FIP-0057
	addressAssign:  1_000_000 * unit,                                    // FIP-0057
	secp:           scaling{flat: 1_637_292 * unit, scale: 10 * unit},   // FIP-0057: the address is a blake2b hash
	bls:            scaling{flat: 16_598_605 * unit, scale: 26 * unit},  // FIP-0057
	secpRecover:    1_637_292 * unit,                                    // before the FVM
	hashing: hashPrices{
		sha2256:    7 * unit,  // FIP-0057
		blake2b256: 10 * unit, // FIP-0057
		blake2b512: 10 * unit, // FIP-0057
		keccak256:  33 * unit, // FIP-0057
		ripemd160:  35 * unit, // FIP-0057
	},
	unsealedSectorCID:   98647 * unit,                              // before the FVM
	verifySeal:          2000 * unit,                               // before the FVM
	aggregates:          []aggregate{seal32, seal64},               // FIP-0013
	windowPoSt:          scaling{117_680_921 * unit, 43780 * unit}, // before the FVM; the same for every proof type
	consensusFault:      516_422 * unit,                            // before the FVM
	replicaUpdate:       36_316_136 * unit,                         // FIP-0019
	drawRandomness:      21000 * unit,                              // FIP-0032, the price of an extern
	tipsetLatest:        scaling{flat: 50_000 * unit},              // FIP-0054
	tipsetEarlier:       scaling{flat: 215_000 * unit},             // FIP-0054
	blockAllocate:       2 * unit,                                  // FIP-0057
	blockMemcpy:         400,                                       // FIP-0057: 0.4 gas
	blockRetention:      10 * unit,                                 // FIP-0057: so that a tipset retains at most 1 GiB
	blockOpen:           187_440 * unit,                            // FIP-0057
	blockOpenName:       "OnBlockOpenPerByte",
	blockPersist:        scaling{334_000 * unit, 3340 * unit}, // FIP-0057
	blockPersistCompute: 172_000 * unit,                       // FIP-0057
	eventDecode:         scaling{1750 * unit, 25 * unit},      // FIP-0049
	Wasm: WasmPrices{
		HostCallCost: 14000 * unit, // FIP-0032
		MemoryByte:   400,          // FIP-0057: 0.4 gas
	},
	PreloadedActors: []abi.ActorID{0, 1, 2, 3, 4, 5, 6, 7, 10, 99}, // FIP-0057: paid for once a tipset
}

// seal32 and seal64 are the prices of aggregates of interactive PoRep, which came with FIP-0013.
var seal32 = aggregate{
	proof: abi.RegisteredSealProof_StackedDrg32GiBV1_1,
	per:   449_900 * unit,
	steps: []step{
		{4, 103_994_170 * unit}, {7, 112_356_810 * unit}, {13, 122_912_610 * unit}, {26, 137_559_930 * unit},
		{52, 162_039_100 * unit}, {103, 210_960_780 * unit}, {205, 318_351_180 * unit}, {410, 528_274_980 * unit},
	},
}

var seal64 = aggregate{
	proof: abi.RegisteredSealProof_StackedDrg64GiBV1_1,
	per:   359_272 * unit,
	steps: []step{
		{4, 102_581_240 * unit}, {7, 110_803_030 * unit}, {13, 120_803_700 * unit}, {26, 134_642_130 * unit},
		{52, 157_357_890 * unit}, {103, 203_017_690 * unit}, {205, 304_253_590 * unit}, {410, 509_880_640 * unit},
	},
}

package gas

// skyr is the list of network versions 16 and 17, the first of the FVM: FIP-0032 priced Wasm, syscalls, externs and
// blocks, and left everything else at what the actors' own VM had charged. The network's release of nv16 was Skyr.
var skyr = PriceList{
	messageCompute: scaling{flat: 38863 * unit},
	messageStorage: scaling{flat: 36 * 1300 * unit, scale: 1300 * unit},
	returnStorage:  scaling{scale: 1300 * unit},
	send: sending{
		base:       29233 * unit,
		funds:      27500 * unit,
		onlyFunds:  159_672 * unit,
		callRebate: 5377 * unit,
	},
	actorCreateCompute: 1_108_454 * unit,
	actorCreate:        (36 + 40) * 1300 * unit,
	actorDelete:        NewSigned(-(36 + 40) * 1300),
	secp:               scaling{flat: 1_637_292 * unit},
	bls:                scaling{flat: 16_598_605 * unit},
	secpRecover:        1_637_292 * unit,
	hashingFlat:        31355 * unit,
	unsealedSectorCID:  98647 * unit,
	verifySeal:         2000 * unit,
	aggregates:         []aggregate{seal32, seal64}, // FIP-0013
	windowPoSt:         scaling{117_680_921 * unit, 43780 * unit},
	consensusFault:     (21000 + 495_422) * unit, // FIP-0032: with an extern
	replicaUpdate:      36_316_136 * unit,        // FIP-0019
	drawRandomness:     21000 * unit,             // FIP-0032: an extern
	blockMemcpy:        500,                      // FIP-0032: 0.5 gas
	blockAllocate:      10 * unit,                // FIP-0032: memory retained
	blockOpen:          (21000 + 114_617) * unit, // FIP-0032: with an extern
	blockOpenName:      "OnBlockOpenPerByte",
	blockLink:          scaling{353_640 * unit, 2 * 500}, // FIP-0032: copied to the buffer and, when it is flushed, to the store
	blockPersist:       scaling{scale: 1300 * unit},
	silent:             true,
	externComputes:     true,
	Wasm:               WasmPrices{HostCallCost: 14000 * unit}, // FIP-0032; memory is free
}

package gas

// watermelon is the list of network versions 21 to 24: Hygge's with prices for
// links (reachability of IPLD blocks), for events by their parts, and for
// looking back on the chain by the distance.
var watermelon = watermelonPrices()

func watermelonPrices() PriceList {
	p := hygge

	// Actors reach only the blocks that they were shown links to (FIP-0071).
	p.linkTracked = 300 * unit
	p.linkChecked = 300 * unit
	p.IPLDScanPerField = 35 * unit
	p.IPLDScanPerCID = 400 * unit
	p.innerReturns = true
	p.blockOpenName = "OnBlockOpen"
	p.blockOpenIsOther = true

	// Looking back costs by the distance, for tipsets and randomness alike
	// (FIP-0075): 1500 gas a step of 20 epochs, 19 epochs walked one by one, the
	// randomness or CID itself, the extern.
	lookback := scaling{flat: (19*5800 + 15000 + 21000) * unit, scale: 1500 / 20 * unit}
	p.randomness = lookback
	p.tipsetLatest, p.tipsetEarlier = lookback, lookback
	p.drawRandomness = 0 // actors draw for themselves

	// Events come in parts instead of one CBOR block (FIP-0072).
	p.eventEntry = scaling{2000 * unit, 1400 * unit}
	p.utf8 = scaling{500 * unit, 16 * unit}
	p.eventDecode = scaling{}

	// BLS aggregates are a syscall of their own (FIP-0079).
	p.blsPairing = 8_299_302 * unit
	p.blsHashing = scaling{scale: 7 * unit}
	return p
}

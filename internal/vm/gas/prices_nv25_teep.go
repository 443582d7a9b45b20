package gas

import "github.com/filecoin-project/go-state-types/abi"

// teep is the list of network versions 25 to 29 and of the preview: Watermelon's
// with seals at their cost.
var teep = teepPrices()

func teepPrices() PriceList {
	p := watermelon
	p.verifySeal = 42_000_000 * unit // FIP-0076
	p.aggregates = []aggregate{seal32, seal64, niSeal32, niSeal64}
	return p
}

// niSeal32 and niSeal64 are the prices of aggregates of non-interactive PoRep,
// 126 proofs a sector (FIP-0092). Until nv24 they cost what seal32 does.
var niSeal32 = aggregate{
	proof: abi.RegisteredSealProof_StackedDrg32GiBV1_2_Feat_NiPoRep,
	per:   44_990 * 126 * unit,
	steps: []step{
		{1, 112_356_810 * unit}, {2, 122_912_610 * unit}, {3, 137_559_930 * unit}, {5, 162_039_100 * unit},
		{9, 210_960_780 * unit}, {17, 318_351_180 * unit}, {33, 528_274_980 * unit},
	},
}

var niSeal64 = aggregate{
	proof: abi.RegisteredSealProof_StackedDrg64GiBV1_2_Feat_NiPoRep,
	per:   35_928 * 126 * unit,
	steps: []step{
		{1, 110_803_030 * unit}, {2, 120_803_700 * unit}, {3, 134_642_130 * unit}, {5, 157_357_890 * unit},
		{9, 203_017_690 * unit}, {17, 304_253_590 * unit}, {33, 509_880_640 * unit},
	},
}

package messages

import (
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/vector"
)

var (
	ParseAmount = parseAmount
	InitCode    = initCode
)

// ReadFacts reads JSON as --randomness does, and tells how many answers there are then.
func ReadFacts(text []byte) (answers int, err error) {
	o := &outside{randomness: map[vector.Round][32]byte{}, always: map[bool][32]byte{}, said: map[question]string{}, tipsets: map[abi.ChainEpoch]cid.Cid{}}
	err = o.readFacts("--randomness", text, []bool{false, true})
	return len(o.randomness) + len(o.tipsets) + len(o.faults), err
}

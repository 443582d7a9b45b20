package fuzz

import (
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/lab/fuzz/internal/script"
	"github.com/edgefvm/fvm/lab/oracle"
)

// setting is a request of this world without messages.
func (g *gen) setting() *oracle.Request {
	r := &oracle.Request{
		NV: g.NV, Epoch: g.Epoch, Timestamp: uint64(g.Epoch) * 30, ChainID: 314, Root: g.root.String(), Proofs: "valid",
		BaseFee:    pick(g.Rand, "100", "100", "0", "1", "1000000000", "12345678901234567890"),
		CircSupply: pick(g.Rand, "1234567890123456789012345678", "0", "2000000000000000000000000000"),
	}
	switch g.IntN(8) {
	case 0:
		r.Proofs = "invalid"
	case 1:
		r.Proofs = "upstream"
	}
	if g.one(6) {
		r.ChainID = pick[uint64](g.Rand, 314159, 0, 1, 31415926)
	}
	if g.one(10) {
		r.Timestamp = g.Uint64() >> g.IntN(64)
	}
	return r
}

// answers adds what scripts ask the chain for.
func (g *gen) answers(r *oracle.Request) {
	for i, back := range []abi.ChainEpoch{1, 2, 10, 100} {
		for _, beacon := range []bool{false, true} {
			ret := make([]byte, 32)
			for k := range ret {
				ret[k] = byte(i + 1)
			}
			r.Randomness = append(r.Randomness, oracle.Randomness{On: oracle.Round{Beacon: beacon, Epoch: r.Epoch - back}, Ret: ret})
		}
		if g.NV >= 18 {
			r.Tipsets = append(r.Tipsets, oracle.Tipset{Epoch: r.Epoch - back, CID: tipset(back)})
		}
	}
	for i, f := range script.Faults(&script.Env{}) {
		if f.Type > 0 {
			r.Faults = append(r.Faults, oracle.Fault{H1: some(f.H1), H2: some(f.H2), Extra: some(f.Extra), Target: abi.ActorID(1000 + i), Epoch: r.Epoch - 5, Type: f.Type})
		}
	}
}

func some(b []byte) []byte { return append([]byte{}, b...) }

func tipset(back abi.ChainEpoch) string {
	return block(cid.DagCBOR, fmt.Append(nil, "tipset ", back)).CID.String()
}

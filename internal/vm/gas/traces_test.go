package gas

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	stcrypto "github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/trace"
)

// TestChargesInTraces takes the charges apart that the reference implementation
// made in real messages: for each there must be arguments with which ours is the
// same, and where the trace shows the argument (the size of a block, of a return
// value) it must be that one.
func TestChargesInTraces(t *testing.T) {
	for _, c := range []struct {
		file  string
		lists []*PriceList
		names int // of charges, at least
	}{
		{"v2.json", []*PriceList{&skyr}, 22},
		{"v3.json", []*PriceList{&hygge}, 32},
		{"v4.json", []*PriceList{&watermelon, &teep}, 35},
	} {
		data, err := os.ReadFile("../../../trace/testdata/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		var traces []trace.Events
		if err := json.Unmarshal(data, &traces); err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for m, es := range traces {
			for i, e := range es {
				g, ok := e.(*trace.GasCharge)
				if !ok {
					continue
				}
				want := Charge{g.Name, Gas(g.Compute), Gas(g.Other)}
				known, same := false, false
				for _, p := range c.lists {
					candidates := p.explain(want, around{es, i})
					known = known || candidates != nil
					for _, got := range candidates {
						same = same || got == want
					}
				}
				if known {
					seen[g.Name]++
				}
				if known && !same {
					t.Errorf("%s: message %d, event %d: no arguments give %+v", c.file, m, i, want)
				}
			}
		}
		if len(seen) < c.names {
			t.Errorf("%s: only %d names of charges: %v", c.file, len(seen), seen)
		}
	}
}

// around is a place in a trace.
type around struct {
	es trace.Events
	i  int
}

// next is the size that the event after this place shows, -1 if it shows none.
func (a around) next() int {
	if a.i+1 < len(a.es) {
		switch e := a.es[a.i+1].(type) {
		case *trace.IPLD:
			return e.Size
		case *trace.Return:
			if e.Data != nil {
				return len(e.Data.Data)
			}
		}
	}
	return -1
}

// opened is the size of the block opened last.
func (a around) opened() int {
	for i := a.i; i >= 0; i-- {
		if b, ok := a.es[i].(*trace.IPLD); ok && !b.Put {
			return b.Size
		}
	}
	return -1
}

func over(g, unit Gas) int {
	if unit == 0 {
		return 0
	}
	return int(g / unit)
}

// explain is the charges that could be want at its place: nil for names that
// are not of the price list, such as those that actors choose.
func (p *PriceList) explain(want Charge, at around) []Charge {
	one := func(c Charge) []Charge { return []Charge{c} }
	if p == &skyr {
		if all := p.explainFirst(want); all != nil {
			return all
		}
	}
	switch want.Name {
	case "OnChainMessage":
		return one(p.OnChainMessage(over(want.Other-p.OnChainMessage(0).Other, p.messageStorage.scale)))
	case "OnChainReturnValue":
		size := at.next()
		if size < 0 { // the return value was too dear and is not in the trace
			size = over(want.Other, p.returnStorage.scale)
		}
		return one(returned(p.OnMethodReturn(1, size, 0)))
	case "OnReturnValue":
		return one(returned(p.OnMethodReturn(2, 0, over(want.Compute, p.linkTracked))))
	case "OnMethodInvocation":
		return one(p.OnMethodInvocation(0, over(want.Compute-p.invoke, p.linkTracked)))
	case "OnCreateActor":
		return []Charge{p.OnCreateActor(true), p.OnCreateActor(false)}
	case "OnTipsetCid":
		n := over(want.Other-p.tipsetEarlier.flat, p.tipsetEarlier.scale)
		return []Charge{p.OnTipsetCid(1), p.OnTipsetCid(max(2, abi.ChainEpoch(n)))}
	case "OnGetRandomness":
		if p.drawRandomness != 0 {
			return one(p.OnDrawRandomness(over(want.Other-p.drawRandomness, p.hashing.blake2b256) - drawSeed))
		}
		return []Charge{p.OnGetRandomness(-1), p.OnGetRandomness(abi.ChainEpoch(over(want.Other-p.randomness.flat, p.randomness.scale)))}
	case "OnBlockOpenPerByte": // traces of before nv21 do not show blocks
		return one(p.OnBlockOpen(over(want.Total(), p.blockRetention), 0))
	case "OnBlockOpen":
		return one(p.OnBlockOpen(at.opened(), over(want.Compute, p.linkTracked)))
	case "OnBlockRead":
		return one(p.OnBlockRead(over(want.Compute, p.blockMemcpy)))
	case "OnBlockCreate":
		return p.explainBlockCreate(want)
	case "OnBlockLink":
		size := at.next()
		if size < 0 { // before nv21, or out of gas
			size = over(want.Other-p.OnBlockLink(crypto.BLAKE2b256, 0).Other, p.blockPersist.scale)
		}
		return one(p.OnBlockLink(crypto.BLAKE2b256, size))
	case "OnActorEvent":
		return p.explainEvent(want)
	case "OnActorEventValidate":
		return one(p.OnActorEventValidate(over(want.Compute-p.eventDecode.flat, p.eventDecode.scale+2400)))
	case "OnActorEventAccept":
		return one(p.OnActorEventAccept(over(want.Compute, 2400) - eventOverhead))
	case "OnVerifySignature":
		return []Charge{
			p.OnVerifySignature(stcrypto.SigTypeSecp256k1, over(want.Compute.Sub(p.secp.flat), p.secp.scale)),
			p.OnVerifySignature(stcrypto.SigTypeBLS, over(want.Compute.Sub(p.bls.flat), p.bls.scale)),
		}
	case "OnVerifyBlsAggregateSignature":
		keys := over(want.Compute, p.blsPairing) - 1
		return one(p.OnVerifyAggregateSignature(keys, over(want.Compute.Sub(p.blsPairing.Mul(uint64(keys+1))), p.blsHashing.scale)))
	case "OnHashing":
		var all []Charge
		for _, code := range []uint64{crypto.SHA256, crypto.Keccak256, crypto.RIPEMD160, crypto.BLAKE2b256, crypto.BLAKE2b512} {
			all = append(all, p.OnHashing(code, over(want.Compute, p.hashing.perByte(code))))
		}
		return all
	case "OnVerifyAggregateSeals":
		var all []Charge
		for _, a := range p.aggregates {
			for n := range 820 {
				all = append(all, p.OnVerifyAggregateSeals(aggregateOf(a.proof, n)))
			}
		}
		return all
	case "OnVerifyPost":
		return one(p.OnVerifyPost(postOf(over(want.Compute-p.windowPoSt.flat, p.windowPoSt.scale))))
	case "OnSyscall":
		return one(Charge{Name: want.Name, Compute: p.Wasm.HostCallCost})
	case "wasm_memory_init":
		return one(Charge{Name: want.Name, Compute: p.Wasm.OfMemory(uint64(over(want.Compute, 65536*p.Wasm.MemoryByte)) * 65536)})
	case "wasm_table_init":
		return one(Charge{Name: want.Name, Compute: p.Wasm.OfTable(uint32(over(want.Compute, TableElement*p.Wasm.MemoryByte)))})
	}
	for _, c := range p.fixed() {
		if c.Name == want.Name {
			return one(c)
		}
	}
	return nil
}

// explainFirst is explain for the charges that have another form at nv16 and nv17.
func (p *PriceList) explainFirst(want Charge) []Charge {
	size := over(want.Compute, p.copied(1))
	switch want.Name {
	case "OnMethodInvocation":
		none, some := abi.NewTokenAmount(0), abi.NewTokenAmount(1)
		return []Charge{p.OnSend(none, 0), p.OnSend(none, 1), p.OnSend(some, 0), p.OnSend(some, 1)}
	case "OnChainReturnValue": // it comes after the return
		return []Charge{returned(p.OnMethodReturn(1, over(want.Other, p.returnStorage.scale), 0))}
	case "OnGetRandomness":
		return []Charge{p.OnDrawRandomness(0)}
	case "OnBlockOpenPerByte":
		return []Charge{p.OnBlockOpen(size, 0)}
	case "OnBlockCreate":
		return []Charge{p.OnBlockCreate(size, 0)}
	case "OnBlockLink":
		return []Charge{p.OnBlockLink(crypto.BLAKE2b256, over(want.Other, p.blockPersist.scale))}
	}
	return nil
}

// explainBlockCreate finds the size from the sum, which is 10 a byte unless links outweigh that.
func (p *PriceList) explainBlockCreate(want Charge) []Charge {
	size := over(want.Total(), p.blockRetention)
	links := 0
	if p.linkChecked != 0 {
		links = over(want.Compute.Sub(p.copied(uint64(size))), p.linkChecked)
	}
	all := []Charge{p.OnBlockCreate(size, links)}
	if want.Other == 0 {
		for n := range 1 + over(want.Compute, 300*unit) {
			all = append(all, p.OnBlockCreate(over(want.Compute.Sub(p.linkChecked.Mul(uint64(n))), 2400), n))
		}
	}
	return all
}

// explainEvent finds the size from the deferred part, then tries every number of entries.
func (p *PriceList) explainEvent(want Charge) []Charge {
	size := over(want.Other, p.hashing.blake2b256+2400)
	all := []Charge{}
	for entries := 0; eventOverhead+eventEntryOverhead*entries <= size; entries++ {
		rest := size - eventOverhead - eventEntryOverhead*entries
		keys := over(want.Compute.Sub(p.OnActorEvent(entries, 0, rest).Compute), p.utf8.scale)
		if keys <= rest {
			all = append(all, p.OnActorEvent(entries, keys, rest-keys))
		}
	}
	return all
}

// fixed is the charges without arguments that matter.
func (p *PriceList) fixed() []Charge {
	return []Charge{
		p.OnValueTransfer(), p.OnDeleteActor(), p.OnActorLookup(), p.OnActorUpdate(), p.OnSelfBalance(), p.OnBalanceOf(),
		p.OnResolveAddress(), p.OnLookupDelegatedAddress(), p.OnGetActorCodeCid(), p.OnGetBuiltinActorType(), p.OnGetCodeCidForType(),
		p.OnNetworkContext(), p.OnMessageContext(), p.OnGetRoot(), p.OnSetRoot(), p.OnBlockOpenBase(), p.OnBlockStat(),
		p.OnRecoverSecpPublicKey(), p.OnComputeUnsealedSectorCid(0, 0), p.OnVerifySeal(proof.SealVerifyInfo{}), p.OnVerifyReplicaUpdate(proof.ReplicaUpdateInfo{}),
		p.OnVerifyConsensusFault(0, 0, 0),
	}
}

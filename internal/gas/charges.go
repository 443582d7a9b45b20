package gas

import (
	"github.com/filecoin-project/go-state-types/abi"
)

// OnChainMessage is the price of a message's inclusion, by its bytes on the
// chain: storing it, and updating its sender.
func (p *PriceList) OnChainMessage(size int) Charge {
	n := uint64(size)
	return Charge{Name: "OnChainMessage", Compute: p.messageCompute.of(n), Other: p.actorUpdate.Add(p.messageStorage.of(n))}
}

// OnValueTransfer is the price of moving funds.
func (p *PriceList) OnValueTransfer() Charge {
	return Charge{Name: "OnValueTransfer", Compute: p.transfer}
}

// OnMethodInvocation is the price of calling a method with parameters of so many bytes and links.
func (p *PriceList) OnMethodInvocation(_, links int) Charge {
	return Charge{Name: "OnMethodInvocation", Compute: p.invoke.Add(p.linkTracked.Mul(uint64(links)))}
}

// OnMethodReturn is the price of a returned block. At depth 1 it goes on the
// chain; deeper it goes to the calling actor, which until nv20 is not even a
// charge of nothing: then it returns false.
func (p *PriceList) OnMethodReturn(depth uint32, size, links int) (Charge, bool) {
	if depth == 1 {
		return Charge{Name: "OnChainReturnValue", Other: p.returnStorage.of(uint64(size))}, true
	}
	return Charge{Name: "OnReturnValue", Compute: p.linkTracked.Mul(uint64(links))}, p.innerReturns
}

// OnCreateActor is the price of a new actor, and of its address where that is new.
func (p *PriceList) OnCreateActor(newAddress bool) Charge {
	g := p.actorCreate
	if newAddress {
		g = g.Add(p.addressAssign).Add(p.addressLookup)
	}
	return Charge{Name: "OnCreateActor", Other: g}
}

// OnDeleteActor is the price of deleting an actor: none.
func (p *PriceList) OnDeleteActor() Charge { return Charge{Name: "OnDeleteActor"} }

// OnActorLookup is the price of a message's first look at an actor.
func (p *PriceList) OnActorLookup() Charge {
	return Charge{Name: "OnActorLookup", Other: p.actorLookup}
}

// OnActorUpdate is the price of a message's first change of an actor, beside that of the look.
func (p *PriceList) OnActorUpdate() Charge {
	return Charge{Name: "OnActorUpdate", Other: p.actorUpdate}
}

// OnSelfBalance is the price of the actor's own balance: none.
func (p *PriceList) OnSelfBalance() Charge { return Charge{Name: "OnSelfBalance"} }

// OnBalanceOf is the price of another actor's balance: none.
func (p *PriceList) OnBalanceOf() Charge { return Charge{Name: "OnBalanceOf"} }

// OnResolveAddress is the price of resolving an address: none.
func (p *PriceList) OnResolveAddress() Charge { return Charge{Name: "OnResolveAddress"} }

// OnLookupDelegatedAddress is the price of an actor's f4 address: none.
func (p *PriceList) OnLookupDelegatedAddress() Charge { return Charge{Name: "OnLookupAddress"} }

// OnGetActorCodeCid is the price of an actor's code: none.
func (p *PriceList) OnGetActorCodeCid() Charge { return Charge{Name: "OnGetActorCodeCid"} }

// OnGetBuiltinActorType is the price of looking code up in the manifest: none.
func (p *PriceList) OnGetBuiltinActorType() Charge { return Charge{Name: "OnGetBuiltinActorType"} }

// OnGetCodeCidForType is the price of looking a type up in the manifest: none.
func (p *PriceList) OnGetCodeCidForType() Charge { return Charge{Name: "OnGetCodeCidForType"} }

// OnNetworkContext is the price of knowing the network: none.
func (p *PriceList) OnNetworkContext() Charge { return Charge{Name: "OnNetworkContext"} }

// OnMessageContext is the price of knowing the message: none.
func (p *PriceList) OnMessageContext() Charge { return Charge{Name: "OnMessageContext"} }

// OnTipsetCid is the price of an earlier tipset's CID.
func (p *PriceList) OnTipsetCid(lookback abi.ChainEpoch) Charge {
	price := &p.tipsetLatest
	if lookback > 1 {
		price = &p.tipsetEarlier
	}
	return Charge{Name: "OnTipsetCid", Other: price.of(uint64(lookback))}
}

// OnGetRandomness is the price of a round's digest (nv21 and later).
// Quirk: a round of the future looks back by a negative number of epochs, which
// counts as an enormous one, so that it costs all gas.
func (p *PriceList) OnGetRandomness(lookback abi.ChainEpoch) Charge {
	return Charge{Name: "OnGetRandomness", Other: p.randomness.of(uint64(lookback))}
}

// drawSeed is what is hashed beside the entropy, in bytes: purpose, digest and round.
const drawSeed = 8 + 32 + 8

// OnDrawRandomness is the price of randomness drawn with entropy of so many
// bytes (until nv20). It has the name of OnGetRandomness.
func (p *PriceList) OnDrawRandomness(entropy int) Charge {
	hash := p.hashing.blake2b256.Mul(uint64(entropy) + drawSeed)
	return Charge{Name: "OnGetRandomness", Other: p.drawRandomness.Add(hash)}
}

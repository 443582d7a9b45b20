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

// OnSend is the price of a call and of what it transfers, together (until nv17). It has the name of OnMethodInvocation.
func (p *PriceList) OnSend(value abi.TokenAmount, method abi.MethodNum) Charge {
	g := p.send.base
	switch {
	case method != 0:
		g = g.Sub(p.send.callRebate)
	case !value.IsZero():
		g = g.Add(p.send.onlyFunds)
	}
	if !value.IsZero() {
		g = g.Add(p.send.funds)
	}
	return Charge{Name: "OnMethodInvocation", Compute: g}
}

// free is a charge of nothing, which shows in traces only from nv18 on: until then what was free was not charged.
func (p *PriceList) free(name string) Charge {
	if p.silent {
		return Charge{}
	}
	return Charge{Name: name}
}

// extern is the price of asking the node, which counts as computing until nv17.
func (p *PriceList) extern(name string, g Gas) Charge {
	if p.externComputes {
		return Charge{Name: name, Compute: g}
	}
	return Charge{Name: name, Other: g}
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
	return Charge{Name: "OnCreateActor", Compute: p.actorCreateCompute, Other: g}
}

// OnDeleteActor is the price of deleting an actor: none, and until nv17 less than none, a signed number.
func (p *PriceList) OnDeleteActor() Charge {
	return Charge{Name: "OnDeleteActor", Other: p.actorDelete}
}

// OnActorLookup is the price of a message's first look at an actor.
func (p *PriceList) OnActorLookup() Charge {
	if p.silent {
		return Charge{}
	}
	return Charge{Name: "OnActorLookup", Other: p.actorLookup}
}

// OnActorUpdate is the price of a message's first change of an actor, beside that of the look.
func (p *PriceList) OnActorUpdate() Charge {
	if p.silent {
		return Charge{}
	}
	return Charge{Name: "OnActorUpdate", Other: p.actorUpdate}
}

// OnSelfBalance is the price of the actor's own balance: none.
func (p *PriceList) OnSelfBalance() Charge { return p.free("OnSelfBalance") }

// OnBalanceOf is the price of another actor's balance: none.
func (p *PriceList) OnBalanceOf() Charge { return p.free("OnBalanceOf") }

// OnResolveAddress is the price of resolving an address: none.
func (p *PriceList) OnResolveAddress() Charge { return p.free("OnResolveAddress") }

// OnLookupDelegatedAddress is the price of an actor's f4 address: none.
func (p *PriceList) OnLookupDelegatedAddress() Charge { return p.free("OnLookupAddress") }

// OnGetActorCodeCid is the price of an actor's code: none.
func (p *PriceList) OnGetActorCodeCid() Charge { return p.free("OnGetActorCodeCid") }

// OnGetBuiltinActorType is the price of looking code up in the manifest: none.
func (p *PriceList) OnGetBuiltinActorType() Charge { return p.free("OnGetBuiltinActorType") }

// OnGetCodeCidForType is the price of looking a type up in the manifest: none.
func (p *PriceList) OnGetCodeCidForType() Charge { return p.free("OnGetCodeCidForType") }

// OnNetworkContext is the price of knowing the network: none.
func (p *PriceList) OnNetworkContext() Charge { return p.free("OnNetworkContext") }

// OnMessageContext is the price of knowing the message: none.
func (p *PriceList) OnMessageContext() Charge { return p.free("OnMessageContext") }

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
	return p.extern("OnGetRandomness", p.drawRandomness.Add(hash))
}

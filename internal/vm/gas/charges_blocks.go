package gas

// copied is the price of allocating n bytes and copying a block to them.
func (p *PriceList) copied(n uint64) Gas { return p.blockMemcpy.Mul(n).Add(p.blockAllocate.Mul(n)) }

// retained is what a block of n bytes costs beyond paid, so that blocks in memory have a least price.
func (p *PriceList) retained(n uint64, paid Gas) Gas { return p.blockRetention.Mul(n).Sub(paid) }

// OnGetRoot is the price of the actor's own root (nv21 and later).
func (p *PriceList) OnGetRoot() Charge { return Charge{Name: "OnActorGetRoot", Compute: p.linkTracked} }

// OnSetRoot is the price of changing it (nv21 and later).
func (p *PriceList) OnSetRoot() Charge { return Charge{Name: "OnActorSetRoot", Compute: p.linkChecked} }

// OnBlockOpenBase is the price of asking for a block, found or not.
func (p *PriceList) OnBlockOpenBase() Charge {
	c := p.extern("OnBlockOpenBase", p.blockOpen)
	c.Compute = c.Compute.Add(p.linkChecked)
	return c
}

// OnBlockOpen is the price of the found block, of so many bytes and links.
func (p *PriceList) OnBlockOpen(size, links int) Charge {
	n := uint64(size)
	compute, other := p.linkTracked.Mul(uint64(links)), p.copied(n)
	if !p.blockOpenIsOther {
		compute, other = compute.Add(other), 0
	}
	return Charge{Name: p.blockOpenName, Compute: compute, Other: other.Add(p.retained(n, compute.Add(other)))}
}

// OnBlockRead is the price of copying so many bytes of a block to the actor.
func (p *PriceList) OnBlockRead(size int) Charge {
	return Charge{Name: "OnBlockRead", Compute: p.blockMemcpy.Mul(uint64(size))}
}

// OnBlockCreate is the price of a new block of so many bytes and links.
func (p *PriceList) OnBlockCreate(size, links int) Charge {
	n := uint64(size)
	compute := p.copied(n).Add(p.linkChecked.Mul(uint64(links)))
	return Charge{Name: "OnBlockCreate", Compute: compute, Other: p.retained(n, compute)}
}

// OnBlockLink is the price of storing a block of so many bytes under the hash
// of a multihash function.
func (p *PriceList) OnBlockLink(code uint64, size int) Charge {
	n := uint64(size)
	if p.blockLink != (scaling{}) {
		return Charge{Name: "OnBlockLink", Compute: p.blockLink.of(n), Other: p.blockPersist.of(n)}
	}
	compute := p.copied(n).Add(p.hashing.perByte(code).Mul(n)).Add(p.linkTracked)
	return Charge{Name: "OnBlockLink", Compute: compute, Other: p.blockPersistCompute.Add(p.blockPersist.of(n))}
}

// OnBlockStat is the price of a block's size and codec: none.
func (p *PriceList) OnBlockStat() Charge { return Charge{Name: "OnBlockStat"} }

// Encoded size of an event beside its keys and values, in bytes.
const (
	eventOverhead      = 12 // the tuple, the emitter, the list of entries
	eventEntryOverhead = 9  // flags, codec and lengths
)

// OnActorEvent is the price of an event of so many entries, with so many bytes
// of keys and values (nv21 and later): two copies and the validation while the
// message runs, a copy and a hash when it has.
func (p *PriceList) OnActorEvent(entries, keys, values int) Charge {
	// Counted as Gas because the size, too, saturates.
	n := uint64(Gas(eventEntryOverhead).Mul(uint64(entries)).Add(eventOverhead).Add(Gas(keys)).Add(Gas(values)))
	mem := p.copied(n)
	validate := p.eventEntry.of(uint64(entries)).Add(p.utf8.of(uint64(keys)))
	return Charge{
		Name:    "OnActorEvent",
		Compute: mem.Mul(2).Add(validate),
		Other:   p.hashing.blake2b256.Mul(n).Add(mem),
	}
}

// OnActorEventValidate is the price of decoding an event of so many bytes of CBOR (until nv20).
func (p *PriceList) OnActorEventValidate(size int) Charge {
	n := uint64(size)
	return Charge{Name: "OnActorEventValidate", Compute: p.copied(n).Add(p.eventDecode.of(n))}
}

// OnActorEventAccept is the price of keeping an event of so many bytes of CBOR (until nv20).
func (p *PriceList) OnActorEventAccept(size int) Charge {
	n := uint64(size) + eventOverhead
	memcpy, alloc := p.blockMemcpy.Mul(n), p.blockAllocate.Mul(n)
	return Charge{
		Name:    "OnActorEventAccept",
		Compute: memcpy.Add(alloc),
		Other:   memcpy.Mul(2).Add(alloc).Add(p.hashing.blake2b256.Mul(n)),
	}
}

package script

import (
	"math"
	"math/rand/v2"
	"sync"
)

// Env is what a case may know of the world it runs in.
type Env struct {
	NV, Era   int
	Epoch     int64
	Rand      *rand.Rand
	Self      uint64            // script actor that the message goes to, one of Pool
	Pool      []uint64          // script actors
	Pool2     []uint64          // their partners
	Others    []uint64          // other script actors: the partner of Self and one without a balance
	WatActors map[string]uint64 // actors of hand-written modules
	Sender    uint64            // id of the sender's account
	SenderKey []byte            // its f1 address
	ScriptCid []byte            // code of the script actor
	Codes     map[string][]byte // builtin code CIDs by name
	StateCid  []byte            // state root of the script actors
	StateData []byte
	Unlinked  []byte // CID of a block that is in the store and that nothing links to
	Addrs     map[string][]byte

	Placeholder     uint64 // an actor that another may replace, 0 if there is none
	PlaceholderAddr []byte // its f4 address
}

// next makes the next script actor of the pool the receiver.
func (e *Env) next() {
	for i, id := range e.Pool {
		if id == e.Self {
			i = (i + 1) % len(e.Pool)
			e.Self, e.Others[0] = e.Pool[i], e.Pool2[i]
			return
		}
	}
}

// kind says how an argument may be varied.
type kind int

const (
	kOut    kind = iota // pointer to a result of n bytes
	kPtr                // pointer to a buffer; the next argument is its length
	kLen                // length of the buffer before it
	kFixed              // pointer to n bytes
	kCid                // pointer to a CID
	kU32                // a number
	kU64                // a number
	kID                 // block id
	kActor              // actor id
	kTarget             // anything else that is left alone
)

// Arg is one argument of a valid call.
type Arg struct {
	Kind kind
	Val  any
	N    int // size behind a pointer
}

// Template makes a valid call of one operation: it puts what the call needs into the script and gives the arguments.
type Template struct {
	Name  string
	Op    Op
	From  int // first era
	To    int // last era
	Solo  bool
	Build func(e *Env, s *Script) []Arg
}

func out(s *Script, n int) Arg { return Arg{kOut, s.Out(n), n} }

// outBuf gives pointer and length of an output buffer.
func outBuf(s *Script, n int) (Arg, Arg) { return Arg{kPtr, s.Out(n), n}, Arg{kLen, n, n} }

// inBuf gives pointer and length of data.
func inBuf(s *Script, b []byte) (Arg, Arg) {
	return Arg{kPtr, s.Bytes(b), len(b)}, Arg{kLen, len(b), len(b)}
}

func cidArg(s *Script, cid []byte) Arg { return Arg{kCid, s.Bytes(cid), len(cid)} }

// create adds a block_create and gives where its id will lie.
func create(s *Script, codec uint64, data []byte) Ref32 {
	id := s.Out(4)
	s.Do(OpBlockCreate, id, codec, s.Bytes(data), len(data))
	return Ref32(id)
}

// link adds a block_link with Filecoin's hash function and gives where the CID will lie.
func link(s *Script, id any) uint64 {
	at := s.Out(104)
	s.Do(OpBlockLink, s.Out(4), id, hashBlake2b256, 32, at, 100)
	return at
}

// blockCodec is the codec that every era allows.
func (e *Env) blockCodec() uint64 {
	if e.Era == 2 {
		return codecDagCBOR
	}
	return codecRaw
}

func sealedCid(seed byte) []byte {
	d := make([]byte, 32)
	for i := range d {
		d[i] = seed
	}
	d[31] &= 0x3f
	return cidV1(0xf102, 0xb401, d)
}

func unsealedCid(seed byte) []byte {
	d := make([]byte, 32)
	for i := range d {
		d[i] = seed * byte(i+1)
	}
	d[31] &= 0x3f
	return cidV1(0xf101, 0x1012, d)
}

func bytes32(seed byte) []byte {
	b := make([]byte, 32)
	for i := range b {
		b[i] = seed
	}
	return b
}

// Proof parameters, as CBOR tuples.

func windowPost(proofType, sealType int64, sectors int, proof []byte) []byte {
	var list [][]byte
	for i := range sectors {
		list = append(list, cborArray(cborInt(sealType), cborUint(uint64(i)), cborLink(sealedCid(byte(i)))))
	}
	return cborArray(cborBytes(bytes32(7)), cborArray(cborArray(cborInt(proofType), cborBytes(proof))), cborArray(list...), cborUint(1000))
}

func aggregateSeals(sealType, aggType int64, n int) []byte {
	var list [][]byte
	for i := range n {
		list = append(list, cborArray(cborUint(uint64(i)), cborBytes(bytes32(1)), cborBytes(bytes32(2)), cborLink(sealedCid(byte(i))), cborLink(unsealedCid(byte(i)))))
	}
	return cborArray(cborUint(1000), cborInt(sealType), cborInt(aggType), cborBytes(bytes32(9)), cborArray(list...))
}

func replicaUpdate(typ int64, proofAsBytes bool) []byte {
	proof := cborBytes(bytes32(3))
	if !proofAsBytes {
		proof = cborArray(cborUint(1), cborUint(2), cborUint(200))
	}
	return cborArray(cborInt(typ), cborLink(sealedCid(1)), cborLink(sealedCid(2)), cborLink(unsealedCid(3)), proof)
}

func sealInfo(typ int64, n byte) []byte {
	return cborArray(cborInt(typ), cborArray(cborUint(1000), cborUint(uint64(n))), cborArray(cborUint(1), cborUint(2)),
		cborBytes(bytes32(1)), cborBytes(bytes32(2)), cborBytes(bytes32(n)), cborLink(sealedCid(n)), cborLink(unsealedCid(n)))
}

func pieces(sizes ...uint64) []byte {
	var list [][]byte
	for i, n := range sizes {
		list = append(list, cborArray(cborUint(n), cborLink(unsealedCid(byte(i+1)))))
	}
	return cborArray(list...)
}

// event of era 3: one CBOR block.
func eventCBOR(entries ...[]byte) []byte { return cborArray(entries...) }
func entryCBOR(flags uint64, key string, codec uint64, value []byte) []byte {
	return cborArray(cborUint(flags), cborText(key), cborUint(codec), cborBytes(value))
}

// entryHead is an event entry of era 4.
func entryHead(flags, codec uint64, keyLen, valLen uint32) []byte {
	return cat(le64(flags), le64(codec), le32(keyLen), le32(valLen))
}

const blsText = "a plain text of another length ...."

var aggregated = [][]byte{[]byte("one"), []byte("two two"), []byte("three three three")}

// Signing is slow, and these never change.
var (
	signedOnce     = sync.OnceValue(func() []byte { return blsKeys[0].Sign([]byte(blsText)) })
	aggregatedOnce = sync.OnceValue(func() []byte { return blsAggregate(blsKeys, aggregated) })
)

var blsKeys = []BlsKey{newBlsKey("a"), newBlsKey("b"), newBlsKey("c")}
var secpKey = newSecpKey("signer")

// templates is every syscall of every era.
var templates = []Template{
	{"message_context", OpMessageContext, 2, 4, false, func(e *Env, s *Script) []Arg { return []Arg{out(s, 80)} }},
	{"network_context", OpNetworkContext, 3, 4, false, func(e *Env, s *Script) []Arg { return []Arg{out(s, 44)} }},
	{"tipset_cid", OpTipsetCid, 3, 4, false, func(e *Env, s *Script) []Arg {
		p, n := outBuf(s, 100)
		return []Arg{out(s, 4), {kU64, e.Epoch - 1, 0}, p, n}
	}},
	{"circ_supply", OpCircSupply, 2, 4, false, func(e *Env, s *Script) []Arg { return []Arg{out(s, 16)} }},
	{"base_fee", OpBaseFee, 2, 2, false, func(e *Env, s *Script) []Arg { return []Arg{out(s, 16)} }},
	{"block_open", OpBlockOpen, 2, 4, false, func(e *Env, s *Script) []Arg {
		at := s.Out(104)
		s.Do(OpRoot, s.Out(4), at, 100)
		return []Arg{out(s, 16), {kCid, at, 38}}
	}},
	{"block_create", OpBlockCreate, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, cborArray(cborText("hello"), cborUint(1000), cborBytes(bytes32(4))))
		return []Arg{out(s, 4), {kU64, uint64(codecDagCBOR), 0}, p, n}
	}},
	{"block_read", OpBlockRead, 2, 4, false, func(e *Env, s *Script) []Arg {
		id := create(s, e.blockCodec(), cborBytes(bytes32(5)))
		p, n := outBuf(s, 34)
		return []Arg{out(s, 4), {kID, id, 0}, {kU32, 0, 0}, p, n}
	}},
	{"block_stat", OpBlockStat, 2, 4, false, func(e *Env, s *Script) []Arg {
		return []Arg{out(s, 12), {kID, create(s, e.blockCodec(), cborBytes(bytes32(6))), 0}}
	}},
	{"block_link", OpBlockLink, 2, 4, false, func(e *Env, s *Script) []Arg {
		id := create(s, codecDagCBOR, cborBytes(bytes32(8)))
		p, n := outBuf(s, 100)
		return []Arg{out(s, 4), {kID, id, 0}, {kU64, uint64(hashBlake2b256), 0}, {kU32, 32, 0}, p, n}
	}},
	{"root", OpRoot, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := outBuf(s, 100)
		return []Arg{out(s, 4), p, n}
	}},
	{"set_root", OpSetRoot, 2, 4, false, func(e *Env, s *Script) []Arg {
		at := link(s, create(s, codecDagCBOR, cborArray(cborUint(uint64(e.Rand.IntN(100))))))
		return []Arg{{kCid, at, 38}}
	}},
	{"current_balance", OpCurrentBalance, 2, 4, false, func(e *Env, s *Script) []Arg { return []Arg{out(s, 16)} }},
	{"resolve_address", OpResolveAddress, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, e.SenderKey)
		return []Arg{out(s, 8), p, n}
	}},
	{"lookup_delegated", OpLookupDelegated, 3, 4, false, func(e *Env, s *Script) []Arg {
		p, n := outBuf(s, 64)
		return []Arg{out(s, 4), {kActor, e.Self, 0}, p, n}
	}},
	{"get_actor_code_cid", OpGetActorCodeCid, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := outBuf(s, 100)
		return []Arg{out(s, 4), {kActor, e.Sender, 0}, p, n}
	}},
	{"next_actor_address", OpNextActorAddress, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := outBuf(s, 21)
		return []Arg{out(s, 4), p, n}
	}},
	{"create_actor", OpCreateActor, 3, 4, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, delegatedAddr(10, bytes32(3)[:20]))
		return []Arg{{kActor, uint64(5000 + e.Rand.IntN(1000)), 0}, cidArg(s, e.Codes["multisig"]), p, n}
	}},
	{"create_actor", OpCreateActor, 2, 2, false, func(e *Env, s *Script) []Arg {
		return []Arg{{kActor, uint64(5000 + e.Rand.IntN(1000)), 0}, cidArg(s, e.Codes["multisig"])}
	}},
	{"get_builtin_actor_type", OpGetBuiltinActorType, 2, 4, false, func(e *Env, s *Script) []Arg {
		return []Arg{out(s, 4), cidArg(s, e.Codes["account"])}
	}},
	{"get_code_cid_for_type", OpGetCodeCidForType, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := outBuf(s, 100)
		return []Arg{out(s, 4), {kU32, 1 + e.Rand.IntN(16), 0}, p, n}
	}},
	{"balance_of", OpBalanceOf, 3, 4, false, func(e *Env, s *Script) []Arg { return []Arg{out(s, 16), {kActor, e.Sender, 0}} }},
	{"verify_signature_secp", OpVerifySignature, 2, 4, false, func(e *Env, s *Script) []Arg {
		msg := []byte("a plain text of some length")
		sig, sigN := inBuf(s, secpKey.Sign(msg))
		addr, addrN := inBuf(s, secpKey.Address())
		text, textN := inBuf(s, msg)
		return []Arg{out(s, 4), {kU32, 1, 0}, sig, sigN, addr, addrN, text, textN}
	}},
	{"verify_signature_bls", OpVerifySignature, 2, 4, false, func(e *Env, s *Script) []Arg {
		msg := []byte(blsText)
		sig, sigN := inBuf(s, signedOnce())
		addr, addrN := inBuf(s, blsKeys[0].Address())
		text, textN := inBuf(s, msg)
		return []Arg{out(s, 4), {kU32, 2, 0}, sig, sigN, addr, addrN, text, textN}
	}},
	{"verify_bls_aggregate", OpVerifyBlsAggregate, 4, 4, false, func(e *Env, s *Script) []Arg {
		msgs := aggregated
		sig := aggregatedOnce()
		var keys, lens []byte
		for i, k := range blsKeys {
			keys = append(keys, k.Public()...)
			lens = append(lens, le32(uint32(len(msgs[i])))...)
		}
		text := cat(msgs...)
		return []Arg{out(s, 4), {kU32, 3, 0}, {kFixed, s.Bytes(sig), 96}, {kFixed, s.Bytes(keys), len(keys)},
			{kFixed, s.Bytes(text), len(text)}, {kFixed, s.Bytes(lens), len(lens)}}
	}},
	{"recover_secp", OpRecoverSecp, 2, 4, false, func(e *Env, s *Script) []Arg {
		digest := bytes32(0x5a)
		return []Arg{out(s, 65), {kFixed, s.Bytes(digest), 32}, {kFixed, s.Bytes(secpKey.SignDigest(digest)), 65}}
	}},
	{"hash", OpHash, 2, 4, false, func(e *Env, s *Script) []Arg {
		codes := []uint64{hashSha256, hashBlake2b256, hashBlake2b512, hashKeccak256, hashRipemd160}
		p, n := inBuf(s, []byte("the quick brown fox jumps over the lazy dog"))
		q, m := outBuf(s, 64)
		return []Arg{out(s, 4), {kU64, codes[e.Rand.IntN(len(codes))], 0}, p, n, q, m}
	}},
	{"unsealed_sector_cid", OpUnsealedSectorCid, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, pieces(128, 256, 1024))
		q, m := outBuf(s, 100)
		return []Arg{out(s, 4), {kU64, int64(5), 0}, p, n, q, m}
	}},
	{"verify_post", OpVerifyPost, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, windowPost(13, 8, 3, bytes32(1)))
		return []Arg{out(s, 4), p, n}
	}},
	{"verify_consensus_fault", OpVerifyConsensusFault, 2, 4, false, func(e *Env, s *Script) []Arg {
		a, an := inBuf(s, []byte("header one"))
		b, bn := inBuf(s, []byte("header two"))
		c, cn := inBuf(s, []byte("extra"))
		return []Arg{out(s, 20), a, an, b, bn, c, cn}
	}},
	{"verify_aggregate_seals", OpVerifyAggregateSeals, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, aggregateSeals(8, 1, 3))
		return []Arg{out(s, 4), p, n}
	}},
	{"verify_replica_update", OpVerifyReplicaUpdate, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, replicaUpdate(3, false))
		return []Arg{out(s, 4), p, n}
	}},
	{"batch_verify_seals", OpBatchVerifySeals, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, cborArray(sealInfo(8, 1), sealInfo(8, 2)))
		return []Arg{p, n, {kFixed, s.Out(2), 2}}
	}},
	{"verify_seal", OpVerifySeal, 2, 2, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, sealInfo(8, 1))
		return []Arg{out(s, 4), p, n}
	}},
	{"emit_event", OpEmitEvent, 4, 4, false, func(e *Env, s *Script) []Arg {
		entries := cat(entryHead(3, codecRaw, 4, 5), entryHead(1, codecCBOR, 2, 3))
		keys, vals := []byte("key1k2"), []byte("value\x82\x01\x02")
		kp, kn := inBuf(s, keys)
		vp, vn := inBuf(s, vals)
		return []Arg{{kFixed, s.Bytes(entries), len(entries)}, {kU32, 2, 0}, kp, kn, vp, vn}
	}},
	{"emit_event", OpEmitEvent, 3, 3, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, eventCBOR(entryCBOR(3, "key1", codecRaw, []byte("value")), entryCBOR(0, "", codecRaw, nil)))
		return []Arg{p, n}
	}},
	{"chain_randomness", OpChainRandomness, 4, 4, true, func(e *Env, s *Script) []Arg {
		return []Arg{out(s, 32), {kU64, e.Epoch - 100, 0}}
	}},
	{"beacon_randomness", OpBeaconRandomness, 4, 4, true, func(e *Env, s *Script) []Arg {
		return []Arg{out(s, 32), {kU64, e.Epoch - 10, 0}}
	}},
	{"chain_randomness", OpChainRandomness, 2, 3, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, []byte("entropy"))
		return []Arg{out(s, 32), {kU64, 5, 0}, {kU64, e.Epoch - 100, 0}, p, n}
	}},
	{"beacon_randomness", OpBeaconRandomness, 2, 3, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, []byte("entropy"))
		return []Arg{out(s, 32), {kU64, 8, 0}, {kU64, e.Epoch - 10, 0}, p, n}
	}},
	{"gas_charge", OpGasCharge, 2, 4, true, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, []byte("OnSomething"))
		return []Arg{p, n, {kU64, 12345, 0}}
	}},
	{"gas_available", OpGasAvailable, 3, 4, false, func(e *Env, s *Script) []Arg { return []Arg{out(s, 8)} }},
	{"send", OpSend, 3, 4, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, idAddr(e.Sender))
		return []Arg{out(s, 20), p, n, {kU64, 0, 0}, {kID, 0, 0}, {kU64, 0, 0}, {kU64, 7, 0}, {kU64, uint64(math.MaxUint64), 0}, {kU64, 0, 0}}
	}},
	{"send", OpSend, 2, 2, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, idAddr(e.Sender))
		return []Arg{out(s, 20), p, n, {kU64, 0, 0}, {kID, 0, 0}, {kU64, 0, 0}, {kU64, 7, 0}}
	}},
	{"debug_log", OpDebugLog, 2, 4, false, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, []byte("a line"))
		return []Arg{p, n}
	}},
	{"debug_enabled", OpDebugEnabled, 2, 4, false, func(e *Env, s *Script) []Arg { return []Arg{out(s, 4)} }},
	{"debug_store_artifact", OpDebugStoreArtifact, 2, 4, false, func(e *Env, s *Script) []Arg {
		a, an := inBuf(s, []byte("name"))
		b, bn := inBuf(s, []byte("content"))
		return []Arg{a, an, b, bn}
	}},
	{"self_destruct", OpSelfDestruct, 4, 4, true, func(e *Env, s *Script) []Arg { return []Arg{{kU32, 1, 0}} }},
	{"self_destruct", OpSelfDestruct, 2, 3, true, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, idAddr(e.Sender))
		return []Arg{p, n}
	}},
	{"exit", OpExit, 3, 4, true, func(e *Env, s *Script) []Arg {
		id := create(s, codecCBOR, cborArray(cborUint(1), cborUint(2)))
		p, n := inBuf(s, []byte("it failed"))
		return []Arg{{kU32, 0x1234, 0}, {kID, id, 0}, p, n}
	}},
	{"abort", OpExit, 2, 2, true, func(e *Env, s *Script) []Arg {
		p, n := inBuf(s, []byte("it failed"))
		return []Arg{{kU32, 0x1234, 0}, p, n}
	}},
}

// templatesFor gives the templates of an era.
func templatesFor(era int) []Template {
	var list []Template
	for _, t := range templates {
		if t.From <= era && era <= t.To {
			list = append(list, t)
		}
	}
	return list
}

// values gives the boundary values to put in place of an argument.
func (a Arg) values() []any {
	n := int64(a.N)
	switch a.Kind {
	case kOut, kFixed:
		return []any{memSize - n, memSize - n + 1, int64(memSize), int64(memSize + 1), int64(math.MaxUint32), int64(0)}
	case kPtr:
		return []any{memSize - n, memSize - n + 1, int64(memSize), int64(memSize + 1), int64(math.MaxUint32), int64(0)}
	case kLen:
		return []any{int64(0), int64(1), n - 1, n + 1, int64(memSize), int64(1 << 31), int64(math.MaxUint32)}
	case kCid:
		return []any{int64(memSize - 1), int64(memSize - 20), int64(memSize), int64(memSize + 1), int64(math.MaxUint32), int64(outEnd - 64), int64(0)}
	case kU32:
		return []any{int64(0), int64(1), int64(2), int64(17), int64(math.MaxInt32), int64(1 << 31), int64(math.MaxUint32)}
	case kU64:
		return []any{int64(0), int64(1), int64(2), int64(math.MaxInt32), int64(1 << 32), int64(math.MaxInt64), int64(math.MinInt64), int64(-1)}
	case kID:
		return []any{int64(0), int64(1), int64(77), int64(math.MaxInt32), int64(1 << 31), int64(math.MaxUint32)}
	case kActor:
		return []any{int64(0), int64(1), int64(2), int64(99), int64(10), int64(999999), int64(math.MaxInt64), int64(-1)}
	}
	return nil
}

// call appends the operation and hashes of what it wrote.
func (t Template) call(s *Script, args []Arg) {
	vals := make([]any, len(args))
	for i, a := range args {
		vals[i] = a.Val
	}
	s.Do(t.Op, vals...)
	for _, a := range args {
		if a.Kind == kOut || a.Kind == kPtr && a.N > 0 {
			if at, ok := a.Val.(uint64); ok && at >= outStart && at < outEnd {
				s.Fnv(at, a.N)
			}
		}
	}
}

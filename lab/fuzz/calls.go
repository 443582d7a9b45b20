package fuzz

import (
	"math/big"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/lab/fuzz/internal/script"
	"github.com/edgefvm/fvm/lab/oracle"
)

// CBOR items of params.
func uintItem(v uint64) *item      { return &item{value: v} }
func bytesItem(b []byte) *item     { return &item{major: 2, data: b} }
func listItem(list ...*item) *item { return &item{major: 4, items: list} }
func linkItem(c []byte) *item {
	return &item{major: 6, value: 42, items: []*item{bytesItem(append([]byte{0}, c...))}}
}

// amountItem is a token amount: a sign and the number, nothing for 0.
func amountItem(v *big.Int) *item {
	if v.Sign() == 0 {
		return bytesItem(nil)
	}
	sign := byte(0)
	if v.Sign() < 0 {
		sign = 1
	}
	return bytesItem(append([]byte{sign}, v.Bytes()...))
}

func fil(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18)) }

// callTo is a call of a builtin actor that could succeed.
type callTo struct {
	from     *account // nil: the system, implicitly
	to       uint64
	method   uint64
	params   *item // nil: none
	value    *big.Int
	implicit bool
}

// The singletons and the reserve, a multisig of the first two accounts.
const (
	systemID, initID, rewardID, cronID, powerID, marketID, verifregID, datacapID = 0, 1, 2, 3, 4, 5, 6, 7
	reserveID, burntID                                                           = 90, 99
)

// worldCalls is a case of calls of the builtin actors on the world, many of them changed.
func (g *gen) worldCalls() (*Case, error) {
	r := g.setting()
	r.BaseFee = "100"
	nonces := map[abi.ActorID]uint64{}
	calls := []callTo{g.createMiner()} // its miner is the next actor
	if g.one(2) {
		calls = nil
	}
	for range 3 + g.IntN(9) {
		if calls != nil && g.one(2) {
			calls = append(calls, g.minerCall())
			continue
		}
		calls = append(calls, g.call())
	}
	for _, c := range calls {
		m := script.Message{To: idBytes(c.to), Method: c.method, Value: c.value, GasLimit: 2_000_000_000, FeeCap: big.NewInt(200), Premium: big.NewInt(10)}
		switch {
		case c.implicit:
			m.From = idBytes(systemID)
		default:
			m.From, m.Nonce = c.from.address().Bytes(), c.from.Nonce+nonces[c.from.ID]
			nonces[c.from.ID]++
		}
		if c.params != nil {
			m.Params = c.params.appendTo(nil)
		}
		if g.one(3) {
			g.otherCall(&m)
		}
		r.Messages = append(r.Messages, oracle.Message{Bytes: m.Marshal(), Implicit: c.implicit})
	}
	return g.messages(r, "calls of builtin actors"), nil
}

// createMiner makes a miner of the third account, which is its owner.
func (g *gen) createMiner() callTo {
	owner, worker := g.of("secp")[2], g.of("bls")[0]
	proof := uint64(8) // window proofs of 32 GiB sectors; another kind of them from nv19 on
	if g.NV >= 19 {
		proof = 13
	}
	params := listItem(bytesItem(owner.address().Bytes()), bytesItem(worker.address().Bytes()), uintItem(proof), bytesItem([]byte("peer")), listItem(bytesItem([]byte("address"))))
	return callTo{from: owner, to: powerID, method: 2, params: params, value: fil(50_000)}
}

// minerCall is a call of that miner by its owner, or by cron.
func (g *gen) minerCall() callTo {
	owner := g.of("secp")[2]
	id := func(kind string) *item {
		list := g.of(kind)
		return bytesItem(idBytes(uint64(list[g.IntN(len(list))].ID)))
	}
	c := callTo{from: owner, to: g.Poor + 1}
	switch g.IntN(12) {
	case 0: // ControlAddresses
		c.method = 2
	case 1: // ChangeWorkerAddress
		c.method, c.params = 3, listItem(id("bls"), listItem(id("secp")))
	case 2: // ChangePeerID
		c.method, c.params = 4, listItem(bytesItem(g.bytes(20)))
	case 3: // WithdrawBalance
		c.method, c.params = 16, listItem(amountItem(big.NewInt(int64(g.IntN(1000)))))
	case 4: // ChangeMultiaddrs
		c.method, c.params = 18, listItem(listItem(bytesItem(g.bytes(10))))
	case 5: // ConfirmChangeWorkerAddress
		c.method = 21
	case 6: // RepayDebt
		c.method = 22
	case 7: // ChangeOwnerAddress
		c.method, c.params = 23, id("secp")
	case 8: // ChangeBeneficiary
		c.method, c.params = 30, listItem(id("secp"), amountItem(fil(5)), uintItem(uint64(g.Epoch)+1000))
	case 9: // GetBeneficiary
		c.method = 31
	case 10: // CompactPartitions
		c.method, c.params = 19, listItem(uintItem(uint64(g.IntN(48))), bytesItem(nil))
	case 11:
		c.value = fil(1)
	}
	return c
}

// otherCall changes a call.
func (g *gen) otherCall(m *script.Message) {
	switch g.IntN(8) {
	case 0:
		m.Method = uint64(g.IntN(40))
	case 1:
		m.GasLimit = 1 + g.Int64N(60_000_000)
	case 2:
		m.Value = new(big.Int).Abs(g.amount())
	case 3:
		m.To = g.receiver()
	default:
		m.Params = g.mutateCBOR(m.Params)
	}
}

// call is one of the calls that there are.
func (g *gen) call() callTo {
	secp := g.of("secp")
	any := secp[g.IntN(len(secp))]
	address := func() []byte { return secp[g.IntN(len(secp))].address().Bytes() }
	signer := secp[g.IntN(2)]
	code := func(name string) []byte {
		c, ok := g.manifest.ByName(name)
		if !ok {
			return nil
		}
		return c.Bytes()
	}
	allowance := amountItem(new(big.Int).Lsh(big.NewInt(1), uint(20+g.IntN(30))))
	system := func(to, method uint64, params *item) callTo {
		return callTo{to: to, method: method, params: params, implicit: true}
	}
	list := []func() callTo{
		func() callTo {
			return callTo{from: any, to: uint64(secp[0].ID), value: big.NewInt(int64(g.IntN(1000)))}
		},
		func() callTo { return callTo{from: any, to: uint64(any.ID), method: 2} }, // PubkeyAddress
		func() callTo { // a multisig
			ctor := listItem(listItem(bytesItem(address()), bytesItem(address())), uintItem(1+uint64(g.IntN(2))), uintItem(uint64(g.IntN(100))), uintItem(uint64(g.Epoch)))
			return callTo{from: any, to: initID, method: 2, params: listItem(linkItem(code("multisig")), bytesItem(ctor.appendTo(nil))), value: big.NewInt(int64(g.IntN(1000)))}
		},
		func() callTo { // a payment channel
			ctor := listItem(bytesItem(any.address().Bytes()), bytesItem(address()))
			return callTo{from: any, to: initID, method: 2, params: listItem(linkItem(code("paymentchannel")), bytesItem(ctor.appendTo(nil))), value: fil(1)}
		},
		func() callTo { // Propose
			inner := pick[uint64](g.Rand, 0, 0, 5, 6, 7, 8, 9)
			to, params := idBytes(reserveID), []byte(nil)
			switch inner {
			case 0:
				to = address()
			case 5: // AddSigner
				params = listItem(bytesItem(address()), &item{major: 7, value: 20}).appendTo(nil)
			case 6: // RemoveSigner
				params = listItem(bytesItem(secp[1].address().Bytes()), &item{major: 7, value: 20}).appendTo(nil)
			case 7: // SwapSigner
				params = listItem(bytesItem(secp[1].address().Bytes()), bytesItem(address())).appendTo(nil)
			case 8: // ChangeNumApprovalsThreshold
				params = listItem(uintItem(2)).appendTo(nil)
			case 9: // LockBalance
				params = listItem(uintItem(uint64(g.Epoch)), uintItem(1000), amountItem(fil(1))).appendTo(nil)
			}
			return callTo{from: signer, to: reserveID, method: 2, params: listItem(bytesItem(to), amountItem(big.NewInt(int64(g.IntN(1000)))), uintItem(inner), bytesItem(params))}
		},
		func() callTo { // Approve, Cancel
			return callTo{from: signer, to: reserveID, method: 3 + uint64(g.IntN(2)), params: listItem(uintItem(uint64(g.IntN(3))), bytesItem(nil))}
		},
		g.createMiner,
		func() callTo { return callTo{from: any, to: powerID, method: 9} }, // CurrentTotalPower
		func() callTo {
			return callTo{from: any, to: marketID, method: 2, params: bytesItem(any.address().Bytes()), value: fil(int64(g.IntN(10)))}
		},
		func() callTo { // WithdrawBalance
			return callTo{from: any, to: marketID, method: 3, params: listItem(bytesItem(any.address().Bytes()), amountItem(fil(1)))}
		},
		func() callTo { // AddVerifier
			return callTo{from: g.of("root")[0], to: verifregID, method: 2, params: listItem(bytesItem(address()), allowance)}
		},
		func() callTo {
			return callTo{from: g.of("root")[0], to: verifregID, method: 3, params: bytesItem(address())}
		},
		func() callTo { // AddVerifiedClient
			return callTo{from: any, to: verifregID, method: 4, params: listItem(bytesItem(address()), allowance)}
		},
		func() callTo { return system(rewardID, 3, nil) }, // ThisEpochReward
		func() callTo { // AwardBlockReward
			return system(rewardID, 2, listItem(bytesItem(idBytes(uint64(any.ID))), amountItem(big.NewInt(0)), amountItem(big.NewInt(int64(g.IntN(1e6)))), uintItem(1)))
		},
		func() callTo { return system(cronID, 2, nil) }, // EpochTick
		func() callTo { return callTo{from: any, to: rewardID, method: 3} },
	}
	for _, m := range []uint64{48890204, 2061153854, 116935346} { // Name, Symbol, TotalSupply of the data cap's token (FRC-0046)
		list = append(list, func() callTo { return callTo{from: any, to: datacapID, method: m} })
	}
	list = append(list, func() callTo { // Balance
		return callTo{from: any, to: datacapID, method: 3261979605, params: bytesItem(idBytes(uint64(secp[0].ID)))}
	})
	if g.NV >= 18 {
		list = append(list, func() callTo { // a contract, by Create and by CreateExternal
			return callTo{from: any, to: eamID, method: createExternal, params: bytesItem(initCode(join(g.evmCode(5))))}
		}, func() callTo {
			return callTo{from: any, to: burntID, method: 0, value: big.NewInt(int64(g.IntN(100)))}
		})
	}
	return list[g.IntN(len(list))]()
}

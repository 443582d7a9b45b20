package laboratory_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	initactor "github.com/filecoin-project/go-state-types/builtin/v18/init"
	"github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/builtin/v18/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v18/power"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/cheats"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// Runtime code of contracts (Ethereum yellow paper, appendix H).
var contracts = []struct {
	name string
	code []byte
}{
	{"keeps pairs of slot and value", unhex("60005b368110600a57005b8060200135813555604001600256")},
	{"reverts with data", unhex("63deadbeef5f526004601cfd")},
	{"destroys itself", unhex("33ff")},
	{"creates a contract, which destroys itself", unhex("6133ff5f526002601e5ff05000")},
	{"creates by a salt", unhex("6133ff5f525f356002601e5ff55000")},
	{"loops until the gas is gone", unhex("5b5f56")},
	{"runs into an invalid instruction", unhex("fe")},
	{"logs its calldata", unhex("365f5f3760016002365fa200")},
	{"hashes by a precompile and returns", unhex("365f5f3760205f365f60025afa5060205ff3")},
	{"sends on what it gets", unhex("5f5f5f5f345f355af15000")},
	{"keeps the block's facts", unhex("435f5542600155446002554860035500")},
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// initOf is init code that returns runtime code.
func initOf(code []byte) []byte {
	const head = 9 // bytes
	return append([]byte{0x60, byte(len(code)), 0x80, 0x60, head, 0x5f, 0x39, 0x5f, 0xf3}, code...)
}

// load is a node under all sorts of messages and edits.
type load struct {
	t      *testing.T
	n      *devtest.Net
	rng    *rand.Rand
	cheats *jsonrpc.Client
	made   []eth.Address
	miners []string
}

func newLoad(t *testing.T, seed uint64) *load {
	t.Helper()
	n := devtest.New(t, dev.Options{Genesis: genesis.Options{Miners: 1}})
	ms := &jsonrpc.Methods{}
	cheats.Register(ms, n.Node, cheats.Options{})
	l := &load{t: t, n: n, rng: rand.New(rand.NewPCG(seed, 2)), cheats: jsonrpc.New(ms, jsonrpc.Options{}).Client()}
	for _, c := range contracts {
		l.made = append(l.made, n.Deploy(t, l.rng.IntN(3), initOf(c.code)))
	}
	l.made = append(l.made, n.Deploy(t, 0, devtest.Token()), n.Deploy(t, 0, devtest.Nested()))
	return l
}

func (l *load) cheat(method string, params ...any) json.RawMessage {
	l.t.Helper()
	var out json.RawMessage
	if err := l.cheats.Call(l.t.Context(), &out, method, params...); err != nil {
		l.t.Fatalf("%s %v: %v", method, params, err)
	}
	return out
}

// somebody is an address: an account's, a contract's, an actor's, or nobody's.
func (l *load) somebody() eth.Address {
	switch l.rng.IntN(4) {
	case 0:
		return l.made[l.rng.IntN(len(l.made))]
	case 1:
		return eth.MaskedID(uint64(l.rng.IntN(1010)))
	case 2:
		var a eth.Address
		for i := range a {
			a[i] = byte(l.rng.Uint32()) | 1
		}
		return a
	}
	return eth.Address(l.n.Account(l.rng.IntN(5)).Eth)
}

// contract sends a transaction to a contract, or deploys one: most of them with gas enough.
func (l *load) contract() {
	gas := eth.Quantity(60_000_000)
	if l.rng.IntN(6) == 0 {
		gas = eth.Quantity(1_200_000 + l.rng.IntN(4_000_000))
	}
	c := eth.Call{Gas: &gas}
	if l.rng.IntN(3) == 0 {
		c.Value = eth.NewAmount(int64(l.rng.Uint32()))
	}
	switch l.rng.IntN(6) {
	case 0:
		c.Input = initOf(contracts[l.rng.IntN(len(contracts))].code)
	case 1:
		to := l.somebody()
		c.To = &to
	default:
		c.To = &l.made[l.rng.IntN(len(l.made))]
		c.Input = l.calldata()
	}
	l.n.Send(l.t, l.rng.IntN(4), c)
}

func (l *load) calldata() []byte {
	switch l.rng.IntN(4) {
	case 0:
		return nil
	case 1:
		return devtest.Transfer(l.somebody(), uint64(l.rng.IntN(1000)))
	case 2: // an address as a word, or a slot with its value
		a := l.somebody()
		return append(make([]byte, 12), append(a[:], bytes.Repeat([]byte{byte(l.rng.IntN(3))}, 32)...)...)
	}
	data := make([]byte, l.rng.IntN(200))
	for i := range data {
		data[i] = byte(l.rng.IntN(4))
	}
	return data
}

func params(v cbg.CBORMarshaler) []byte {
	var b bytes.Buffer
	if err := v.MarshalCBOR(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// native sends a message to a builtin actor.
func (l *load) native() {
	from := l.rng.IntN(4)
	me, other := l.n.Account(from).F1, l.n.Account(l.rng.IntN(6)).F1
	fil := func(n int64) abi.TokenAmount { return big.Mul(big.NewInt(n), big.NewInt(1e18)) }
	m := fvm.Message{GasLimit: 200_000_000}
	switch l.rng.IntN(8) {
	case 0:
		m.To, m.Value = other, big.NewInt(int64(l.rng.Uint32()))
	case 1:
		m.To, m.Method, m.Value = builtin.StorageMarketActorAddr, builtin.MethodsMarket.AddBalance, fil(2)
		m.Params = params(&other)
	case 2:
		m.To, m.Method = builtin.StorageMarketActorAddr, builtin.MethodsMarket.WithdrawBalance
		m.Params = params(&market.WithdrawBalanceParams{ProviderOrClientAddress: me, Amount: fil(1)})
	case 3:
		m.To, m.Method = builtin.DatacapActorAddr, builtin.MethodsDatacap.TransferExported
		to := []address.Address{builtin.VerifiedRegistryActorAddr, other}[l.rng.IntN(2)]
		m.Params = params(&datacap.TransferParams{To: to, Amount: fil(int64(l.rng.IntN(1 << 20)))})
	case 4:
		m.To, m.Method = builtin.DatacapActorAddr, builtin.MethodsDatacap.IncreaseAllowanceExported
		m.Params = params(&datacap.IncreaseAllowanceParams{Operator: other, Increase: fil(5)})
	case 5:
		m.To, m.Method, m.Value = builtin.StoragePowerActorAddr, builtin.MethodsPower.CreateMiner, fil(int64(l.rng.IntN(600)))
		m.Params = params(&power.CreateMinerParams{Owner: me, Worker: me, WindowPoStProofType: abi.RegisteredPoStProof_StackedDrgWindow2KiBV1_1, Peer: abi.PeerID("peer")})
	case 6:
		m.To, m.Method, m.Value = builtin.InitActorAddr, builtin.MethodsInit.Exec, fil(3)
		m.Params = params(&initactor.ExecParams{CodeCID: l.code("multisig"), ConstructorParams: params(&multisig.ConstructorParams{
			Signers: []address.Address{me, other}, NumApprovalsThreshold: uint64(l.rng.IntN(4)), UnlockDuration: 100,
		})})
	case 7: // a method that nobody has, or one with parameters of chance
		m.To, m.Method = builtin.VerifiedRegistryActorAddr, abi.MethodNum(l.rng.IntN(20))
		m.Params = l.calldata()
	}
	l.n.SubmitNative(l.t, from, m)
}

// code of a builtin actor, by its name.
func (l *load) code(name string) cid.Cid {
	st, err := l.n.Tree(l.t.Context(), l.n.Latest())
	if err != nil {
		l.t.Fatal(err)
	}
	codes, err := st.Codes(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, c := range codes {
		if got, err := st.Name(l.t.Context(), c); err == nil && got == name {
			return c
		}
	}
	l.t.Fatalf("there is no actor %s", name)
	return cid.Undef
}

// edit bends the chain between two messages.
func (l *load) edit() {
	who := l.somebody().String()
	switch l.rng.IntN(10) {
	case 0:
		l.cheat("anvil_setBalance", l.n.Account(4).F410.String(), fmt.Sprint(l.rng.Uint64()))
	case 1:
		l.cheat("anvil_setCode", l.made[l.rng.IntN(len(l.made))].String(), fmt.Sprintf("0x%x", contracts[l.rng.IntN(len(contracts))].code))
	case 2:
		l.cheat("anvil_setStorageAt", l.made[l.rng.IntN(len(l.made))].String(), fmt.Sprint(l.rng.IntN(4)), fmt.Sprint(l.rng.IntN(3)))
	case 3:
		l.cheat("evm_increaseTime", l.rng.IntN(4000))
	case 4:
		l.cheat("hardhat_setNextBlockBaseFeePerGas", 100+l.rng.IntN(700))
	case 5:
		var m struct{ Miner, WorkerAddress string }
		if err := json.Unmarshal(l.cheat("fvm_createMiner", map[string]any{"sectors": l.rng.IntN(3)}), &m); err != nil {
			l.t.Fatal(err)
		}
		l.miners = append(l.miners, m.Miner)
	case 6:
		l.cheat("fvm_grantDatacap", l.n.Account(l.rng.IntN(4)).F1.String(), 1<<20)
	case 7:
		l.cheat("hardhat_setPrevRandao", "0x"+strings.Repeat(who[2:4], 32))
	case 8:
		l.cheat("fvm_skipEpochs", l.rng.IntN(70))
	case 9:
		l.cheat("anvil_mine", 1+l.rng.IntN(3))
	}
}

// together makes a block with several messages.
func (l *load) together() {
	l.n.SetAutomine(false)
	defer l.n.SetAutomine(true)
	for i := range 2 + l.rng.IntN(5) {
		gas, to := eth.Quantity(60_000_000), l.made[l.rng.IntN(len(l.made))]
		tx := l.n.Transaction(l.t, i%4, eth.Call{To: &to, Gas: &gas, Input: l.calldata()})
		if _, err := l.n.SubmitTransaction(l.t.Context(), tx); err != nil {
			l.t.Fatal(err)
		}
	}
	l.n.Blocks(l.t, 1)
}

// loadVectors are a random tenth of the messages of a node under a load of chance, as vectors: deployments, reverts, contracts that create and
// destroy, messages to the builtin actors, with edits of the state in between. EDGEFVM_SEED repeats a run.
func loadVectors(t *testing.T) (paths []string) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("EDGEFVM_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("EDGEFVM_SEED=%d", seed)
	l := newLoad(t, seed)
	for range 120 {
		switch k := l.rng.IntN(10); {
		case k < 5:
			l.contract()
		case k < 8:
			l.native()
		case k < 9:
			l.edit()
		default:
			l.together()
		}
	}
	draw, dir := rand.New(rand.NewPCG(seed, 3)), t.TempDir()
	kinds, all := map[string]int{}, 0
	for b := l.n.Latest(); b.Epoch() > 0; b = l.n.Parent(b) {
		for i, m := range b.Messages {
			all++
			kinds[fmt.Sprintf("exit %d", m.Result.ExitCode)]++
			if draw.IntN(10) > 0 {
				continue
			}
			path, err := l.n.ExtractVector(t.Context(), b, i, dir)
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
	}
	t.Logf("%d of %d messages are drawn; %v", len(paths), all, kinds)
	if len(kinds) < 4 || all < 100 {
		t.Errorf("the load has %d messages and %d kinds of ends: %v", all, len(kinds), kinds)
	}
	return paths
}

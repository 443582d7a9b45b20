package parallel_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v16/eam"
	initactor "github.com/filecoin-project/go-state-types/builtin/v16/init"
	"github.com/filecoin-project/go-state-types/builtin/v16/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v16/power"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// town is a ground with many accounts and what belongs to each of them: a contract, a multisig, a miner. Contracts are of
// network version 18 and later, the miners of 26 and later only.
type town struct {
	*ground
	people   []*person
	bulletin address.Address // a contract of nobody's
	multisig cid.Cid         // the code
}

type person struct {
	account
	address   address.Address // f1
	contract  address.Address // counts its callers, see tokenCode
	forwarder address.Address // calls the bulletin with what it is given
	multisig  address.Address
	miner     address.Address
	sectors   uint64
}

// The methods that a town's messages call.
const (
	createExternal   = 4
	execActor        = 2
	propose          = 2
	createMiner      = 2
	changePeer       = 4
	preCommitBatch   = 28
	invokeEVM        = 3844450837
	eamActor         = 10
	initActor        = 1
	powerActor       = 4
	fil              = 1e18
	townGas          = 2_000_000_000
	sealProof32GiB11 = 8
	postProof32GiB11 = 13
)

// newTown adds n people to a ground.
func newTown(t testing.TB, nv network.Version, n int) *town {
	t.Helper()
	w := &town{ground: newGround(t, nv)}
	w.enrich(t)
	cfg := w.config()
	m, err := fvm.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	rich := w.accounts[0]
	for i := range n {
		key := make([]byte, 65)
		binary.BigEndian.PutUint64(key, uint64(i))
		p := &person{}
		if p.address, err = address.NewSecp256k1Address(key); err != nil {
			t.Fatal(err)
		}
		w.do(t, m, &rich, p.address, 0, 10_000, nil)
		if p.id, _, err = m.Actor(t.Context(), p.address); err != nil {
			t.Fatal(err)
		}
		w.people = append(w.people, p)
	}
	w.build(t, m, &rich)
	w.accounts[0] = rich
	if w.cfg.StateRoot, err = m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.store = cfg.Blockstore
	return w
}

// enrich gives the first account a fortune, by hand.
func (g *ground) enrich(t testing.TB) {
	t.Helper()
	cfg := g.config()
	buf := blockstore.NewBuffered(cfg.Blockstore)
	tree, err := state.Load(t.Context(), buf, cfg.StateRoot, state.Versions()...)
	if err != nil {
		t.Fatal(err)
	}
	st, err := tree.Actor(t.Context(), g.accounts[0].id)
	if err != nil {
		t.Fatal(err)
	}
	st.Balance = big.Mul(big.NewInt(fil), big.NewInt(100_000_000))
	if err := tree.SetActor(g.accounts[0].id, *st); err != nil {
		t.Fatal(err)
	}
	if g.cfg.StateRoot, err = tree.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := buf.Flush(t.Context(), g.cfg.StateRoot); err != nil {
		t.Fatal(err)
	}
	g.store = cfg.Blockstore
}

// do applies a message that must succeed, and gives what it returns. The value is in FIL.
func (w *town) do(t testing.TB, m *fvm.Machine, from *account, to address.Address, method abi.MethodNum, value int64, params []byte) []byte {
	t.Helper()
	msg := message(from, to, method, params)
	msg.Value, msg.GasLimit = big.Mul(big.NewInt(value), big.NewInt(fil)), 10*townGas
	r, err := m.Apply(t.Context(), msg, fvm.Explicit, 100)
	if err != nil {
		t.Fatal(err)
	}
	if r.ExitCode != 0 {
		t.Fatalf("method %d of %s: exit code %d, %s", method, to, r.ExitCode, r.Failure)
	}
	return r.Return
}

// message is the next one of an account, without value.
func message(from *account, to address.Address, method abi.MethodNum, params []byte) *fvm.Message {
	from.nonce++
	return &fvm.Message{
		From: idAddress(from.id), To: to, Nonce: from.nonce - 1, Method: method, Params: params, Value: big.Zero(), GasLimit: townGas,
		GasFeeCap: big.NewInt(1000), GasPremium: big.NewInt(7),
	}
}

func (w *town) build(t testing.TB, m *fvm.Machine, rich *account) {
	t.Helper()
	nv := w.cfg.NetworkVersion
	buf := blockstore.NewBuffered(w.store)
	tree, err := state.Load(t.Context(), buf, w.cfg.StateRoot, state.Versions()...)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := actors.LoadManifest(t.Context(), tree, buf, "account")
	if err != nil {
		t.Fatal(err)
	}
	code, ok := manifest.ByName("multisig")
	if !ok {
		t.Fatal("no multisig")
	}
	w.multisig = code
	if nv >= 18 {
		w.bulletin = w.create(t, m, rich, tokenCode())
	}
	for _, p := range w.people {
		p.multisig = w.exec(t, m, &p.account, code, encode(t, &multisig.ConstructorParams{
			Signers: []address.Address{idAddress(p.id)}, NumApprovalsThreshold: 1,
		}), 100)
		if nv >= 18 {
			p.contract = w.create(t, m, &p.account, tokenCode())
			p.forwarder = w.create(t, m, &p.account, forwarderCode(w.bulletin))
		}
		if nv >= 26 {
			w.mine(t, m, p)
		}
	}
}

// create makes a contract.
func (w *town) create(t testing.TB, m *fvm.Machine, from *account, runtime []byte) address.Address {
	t.Helper()
	var ret eam.CreateExternalReturn
	decode(t, w.do(t, m, from, idAddress(eamActor), createExternal, 0, cbor.AppendBytes(nil, initCode(runtime))), &ret)
	return idAddress(abi.ActorID(ret.ActorID))
}

// initCode returns what follows it as the contract.
func initCode(runtime []byte) []byte {
	n := len(runtime)
	// PUSH2 n, DUP1, PUSH1 12, PUSH1 0, CODECOPY, PUSH1 0, RETURN
	return append([]byte{0x61, byte(n >> 8), byte(n), 0x80, 0x60, 12, 0x60, 0, 0x39, 0x60, 0, 0xf3}, runtime...)
}

func (w *town) exec(t testing.TB, m *fvm.Machine, from *account, code cid.Cid, params []byte, value int64) address.Address {
	t.Helper()
	var ret initactor.ExecReturn
	decode(t, w.do(t, m, from, idAddress(initActor), execActor, value, encode(t, &initactor.ExecParams{CodeCID: code, ConstructorParams: params})), &ret)
	return ret.IDAddress
}

// mine makes a miner and its first precommitment, after which the power actor knows of its deadlines.
func (w *town) mine(t testing.TB, m *fvm.Machine, p *person) {
	t.Helper()
	var ret power.CreateMinerReturn
	decode(t, w.do(t, m, &p.account, idAddress(powerActor), createMiner, 1000, w.newMiner(t, p)), &ret)
	p.miner = ret.IDAddress
	w.do(t, m, &p.account, p.miner, preCommitBatch, 100, w.preCommit(t, p))
}

func (w *town) newMiner(t testing.TB, p *person) []byte {
	return encode(t, &power.CreateMinerParams{
		Owner: idAddress(p.id), Worker: idAddress(w.worker), WindowPoStProofType: postProof32GiB11, Peer: []byte("peer"),
	})
}

// preCommit are the parameters of a precommitment of one sector.
func (w *town) preCommit(t testing.TB, p *person) []byte {
	hash := make([]byte, 32)
	binary.BigEndian.PutUint64(hash, p.sectors)
	mh, err := multihash.Encode(hash, multihash.POSEIDON_BLS12_381_A1_FC1)
	if err != nil {
		t.Fatal(err)
	}
	p.sectors++
	dst := cbor.AppendArray(cbor.AppendArray(cbor.AppendArray(nil, 1), 1), 7) // of sectors, of fields
	dst = cbor.AppendUint(cbor.AppendUint(dst, sealProof32GiB11), p.sectors)
	dst = cbor.AppendUint(cbor.AppendCID(dst, cid.NewCidV1(cid.FilCommitmentSealed, mh)), uint64(w.cfg.Epoch-1000))
	dst = cbor.AppendUint(cbor.AppendArray(dst, 0), uint64(w.cfg.Epoch+300*2880)) // no deals
	return append(dst, 0xf6)
}

// tokenCode is a contract that counts in two slots, of the caller and of the first word of its input; logs an event; and hashes
// as often as the second word says.
func tokenCode() []byte {
	code := []byte{
		0x33, 0x60, 0, 0x52, 0x60, 0x40, 0x60, 0, 0x20, 0x80, 0x54, 0x60, 1, 0x01, 0x90, 0x55, // slot keccak(caller, 0) += 1
		0x60, 0, 0x35, 0x60, 0, 0x52, 0x60, 0x40, 0x60, 0, 0x20, 0x80, 0x54, 0x60, 1, 0x01, 0x90, 0x55, // slot keccak(input[0], 0) += 1
		0x60, 0, 0x35, 0x33, 0x60, 7, 0x60, 0x20, 0x60, 0, 0xa3, // LOG3 of memory[0:32]: 7, caller, input[0]
		0x60, 0x20, 0x35, // the count
	}
	loop := byte(len(code))
	code = append(code, 0x5b, 0x80, 0x15, 0x60, 0, 0x57) // JUMPDEST DUP1 ISZERO end JUMPI
	code = append(code, 0x60, 0x40, 0x60, 0, 0x20, 0x60, 0, 0x52, 0x60, 1, 0x90, 0x03, 0x60, loop, 0x56)
	code[loop+4] = byte(len(code))
	return append(code, 0x5b, 0x60, 0x20, 0x60, 0, 0xf3)
}

// forwarderCode is a contract that calls another with its own input, and fails if that fails.
func forwarderCode(to address.Address) []byte {
	id, err := address.IDFromAddress(to)
	if err != nil {
		panic(err)
	}
	eth := make([]byte, 20)
	eth[0] = 0xff
	binary.BigEndian.PutUint64(eth[12:], id)
	code := []byte{0x36, 0x60, 0, 0x60, 0, 0x37, 0x60, 0x20, 0x60, 0, 0x36, 0x60, 0, 0x60, 0, 0x73} // CALLDATACOPY; out 32,0; in size,0; value 0
	code = append(append(code, eth...), 0x5a, 0xf1, 0x60, 0)
	code[len(code)-1] = byte(len(code) + 6)
	return append(code, 0x57, 0x60, 0, 0x60, 0, 0xfd, 0x5b, 0x60, 0x20, 0x60, 0, 0xf3)
}

// callData are parameters of a contract's call: two words.
func callData(who abi.ActorID, loops int) []byte {
	data := make([]byte, 64)
	binary.BigEndian.PutUint64(data[24:], uint64(who))
	binary.BigEndian.PutUint64(data[56:], uint64(loops))
	return cbor.AppendBytes(nil, data)
}

func decode(t testing.TB, data []byte, v interface{ UnmarshalCBOR(io.Reader) error }) {
	t.Helper()
	if err := v.UnmarshalCBOR(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
}

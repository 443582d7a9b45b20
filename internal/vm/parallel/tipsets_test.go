package parallel_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-amt-ipld/v4"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	initactor "github.com/filecoin-project/go-state-types/builtin/v16/init"
	"github.com/filecoin-project/go-state-types/builtin/v16/multisig"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	cbornode "github.com/ipfs/go-ipld-cbor"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/parallel"
	"github.com/edgefvm/fvm/trace"
)

// lottery makes random tipsets of a town. What it changes of the people is its own.
type lottery struct {
	*town
	*rand.Rand
	t      testing.TB
	people []*person
	made   int // actors
}

func newLottery(t testing.TB, w *town, seed uint64) *lottery {
	l := &lottery{town: w, Rand: rand.New(rand.NewPCG(seed, 314)), t: t}
	for _, p := range w.people {
		own := *p
		l.people = append(l.people, &own)
	}
	return l
}

func (l *lottery) tipset() (blocks []fvm.TipsetBlock, nullRounds abi.ChainEpoch) {
	var before []fvm.ChainMessage
	for range 1 + l.IntN(4) {
		b := fvm.TipsetBlock{Miner: l.miner, WinCount: 1 + l.Int64N(2)}
		if l.IntN(100) == 0 {
			b.WinCount = 0 // the reward fails, and with it the tipset
		}
		if m := l.one().miner; m != address.Undef && l.IntN(2) == 0 {
			b.Miner = m
		}
		crowd := l.people[:1+l.IntN(len(l.people))]
		for range l.IntN(50) {
			p := crowd[l.IntN(len(crowd))]
			b.Messages = append(b.Messages, fvm.ChainMessage{Message: l.spoil(p, l.message(p)), ChainLength: 100 + l.IntN(100)})
			if len(before) > 0 && l.IntN(20) == 0 {
				b.Messages = append(b.Messages, before[l.IntN(len(before))]) // an earlier block has it too
			}
		}
		before = append(before, b.Messages...)
		blocks = append(blocks, b)
	}
	return blocks, abi.ChainEpoch(max(0, l.IntN(4)-1))
}

func (l *lottery) one() *person { return l.people[l.IntN(len(l.people))] }

// message is the next one of a sender, of any kind that the network version knows.
func (l *lottery) message(p *person) *fvm.Message {
	nv := l.cfg.NetworkVersion
	for {
		switch k := l.IntN(20); {
		case k < 3: // to somebody, by either of two addresses
			m := message(&p.account, l.pick(idAddress(l.one().id), l.one().address), 0, nil)
			m.Value = big.NewInt(l.Int64N(1000))
			return m
		case k == 3: // to an account that may be new
			return message(&p.account, must(address.NewSecp256k1Address(bytes.Repeat([]byte{byte(l.IntN(6))}, 65)))(l.t), 0, nil)
		case k == 4 && nv >= 18: // to a placeholder that may be new
			return message(&p.account, must(address.NewDelegatedAddress(eamActor, bytes.Repeat([]byte{byte(l.IntN(6) + 1)}, 20)))(l.t), 0, nil)
		case k == 5: // to the system's own
			m := message(&p.account, idAddress([]abi.ActorID{99, 2, 1, 0, 3, 4, 5, 6, 98765}[l.IntN(9)]), abi.MethodNum(l.IntN(5)), nil)
			m.Value = big.NewInt(l.Int64N(3))
			return m
		case k < 9: // a proposal: a transfer, a call of an actor that all read, one of a contract
			prop := multisig.ProposeParams{To: idAddress(l.one().id), Value: big.NewInt(l.Int64N(100))}
			switch l.IntN(4) {
			case 0:
				prop = multisig.ProposeParams{To: idAddress([]abi.ActorID{2, 4, 99, 1}[l.IntN(4)]), Value: big.Zero(), Method: abi.MethodNum(l.IntN(4))}
			case 1:
				prop = multisig.ProposeParams{To: l.one().multisig, Value: big.NewInt(1)}
			}
			return message(&p.account, l.own(p).multisig, propose, encode(l.t, &prop))
		case k == 9: // a new multisig
			return message(&p.account, idAddress(initActor), execActor, encode(l.t, &initactor.ExecParams{
				CodeCID: l.multisig, ConstructorParams: encode(l.t, &multisig.ConstructorParams{Signers: []address.Address{idAddress(p.id)}, NumApprovalsThreshold: 1}),
			}))
		case k < 15 && nv >= 18:
			return l.contractCall(p)
		case k == 15 && nv >= 18: // a new contract
			l.made++
			return message(&p.account, idAddress(eamActor), createExternal, cbor.AppendBytes(nil, initCode(append(tokenCode(), byte(l.made)))))
		case k == 16 && nv >= 26:
			return message(&p.account, l.own(p).miner, preCommitBatch, l.preCommit(l.t, p))
		case k == 17 && nv >= 26:
			return message(&p.account, l.own(p).miner, changePeer, []byte{0x81, 0x44, 'p', 'e', 'e', byte(l.IntN(4))})
		case k == 18 && nv >= 26:
			m := message(&p.account, idAddress(powerActor), createMiner, l.newMiner(l.t, p))
			m.Value = big.Mul(big.NewInt(1000), big.NewInt(fil))
			return m
		case k == 19: // whatever
			return message(&p.account, idAddress(abi.ActorID(l.IntN(1100))), abi.MethodNum(l.IntN(5)), l.pick2(nil, []byte{0x80}, []byte{0x81, 0x01}))
		}
	}
}

func (l *lottery) contractCall(p *person) *fvm.Message {
	to := l.own(p).contract
	switch l.IntN(4) {
	case 0:
		to = l.own(p).forwarder
	case 1:
		to = l.bulletin
	}
	m := message(&p.account, to, invokeEVM, callData(l.one().id, l.IntN(30)))
	m.Value = big.NewInt(l.Int64N(2))
	return m
}

// own is mostly the sender.
func (l *lottery) own(p *person) *person {
	if l.IntN(4) == 0 {
		return l.one()
	}
	return p
}

func (l *lottery) pick(a ...address.Address) address.Address { return a[l.IntN(len(a))] }

func (l *lottery) pick2(a ...[]byte) []byte { return a[l.IntN(len(a))] }

// spoil makes one of some messages fail.
func (l *lottery) spoil(p *person, m *fvm.Message) *fvm.Message {
	if l.IntN(8) == 0 {
		m.From = p.address
	}
	switch l.IntN(40) {
	case 0, 1:
		m.Nonce += 1 + uint64(l.IntN(2)) // refused
		p.nonce--
	case 2, 3, 4:
		m.GasLimit = 300_000 + l.Int64N(8_000_000) // some run out of gas
	case 5:
		m.Value = big.Mul(big.NewInt(fil), big.NewInt(1e12)) // too much
	case 6:
		m.GasFeeCap = big.NewInt(l.Int64N(100)) // below the base fee
	case 7:
		m.From = p.multisig // no account
		p.nonce--
	}
	return m
}

// everything is all that a tipset gives, as text.
func (l *lottery) everything(blocks []fvm.TipsetBlock, nullRounds abi.ChainEpoch, workers int, traced bool) (string, *fvm.TipsetResult) {
	store := blockstore.NewMemory()
	ts := fvm.Tipset{Config: l.cfg, ParentEpoch: l.cfg.Epoch - 1 - nullRounds, Blocks: blocks, Workers: workers}
	ts.Blockstore, ts.Externs = &blockstore.Overlay{Top: store, Base: l.store}, answers{}
	ts.CircSupply = big.Mul(big.NewInt(2_000_000_000), big.NewInt(fil))
	var rec trace.Recorder
	if traced {
		ts.Hooks, ts.FlushAll = rec.Hooks(), true // what a message wrote in vain shows too
	}
	r, err := fvm.ApplyTipset(l.t.Context(), ts)
	if err != nil {
		return "error: " + err.Error(), nil
	}
	var b strings.Builder
	for _, list := range [][]*fvm.Result{r.NullRounds, r.Receipts, r.Rewards, {r.Cron}} {
		for i, res := range list {
			own := *res
			own.EventsRoot = nil
			fmt.Fprintf(&b, "%d %+v %v\n", i, own, res.EventsRoot)
		}
	}
	text, err := rec.Take().MarshalJSON()
	if err != nil {
		l.t.Fatal(err)
	}
	fmt.Fprintf(&b, "root %s receipts %s\nblocks %v\ntrace %s\n", r.Root, receiptsRoot(l.t, l.cfg.NetworkVersion, r.Receipts), store.Keys(), text)
	return b.String(), r
}

// receiptsRoot is the root of the array of receipts, as in a block's header.
func receiptsRoot(t testing.TB, nv network.Version, list []*fvm.Result) cid.Cid {
	a, err := amt.NewAMT(cbornode.NewMemCborStore(), amt.UseTreeBitWidth(3))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range list {
		raw := cbor.AppendArray(nil, 3)
		if nv >= network.Version18 {
			raw = cbor.AppendArray(nil, 4)
		}
		raw = cbor.AppendBytes(cbor.AppendUint(raw, uint64(r.ExitCode)), r.Return)
		raw = cbor.AppendUint(raw, uint64(r.GasUsed))
		switch {
		case nv < network.Version18:
		case r.EventsRoot == nil:
			raw = append(raw, cbor.Null)
		default:
			raw = cbor.AppendCID(raw, *r.EventsRoot)
		}
		if err := a.Set(t.Context(), uint64(i), &cbg.Deferred{Raw: raw}); err != nil {
			t.Fatal(err)
		}
	}
	root, err := a.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// tally is what became of messages.
type tally struct {
	parallel.Stats
	tipsets, failed int
	ends            map[exitcode.ExitCode]int
	events, rewards int
}

func (s *tally) add(r *fvm.TipsetResult) {
	s.tipsets++
	s.Merged, s.Repeated, s.Serial = s.Merged+r.Merged, s.Repeated+r.Repeated, s.Serial+r.Serial
	s.rewards += len(r.Rewards)
	for _, m := range r.Receipts {
		s.ends[m.ExitCode]++
		s.events += len(m.Events)
	}
}

// compare makes n random tipsets and gives the seeds of those that differ in parallel. How goroutines take turns decides
// what is merged and repeated: of three tipsets on a busy machine it may be nothing, so there are up to six times as many.
func (w *town) compare(t testing.TB, n int) (wrong []uint64, sum tally) {
	sum.ends = map[exitcode.ExitCode]int{}
	for i := 0; i < n || n >= 2 && i < 6*n && (sum.Merged == 0 || sum.Repeated == 0); i++ {
		seed := uint64(number(envSeed, 1) + i)
		l := newLottery(t, w, seed)
		blocks, null := l.tipset()
		traced := i%4 == 0
		want, r := l.everything(blocks, null, 1, traced)
		if r == nil {
			t.Logf("seed %d: %s", seed, want)
			sum.failed++
		}
		restore := func() {} // every fourth goes by the habits of those before
		switch i % 4 {
		case 0:
			restore = parallel.Forgetful()
		case 1, 3:
			restore = parallel.Eager()
		}
		got, r := l.everything(blocks, null, 2+l.IntN(3), traced)
		restore()
		if got != want {
			wrong = append(wrong, seed)
		}
		if r != nil {
			sum.add(r)
		}
	}
	return wrong, sum
}

// The versions of which tipsets are compared: one or more of each era, and of each that changed what this package looks at.
var comparedVersions = []network.Version{16, 17, 18, 21, 25, 28, 29}

// Random tipsets give the same receipts, events, traces, blocks and roots on one goroutine and on several.
func TestSerialAndParallelTipsetsAgree(t *testing.T) {
	for _, nv := range comparedVersions {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			n := number(envRounds, 3)
			wrong, sum := newTown(t, nv, 12).compare(t, n)
			if len(wrong) > 0 {
				t.Errorf("seeds %v differ", wrong)
			}
			if sum.failed*10 > sum.tipsets+sum.failed+10 || n >= 2 && (sum.Merged == 0 || sum.Repeated == 0) {
				t.Errorf("little is tested: %+v", sum)
			}
			t.Logf("%+v", sum)
		})
	}
}

// Without the comparison of what was read, the same tipsets give something else.
func TestBlindnessIsSeenInTipsets(t *testing.T) {
	defer parallel.Blind()()
	if wrong, sum := newTown(t, 28, 12).compare(t, 4); len(wrong) == 0 {
		t.Errorf("nothing differs: %+v", sum)
	}
}

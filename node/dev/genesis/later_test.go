package genesis

import (
	"errors"
	"fmt"
	"testing"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	miner16 "github.com/filecoin-project/go-state-types/builtin/v16/miner"
	"github.com/filecoin-project/go-state-types/crypto"
	netver "github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/go-state-types/proof"

	"github.com/edgefvm/fvm"
)

// later takes up the state of a follower, as the next epoch begins.
func (f *follower) later() *Later {
	f.t.Helper()
	l, err := f.g.Later(f.t.Context(), fvm.Config{
		NetworkVersion: f.g.NetworkVersion, Epoch: f.epoch + 1, ChainID: f.g.ChainID, BaseFee: big.NewInt(100), CircSupply: fil(500_000_000),
		StateRoot: f.root, Blockstore: f.g.Store, Externs: rand{},
	}, 1<<30+uint64(f.epoch)<<20)
	if err != nil {
		f.t.Fatal(err)
	}
	return l
}

func (f *follower) power(id abi.ActorID) string {
	f.t.Helper()
	return value(f.t, f.state(), fmt.Sprintf("actors/f04/state/Claims/f0%d/RawBytePower", id))
}

// A miner that begins after the genesis has power at once, and keeps it if it proves its sectors. More power comes to it, and to one of the
// genesis; what they had stays.
func TestLater(t *testing.T) {
	for _, nv := range []netver.Version{18, 22, 23, 28} {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			if testing.Short() && nv != 28 {
				t.Skip("NOT RUN: short")
			}
			g := make1(t, Options{NetworkVersion: nv, Miners: 1, Accounts: 2})
			f := &follower{t: t, g: g, root: g.Root}
			f.next(700)
			owner := &g.Accounts[0]
			l := f.later()
			m, err := l.Miner(t.Context(), MinerOptions{Owner: owner.F1, Balance: fil(500), Sectors: 2})
			if err != nil {
				t.Fatal(err)
			}
			second, err := l.Miner(t.Context(), MinerOptions{Balance: fil(5)})
			if err != nil {
				t.Fatal(err)
			}
			if m.ID == second.ID || m.OwnerID != owner.ID || second.OwnerID != second.WorkerID {
				t.Fatalf("%+v, %+v", m, second)
			}
			if more, err := l.Power(t.Context(), idAddress(g.Miners[0].ID), 3); err != nil || more.Sectors[0] != 2 || more.WorkerID != g.Miners[0].WorkerID {
				t.Fatalf("%+v, %v", more, err)
			}
			f.root = l.Root()
			f.next(701)
			if a, b := f.power(m.ID), f.power(g.Miners[0].ID); a != "4096" || b != fmt.Sprint(5*2048) {
				t.Errorf("the powers are %s and %s", a, b)
			}
			if got := total(t, f.state()); !got.Equals(fil(totalFIL)) {
				t.Errorf("there are %s attoFIL", got)
			}
			deadline, opens := f.opens(m)
			f.next(opens)
			ticket := opens - 1
			params := &miner16.SubmitWindowedPoStParams{
				Deadline: deadline, Partitions: []miner16.PoStPartition{{Index: 0, Skipped: bitfield.New()}},
				Proofs:           []proof.PoStProof{{PoStProof: m.PoSt, ProofBytes: []byte("valid proof")}},
				ChainCommitEpoch: ticket, ChainCommitRand: drawn(crypto.DomainSeparationTag_PoStChainCommit, ticket, nil),
			}
			res := f.next(opens+1, message(m.WorkerID, m.ID, 0, 5, marshal(t, params)))
			if r := res.Receipts[0]; r.ExitCode != 0 {
				t.Fatalf("the window PoSt: exit code %d: %s", r.ExitCode, r.Failure)
			}
			f.next(opens + 2880 - 10)
			if a, b := f.power(m.ID), f.power(g.Miners[0].ID); a != "4096" || b != "0" {
				t.Errorf("a day later the powers are %s, which was proven, and %s", a, b)
			}
		})
	}
}

func TestLaterDataCap(t *testing.T) {
	if methodMint != builtin.MethodsDatacap.MintExported {
		t.Fatalf("Mint has the number %d", builtin.MethodsDatacap.MintExported)
	}
	g := make1(t, Options{Miners: 1})
	f := &follower{t: t, g: g, root: g.Root}
	f.next(3)
	l := f.later()
	me := &g.Accounts[0]
	for range 2 {
		if err := l.DataCap(t.Context(), me.F410, big.NewInt(1<<40)); err != nil {
			t.Fatal(err)
		}
	}
	f.root = l.Root()
	res := f.next(4, message(me.ID, datacapID, 0, builtin.MethodsDatacap.BalanceExported, appendAddress(nil, idAddress(me.EthID))))
	if r := res.Receipts[0]; r.ExitCode != 0 || string(r.Return) != string(bigBytes(big.Mul(big.NewInt(1<<41), big.NewInt(1e18)))) {
		t.Errorf("exit code %d, %x", r.ExitCode, r.Return)
	}
}

func TestLaterRefuses(t *testing.T) {
	g := make1(t, Options{})
	f := &follower{t: t, g: g, root: g.Root}
	l := f.later()
	me, nobody := g.Accounts[0].F1, idAddress(1<<40)
	for name, err := range map[string]error{
		"an owner that is nobody":     second(l.Miner(t.Context(), MinerOptions{Owner: nobody})),
		"more than the faucet has":    second(l.Miner(t.Context(), MinerOptions{Owner: me, Balance: fil(totalFIL)})),
		"a miner without money":       second(l.Miner(t.Context(), MinerOptions{Balance: big.Zero(), Sectors: 1})),
		"a balance below 0":           second(l.Miner(t.Context(), MinerOptions{Balance: fil(-1)})),
		"100 sectors":                 second(l.Miner(t.Context(), MinerOptions{Owner: me, Sectors: 100})),
		"sectors of an odd size":      second(l.Miner(t.Context(), MinerOptions{Owner: me, SectorSize: 3})),
		"power of nobody":             second(l.Power(t.Context(), nobody, 1)),
		"power of an account":         second(l.Power(t.Context(), me, 1)),
		"no power":                    second(l.Power(t.Context(), me, 0)),
		"DataCap of nobody":           l.DataCap(t.Context(), nobody, big.NewInt(1)),
		"no DataCap":                  l.DataCap(t.Context(), me, big.Zero()),
		"DataCap that is far too big": l.DataCap(t.Context(), me, big.Lsh(big.NewInt(1), 80)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if l.Root() != g.Root {
		t.Error("what was refused changed the state")
	}
	if _, err := l.Power(t.Context(), me, 65); !errors.Is(err, ErrOptions) {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }

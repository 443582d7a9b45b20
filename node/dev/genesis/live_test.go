package genesis

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	miner16 "github.com/filecoin-project/go-state-types/builtin/v16/miner"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/node/chain/supply"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/state"
)

// rand answers what a chain would: digests of epochs.
type rand struct{}

func digest(round abi.ChainEpoch) [32]byte {
	return blake2b.Sum256(fmt.Appendf(nil, "epoch %d", round))
}

func (rand) ChainRandomness(_ context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return digest(round), nil
}
func (rand) BeaconRandomness(_ context.Context, round abi.ChainEpoch) ([32]byte, error) {
	return digest(round), nil
}
func (rand) VerifyConsensusFault(context.Context, []byte, []byte, []byte) (*externs.ConsensusFault, error) {
	return nil, nil
}
func (rand) TipsetCID(context.Context, abi.ChainEpoch) (cid.Cid, error) {
	return cid.Undef, externs.ErrNodeFailure
}

// drawn is what an actor draws from a ticket (specification, "Randomness").
func drawn(tag crypto.DomainSeparationTag, round abi.ChainEpoch, entropy []byte) []byte {
	d := digest(round)
	data := binary.BigEndian.AppendUint64(nil, uint64(tag))
	data = append(data, d[:]...)
	data = binary.BigEndian.AppendUint64(data, uint64(round))
	sum := blake2b.Sum256(append(data, entropy...))
	return sum[:]
}

// follower executes tipsets on a genesis.
type follower struct {
	t     testing.TB
	g     *Genesis
	root  cid.Cid
	epoch abi.ChainEpoch
}

// next executes a tipset at an epoch; in between cron runs alone.
func (f *follower) next(epoch abi.ChainEpoch, msgs ...*fvm.Message) *fvm.TipsetResult {
	f.t.Helper()
	b := fvm.TipsetBlock{WinCount: 1}
	for _, m := range msgs {
		b.Messages = append(b.Messages, fvm.ChainMessage{Message: m, ChainLength: 1000})
	}
	ts := fvm.Tipset{
		Config: fvm.Config{
			NetworkVersion: f.g.NetworkVersion, Epoch: epoch, ChainID: f.g.ChainID, BaseFee: big.NewInt(100), StateRoot: f.root, Blockstore: f.g.Store, Externs: rand{},
		},
		ParentEpoch: f.epoch,
		Round: func(ctx context.Context, c fvm.Config) (fvm.Config, error) {
			st, err := tree.Load(ctx, f.g.Store, c.StateRoot)
			if err != nil {
				return c, err
			}
			parts, err := supply.Rules{Network: f.g.Network}.At(ctx, c.Epoch, st)
			c.CircSupply = parts.Circulating
			return c, err
		},
	}
	if len(f.g.Miners) > 0 {
		b.Miner = idAddress(f.g.Miners[0].ID)
		ts.Blocks = []fvm.TipsetBlock{b}
	}
	res, err := fvm.ApplyTipset(f.t.Context(), ts)
	if err != nil {
		f.t.Fatalf("the tipset at epoch %d: %v", epoch, err)
	}
	f.root, f.epoch = res.Root, epoch
	return res
}

func (f *follower) state() *state.Tree {
	f.t.Helper()
	return open(f.t, f.g.Store, f.root)
}

// value is what stands at a path.
func value(t testing.TB, st *state.Tree, path string) string {
	t.Helper()
	n, err := st.Get(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	v, err := n.View(t.Context(), state.ViewOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(v)
}

// total is all FIL there is.
func total(t testing.TB, st *state.Tree) abi.TokenAmount {
	t.Helper()
	sum := big.Zero()
	if err := st.Actors(t.Context(), state.ListOptions{}, func(a *state.Actor) error {
		sum = big.Add(sum, a.Balance)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return sum
}

func marshal(t testing.TB, v cbg.CBORMarshaler) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := v.MarshalCBOR(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func message(from, to abi.ActorID, nonce uint64, method abi.MethodNum, params []byte) *fvm.Message {
	return &fvm.Message{
		From: idAddress(from), To: idAddress(to), Nonce: nonce, Method: method, Params: params, Value: big.Zero(), GasLimit: 1_000_000_000, GasFeeCap: big.NewInt(1000), GasPremium: big.Zero(),
	}
}

// A network of each version lives for 3,000 epochs: cron runs in each, miners that prove their sectors keep their power, and those
// that do not lose it. No FIL is made or lost.
func TestLife(t *testing.T) {
	for _, nv := range versions {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			if testing.Short() && nv != 28 {
				t.Skip("NOT RUN: short")
			}
			if nv != 18 && nv != 23 && nv < 28 && os.Getenv("EDGEFVM_ALL_VERSIONS") == "" {
				t.Skip("NOT RUN: EDGEFVM_ALL_VERSIONS=1 asks for it; some seconds each")
			}
			g := make1(t, Options{NetworkVersion: nv, Miners: 2})
			f := &follower{t: t, g: g, root: g.Root}
			if got := total(t, f.state()); !got.Equals(fil(totalFIL)) {
				t.Errorf("the genesis has %s attoFIL", got)
			}
			m := &g.Miners[0]
			at := fmt.Sprintf("actors/f0%d/state/", m.ID)
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
			if got := value(t, f.state(), fmt.Sprintf("%sDeadlines/Due/%d/PartitionsPoSted", at, deadline)); got != "0" {
				t.Errorf("partitions that were proven: %q", got)
			}
			f.next(3000)
			st := f.state()
			if got, want := value(t, st, fmt.Sprintf("actors/f04/state/Claims/f0%d/RawBytePower", m.ID)), fmt.Sprint(2*2048); got != want {
				t.Errorf("the miner that proved its sectors has the power %s, not %s", got, want)
			}
			if got := value(t, st, fmt.Sprintf("actors/f04/state/Claims/f0%d/RawBytePower", g.Miners[1].ID)); got != "0" {
				t.Errorf("the miner that did not has the power %s", got)
			}
			if got := total(t, st); !got.Equals(fil(totalFIL)) {
				t.Errorf("after 3,000 epochs there are %s attoFIL", got)
			}
			if got := value(t, st, "actors/f04/state/FirstCronEpoch"); got != "3001" {
				t.Errorf("the power actor's next epoch is %s", got)
			}
		})
	}
}

// opens is the first deadline of a miner that has sectors, and the next epoch at which it opens.
func (f *follower) opens(m *Miner) (deadline uint64, epoch abi.ChainEpoch) {
	at := fmt.Sprintf("actors/f0%d/state/", m.ID)
	st := f.state()
	for d := range uint64(48) {
		if value(f.t, st, fmt.Sprintf("%sDeadlines/Due/%d/LiveSectors", at, d)) == "0" {
			continue
		}
		var start int64
		if _, err := fmt.Sscan(value(f.t, st, at+"ProvingPeriodStart"), &start); err != nil {
			f.t.Fatal(err)
		}
		for epoch = abi.ChainEpoch(start) + abi.ChainEpoch(d)*60; epoch <= max(1, f.epoch); epoch += provingPeriod {
		}
		return d, epoch
	}
	f.t.Fatal("no deadline has sectors")
	return 0, 0
}

package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/dline"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/node/state"
)

// miner is a miner's state.
type miner struct {
	t     *state.Tree
	act   *state.Actor
	path  string
	state any
	epoch abi.ChainEpoch // of the tipset that it was asked at
}

func (a *API) miner(ctx context.Context, x Address, key tipsetKey) (*miner, error) {
	t, ts, err := a.stateAt(ctx, key)
	if err != nil {
		return nil, err
	}
	act, err := actor(ctx, t, x, "storageminer")
	if err != nil {
		return nil, fmt.Errorf("failed to load miner actor: %w", err)
	}
	m := &miner{t: t, act: act, path: "actors/" + idText(act.ID) + "/state", epoch: ts.Height()}
	n, err := t.Get(ctx, m.path)
	if err != nil {
		return nil, err
	}
	m.state = n.Value()
	return m, nil
}

func (m *miner) get(ctx context.Context, path string) (*state.Node, error) {
	return m.t.Get(ctx, m.path+"/"+path)
}

type minerInfoJSON struct {
	Owner, Worker, NewWorker   address.Address
	ControlAddresses           []address.Address
	WorkerChangeEpoch          abi.ChainEpoch
	PeerId                     *string
	Multiaddrs                 []abi.Multiaddrs
	WindowPoStProofType        abi.RegisteredPoStProof
	SectorSize                 abi.SectorSize
	WindowPoStPartitionSectors uint64
	ConsensusFaultElapsed      abi.ChainEpoch
	PendingOwnerAddress        *address.Address
	Beneficiary                address.Address
	BeneficiaryTerm            *beneficiaryTerm
	PendingBeneficiaryTerm     *pendingBeneficiary
}

type beneficiaryTerm struct {
	Quota, UsedQuota big.Int
	Expiration       abi.ChainEpoch
}

type pendingBeneficiary struct {
	NewBeneficiary                           address.Address
	NewQuota                                 big.Int
	NewExpiration                            abi.ChainEpoch
	ApprovedByBeneficiary, ApprovedByNominee bool
}

func (m v1) StateMinerInfo(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	n, err := mi.get(ctx, "Info")
	if err != nil {
		return m.out(nil, err)
	}
	info := n.Value()
	out := minerInfoJSON{WorkerChangeEpoch: -1, BeneficiaryTerm: &beneficiaryTerm{}}
	copyFields(&out, info)
	copyFields(out.BeneficiaryTerm, member0Value(info, "BeneficiaryTerm"))
	if v := member0Value(info, "PendingBeneficiaryTerm"); v != nil {
		out.PendingBeneficiaryTerm = &pendingBeneficiary{}
		copyFields(out.PendingBeneficiaryTerm, v)
	}
	if v := member0Value(info, "PendingWorkerKey"); v != nil {
		out.NewWorker, out.WorkerChangeEpoch = field[address.Address](v, "NewWorker"), field[abi.ChainEpoch](v, "EffectiveAt")
	}
	out.PeerId = peerID(field[[]byte](info, "PeerId"))
	return m.out(out, nil)
}

// peerID is the text of a peer's name; nil if it is none.
func peerID(b []byte) *string {
	if _, err := mh.Cast(b); err != nil {
		return nil
	}
	s := mh.Multihash(b).B58String()
	return &s
}

type deadlineJSON struct {
	PostSubmissions      bitfield.BitField
	DisputableProofCount uint64
	DailyFee             big.Int
}

// deadlines is how many deadlines a proving period has.
const deadlines = 48

func (m v1) StateMinerDeadlines(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	out := make([]deadlineJSON, deadlines)
	for i := range out {
		n, err := mi.get(ctx, fmt.Sprintf("Deadlines/Due/%d", i))
		if err != nil {
			return m.out(nil, err)
		}
		out[i].PostSubmissions, out[i].DailyFee = field[bitfield.BitField](n.Value(), "PartitionsPoSted"), field[big.Int](n.Value(), "DailyFee")
		proofs, err := n.Get(ctx, "OptimisticPoStSubmissionsSnapshot")
		if err != nil {
			return m.out(nil, err)
		}
		if out[i].DisputableProofCount, _, err = proofs.Count(ctx); err != nil {
			return m.out(nil, err)
		}
	}
	return m.out(out, nil)
}

// partition is the sectors of a partition by how they fare.
type partition struct{ AllSectors, FaultySectors, RecoveringSectors, LiveSectors, ActiveSectors bitfield.BitField }

// eachPartition goes through the partitions of one deadline, or of all for -1.
func (m *miner) eachPartition(ctx context.Context, deadline int, fn func(deadline int, index uint64, p *partition, n *state.Node) error) error {
	first, last := deadline, deadline
	if deadline < 0 {
		first, last = 0, deadlines-1
	}
	for i := first; i <= last; i++ {
		list, err := m.get(ctx, fmt.Sprintf("Deadlines/Due/%d/Partitions", i))
		if err != nil {
			return err
		}
		err = list.Each(ctx, func(key string, n *state.Node) error {
			index, err := strconv.ParseUint(key, 10, 64)
			if err != nil {
				return err
			}
			p, err := newPartition(n.Value())
			if err != nil {
				return err
			}
			return fn(i, index, p, n)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func newPartition(v any) (p *partition, err error) {
	get := func(name string) bitfield.BitField { return field[bitfield.BitField](v, name) }
	p = &partition{AllSectors: get("Sectors"), FaultySectors: get("Faults"), RecoveringSectors: get("Recoveries")}
	if p.LiveSectors, err = bitfield.SubtractBitField(p.AllSectors, get("Terminated")); err != nil {
		return nil, err
	}
	if p.ActiveSectors, err = bitfield.SubtractBitField(p.LiveSectors, p.FaultySectors); err != nil {
		return nil, err
	}
	p.ActiveSectors, err = bitfield.SubtractBitField(p.ActiveSectors, get("Unproven"))
	return p, err
}

func (m v1) StateMinerPartitions(ctx context.Context, a Address, deadline uint64, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	if deadline >= deadlines {
		return m.out(nil, fmt.Errorf("failed to load the deadline: invalid deadline index %d", deadline))
	}
	var out []*partition
	err = mi.eachPartition(ctx, int(deadline), func(_ int, _ uint64, p *partition, _ *state.Node) error {
		out = append(out, p)
		return nil
	})
	return m.out(out, err)
}

// union is the sectors of all partitions that a choice makes.
func (m *miner) union(ctx context.Context, of func(*partition) bitfield.BitField) (bitfield.BitField, error) {
	var all []bitfield.BitField
	err := m.eachPartition(ctx, -1, func(_ int, _ uint64, p *partition, _ *state.Node) error {
		all = append(all, of(p))
		return nil
	})
	if err != nil {
		return bitfield.BitField{}, err
	}
	return bitfield.MultiMerge(all...)
}

func (m v1) StateMinerFaults(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	return m.sectorSet(ctx, a, key, func(p *partition) bitfield.BitField { return p.FaultySectors })
}

func (m v1) StateMinerRecoveries(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	return m.sectorSet(ctx, a, key, func(p *partition) bitfield.BitField { return p.RecoveringSectors })
}

func (m v1) sectorSet(ctx context.Context, a Address, key tipsetKey, of func(*partition) bitfield.BitField) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(mi.union(ctx, of))
}

type minerSectorsJSON struct{ Live, Active, Faulty uint64 }

func (m v1) StateMinerSectorCount(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	var out minerSectorsJSON
	err = mi.eachPartition(ctx, -1, func(_ int, _ uint64, p *partition, _ *state.Node) error {
		for _, c := range []struct {
			to *uint64
			of bitfield.BitField
		}{{&out.Live, p.LiveSectors}, {&out.Active, p.ActiveSectors}, {&out.Faulty, p.FaultySectors}} {
			n, err := c.of.Count()
			if err != nil {
				return err
			}
			*c.to += n
		}
		return nil
	})
	return m.out(out, err)
}

// sectorJSON is a sector as Lotus shows those of all versions.
type sectorJSON struct {
	SectorNumber                   abi.SectorNumber
	SealProof                      abi.RegisteredSealProof
	SealedCID                      cid.Cid
	Activation, Expiration         abi.ChainEpoch
	DealWeight, VerifiedDealWeight big.Int
	InitialPledge                  big.Int
	ExpectedDayReward              *big.Int
	ExpectedStoragePledge          *big.Int
	PowerBaseEpoch                 abi.ChainEpoch
	ReplacedDayReward              *big.Int
	SectorKeyCID                   *cid.Cid
	Flags                          uint64
	DailyFee                       big.Int
}

func sectorOut(v any) *sectorJSON {
	s := &sectorJSON{}
	copyFields(s, v)
	if !member0(reflect.ValueOf(v), "PowerBaseEpoch").IsValid() {
		s.ReplacedDayReward = nil // until version 11 of the actors Lotus leaves it out
	}
	return s
}

// sectors are those of a set, or all.
func (m *miner) sectors(ctx context.Context, set *bitfield.BitField) ([]*sectorJSON, error) {
	list, err := m.get(ctx, "Sectors")
	if err != nil {
		return nil, err
	}
	out := []*sectorJSON{}
	if set == nil {
		err = list.Each(ctx, func(_ string, n *state.Node) error {
			out = append(out, sectorOut(n.Value()))
			return nil
		})
		return out, err
	}
	err = set.ForEach(func(i uint64) error {
		n, err := list.Get(ctx, strconv.FormatUint(i, 10))
		if err != nil {
			return err
		}
		out = append(out, sectorOut(n.Value()))
		return nil
	})
	return out, err
}

func (m v1) StateMinerSectors(ctx context.Context, a Address, set *bitfield.BitField, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(mi.sectors(ctx, set))
}

func (m v1) StateMinerActiveSectors(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	set, err := mi.union(ctx, func(p *partition) bitfield.BitField { return p.ActiveSectors })
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(mi.sectors(ctx, &set))
}

func (m v1) StateSectorGetInfo(ctx context.Context, a Address, number abi.SectorNumber, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	n, ok, err := found(mi.get(ctx, fmt.Sprintf("Sectors/%d", number)))
	if err != nil || !ok {
		return m.out(nil, err)
	}
	return m.out(sectorOut(n.Value()), nil)
}

type preCommitJSON struct {
	Info             preCommitInfo
	PreCommitDeposit big.Int
	PreCommitEpoch   abi.ChainEpoch
}

type preCommitInfo struct {
	SealProof     abi.RegisteredSealProof
	SectorNumber  abi.SectorNumber
	SealedCID     cid.Cid
	SealRandEpoch abi.ChainEpoch
	DealIDs       []abi.DealID
	Expiration    abi.ChainEpoch
	UnsealedCid   *cid.Cid
}

func (m v1) StateSectorPreCommitInfo(ctx context.Context, a Address, number abi.SectorNumber, key tipsetKey) (json.RawMessage, error) {
	out, err := m.preCommit(ctx, a, number, key)
	return m.out(out, err)
}

// preCommit is nil if there is none.
func (a *API) preCommit(ctx context.Context, x Address, number abi.SectorNumber, key tipsetKey) (*preCommitJSON, error) {
	mi, err := a.miner(ctx, x, key)
	if err != nil {
		return nil, err
	}
	n, ok, err := found(mi.get(ctx, fmt.Sprintf("PreCommittedSectors/%d", number)))
	if err != nil || !ok {
		return nil, err
	}
	out := &preCommitJSON{}
	copyFields(out, n.Value())
	copyFields(&out.Info, member0Value(n.Value(), "Info"))
	return out, nil
}

type sectorLocationJSON struct{ Deadline, Partition uint64 }

func (m v1) StateSectorPartition(ctx context.Context, a Address, number abi.SectorNumber, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	var out *sectorLocationJSON
	err = mi.eachPartition(ctx, -1, func(deadline int, index uint64, p *partition, _ *state.Node) error {
		is, err := p.AllSectors.IsSet(uint64(number))
		if err == nil && is {
			out, err = &sectorLocationJSON{uint64(deadline), index}, errFound
		}
		return err
	})
	if err != nil && !errors.Is(err, errFound) {
		return m.out(nil, err)
	}
	if out == nil {
		return m.out(nil, fmt.Errorf("sector %d not due at any deadline", number))
	}
	return m.out(out, nil)
}

type sectorExpirationJSON struct{ OnTime, Early abi.ChainEpoch }

func (m v1) StateSectorExpiration(ctx context.Context, a Address, number abi.SectorNumber, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	var out sectorExpirationJSON
	err = mi.eachPartition(ctx, -1, func(_ int, _ uint64, p *partition, n *state.Node) error {
		if is, err := p.AllSectors.IsSet(uint64(number)); err != nil || !is {
			return err
		}
		if live, err := p.LiveSectors.IsSet(uint64(number)); err != nil || !live {
			return errors.Join(err, errFound)
		}
		queue, err := n.Get(ctx, "ExpirationsEpochs")
		if err != nil {
			return err
		}
		return queue.Each(ctx, func(key string, set *state.Node) error {
			epoch, err := strconv.ParseInt(key, 10, 64)
			if err != nil {
				return err
			}
			if early, err := field[bitfield.BitField](set.Value(), "EarlySectors").IsSet(uint64(number)); err != nil {
				return err
			} else if early {
				out.Early = abi.ChainEpoch(epoch)
				return nil
			}
			onTime, err := field[bitfield.BitField](set.Value(), "OnTimeSectors").IsSet(uint64(number))
			if err == nil && onTime {
				out.OnTime, err = abi.ChainEpoch(epoch), errFound
			}
			return err
		})
	})
	if err != nil && !errors.Is(err, errFound) {
		return m.out(nil, err)
	}
	if out == (sectorExpirationJSON{}) {
		return m.out(nil, fmt.Errorf("failed to find sector %d", number))
	}
	return m.out(out, nil)
}

func (m v1) StateMinerAllocated(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	n, err := mi.get(ctx, "AllocatedSectors")
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(n.Value(), nil)
}

func (m v1) StateMinerSectorAllocated(ctx context.Context, a Address, number abi.SectorNumber, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	n, err := mi.get(ctx, "AllocatedSectors")
	if err != nil {
		return m.out(nil, err)
	}
	set, ok := n.Value().(bitfield.BitField)
	if !ok {
		return m.out(nil, fmt.Errorf("the allocated sectors are a %T", n.Value()))
	}
	return m.out(set.IsSet(uint64(number)))
}

// Times of window PoSts in epochs, the same in all builds (builtin-actors, actors/miner/src/policy.rs).
const (
	provingPeriod          = 2880
	challengeWindow        = provingPeriod / deadlines
	challengeLookback      = 20
	faultDeclarationCutoff = challengeLookback + 50
)

func (m v1) StateMinerProvingDeadline(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	start, index := field[abi.ChainEpoch](mi.state, "ProvingPeriodStart"), field[uint64](mi.state, "CurrentDeadline")
	info := dline.NewInfo(start, index, mi.epoch, deadlines, provingPeriod, challengeWindow, challengeLookback, faultDeclarationCutoff)
	return m.out(info.NextNotElapsed(), nil)
}

func (m v1) StateMinerAvailableBalance(ctx context.Context, a Address, key tipsetKey) (json.RawMessage, error) {
	mi, err := m.miner(ctx, a, key)
	if err != nil {
		return m.out(nil, err)
	}
	available, err := mi.available()
	if err != nil {
		return m.out(nil, err)
	}
	vested, err := mi.vested(ctx)
	return m.out(big.Add(available, vested), err)
}

// available is what a miner may withdraw, before what has vested since is unlocked.
func (m *miner) available() (big.Int, error) {
	get := func(name string) big.Int { return field[big.Int](m.state, name) }
	free := m.act.Balance
	for _, name := range []string{"LockedFunds", "PreCommitDeposits", "InitialPledge"} {
		free = big.Sub(free, get(name))
	}
	if free.Sign() < 0 {
		return big.Zero(), fmt.Errorf("the miner's balance is %s attoFIL below what it has locked", free.Neg())
	}
	return big.Sub(free, get("FeeDebt")), nil
}

// vested is the locked funds whose epoch is past.
func (m *miner) vested(ctx context.Context) (big.Int, error) {
	sum := big.Zero()
	n, ok, err := found(m.get(ctx, "VestingFunds"))
	if err != nil || !ok || n.Value() == nil {
		return sum, err
	}
	funds := []any{}
	add := func(list any) { funds = append(funds, elements(list)...) }
	if v := member0Value(n.Value(), "Funds"); v != nil {
		add(v)
	} else if head := member0Value(n.Value(), "Head"); head != nil {
		funds = append(funds, head)
		tail, err := n.Get(ctx, "Tail")
		if err != nil {
			return sum, err
		}
		add(member0Value(tail.Value(), "Funds"))
	}
	for _, f := range funds {
		if field[abi.ChainEpoch](f, "Epoch") >= m.epoch {
			break
		}
		sum = big.Add(sum, field[big.Int](f, "Amount"))
	}
	return sum, nil
}

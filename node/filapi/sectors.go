package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/state"
)

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
	if !fieldIn(reflect.ValueOf(v), "PowerBaseEpoch").IsValid() {
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
	copyFields(&out.Info, fieldValue(n.Value(), "Info"))
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

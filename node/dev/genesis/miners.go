package genesis

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-amt-ipld/v4"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
	ipldcbor "github.com/ipfs/go-ipld-cbor"
	"github.com/multiformats/go-multihash"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// Miner is a miner with power.
type Miner struct {
	ID abi.ActorID
	// Worker is its owner too, in the genesis.
	Worker            BLSKey
	WorkerID, OwnerID abi.ActorID
	Sectors           []abi.SectorNumber
	Size              abi.SectorSize
	// PoSt is the type of its window PoSts.
	PoSt abi.RegisteredPoStProof
}

// Methods of actors, and the places of fields in their states, the same in all versions from 10 to 18.
const (
	methodCreateMiner = 2 // of the power actor
	methodUpdatePower = 3
	methodTotalPower  = 9
	methodReward      = 3 // of the reward actor
	methodPreCommit   = 28
	methodPresealed   = 17 // of miners: ConfirmSectorProofsValid, since version 14 InternalSectorSetupForPreseal

	fieldTotalRaw      = 0 // of the power actor's state
	fieldTotalQA       = 2
	fieldThisEpochRaw  = 5
	fieldThisEpochQA   = 6
	fieldProvingStart  = 10 // of a miner's state
	fieldDeadlines     = 12
	fieldPartitions    = 0 // of a deadline
	fieldUnproven      = 1 // of a partition
	fieldUnprovenPower = 8

	minersID       = 1000
	provingPeriod  = 2880 // epochs
	partitionsBits = 3    // bit width of the array of partitions
)

// miners makes them one after the other, after all their workers. The first is f01000, as on networks that Lotus began, unless there
// are so many accounts that the ID is taken.
func (w *world) miners(ctx context.Context, o *Options) error {
	var last abi.ActorID
	err := w.edit(ctx, func(t *state.Tree, b *blockstore.Buffered) error {
		for i := range o.Miners {
			key, err := blsKey(w.seed, "miner", i)
			if err != nil {
				return err
			}
			a := accountOf(key.F3)
			a.balance = big.Add(o.MinerBalance, fil(workerFIL))
			if last, err = w.register(ctx, t, b, key.F3, a); err != nil {
				return err
			}
			w.Miners = append(w.Miners, Miner{Worker: *key, WorkerID: last, OwnerID: last, Size: o.SectorSize})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if max(last, w.Multicall3.ID) < minersID {
		if err := w.nextID(ctx, minersID); err != nil {
			return err
		}
	}
	if o.Miners == 0 {
		return nil
	}
	for i := range w.Miners {
		if err := w.miner(ctx, o, &w.Miners[i]); err != nil {
			return fmt.Errorf("miner %d: %w", i, err)
		}
	}
	return w.thisEpoch(ctx)
}

func (w *world) miner(ctx context.Context, o *Options, m *Miner) error {
	seal, err := o.sealProof()
	if err != nil {
		return err
	}
	if m.PoSt, err = seal.RegisteredWindowPoStProofByNetworkVersion(o.NetworkVersion); err != nil {
		return err
	}
	owner := idAddress(m.OwnerID)
	params := appendAddress(appendAddress(cbor.AppendArray(nil, 5), owner), idAddress(m.WorkerID))
	params = cbor.AppendArray(cbor.AppendBytes(cbor.AppendUint(params, uint64(m.PoSt)), ""), 0)
	returns, err := w.run(ctx, call{from: owner, to: idAddress(powerID), method: methodCreateMiner, value: o.MinerBalance, params: params})
	if err != nil {
		return fmt.Errorf("creating it with %s attoFIL: %w", o.MinerBalance, err)
	}
	if m.ID, err = idOf(returns[0]); err != nil || o.Sectors <= 0 {
		return err
	}
	return w.sectors(ctx, m, sectorsToBe{count: abi.SectorNumber(o.Sectors), seal: seal, epoch: w.epoch})
}

// sectorsToBe are sectors without deals that a miner is given at an epoch.
type sectorsToBe struct {
	first, count abi.SectorNumber
	seal         abi.RegisteredSealProof
	epoch        abi.ChainEpoch
	expires      int64
}

// sectors gives a miner sectors: a pre-commitment of each, then the method that the actors have for sectors that were sealed before the
// chain began, one after the other since each changes what the next pledges. Neither claims their power nor counts them as proven: that
// is done here.
func (w *world) sectors(ctx context.Context, m *Miner, s sectorsToBe) (err error) {
	if s.expires, err = w.expiration(ctx, m); err != nil {
		return err
	}
	economy, err := w.economy(ctx)
	if err != nil {
		return err
	}
	self, from := idAddress(m.ID), idAddress(systemID)
	if w.NetworkVersion < 23 {
		from = idAddress(powerID)
	}
	size := bigBytes(big.NewIntUnsigned(uint64(m.Size)))
	var calls []call
	for n := s.first; n < s.first+s.count; n++ {
		commitment, err := preCommit(m, s, n)
		if err != nil {
			return err
		}
		presealed := append(cbor.AppendArray(nil, 4), cbor.AppendUint(cbor.AppendArray(nil, 1), uint64(n))...)
		calls = append(calls,
			call{from: idAddress(m.WorkerID), to: self, method: methodPreCommit, params: commitment},
			call{from: from, to: self, method: methodPresealed, params: append(presealed, economy...)},
			call{from: self, to: idAddress(powerID), method: methodUpdatePower, params: list([][]byte{size, size})},
		)
		m.Sectors = append(m.Sectors, n)
	}
	if _, err := w.run(ctx, calls...); err != nil {
		return err
	}
	return w.prove(ctx, m, s)
}

// economy is what pledges follow, as the actors say: the smoothed reward, the baseline power, the smoothed power. Cron would pass it
// to miners that confirm sectors.
func (w *world) economy(ctx context.Context) ([]byte, error) {
	system := idAddress(systemID)
	returns, err := w.run(ctx, call{from: system, to: idAddress(rewardID), method: methodReward}, call{from: system, to: idAddress(powerID), method: methodTotalPower})
	if err != nil {
		return nil, err
	}
	reward, err := listItems(returns[0])
	if err != nil {
		return nil, err
	}
	power, err := listItems(returns[1])
	if err != nil {
		return nil, err
	}
	if len(reward) < 2 || len(power) < 4 {
		return nil, fmt.Errorf("the reward actor returned %d values, the power actor %d", len(reward), len(power))
	}
	return slices.Concat(reward[0], reward[1], power[3]), nil
}

// preCommit is a pre-commitment of a sector without deals.
func preCommit(m *Miner, s sectorsToBe, n abi.SectorNumber) ([]byte, error) {
	var digest [32]byte // of a replica that nobody has: a number below the order of BLS12-381's group, as all are
	binary.LittleEndian.PutUint64(digest[:], uint64(m.ID))
	binary.LittleEndian.PutUint64(digest[8:], uint64(n)+1)
	hash, err := multihash.Encode(digest[:], multihash.POSEIDON_BLS12_381_A1_FC1)
	if err != nil {
		return nil, err
	}
	sealed := cid.NewCidV1(cid.FilCommitmentSealed, hash)
	info := cbor.AppendArray(cbor.AppendArray(cbor.AppendArray(nil, 1), 1), 7)
	info = cbor.AppendUint(cbor.AppendUint(info, uint64(s.seal)), uint64(n))
	info = cbor.AppendInt(cbor.AppendCID(info, sealed), int64(s.epoch)-1) // it was sealed before
	info = cbor.AppendInt(cbor.AppendArray(info, 0), s.expires)
	return append(info, 0xf6), nil // no data
}

// expiration is the last epoch of the longest whole number of proving periods that a sector may live.
func (w *world) expiration(ctx context.Context, m *Miner) (int64, error) {
	days := int64(1278) // FIP-0052
	if w.NetworkVersion < 21 {
		days = 540
	}
	start, err := w.provingStart(ctx, m.ID)
	return (days-1)*provingPeriod + start - 1, err
}

// minerState reads the fields of a miner's state.
func (w *world) minerState(ctx context.Context, t *state.Tree, b *blockstore.Buffered, id abi.ActorID) (*state.ActorState, [][]byte, error) {
	a, err := t.Actor(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if a == nil {
		return nil, nil, fmt.Errorf("there is no actor f0%d", id)
	}
	fields, err := readList(ctx, b, a.Head)
	if err == nil && len(fields) <= fieldDeadlines+1 {
		err = fmt.Errorf("the state of miner f0%d has %d fields", id, len(fields))
	}
	return a, fields, err
}

func (w *world) provingStart(ctx context.Context, id abi.ActorID) (start int64, err error) {
	err = w.edit(ctx, func(t *state.Tree, b *blockstore.Buffered) error {
		_, fields, err := w.minerState(ctx, t, b, id)
		if err != nil {
			return err
		}
		var v cbg.CborInt
		err = v.UnmarshalCBOR(bytes.NewReader(fields[fieldProvingStart]))
		start = int64(v)
		return err
	})
	return start, err
}

// prove counts new sectors of a miner as proven: it takes them from its partitions' unproven sectors and power.
func (w *world) prove(ctx context.Context, m *Miner, s sectorsToBe) error {
	return w.edit(ctx, func(t *state.Tree, b *blockstore.Buffered) error {
		a, fields, err := w.minerState(ctx, t, b, m.ID)
		if err != nil {
			return err
		}
		fields[fieldDeadlines], err = w.deadlines(ctx, b, fields[fieldDeadlines], func(partition [][]byte) error {
			return proven(partition, m, s)
		})
		if err != nil {
			return err
		}
		a.Head = writeList(b, fields)
		return t.SetActor(m.ID, *a)
	})
}

// proven takes sectors from what is unproven of a partition.
func proven(partition [][]byte, m *Miner, s sectorsToBe) error {
	var unproven bitfield.BitField
	if err := unproven.UnmarshalCBOR(bytes.NewReader(partition[fieldUnproven])); err != nil {
		return err
	}
	var mine []uint64
	for n := s.first; n < s.first+s.count; n++ {
		if is, err := unproven.IsSet(uint64(n)); err != nil {
			return err
		} else if is {
			mine = append(mine, uint64(n))
		}
	}
	if len(mine) == 0 {
		return nil
	}
	left, err := bitfield.SubtractBitField(unproven, bitfield.NewFromSet(mine))
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	if err := left.MarshalCBOR(&buf); err != nil {
		return err
	}
	power, err := listItems(partition[fieldUnprovenPower])
	if err != nil {
		return err
	}
	for i := range power {
		var has big.Int
		if err := has.UnmarshalCBOR(bytes.NewReader(power[i])); err != nil {
			return err
		}
		power[i] = bigBytes(big.Sub(has, big.Mul(big.NewInt(int64(len(mine))), big.NewIntUnsigned(uint64(m.Size)))))
	}
	partition[fieldUnproven], partition[fieldUnprovenPower] = buf.Bytes(), list(power)
	return nil
}

// deadlines changes all partitions of all deadlines. link is the item of a state that names them; the result is what it becomes.
func (w *world) deadlines(ctx context.Context, b *blockstore.Buffered, link []byte, change func([][]byte) error) ([]byte, error) {
	r := cbor.NewReader(link)
	outer, err := readList(ctx, b, r.CID())
	if err != nil {
		return nil, err
	}
	due, err := listItems(outer[0])
	if err != nil {
		return nil, err
	}
	for i := range due {
		r := cbor.NewReader(due[i])
		deadline, err := readList(ctx, b, r.CID())
		if err != nil {
			return nil, err
		}
		if deadline[fieldPartitions], err = partitions(ctx, b, deadline[fieldPartitions], change); err != nil {
			return nil, fmt.Errorf("deadline %d: %w", i, err)
		}
		due[i] = cbor.AppendCID(nil, writeList(b, deadline))
	}
	outer[0] = list(due)
	return cbor.AppendCID(nil, writeList(b, outer)), nil
}

func partitions(ctx context.Context, b *blockstore.Buffered, link []byte, change func([][]byte) error) ([]byte, error) {
	r := cbor.NewReader(link)
	array, err := amt.LoadAMT(ctx, ipldcbor.NewCborStore(b), r.CID(), amt.UseTreeBitWidth(partitionsBits))
	if err != nil {
		return nil, err
	}
	changed := map[uint64]*cbg.Deferred{}
	err = array.ForEach(ctx, func(i uint64, value *cbg.Deferred) error {
		fields, err := listItems(value.Raw)
		if err != nil {
			return err
		}
		before := list(fields)
		if err := change(fields); err != nil || bytes.Equal(before, list(fields)) {
			return err
		}
		changed[i] = &cbg.Deferred{Raw: list(fields)}
		return nil
	})
	if err != nil || len(changed) == 0 {
		return link, err
	}
	for i, v := range changed {
		if err := array.Set(ctx, i, v); err != nil {
			return nil, err
		}
	}
	root, err := array.Flush(ctx)
	return cbor.AppendCID(nil, root), err
}

// thisEpoch makes the power of all miners that of epoch 0: what cron would have counted at the end of the epoch before.
func (w *world) thisEpoch(ctx context.Context) error {
	var fields [][]byte
	err := w.edit(ctx, func(t *state.Tree, b *blockstore.Buffered) error {
		a, err := t.Actor(ctx, powerID)
		if err != nil {
			return err
		}
		fields, err = readList(ctx, b, a.Head)
		return err
	})
	if err != nil {
		return err
	}
	return w.patch(ctx, powerID, map[int][]byte{fieldThisEpochRaw: fields[fieldTotalRaw], fieldThisEpochQA: fields[fieldTotalQA]})
}

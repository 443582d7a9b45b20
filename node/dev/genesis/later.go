package genesis

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// Later makes miners, and gives them power, in a state after the genesis, by the way that the genesis has. It belongs to one goroutine
// at a time. No window PoSt is sent for the sectors: who does not send them has faults after the sectors' first deadlines.
type Later struct{ w *world }

// Later takes up the state of a machine's setting, of a chain that began with this genesis. Messages run in that setting, with nonces
// from nonce on: addresses of new actors are made of them.
func (g *Genesis) Later(ctx context.Context, cfg fvm.Config, nonce uint64) (*Later, error) {
	w := &world{
		Genesis: &Genesis{Root: cfg.StateRoot, Store: cfg.Blockstore, NetworkVersion: cfg.NetworkVersion, ChainID: cfg.ChainID, seed: g.seed},
		store:   cfg.Blockstore, codes: map[string]cid.Cid{}, nonce: nonce, epoch: cfg.Epoch, later: &cfg,
	}
	return &Later{w}, w.edit(ctx, func(t *state.Tree, b *blockstore.Buffered) error {
		m, err := actors.LoadManifest(ctx, t, b)
		if err != nil {
			return err
		}
		for _, c := range m.Codes() {
			name, _ := m.Name(c)
			w.codes[name] = c
		}
		return nil
	})
}

// Root of the state as it is.
func (l *Later) Root() cid.Cid { return l.w.Root }

// MinerOptions say what a miner is.
type MinerOptions struct {
	// Owner of the miner, an account. Default: its worker.
	Owner address.Address
	// Balance that the miner begins with, in attoFIL, from which deposits and pledge are taken. The faucet pays it. Default: 10,000 FIL.
	Balance abi.TokenAmount
	// Sectors without deals, at most 64. Default: none.
	Sectors int
	// SectorSize in bytes. Default: 2 KiB, which testing flavours alone take.
	SectorSize abi.SectorSize
}

func (o *MinerOptions) options() (*Options, error) {
	all := &Options{MinerBalance: o.Balance, SectorSize: o.SectorSize, Sectors: o.Sectors}
	if all.MinerBalance.Int == nil {
		all.MinerBalance = fil(10_000)
	}
	if all.SectorSize == 0 {
		all.SectorSize = 2 << 10
	}
	if o.Sectors < 0 || o.Sectors > 64 {
		return nil, fmt.Errorf("%w: %d sectors, want 0 to 64", ErrOptions, o.Sectors)
	}
	if all.MinerBalance.Sign() < 0 {
		return nil, fmt.Errorf("%w: a balance below 0", ErrOptions)
	}
	return all, nil
}

// Miner makes one. Its worker is the mnemonic's next, with an account that the faucet funds.
func (l *Later) Miner(ctx context.Context, o MinerOptions) (*Miner, error) {
	all, err := o.options()
	if err != nil {
		return nil, err
	}
	all.NetworkVersion = l.w.NetworkVersion
	root, nonce := l.w.Root, l.w.nonce
	m := &Miner{Size: all.SectorSize}
	if err = l.worker(ctx, m); err == nil {
		m.OwnerID = m.WorkerID
		if o.Owner != address.Undef {
			m.OwnerID, err = l.id(ctx, o.Owner)
		}
	}
	if err == nil {
		_, err = l.w.run(ctx, call{from: idAddress(firstID), to: idAddress(m.OwnerID), value: all.MinerBalance})
	}
	if err == nil {
		err = l.w.miner(ctx, all, m)
	}
	if err != nil {
		l.w.Root, l.w.nonce = root, nonce
		return nil, err
	}
	return m, nil
}

// worker makes a worker's account.
func (l *Later) worker(ctx context.Context, m *Miner) error {
	for i := 0; ; i++ {
		key, err := blsKey(l.w.seed, "miner", i)
		if err != nil {
			return err
		}
		if _, err := l.id(ctx, key.F3); err == nil {
			continue // a miner has it
		}
		if _, err = l.w.run(ctx, call{from: idAddress(firstID), to: key.F3, value: fil(workerFIL)}); err != nil {
			return err
		}
		m.Worker = *key
		m.WorkerID, err = l.id(ctx, key.F3)
		return err
	}
}

// Power gives a miner more sectors without deals, which count as proven, and says which. The miner pays deposits and pledge.
func (l *Later) Power(ctx context.Context, miner address.Address, sectors int) (*Miner, error) {
	if sectors < 1 || sectors > 64 {
		return nil, fmt.Errorf("%w: %d sectors, want 1 to 64", ErrOptions, sectors)
	}
	id, err := l.id(ctx, miner)
	if err != nil {
		return nil, err
	}
	m := &Miner{ID: id}
	s := sectorsToBe{count: abi.SectorNumber(sectors), epoch: l.w.epoch}
	err = l.w.edit(ctx, func(t *state.Tree, b *blockstore.Buffered) error {
		_, fields, err := l.w.minerState(ctx, t, b, id)
		if err != nil {
			return err
		}
		if s.first, err = unallocated(ctx, b, fields[fieldAllocated]); err != nil {
			return err
		}
		return m.read(ctx, b, fields[fieldInfo])
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", miner, err)
	}
	o := Options{SectorSize: m.Size}
	if s.seal, err = o.sealProof(); err != nil {
		return nil, err
	}
	return m, l.w.sectors(ctx, m, s)
}

const (
	fieldInfo      = 0 // of a miner's state
	fieldAllocated = 8
	fieldWorker    = 1 // of a miner's info
	fieldPoSt      = 6
	fieldSize      = 7
)

// unallocated is a sector number above all that a miner has used.
func unallocated(ctx context.Context, b *blockstore.Buffered, link []byte) (abi.SectorNumber, error) {
	r := cbor.NewReader(link)
	data, err := b.GetRaw(ctx, r.CID())
	if err != nil {
		return 0, err
	}
	var used bitfield.BitField
	if err := used.UnmarshalCBOR(bytes.NewReader(data)); err != nil {
		return 0, err
	}
	last, err := used.Last()
	switch {
	case errors.Is(err, bitfield.ErrNoBitsSet):
		return 0, nil
	case err != nil:
		return 0, err
	case last >= abi.MaxSectorNumber-64:
		return 0, errors.New("the miner has used its highest sector number")
	}
	return abi.SectorNumber(last + 1), nil
}

// read reads a miner's info.
func (m *Miner) read(ctx context.Context, b *blockstore.Buffered, link []byte) error {
	r := cbor.NewReader(link)
	info, err := readList(ctx, b, r.CID())
	if err != nil {
		return err
	}
	if len(info) <= fieldSize {
		return fmt.Errorf("the miner's info has %d fields", len(info))
	}
	worker, post, size := cbor.NewReader(info[fieldWorker]), cbor.NewReader(info[fieldPoSt]), cbor.NewReader(info[fieldSize])
	m.PoSt, m.Size = abi.RegisteredPoStProof(post.Uint()), abi.SectorSize(size.Uint())
	a, err := address.NewFromBytes(worker.Bytes())
	if err != nil {
		return err
	}
	id, err := address.IDFromAddress(a)
	m.WorkerID = abi.ActorID(id)
	return errors.Join(err, post.End(), size.End())
}

// id is that of an actor which must be there.
func (l *Later) id(ctx context.Context, a address.Address) (id abi.ActorID, err error) {
	return id, l.w.edit(ctx, func(t *state.Tree, _ *blockstore.Buffered) error {
		found, ok, err := t.LookupID(ctx, a)
		if err != nil {
			return err
		}
		if st, err := t.Actor(ctx, found); err != nil || !ok || st == nil {
			return errors.Join(err, fmt.Errorf("no actor has the address %s", a))
		}
		id = found
		return nil
	})
}

// DataCap gives an actor an amount of DataCap, in bytes, as the verified registry does for a verified client: the market may spend it.
func (l *Later) DataCap(ctx context.Context, client address.Address, amount big.Int) error {
	id, err := l.id(ctx, client)
	if err != nil {
		return err
	}
	if amount.Sign() <= 0 || amount.BitLen() > 80 {
		return fmt.Errorf("%w: %s bytes of DataCap, want 1 to 2^80-1", ErrOptions, amount)
	}
	params := bigBytes(big.Mul(amount, big.NewInt(1e18)))
	params = append(appendAddress(cbor.AppendArray(nil, 3), idAddress(id)), params...)
	params = appendAddress(cbor.AppendArray(params, 1), idAddress(marketID))
	_, err = l.w.run(ctx, call{from: idAddress(verifregID), to: idAddress(datacapID), method: methodMint, params: params})
	return err
}

// methodMint is Mint by FRC-0042.
const methodMint = 116935346

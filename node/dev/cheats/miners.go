package cheats

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/edit"
	"github.com/edgefvm/fvm/node/dev/genesis"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// minerOptions are what fvm_createMiner takes, all of which may be left out.
type minerOptions struct {
	Owner      *Address `json:"owner"`
	Balance    *Amount  `json:"balance"`
	Sectors    *Uint    `json:"sectors"`
	SectorSize *Uint    `json:"sectorSize"`
}

type minerMade struct {
	Miner   string   `json:"miner"`
	Owner   string   `json:"owner"`
	Worker  string   `json:"worker"`
	Key     string   `json:"workerAddress,omitempty"` // f3
	Sectors []uint64 `json:"sectors"`
	Size    uint64   `json:"sectorSize"`
}

func (s *server) miner(m *genesis.Miner) *minerMade {
	out := &minerMade{
		Miner: s.text(addr.NewID(uint64(m.ID))), Owner: s.text(addr.NewID(uint64(m.OwnerID))), Worker: s.text(addr.NewID(uint64(m.WorkerID))),
		Sectors: []uint64{}, Size: uint64(m.Size),
	}
	if m.Worker.F3 != address.Undef {
		out.Key = s.text(m.Worker.F3)
	}
	for _, n := range m.Sectors {
		out.Sectors = append(out.Sectors, uint64(n))
	}
	return out
}

// later changes the state by the genesis' own means.
func (s *server) later(ctx context.Context, do func(*genesis.Later) error) error {
	if s.n.Fork() != nil {
		return invalid("a fork has no faucet that pays for it: that is of chains with a genesis of their own")
	}
	return wrong(s.n.Edit(ctx, func(ctx context.Context, b *blockstore.Buffered, root cid.Cid) (cid.Cid, error) {
		cfg, err := s.n.Setting(ctx)
		if err != nil {
			return cid.Undef, err
		}
		e, err := edit.Open(ctx, b, root)
		if err != nil {
			return cid.Undef, err
		}
		nonce, err := e.NextNonce(ctx)
		if err != nil {
			return cid.Undef, err
		}
		cfg.StateRoot, cfg.Blockstore = root, b
		l, err := s.n.Genesis().Later(ctx, cfg, nonce)
		if err != nil {
			return cid.Undef, err
		}
		if err := do(l); err != nil {
			return cid.Undef, invalid("%v", err)
		}
		return l.Root(), nil
	}))
}

func (s *server) createMiner(ctx context.Context, how jsonrpc.Optional[minerOptions]) (out *minerMade, err error) {
	var o genesis.MinerOptions
	h := how.Value
	if h.Owner != nil {
		o.Owner = h.Owner.Address
	}
	if h.Balance != nil {
		o.Balance = h.Balance.tokens()
	}
	if h.Sectors != nil {
		o.Sectors = int(min(*h.Sectors, 1<<20))
	}
	if h.SectorSize != nil {
		o.SectorSize = abi.SectorSize(*h.SectorSize)
	}
	err = s.later(ctx, func(l *genesis.Later) error {
		m, err := l.Miner(ctx, o)
		if err == nil {
			out = s.miner(m)
		}
		return err
	})
	return out, err
}

// addPower gives a miner sectors that count as proven.
func (s *server) addPower(ctx context.Context, miner Address, sectors jsonrpc.Optional[Uint]) (out *minerMade, err error) {
	err = s.later(ctx, func(l *genesis.Later) error {
		m, err := l.Power(ctx, miner.Address, int(min(sectors.Or(1), 1<<20)))
		if err == nil {
			out = s.miner(m)
		}
		return err
	})
	return out, err
}

// grantDatacap gives a client DataCap, in bytes, and says how much it has.
func (s *server) grantDatacap(ctx context.Context, client Address, amount Amount) (string, error) {
	err := s.later(ctx, func(l *genesis.Later) error { return l.DataCap(ctx, client.Address, big.Int{Int: amount.Int}) })
	if err != nil {
		return "", err
	}
	return s.datacap(ctx, client.Address)
}

func (s *server) datacap(ctx context.Context, client address.Address) (string, error) {
	const datacap, balance = 7, 3261979605 // the method Balance by FRC-0042
	id, _, err := s.n.Actor(ctx, s.n.Latest(), client)
	if err != nil {
		return "", err
	}
	res, err := s.n.Call(ctx, s.n.Latest(), &fvm.Message{
		From: addr.NewID(0), To: addr.NewID(datacap), Method: balance, Params: cbor.AppendBytes(nil, addr.NewID(uint64(id)).Bytes()),
		Value: big.Zero(), GasLimit: 10_000_000_000, GasFeeCap: big.Zero(), GasPremium: big.Zero(),
	}, dev.CallOptions{})
	if err != nil {
		return "", err
	}
	r := cbor.NewReader(res.Return)
	has, err := big.FromBytes(r.Bytes())
	if err != nil || r.End() != nil || res.ExitCode != 0 {
		return "", fmt.Errorf("asking for the DataCap of %s: exit code %d", client, res.ExitCode)
	}
	const perByte = 1e18
	return fmt.Sprintf("0x%x", big.Div(has, big.NewInt(perByte)).Int), nil
}

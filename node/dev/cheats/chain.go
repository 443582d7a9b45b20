package cheats

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// chain are the methods that go back, and those that take a state elsewhere.
func (s *server) chain(t *table) {
	t.add(s.snapshot, loose(), "evm_snapshot", "anvil_snapshot", "hardhat_snapshot")
	t.add(s.revert, named("id"), "evm_revert", "anvil_revert", "hardhat_revert")
	t.add(s.reset, loose(), "reset")
	t.add(s.rollback, named("depth"), "anvil_rollback")
	t.add(s.reorg, append(loose(), jsonrpc.Waits()), "anvil_reorg")
	t.add(s.setRpcURL, named("url"), "setRpcUrl")
	t.add(s.dump, append(loose(), jsonrpc.Waits()), "dumpState")
	t.add(s.load, append(named("state"), jsonrpc.Waits()), "loadState")
}

func (s *server) snapshot(ctx context.Context) (string, error) {
	id, err := s.n.Snapshot(ctx)
	return quantity(id), err
}

func (s *server) revert(ctx context.Context, id Amount) (bool, error) {
	if !id.IsUint64() {
		return false, nil
	}
	return s.n.Revert(ctx, id.Uint64())
}

// forking is what anvil_reset and hardhat_reset take to fork from somewhere.
type forking struct {
	Forking *struct {
		JSONRPCURL  *string `json:"jsonRpcUrl"`
		BlockNumber *Uint   `json:"blockNumber"`
	} `json:"forking"`
}

func (s *server) reset(ctx context.Context, how jsonrpc.Optional[forking]) error {
	if err := s.resetTo(ctx, how.Value); err != nil {
		return err
	}
	s.renew()
	return nil
}

// resetTo goes back to where the chain began or, with something to fork, on from there.
func (s *server) resetTo(ctx context.Context, how forking) error {
	f := how.Forking
	if f == nil || f.JSONRPCURL == nil && f.BlockNumber == nil && s.n.Fork() == nil {
		return s.n.Reset(ctx)
	}
	if s.o.Fork == nil {
		return invalid("this node cannot fork from another")
	}
	url := ""
	if f.JSONRPCURL != nil {
		url = *f.JSONRPCURL
	}
	if url == "" && s.n.Fork() == nil {
		return invalid("there is nothing that was forked before: name a node by jsonRpcUrl")
	}
	var epoch *abi.ChainEpoch
	if f.BlockNumber != nil {
		if uint64(*f.BlockNumber) > 1<<62 {
			return invalid("block %d is no epoch", *f.BlockNumber)
		}
		e := abi.ChainEpoch(*f.BlockNumber)
		epoch = &e
	}
	to, err := s.o.Fork(ctx, url, epoch)
	if err != nil {
		return invalid("%v", err)
	}
	if err := s.n.ResetTo(ctx, to); err != nil {
		return invalid("%v", err)
	}
	return nil
}

func (s *server) setRpcURL(string) error {
	if s.n.Fork() != nil {
		return invalid("a fork stays with its node: reset with forking.jsonRpcUrl takes another")
	}
	return invalid("this node is not forked from another, so there is no URL to change")
}

func (s *server) rollback(ctx context.Context, depth jsonrpc.Optional[Uint]) error {
	d := uint64(depth.Or(1))
	if d >= uint64(s.n.Len()) {
		return invalid("a rollback of %d blocks cannot be: the chain has %d above its genesis", d, s.n.Len()-1)
	}
	_, err := s.n.Rollback(ctx, int(d))
	return err
}

// pair is a transaction for a new block, and the block's number among the new ones.
type pair struct {
	raw   Data
	block uint64
}

func (p *pair) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil || len(list) != 2 {
		return fmt.Errorf("want [transaction, block], got %s", shown(b))
	}
	if err := p.raw.UnmarshalJSON(list[0]); err != nil {
		return fmt.Errorf("a transaction must be signed, and in its bytes: %w", err)
	}
	var at Uint
	err := at.UnmarshalJSON(list[1])
	p.block = uint64(at)
	return err
}

// reorgOptions are an object, or a depth with pairs after it.
type reorgOptions struct {
	Depth Uint   `json:"depth"`
	Pairs []pair `json:"tx_block_pairs"`
}

func (o *reorgOptions) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		type plain reorgOptions
		return json.Unmarshal(b, (*plain)(o))
	}
	return o.Depth.UnmarshalJSON(b)
}

// reorg puts other blocks in the place of the last ones, with the transactions that are given; those that were there are gone.
func (s *server) reorg(ctx context.Context, o reorgOptions, pairs jsonrpc.Optional[[]pair]) error {
	list := append(o.Pairs, pairs.Value...)
	if o.Depth == 0 || uint64(o.Depth) >= uint64(s.n.Len()) {
		return invalid("a reorganisation of %d blocks cannot be: the chain has %d above its genesis", o.Depth, s.n.Len()-1)
	}
	with := dev.ReorgOptions{Depth: int(o.Depth), Drop: true}
	for i, p := range list {
		if p.block >= uint64(o.Depth) {
			return invalid("transaction %d is for block %d, and there are %d", i, p.block, o.Depth)
		}
		m, err := s.signed(p.raw)
		if err != nil {
			return invalid("transaction %d: %v", i, err)
		}
		if with.With == nil {
			with.With = map[int][]dev.Signed{}
		}
		with.With[int(p.block)] = append(with.With[int(p.block)], *m)
	}
	_, err := s.n.Reorg(ctx, with)
	return err
}

// signed reads a raw transaction.
func (s *server) signed(raw Data) (*dev.Signed, error) {
	tx, _, err := eth.ReadRaw(s.o.Manner, eth.Data(raw), s.n.ChainID())
	if err != nil {
		return nil, err
	}
	m, err := tx.Native()
	if err != nil {
		return nil, err
	}
	if m.GasLimit > chain.BlockGasLimit {
		return nil, eth.ErrGasLimit
	}
	return &dev.Signed{
		Message: &fvm.Message{
			From: m.From, To: m.To, Nonce: m.Nonce, Value: big.Int{Int: m.Value}, GasLimit: int64(m.GasLimit),
			GasFeeCap: big.Int{Int: m.FeeCap}, GasPremium: big.Int{Int: m.Premium}, Method: m.Method, Params: m.Params,
		},
		Signature: &crypto.Signature{Type: crypto.SigTypeDelegated, Data: m.Signature},
	}, nil
}

package cheats

import (
	"context"
	"encoding/json"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/eth"
)

// about are the methods that say what the node is.
func (s *server) about(t *table) {
	t.add(s.nodeInfo, loose(), "anvil_nodeInfo")
	t.add(s.metadata, loose(), "anvil_metadata")
	// Clients take who answers hardhat_metadata for Hardhat's own node, and stop to estimate gas. Ignition insists on it at this chain id,
	// and at no other.
	const hardhat = 31337
	if s.n.ChainID() == hardhat {
		t.add(s.metadata, loose(), "hardhat_metadata")
	}
	t.add(s.setLogging, named("enabled"), "setLoggingEnabled")
	t.add(func() bool { return true }, loose(), "hardhat_addCompilationResult") // nobody here makes stack traces of it
	t.add(func() error { return nil }, loose(), "anvil_enableTraces")
	t.add(func() uint64 { return s.n.First().Timestamp() }, loose(), "anvil_getGenesisTime")
	// Blobs are no part of Filecoin: nobody has any.
	t.add(func() any { return nil }, loose(), "anvil_getBlobByHash", "anvil_getBlobsByTransactionHash")
	t.add(s.setChainID, named("chainId"), "anvil_setChainId")
	t.add(func() error {
		return invalid("signatures are verified by the actors' own code, so that none can stand for another; impersonate the address (anvil_impersonateAccount) instead")
	}, loose(), "anvil_impersonateSignature")
}

// setChainID takes the id that the chain has: its addresses and signatures are made with it.
func (s *server) setChainID(id Uint) error {
	if uint64(id) != s.n.ChainID() {
		return invalid("the chain id is %d since the genesis and stays so; begin a chain with another by edgefvm dev --chain-id %d", s.n.ChainID(), id)
	}
	return nil
}

type nodeInfo struct {
	Number      eth.Quantity `json:"currentBlockNumber"`
	Timestamp   uint64       `json:"currentBlockTimestamp"`
	Hash        eth.Hash     `json:"currentBlockHash"`
	HardFork    string       `json:"hardFork"`
	Order       string       `json:"transactionOrder"`
	Environment struct {
		BaseFee  eth.Amount   `json:"baseFee"`
		ChainID  uint64       `json:"chainId"`
		GasLimit eth.Quantity `json:"gasLimit"`
		GasPrice eth.Amount   `json:"gasPrice"`
	} `json:"environment"`
	Fork struct {
		URL    *string `json:"forkUrl"`
		Number *uint64 `json:"forkBlockNumber"`
		Retry  *uint64 `json:"forkRetryBackoff"`
	} `json:"forkConfig"`
	Filecoin struct {
		NetworkVersion uint   `json:"networkVersion"`
		Bundle         string `json:"bundle"`
		Network        string `json:"network"`
		// Fetched is what a fork's node was asked for.
		Fetched json.RawMessage `json:"fetched,omitempty"`
	} `json:"filecoin"`
}

// retryBackoff is the pause before a request is made again, in milliseconds, as anvil_nodeInfo has it.
const retryBackoff = 100

// hardFork is the one whose instructions the newest actors have, apart from blobs.
const hardFork = "prague"

func (s *server) nodeInfo(ctx context.Context) (*nodeInfo, error) {
	b := s.n.Latest()
	t, err := s.n.Tree(ctx, b)
	if err != nil {
		return nil, err
	}
	list, err := t.Builtin(ctx)
	if err != nil {
		return nil, err
	}
	i := &nodeInfo{Number: eth.Quantity(b.Epoch()), Timestamp: b.Timestamp(), Hash: b.Hash, HardFork: hardFork, Order: "fifo"}
	fee := eth.Amount{Int: s.n.NextBaseFee().Int}
	i.Environment.BaseFee, i.Environment.GasPrice = fee, fee
	i.Environment.ChainID, i.Environment.GasLimit = s.n.ChainID(), chain.BlockGasLimit
	if f := s.n.Fork(); f != nil {
		number, retry := uint64(f.Tipset.Height()), uint64(retryBackoff)
		i.Fork.URL, i.Fork.Number, i.Fork.Retry = &f.URL, &number, &retry
		i.Filecoin.Fetched = s.n.StatsOf()
	}
	i.Filecoin.NetworkVersion = uint(s.n.Version(b.Epoch() + 1))
	i.Filecoin.Bundle, i.Filecoin.Network = bundle.NameOf(list), s.n.Network().Name
	return i, nil
}

type metadata struct {
	ClientVersion string         `json:"clientVersion"`
	ChainID       uint64         `json:"chainId"`
	Instance      eth.Hash       `json:"instanceId"`
	Number        uint64         `json:"latestBlockNumber"`
	Hash          eth.Hash       `json:"latestBlockHash"`
	Forked        any            `json:"forkedNetwork"`
	Snapshots     map[string]any `json:"snapshots"`
}

// forkedNetwork is anvil_metadata's.
type forkedNetwork struct {
	ChainID uint64   `json:"chainId"`
	Number  uint64   `json:"forkBlockNumber"`
	Hash    eth.Hash `json:"forkBlockHash"`
}

func (s *server) metadata() *metadata {
	b := s.n.Latest()
	var forked any
	if f := s.n.Fork(); f != nil {
		forked = &forkedNetwork{f.Network.ChainID, uint64(f.Tipset.Height()), s.n.First().Hash}
	}
	return &metadata{
		Forked:        forked,
		ClientVersion: s.o.ClientVersion, ChainID: s.n.ChainID(), Instance: s.instance, Number: uint64(b.Epoch()), Hash: b.Hash, Snapshots: map[string]any{},
	}
}

func (s *server) setLogging(on bool) {
	if s.o.Log != nil {
		s.o.Log(on)
	}
}

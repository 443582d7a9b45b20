package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// Prefix is what names of methods begin with.
const Prefix = "Filecoin."

// waits are methods that wait for something to happen.
var waits = map[string]bool{"StateWaitMsg": true, "StateWaitMsgLimited": true}

// Register puts the methods of /rpc/v1 into a table.
func (a *API) Register(ms *jsonrpc.Methods) { register(ms, v1{a}) }

// RegisterV0 puts the methods of /rpc/v0, which some old programs speak, into a table.
func (a *API) RegisterV0(ms *jsonrpc.Methods) { register(ms, v0{v1{a}}) }

// RegisterV2 puts the methods of /rpc/v2 into a table: few, that name tipsets by what they are wanted for.
func (a *API) RegisterV2(ms *jsonrpc.Methods) { register(ms, v2{a}) }

func register(ms *jsonrpc.Methods, methods any) {
	for wait, options := range map[bool][]jsonrpc.MethodOption{true: {jsonrpc.Waits()}, false: nil} {
		ms.RegisterAll(methods, func(name string) string {
			if waits[name] != wait {
				return ""
			}
			return Prefix + name
		}, options...)
	}
}

// v0 are the methods of /rpc/v0 where they differ from those of /rpc/v1.
type v0 struct{ v1 }

func (m v0) Version(context.Context) (json.RawMessage, error) {
	return m.out(m.version(apiVersion0), nil)
}

func (m v0) StateSearchMsg(ctx context.Context, message cid.Cid) (json.RawMessage, error) {
	return m.v1.StateSearchMsg(ctx, tipsetKey{}, message, noLimit, true)
}

func (m v0) StateSearchMsgLimited(ctx context.Context, message cid.Cid, limit abi.ChainEpoch) (json.RawMessage, error) {
	return m.v1.StateSearchMsg(ctx, tipsetKey{}, message, limit, true)
}

func (m v0) StateWaitMsg(ctx context.Context, message cid.Cid, confidence uint64) (json.RawMessage, error) {
	return m.v1.StateWaitMsg(ctx, message, confidence, noLimit, true)
}

func (m v0) StateWaitMsgLimited(ctx context.Context, message cid.Cid, confidence uint64, limit abi.ChainEpoch) (json.RawMessage, error) {
	return m.v1.StateWaitMsg(ctx, message, confidence, limit, true)
}

func (m v0) StateGetReceipt(ctx context.Context, message cid.Cid, from tipsetKey) (json.RawMessage, error) {
	ts, err := m.tipset(ctx, from)
	if err != nil {
		return m.out(nil, err)
	}
	at, err := m.search(ctx, ts, message, noLimit, true)
	if err != nil || at == nil {
		return m.out(nil, err)
	}
	return m.out(at.receipt, nil)
}

func (m v0) StateSectorPreCommitInfo(ctx context.Context, a Address, number abi.SectorNumber, key tipsetKey) (json.RawMessage, error) {
	out, err := m.preCommit(ctx, a, number, key)
	if err == nil && out == nil {
		err = errors.New("precommit info does not exist")
	}
	return m.out(out, err)
}

func (m v0) ChainGetRandomnessFromTickets(ctx context.Context, key tipsetKey, tag crypto.DomainSeparationTag, epoch abi.ChainEpoch, entropy []byte) (json.RawMessage, error) {
	return m.StateGetRandomnessFromTickets(ctx, tag, epoch, entropy, key)
}

func (m v0) ChainGetRandomnessFromBeacon(ctx context.Context, key tipsetKey, tag crypto.DomainSeparationTag, epoch abi.ChainEpoch, entropy []byte) (json.RawMessage, error) {
	return m.StateGetRandomnessFromBeacon(ctx, tag, epoch, entropy, key)
}

func (m v0) BeaconGetEntry(ctx context.Context, epoch abi.ChainEpoch) (json.RawMessage, error) {
	return m.StateGetBeaconEntry(ctx, epoch)
}

// v2 are the methods of /rpc/v2.
type v2 struct{ *API }

// selector names a tipset by its blocks, its height or a tag; at most one of them.
type selector struct {
	Key    []cid.Cid       `json:"key"`
	Height *selectorHeight `json:"height"`
	Tag    *string         `json:"tag"`
}

type selectorHeight struct {
	At       *abi.ChainEpoch `json:"at"`
	Previous bool            `json:"previous"`
	Anchor   *selectorAnchor `json:"anchor"`
}

type selectorAnchor struct {
	Key []cid.Cid `json:"key"`
	Tag *string   `json:"tag"`
}

// safeDistance is how far below the head the tipset is that nobody expects to be replaced.
const safeDistance = 200

func (m v2) selected(ctx context.Context, s selector) (*chain.Tipset, error) {
	switch {
	case s.Key != nil && (s.Height != nil || s.Tag != nil), s.Height != nil && s.Tag != nil:
		return nil, errors.New("only one tipset selection criteria must be specified: key, height or tag")
	case s.Key != nil:
		return m.exact(ctx, s.Key)
	case s.Tag != nil:
		return m.tagged(ctx, *s.Tag)
	case s.Height == nil:
		return nil, errors.New("at least one tipset selection criteria must be specified: key, height or tag")
	case s.Height.At == nil:
		return nil, errors.New("at epoch must be specified")
	}
	anchor, err := m.tagged(ctx, "finalized")
	if a := s.Height.Anchor; a != nil {
		switch {
		case a.Key != nil && a.Tag != nil:
			return nil, errors.New("only one anchor selection criteria must be specified: key or tag")
		case a.Key != nil:
			anchor, err = m.exact(ctx, a.Key)
		case a.Tag != nil:
			anchor, err = m.tagged(ctx, *a.Tag)
		}
	}
	if err != nil {
		return nil, err
	}
	at := *s.Height.At
	ts, err := m.byHeight(ctx, at, anchor)
	if err != nil {
		return nil, err
	}
	if ts.Height() != at && !s.Height.Previous {
		return nil, &jsonrpc.Error{Code: CodeNullRound, Message: fmt.Sprintf("requested epoch was a null round (%d)", at), Data: at}
	}
	return ts, nil
}

func (m v2) tagged(ctx context.Context, tag string) (*chain.Tipset, error) {
	head, err := m.o.Chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	switch tag {
	case "latest":
		return head, nil
	case "safe":
		return m.byHeight(ctx, max(head.Height()-safeDistance, 0), head)
	case "finalized":
		return m.finalized(ctx)
	}
	return nil, fmt.Errorf("unknown tag %q: there are latest, finalized and safe", cut(tag))
}

func (m v2) ChainGetTipSet(ctx context.Context, s selector) (json.RawMessage, error) {
	ts, err := m.selected(ctx, s)
	return m.out(tipsetOut(ts), err)
}

func (m v2) StateGetActor(ctx context.Context, a Address, s selector) (json.RawMessage, error) {
	ts, err := m.selected(ctx, s)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(m.actorOf(ctx, a, ts))
}

func (m v2) StateGetID(ctx context.Context, a Address, s selector) (json.RawMessage, error) {
	ts, err := m.selected(ctx, s)
	if err != nil {
		return m.out(nil, err)
	}
	t, err := m.state(ctx, ts)
	if err != nil {
		return m.out(nil, err)
	}
	act, err := actor(ctx, t, a, "")
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(act.Address(), nil)
}

// errF3 is Lotus's error of a node without F3.
func errF3() error { return &jsonrpc.Error{Code: codeF3Disabled, Message: "f3 is disabled"} }

const codeF3Disabled = 4

// Aliases gives the methods of Ethereum that a table has the names that Filecoin's clients know them by, such as Filecoin.EthGetBalance
// for eth_getBalance.
func Aliases(ms *jsonrpc.Methods) {
	for _, name := range ms.List() {
		if other := aliasOf(name); other != "" && !ms.Has(other) {
			ms.Alias(name, other)
		}
	}
}

// aliasOf is the name that a method of Ethereum has among Filecoin's; "" for others.
func aliasOf(name string) string {
	if other, ok := aliases[name]; ok {
		return Prefix + other
	}
	for _, family := range []struct{ from, to string }{{"eth_", "Eth"}, {"net_", "Net"}, {"web3_", "Web3"}, {"trace_", "EthTrace"}} {
		if rest := name[min(len(family.from), len(name)):]; len(name) > len(family.from) && name[:len(family.from)] == family.from {
			return Prefix + family.to + string(rest[0]&^0x20) + rest[1:]
		}
	}
	return ""
}

// aliases are those that do not follow from the name.
var aliases = map[string]string{
	"eth_getTransactionHashByCid":        "EthGetTransactionHashByCid",
	"eth_getMessageCidByTransactionHash": "EthGetMessageCidByTransactionHash",
}

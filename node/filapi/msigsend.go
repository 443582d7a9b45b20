package filapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	init_ "github.com/filecoin-project/go-state-types/builtin/v18/init"
	msig "github.com/filecoin-project/go-state-types/builtin/v18/multisig"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm"
)

// The parameters of multisigs, and of the init actor's Exec, are the same in all versions of the actors since 8.

// prototyped is a message to a multisig, or to make one, that a client signs and sends.
func (m v1) prototyped(from, to address.Address, value big.Int, method abi.MethodNum, params cbg.CBORMarshaler) (json.RawMessage, error) {
	if from == address.Undef {
		return m.out(nil, errors.New("must provide source address"))
	}
	if to == address.Undef {
		return m.out(nil, errors.New("must provide multisig address"))
	}
	var b bytes.Buffer
	if err := writeCBOR(params, &b); err != nil {
		return m.out(nil, err)
	}
	msg, err := messageOut(&fvm.Message{From: from, To: to, Value: value, GasFeeCap: big.Zero(), GasPremium: big.Zero(), Method: method, Params: b.Bytes()})
	return m.out(prototypeJSON{Message: msg}, err)
}

// MsigCreate makes a multisig; the last parameter, a gas price, counts for nothing.
func (m v1) MsigCreate(ctx context.Context, required uint64, signers []Address, unlock abi.ChainEpoch, value amount, from Address, _ amount) (json.RawMessage, error) {
	if uint64(len(signers)) < required {
		return m.out(nil, errors.New("cannot require signing of more addresses than provided for multisig"))
	}
	if required == 0 {
		required = uint64(len(signers))
	}
	p := &msig.ConstructorParams{NumApprovalsThreshold: required, UnlockDuration: unlock}
	for _, s := range signers {
		if err := s.must(); err != nil {
			return m.out(nil, err)
		}
		p.Signers = append(p.Signers, s.Address)
	}
	var b bytes.Buffer
	if err := writeCBOR(p, &b); err != nil {
		return m.out(nil, err)
	}
	code, err := m.codeOf(ctx, "multisig")
	if err != nil {
		return m.out(nil, err)
	}
	return m.prototyped(from.Address, builtin.InitActorAddr, value.orZero(), builtin.MethodsInit.Exec, &init_.ExecParams{CodeCID: code, ConstructorParams: b.Bytes()})
}

// codeOf is the code of a builtin actor in the head's state.
func (a *API) codeOf(ctx context.Context, name string) (cid.Cid, error) {
	head, err := a.o.Chain.Head(ctx)
	if err != nil {
		return cid.Undef, err
	}
	t, err := a.tree(ctx, head)
	if err != nil {
		return cid.Undef, err
	}
	codes, err := t.Codes(ctx)
	if err != nil {
		return cid.Undef, err
	}
	for _, c := range codes {
		if n, err := t.Name(ctx, c); err != nil || n == name {
			return c, err
		}
	}
	return cid.Undef, fmt.Errorf("the state has no actors of the kind %s", name)
}

func (m v1) MsigPropose(_ context.Context, a, to Address, value amount, from Address, method uint64, params []byte) (json.RawMessage, error) {
	if err := to.must(); err != nil {
		return m.out(nil, err)
	}
	return m.propose(a, from, &msig.ProposeParams{To: to.Address, Value: value.orZero(), Method: abi.MethodNum(method), Params: params})
}

func (m v1) propose(a, from Address, p *msig.ProposeParams) (json.RawMessage, error) {
	if p.Value.Sign() < 0 {
		return m.out(nil, errors.New("a negative amount"))
	}
	return m.prototyped(from.Address, a.Address, big.Zero(), builtin.MethodsMultisig.Propose, p)
}

// own proposes a call of the multisig to itself.
func (m v1) own(a, from Address, method abi.MethodNum, params cbg.CBORMarshaler) (json.RawMessage, error) {
	var b bytes.Buffer
	if err := errors.Join(a.must(), writeCBOR(params, &b)); err != nil {
		return m.out(nil, err)
	}
	return m.propose(a, from, &msig.ProposeParams{To: a.Address, Value: big.Zero(), Method: method, Params: b.Bytes()})
}

func (m v1) MsigAddPropose(_ context.Context, a, from, signer Address, increase bool) (json.RawMessage, error) {
	return m.own(a, from, builtin.MethodsMultisig.AddSigner, &msig.AddSignerParams{Signer: signer.Address, Increase: increase})
}

func (m v1) MsigSwapPropose(_ context.Context, a, from, old, signer Address) (json.RawMessage, error) {
	return m.own(a, from, builtin.MethodsMultisig.SwapSigner, &msig.SwapSignerParams{From: old.Address, To: signer.Address})
}

func (m v1) MsigRemoveSigner(_ context.Context, a, from, signer Address, decrease bool) (json.RawMessage, error) {
	return m.own(a, from, builtin.MethodsMultisig.RemoveSigner, &msig.RemoveSignerParams{Signer: signer.Address, Decrease: decrease})
}

func (m v1) MsigApprove(_ context.Context, a Address, id uint64, from Address) (json.RawMessage, error) {
	return m.prototyped(from.Address, a.Address, big.Zero(), builtin.MethodsMultisig.Approve, &msig.TxnIDParams{ID: msig.TxnID(id)})
}

func (m v1) MsigCancel(_ context.Context, a Address, id uint64, from Address) (json.RawMessage, error) {
	return m.prototyped(from.Address, a.Address, big.Zero(), builtin.MethodsMultisig.Cancel, &msig.TxnIDParams{ID: msig.TxnID(id)})
}

// transaction is what a multisig's transaction does, which its hash stands for.
type transaction struct {
	proposer, to Address
	value        amount
	method       abi.MethodNum
	params       []byte
}

// hashed approves or cancels a transaction that must be the one which is described.
func (m v1) hashed(ctx context.Context, a Address, id uint64, from Address, method abi.MethodNum, tx transaction) (json.RawMessage, error) {
	proposer, err := m.lookupID(ctx, tx.proposer, tipsetKey{})
	if err != nil {
		return m.out(nil, err)
	}
	if err := tx.to.must(); err != nil {
		return m.out(nil, err)
	}
	var b bytes.Buffer
	data := msig.ProposalHashData{Requester: proposer, To: tx.to.Address, Value: tx.value.orZero(), Method: tx.method, Params: tx.params}
	if err := writeCBOR(&data, &b); err != nil {
		return m.out(nil, err)
	}
	sum := blake2b.Sum256(b.Bytes())
	return m.prototyped(from.Address, a.Address, big.Zero(), method, &msig.TxnIDParams{ID: msig.TxnID(id), ProposalHash: sum[:]})
}

func (m v1) MsigApproveTxnHash(ctx context.Context, a Address, id uint64, proposer, to Address, value amount, from Address, method uint64, params []byte) (json.RawMessage, error) {
	return m.hashed(ctx, a, id, from, builtin.MethodsMultisig.Approve, transaction{proposer, to, value, abi.MethodNum(method), params})
}

func (m v1) MsigCancelTxnHash(ctx context.Context, a Address, id uint64, to Address, value amount, from Address, method uint64, params []byte) (json.RawMessage, error) {
	return m.hashed(ctx, a, id, from, builtin.MethodsMultisig.Cancel, transaction{from, to, value, abi.MethodNum(method), params})
}

// ownHashed is hashed of a call of the multisig to itself.
func (m v1) ownHashed(ctx context.Context, a Address, id uint64, from, proposer Address, what [2]abi.MethodNum, params cbg.CBORMarshaler) (json.RawMessage, error) {
	var b bytes.Buffer
	if err := writeCBOR(params, &b); err != nil {
		return m.out(nil, err)
	}
	return m.hashed(ctx, a, id, from, what[0], transaction{proposer, a, amount{}, what[1], b.Bytes()})
}

func (m v1) MsigAddApprove(ctx context.Context, a, from Address, id uint64, proposer, signer Address, increase bool) (json.RawMessage, error) {
	return m.ownHashed(ctx, a, id, from, proposer, [2]abi.MethodNum{builtin.MethodsMultisig.Approve, builtin.MethodsMultisig.AddSigner}, &msig.AddSignerParams{Signer: signer.Address, Increase: increase})
}

func (m v1) MsigAddCancel(ctx context.Context, a, from Address, id uint64, signer Address, increase bool) (json.RawMessage, error) {
	return m.ownHashed(ctx, a, id, from, from, [2]abi.MethodNum{builtin.MethodsMultisig.Cancel, builtin.MethodsMultisig.AddSigner}, &msig.AddSignerParams{Signer: signer.Address, Increase: increase})
}

func (m v1) MsigSwapApprove(ctx context.Context, a, from Address, id uint64, proposer, old, signer Address) (json.RawMessage, error) {
	return m.ownHashed(ctx, a, id, from, proposer, [2]abi.MethodNum{builtin.MethodsMultisig.Approve, builtin.MethodsMultisig.SwapSigner}, &msig.SwapSignerParams{From: old.Address, To: signer.Address})
}

func (m v1) MsigSwapCancel(ctx context.Context, a, from Address, id uint64, old, signer Address) (json.RawMessage, error) {
	return m.ownHashed(ctx, a, id, from, from, [2]abi.MethodNum{builtin.MethodsMultisig.Cancel, builtin.MethodsMultisig.SwapSigner}, &msig.SwapSignerParams{From: old.Address, To: signer.Address})
}

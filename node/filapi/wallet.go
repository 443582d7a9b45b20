package filapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	stbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/edgefvm/fvm"
	vmcrypto "github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/ethtx"
)

var errNoKeys = errors.New("this node has no keys: sign messages yourself and send them by MpoolPush")

func (a *API) keys() (Keys, error) {
	if a.o.Keys == nil {
		return nil, errNoKeys
	}
	return a.o.Keys, nil
}

func (m v1) WalletList(ctx context.Context) (json.RawMessage, error) {
	out := []address.Address{}
	if m.o.Keys == nil {
		return m.out(out, nil)
	}
	list, err := m.o.Keys.List(ctx)
	return m.out(append(out, list...), err)
}

func (m v1) WalletHas(ctx context.Context, a Address) (json.RawMessage, error) {
	ok, err := m.hasKey(ctx, a.Address)
	return m.out(ok, err)
}

func (a *API) hasKey(ctx context.Context, x address.Address) (bool, error) {
	if a.o.Keys == nil {
		return false, nil
	}
	list, err := a.o.Keys.List(ctx)
	for _, y := range list {
		if x == y {
			return true, nil
		}
	}
	return false, err
}

func (m v1) WalletBalance(ctx context.Context, a Address) (json.RawMessage, error) {
	head, err := m.o.Chain.Head(ctx)
	if err != nil {
		return m.out(nil, err)
	}
	balance, err := m.balance(ctx, a, head)
	return m.out(balance, err)
}

// balance is 0 of nobody.
func (a *API) balance(ctx context.Context, x Address, ts *chain.Tipset) (abi.TokenAmount, error) {
	act, err := a.actorOf(ctx, x, ts)
	if errors.Is(err, errNoActor) {
		return stbig.Zero(), nil
	}
	if err != nil {
		return stbig.Zero(), err
	}
	return act.Balance, nil
}

func (m v1) WalletSign(ctx context.Context, by Address, data []byte) (json.RawMessage, error) {
	head, err := m.o.Chain.Head(ctx)
	if err != nil {
		return m.out(nil, err)
	}
	key, err := m.accountKey(ctx, by, head)
	if err != nil {
		return m.out(nil, err)
	}
	keys, err := m.keys()
	if err != nil {
		return m.out(nil, err)
	}
	s, err := keys.Sign(ctx, key, data)
	return m.out(s, err)
}

func (m v1) WalletSignMessage(ctx context.Context, by Address, p *Message) (json.RawMessage, error) {
	msg, err := p.message()
	if err != nil {
		return m.out(nil, err)
	}
	signed, err := m.signMessage(ctx, by, msg)
	if err != nil {
		return m.out(nil, err)
	}
	return m.out(signedOut(*signed))
}

// signMessage signs a message by the key of an address.
func (a *API) signMessage(ctx context.Context, by Address, msg *fvm.Message) (*chain.Message, error) {
	head, err := a.o.Chain.Head(ctx)
	if err != nil {
		return nil, err
	}
	key, err := a.accountKey(ctx, by, head)
	if err != nil {
		return nil, err
	}
	keys, err := a.keys()
	if err != nil {
		return nil, err
	}
	data, err := signingBytes(msg, key, a.o.Chain.Network().ChainID)
	if err != nil {
		return nil, err
	}
	s, err := keys.Sign(ctx, key, data)
	if err != nil {
		return nil, err
	}
	out, err := onChain(msg, s)
	return &out, err
}

// signingBytes are what a sender signs of a message: its CID, or of an f410f address the transaction of Ethereum that it comes from.
func signingBytes(m *fvm.Message, key address.Address, chainID uint64) ([]byte, error) {
	if key.Protocol() != address.Delegated {
		c, err := messageCID(m)
		return c.Bytes(), err
	}
	if m.GasLimit < 0 {
		return nil, errors.New("a negative gas limit")
	}
	sig := bytes.Repeat([]byte{1}, 65) // any that a transaction may have: the unsigned bytes are without it
	sig[64] = 0
	t, err := ethtx.FromNative(&ethtx.Native{
		From: m.From, To: m.To, Nonce: m.Nonce, GasLimit: uint64(m.GasLimit), Value: orZero(m.Value), FeeCap: orZero(m.GasFeeCap),
		Premium: orZero(m.GasPremium), Method: m.Method, Params: m.Params, Signature: sig,
	}, chainID)
	if err != nil {
		return nil, fmt.Errorf("the message is no transaction of Ethereum, which is what an f410f address signs: %w", err)
	}
	return t.Unsigned(), nil
}

func orZero(v abi.TokenAmount) *big.Int {
	if v.Int == nil {
		return new(big.Int)
	}
	return v.Int
}

// WalletVerify tells whether a signature is an address's of bytes.
func (m v1) WalletVerify(ctx context.Context, a Address, data []byte, s *crypto.Signature) (json.RawMessage, error) {
	if s == nil {
		return m.out(nil, errors.New("the signature is missing"))
	}
	return m.out(verifies(a.Address, data, s), nil)
}

func verifies(a address.Address, data []byte, s *crypto.Signature) bool {
	switch {
	case s.Type == crypto.SigTypeBLS && a.Protocol() == address.BLS:
		return vmcrypto.VerifyBLS(s.Data, a, data)
	case s.Type == crypto.SigTypeSecp256k1 && a.Protocol() == address.SECP256K1:
		return vmcrypto.VerifySecp(s.Data, a, data)
	case s.Type == crypto.SigTypeDelegated && a.Protocol() == address.Delegated && len(s.Data) == 65:
		sig := ethtx.Signature{R: [32]byte(s.Data[:32]), S: [32]byte(s.Data[32:64]), Odd: s.Data[64]}
		by, err := sig.Recover(ethtx.Keccak256(data))
		return err == nil && ethAddress(by) == a
	}
	return false
}

func (m v1) WalletDefaultAddress(ctx context.Context) (json.RawMessage, error) {
	a, err := m.defaultAddress(ctx)
	return m.out(a, err)
}

// defaultAddress is what was set, or the first.
func (a *API) defaultAddress(ctx context.Context) (address.Address, error) {
	a.mu.Lock()
	set := a.deflt
	a.mu.Unlock()
	if set != address.Undef {
		return set, nil
	}
	if a.o.Keys == nil {
		return address.Undef, errNoKeys
	}
	list, err := a.o.Keys.List(ctx)
	if err == nil && len(list) == 0 {
		err = errors.New("there is no key, and so no default one")
	}
	if err != nil {
		return address.Undef, err
	}
	return list[0], nil
}

func (m v1) WalletSetDefault(ctx context.Context, a Address) (json.RawMessage, error) {
	ok, err := m.hasKey(ctx, a.Address)
	if err == nil && !ok {
		err = fmt.Errorf("there is no key of %s", addressText(m.prefix, a.Address))
	}
	if err != nil {
		return m.out(nil, err)
	}
	m.mu.Lock()
	m.deflt = a.Address
	m.mu.Unlock()
	return m.out(nil, nil)
}

func (m v1) WalletNew(ctx context.Context, kind string) (json.RawMessage, error) {
	keys, err := m.keys()
	if err != nil {
		return m.out(nil, err)
	}
	k, err := newKey(kind)
	if err != nil {
		return m.out(nil, err)
	}
	a, err := keys.Import(ctx, k)
	return m.out(a, err)
}

func (m v1) WalletExport(ctx context.Context, a Address) (json.RawMessage, error) {
	keys, err := m.keys()
	if err != nil {
		return m.out(nil, err)
	}
	k, err := keys.Export(ctx, a.Address)
	return m.out(k, err)
}

func (m v1) WalletImport(ctx context.Context, k KeyInfo) (json.RawMessage, error) {
	keys, err := m.keys()
	if err != nil {
		return m.out(nil, err)
	}
	a, err := keys.Import(ctx, k)
	return m.out(a, err)
}

func (m v1) WalletDelete(ctx context.Context, a Address) (json.RawMessage, error) {
	keys, err := m.keys()
	if err != nil {
		return m.out(nil, err)
	}
	m.mu.Lock()
	if m.deflt == a.Address {
		m.deflt = address.Undef
	}
	m.mu.Unlock()
	return m.out(nil, keys.Delete(ctx, a.Address))
}

func (m v1) WalletValidateAddress(_ context.Context, s string) (json.RawMessage, error) {
	var a Address
	if err := a.UnmarshalJSON(fmt.Appendf(nil, "%q", s)); err != nil {
		return m.out(nil, err)
	}
	if err := a.must(); err != nil {
		return m.out(nil, err)
	}
	return m.out(a.Address, nil)
}

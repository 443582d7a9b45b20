package validate

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	vmcrypto "github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/ethtx"
)

// signedBySender tells whether a message's signature is its sender's.
func (c *contents) signedBySender(ctx context.Context, m *chain.Message) error {
	key, err := c.key(ctx, m.Message.From)
	if err != nil {
		return fmt.Errorf("its sender's key: %w", err)
	}
	ok := false
	if m.Signature.Type == crypto.SigTypeDelegated {
		tx, err := c.transaction(m)
		if err != nil {
			return err
		}
		from, err := tx.Sender()
		ok = err == nil && addr.FromEthereum(from) == key
	} else {
		data, err := unsigned(m.Message)
		if err != nil {
			return err
		}
		ok = vmcrypto.VerifySecp(m.Signature.Data, key, data)
	}
	if !ok {
		return brokenf("its signature is not that of %s", addr.String(key))
	}
	return nil
}

// transaction is what a message with a delegated signature came from: it must be such that the message comes of it again.
func (c *contents) transaction(m *chain.Message) (*ethtx.Transaction, error) {
	msg := m.Message
	if msg.Value.Int == nil || msg.GasFeeCap.Int == nil || msg.GasPremium.Int == nil {
		return nil, brokenf("an amount is missing")
	}
	if msg.GasLimit < 0 || msg.Version != 0 {
		return nil, brokenf("it came from no transaction of Ethereum: its version is %d, its gas limit %d", msg.Version, msg.GasLimit)
	}
	tx, err := ethtx.FromNative(&ethtx.Native{
		From: msg.From, To: msg.To, Nonce: msg.Nonce, GasLimit: uint64(msg.GasLimit), Value: msg.Value.Int, FeeCap: msg.GasFeeCap.Int, Premium: msg.GasPremium.Int,
		Method: msg.Method, Params: msg.Params, Signature: m.Signature.Data,
	}, c.rules.Network.ChainID)
	if err != nil {
		return nil, brokenf("it came from no transaction of Ethereum: %v", err)
	}
	to, method := ethtx.Receiver(tx.To)
	var params []byte
	if len(tx.Input) > 0 {
		params = ethtx.WrapBytes(tx.Input)
	}
	if to != msg.To || method != msg.Method || string(params) != string(msg.Params) {
		return nil, brokenf("the transaction of Ethereum that it came from makes another message")
	}
	return tx, nil
}

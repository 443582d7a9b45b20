package textform

import (
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/ethtx"
)

// ethMessage is a transaction as it is on Filecoin's chain: nodes turn it into this message, and find the transaction in
// it again to check the signature.
func ethMessage(t *ethtx.Transaction) (*Message, error) {
	n, err := t.Native()
	if err != nil {
		return nil, err
	}
	return &Message{
		Message: &fvm.Message{
			From: n.From, To: n.To, Nonce: n.Nonce, Value: big.NewFromGo(n.Value), GasLimit: int64(n.GasLimit),
			GasFeeCap: big.NewFromGo(n.FeeCap), GasPremium: big.NewFromGo(n.Premium), Method: n.Method, Params: n.Params,
		},
		Signature: &crypto.Signature{Type: crypto.SigTypeDelegated, Data: n.Signature},
		Form:      t.Form(),
		ChainID:   t.ChainID,
	}, nil
}

// WrapBytes is data as a byte string of CBOR, as contracts' methods take their calldata.
func WrapBytes(data []byte) []byte { return ethtx.WrapBytes(data) }

package eth

import (
	"errors"
	"math/big"

	"github.com/edgefvm/fvm/node/ethtx"
)

// ReadRaw reads the parameter of eth_sendRawTransaction for a chain of the given id, and finds who signed. What it refuses is
// an *Error with words that clients show well; those of Strict about kinds of transactions are Lotus's.
func ReadRaw(m Manner, raw Data, chainID uint64) (tx *ethtx.Transaction, from Address, err error) {
	code := CodeServer
	if m == Strict {
		code = CodeAny
	}
	refuse := func(why string) (*ethtx.Transaction, Address, error) {
		return nil, Address{}, &Error{Code: code, Message: why}
	}
	tx, err = ethtx.Decode(raw)
	var unsupported *ethtx.UnsupportedError
	switch {
	case errors.As(err, &unsupported) && m == Strict && unsupported.Type == 1:
		return refuse("EIP-2930 transaction is not supported")
	case errors.As(err, &unsupported) && m == Strict:
		return refuse("unsupported transaction type")
	case errors.As(err, &unsupported):
		return refuse("transaction type not supported: " + err.Error())
	case err != nil:
		return refuse("invalid transaction: " + err.Error())
	case tx.ChainID != 0 && tx.ChainID != chainID:
		return refuse("invalid chain id for signer: have " + new(big.Int).SetUint64(tx.ChainID).String() + ", want " + new(big.Int).SetUint64(chainID).String())
	}
	if from, err = tx.Sender(); err != nil {
		return refuse("invalid sender: " + err.Error())
	}
	return tx, from, nil
}

// These are the errors of a pool that takes no transaction, in words that clients look for: ethers and viem for "nonce
// too low", "insufficient funds" and "replacement transaction underpriced".
var (
	ErrNonceTooLow   = &Error{Code: CodeRejected, Message: "nonce too low"}
	ErrFunds         = &Error{Code: CodeRejected, Message: "Insufficient funds for gas * price + value"}
	ErrUnderpriced   = &Error{Code: CodeRejected, Message: "replacement transaction underpriced"}
	ErrAlreadyKnown  = &Error{Code: CodeRejected, Message: "transaction already imported"}
	ErrIntrinsicGas  = &Error{Code: CodeRejected, Message: "intrinsic gas too low"}
	ErrFeeTooLow     = &Error{Code: CodeRejected, Message: "transaction underpriced: the fee cap is below 100 attoFIL"}
	ErrGasLimit      = &Error{Code: CodeRejected, Message: "exceeds block gas limit"}
	ErrUnknownSender = &Error{Code: CodeServer, Message: "unknown account"}
)

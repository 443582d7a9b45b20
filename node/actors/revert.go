package actors

import (
	"fmt"

	"github.com/edgefvm/fvm/node/ethabi"
)

// Unwrap takes bytes out of the CBOR string of bytes that contracts' parameters and returns are on chain. No data are no bytes.
func Unwrap(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var b []byte
	if err := unmarshalBytes(data, &b); err != nil {
		return nil, fmt.Errorf("not one CBOR string of bytes: %w", err)
	}
	return b, nil
}

// Revert reads what a contract returned with exit code 33, as it is on chain: a string of bytes in CBOR around the data. abi
// may be nil.
func Revert(abi *ethabi.ABI, data []byte) (*ethabi.Call, error) {
	bare, err := Unwrap(data)
	if err != nil {
		return nil, err
	}
	return ethabi.DecodeRevert(abi, bare), nil
}

package fvm

import (
	"io"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/vm/executor"
)

// Message is an unsigned message of the chain, in the order of the fields that it has there (Filecoin specification,
// "Message"). Machines read it only. Value, GasFeeCap and GasPremium must be set, big.Zero() for nothing.
type Message struct {
	// Version is 0 on every network so far. Machines do not look at it.
	Version uint64
	// To and From are addresses of any protocol; f4 (delegated) ones since network version 18. To may be one that no actor
	// has yet: a transfer makes it an account or, of an f4 address, a placeholder.
	To, From address.Address
	// Nonce is how many messages the sender has sent before; of an implicit message it is not checked.
	Nonce uint64
	// Value goes from the sender to the receiver, in attoFIL (1e-18 FIL).
	Value abi.TokenAmount
	// GasLimit is the most that the message may use, in units of gas; more than 0.
	GasLimit int64
	// GasFeeCap is the most that the sender pays for a unit of gas, base fee and premium together, in attoFIL; not negative.
	GasFeeCap abi.TokenAmount
	// GasPremium is what the miner gets for a unit of GasLimit as far as GasFeeCap leaves it above the base fee, in attoFIL;
	// not negative.
	GasPremium abi.TokenAmount
	// Method to call; 0 is a plain transfer, which runs no code.
	Method abi.MethodNum
	// Params are the method's parameters as they are on the chain: CBOR for the builtin actors. Empty: none.
	Params []byte
}

// MarshalCBOR writes the message as the chain stores it, a list of ten fields; their hash is its CID.
func (m *Message) MarshalCBOR(w io.Writer) error { return (*executor.Message)(m).MarshalCBOR(w) }

// UnmarshalCBOR reads what MarshalCBOR writes. Like the network it takes IDs and namespaces of 64 bits in addresses, which
// go-address does not read.
func (m *Message) UnmarshalCBOR(r io.Reader) error { return (*executor.Message)(m).UnmarshalCBOR(r) }

// DecodeMessage reads a message that fills data, in its CBOR form on the chain.
func DecodeMessage(data []byte) (*Message, error) {
	m, err := executor.DecodeMessage(data)
	return (*Message)(m), err
}

// Kind says who sent a message.
type Kind uint8

const (
	// Explicit messages are on the chain: they pay for inclusion and gas.
	Explicit Kind = iota
	// Implicit messages are the system's own, such as cron and block rewards: no fees, no nonce.
	Implicit
)

// String is "explicit" or "implicit".
func (k Kind) String() string {
	switch k {
	case Explicit:
		return "explicit"
	case Implicit:
		return "implicit"
	}
	return "unknown kind"
}

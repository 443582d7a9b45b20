package eth

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/ethabi"
)

// Codes of errors, as clients look for them.
const (
	CodeAny            = 1 // of Lotus, where it has no other
	CodeOutOfGas       = 2
	CodeReverted       = 3
	CodeActorNotFound  = 11
	CodeNullRound      = 12
	CodeInvalidRequest = -32600
	CodeMethodNotFound = -32601
	CodeInvalidParams  = -32602
	CodeInternal       = -32603
	CodeServer         = -32000 // Ethereum's own for any
	CodeUnavailable    = -32002
	CodeRejected       = -32003 // a transaction that the pool does not take
	CodeLimitExceeded  = -32005
)

const maxReason = 1000 // characters of a revert's reason in a message

// Error is an error as JSON-RPC has it. Data, if it is set, is JSON: text of a revert ("0x…"), a number of a null round.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
	// ExitCode is Filecoin's, of a message that failed. It stands beside the data, for a client that finds an
	// object there (ethers) loses them. Strict has none.
	ExitCode int64 `json:"exitCode,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// ErrorCode, ErrorData and ErrorMeta are for servers of JSON-RPC (package jsonrpc, and go-ethereum's).
func (e *Error) ErrorCode() int { return e.Code }

// ErrorData is what stands under "data".
func (e *Error) ErrorData() any { return e.Data }

// ErrorMeta stands beside the data: {"exitCode": N} of a message that failed, else nothing.
func (e *Error) ErrorMeta() any {
	if e.ExitCode == 0 {
		return nil
	}
	return map[string]int64{"exitCode": e.ExitCode}
}

// Failure is how a message ended that failed.
type Failure struct {
	ExitCode exitcode.ExitCode
	Return   []byte // of the receipt
	Words    string // what the machine says of it: fvm.Result.Failure. Strict shows it
	ABI      *ethabi.ABI
}

// Reverted is the error of a call or an estimate that failed. Its data are the bytes that the contract reverted with, "0x"
// if there are none: without them Hardhat takes the error for another one. Tools' message begins with "execution reverted",
// which ethers and alloy want to see, and the reason follows.
func Reverted(m Manner, f Failure) *Error {
	data, err := bareBytes(f.Return)
	bare := err == nil && len(f.Return) > 0
	e := &Error{Code: CodeReverted, Data: "0x" + hex.EncodeToString(data)}
	if m == Strict {
		reason := ""
		if bare {
			reason = ", revert reason=[" + lotusReason(data) + "]"
		}
		e.Message = fmt.Sprintf("message execution failed (exit=[%s]%s, vm error=[%s])", f.ExitCode, reason, f.Words)
		return e
	}
	e.ExitCode = int64(f.ExitCode)
	if f.ExitCode == exitcode.SysErrInsufficientFunds {
		// Of the sender's value: no contract gives it. ethers and viem tell it from a revert.
		return &Error{Code: ErrFunds.Code, Message: ErrFunds.Message, ExitCode: e.ExitCode}
	}
	e.Message = "execution reverted"
	const contractReverted = 33
	switch {
	case len(data) > 0:
		if text := reason(f.ABI, data); text != "" {
			e.Message += ": " + layout.Cut(text, maxReason)
		}
	case f.ExitCode != contractReverted:
		e.Message += fmt.Sprintf(": %s (exit %d)", explain.ExitMeaning(f.ExitCode, ""), f.ExitCode)
	}
	return e
}

// reason says in words what a contract reverted with, as Anvil does.
func reason(abi *ethabi.ABI, data []byte) string {
	c := ethabi.DecodeRevert(abi, data)
	switch {
	case c.Name == "Error" && c.Args != nil:
		text, _ := c.Args[0].Value.(string)
		return text
	case c.Name == "Panic" && c.Args != nil:
		return "panic: " + strings.TrimPrefix(c.Text, "panicked with ")
	case c.Name != "":
		return strings.TrimPrefix(c.Text, "reverted with ")
	case len(data) >= 4:
		return fmt.Sprintf("custom error 0x%x", data[:4])
	}
	return "0x" + hex.EncodeToString(data)
}

// NullRound is the error of what is asked of an epoch without a tipset.
func NullRound(epoch uint64) *Error {
	return &Error{Code: CodeNullRound, Message: fmt.Sprintf("requested epoch was a null round (%d)", epoch), Data: epoch}
}

// ExpensiveFork is the error of a call at an upgrade whose migration would have to run for it.
func ExpensiveFork(epoch uint64) *Error {
	return &Error{Code: CodeUnavailable, Message: fmt.Sprintf("required historical state unavailable: refusing explicit call due to state fork at epoch %d", epoch), Data: epoch}
}

// RangeExceeded is the error of a filter over too many epochs.
func RangeExceeded(most, given uint64) *Error {
	return &Error{Code: CodeLimitExceeded, Message: fmt.Sprintf("block range exceeds maximum of %d (got %d)", most, given)}
}

// FutureBlock is the error of a block after the latest.
func FutureBlock(m Manner) *Error {
	const futureEpoch = "requested a future epoch (beyond 'latest')"
	if m == Strict {
		return &Error{Code: CodeAny, Message: futureEpoch}
	}
	return &Error{Code: CodeInvalidParams, Message: "BlockOutOfRangeError: " + futureEpoch}
}

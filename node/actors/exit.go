package actors

import (
	"fmt"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/explain"
)

// Exit is an exit code in words.
type Exit struct {
	Code    exitcode.ExitCode `json:"code"`
	Name    string            `json:"name,omitempty"` // of the constant, "" if it has none
	Meaning string            `json:"meaning"`
	// By tells who gives such a code: "the system", "an actor" for those that all actors have in common, or the actor's name
	// for its own.
	By string `json:"by"`
}

// ownExit is an exit code that an actor has for itself.
type ownExit struct {
	code     exitcode.ExitCode
	from, to int    // versions
	name     string // what it means in words is explain.ExitMeaning's to say
}

var evmExits = []ownExit{
	{33, 10, NewestVersion, "EVM_CONTRACT_REVERTED"},
	{34, 10, NewestVersion, "EVM_CONTRACT_INVALID_INSTRUCTION"},
	{35, 10, NewestVersion, "EVM_CONTRACT_UNDEFINED_INSTRUCTION"},
	{36, 10, NewestVersion, "EVM_CONTRACT_STACK_UNDERFLOW"},
	{37, 10, NewestVersion, "EVM_CONTRACT_STACK_OVERFLOW"},
	{38, 10, NewestVersion, "EVM_CONTRACT_ILLEGAL_MEMORY_ACCESS"},
	{39, 10, NewestVersion, "EVM_CONTRACT_BAD_JUMPDEST"},
	{40, 10, NewestVersion, "EVM_CONTRACT_SELFDESTRUCT_FAILED"},
}

// ownExits are the constants of builtin-actors. The address manager hands on what a contract's constructor ended with.
var ownExits = map[string][]ownExit{
	"evm": evmExits,
	"eam": evmExits,
	"paymentchannel": {
		{32, OldestVersion, NewestVersion, "ERR_CHANNEL_STATE_UPDATE_AFTER_SETTLED"},
	},
	"storagemarket": {
		{32, 10, NewestVersion, "EX_DEAL_EXPIRED"},
		{33, 13, NewestVersion, "EX_DEAL_NOT_ACTIVATED"},
	},
	"storagepower": {
		{32, OldestVersion, 13, "ERR_TOO_MANY_PROVE_COMMITS"},
	},
	"storageminer": {
		{1000, OldestVersion, NewestVersion, "ERR_BALANCE_INVARIANTS_BROKEN"},
		{1001, 13, NewestVersion, "ERR_NOTIFICATION_SEND_FAILED"},
		{1002, 13, NewestVersion, "ERR_NOTIFICATION_RECEIVER_ABORTED"},
		{1003, 13, NewestVersion, "ERR_NOTIFICATION_RESPONSE_INVALID"},
		{1004, 13, NewestVersion, "ERR_NOTIFICATION_REJECTED"},
	},
}

// exitConstants are the names of the codes that all have in common (fvm_shared, FIP-0038).
var exitConstants = map[exitcode.ExitCode]string{
	0: "OK", 1: "SYS_SENDER_INVALID", 2: "SYS_SENDER_STATE_INVALID", 4: "SYS_ILLEGAL_INSTRUCTION", 5: "SYS_INVALID_RECEIVER",
	6: "SYS_INSUFFICIENT_FUNDS", 7: "SYS_OUT_OF_GAS", 9: "SYS_ILLEGAL_EXIT_CODE", 10: "SYS_ASSERTION_FAILED", 11: "SYS_MISSING_RETURN",
	16: "USR_ILLEGAL_ARGUMENT", 17: "USR_NOT_FOUND", 18: "USR_FORBIDDEN", 19: "USR_INSUFFICIENT_FUNDS", 20: "USR_ILLEGAL_STATE",
	21: "USR_SERIALIZATION", 22: "USR_UNHANDLED_MESSAGE", 23: "USR_UNSPECIFIED", 24: "USR_ASSERTION_FAILED", 25: "USR_READ_ONLY", 26: "USR_NOT_PAYABLE",
}

// The first code that actors give themselves, and the first that is theirs alone.
const (
	firstActorExit = 16
	firstOwnExit   = 32
)

// ExplainExit says an exit code in words. actor is the kind of actor whose call ended with it, "" if that is not known;
// version is that of the actors, 0 for any.
func ExplainExit(version int, actor string, code exitcode.ExitCode) Exit {
	e := Exit{Code: code, Name: exitConstants[code], By: "an actor"}
	if long := short[actor]; long != "" {
		actor = long
	}
	for _, own := range ownExits[actor] {
		if own.code == code && (version == 0 || own.from <= version && version <= own.to) {
			return Exit{code, own.name, explain.ExitMeaning(code, actor), actor}
		}
	}
	switch {
	case code == 0:
		e.By = ""
	case code < firstActorExit:
		e.By = "the system"
	case code >= firstOwnExit && actor != "":
		e.By = actor
	}
	switch {
	case e.Name != "":
		e.Meaning = explain.ExitMeaning(code, "")
	case code < firstActorExit:
		e.Meaning = "reserved for the system"
	case code < firstOwnExit:
		e.Meaning = "reserved for what actors have in common"
	case actor == "":
		e.Meaning = "an actor's own code: what it means depends on which; name the actor"
	case ownExits[actor] != nil || known(max(version, OldestVersion), actor, namesOrNone(version)) == nil:
		e.Meaning = fmt.Sprintf("%s has no meaning for it", actor)
	default:
		e.Meaning = "the actor's own code"
	}
	return e
}

func namesOrNone(version int) []string {
	if version == 0 {
		version = NewestVersion
	}
	names, err := Names(version)
	if err != nil {
		return nil
	}
	return names
}

package explain

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/exitcode"
)

// methodSets are the methods of the builtin actors, by the actor's name in a manifest.
var methodSets = map[string]any{
	"account": builtin.MethodsAccount, "init": builtin.MethodsInit, "cron": builtin.MethodsCron, "reward": builtin.MethodsReward,
	"multisig": builtin.MethodsMultisig, "paymentchannel": builtin.MethodsPaych, "storagemarket": builtin.MethodsMarket,
	"storagepower": builtin.MethodsPower, "storageminer": builtin.MethodsMiner, "verifiedregistry": builtin.MethodsVerifiedRegistry,
	"datacap": builtin.MethodsDatacap, "evm": builtin.MethodsEVM, "eam": builtin.MethodsEAM, "ethaccount": builtin.MethodsEthAccount,
	"placeholder": builtin.MethodsPlaceholder, "system": struct{ Constructor abi.MethodNum }{builtin.MethodConstructor},
}

// exportedNames are methods that any actor may have, by their FRC-0042 number.
var exportedNames = []string{"Receive", "AuthenticateMessage", "SectorContentChanged", "Granularity", "Transfer", "TransferFrom", "Balance", "Burn", "MarketNotifyDeal", "Mint", "Name", "Symbol", "TotalSupply"}

var methodTables = sync.OnceValue(func() map[string]map[abi.MethodNum]string {
	tables := map[string]map[abi.MethodNum]string{}
	for actor, set := range methodSets {
		v := reflect.ValueOf(set)
		t := map[abi.MethodNum]string{builtin.MethodSend: "Send"}
		for i := range v.NumField() {
			num, ok := v.Field(i).Interface().(abi.MethodNum)
			name := v.Type().Field(i).Name
			if !ok || strings.HasPrefix(name, "Deprecated") {
				continue
			}
			if short := strings.TrimSuffix(name, "Exported"); frcNumber(short) == num {
				name = short // a public method, whose number is made from its name
			}
			if _, taken := t[num]; !taken {
				t[num] = name
			}
		}
		tables[actor] = t
	}
	public := map[abi.MethodNum]string{}
	for _, name := range exportedNames {
		public[frcNumber(name)] = name
	}
	public[builtin.MethodsEVM.InvokeContract] = "InvokeContract" // whose number is made from InvokeEVM
	tables[""] = public
	return tables
})

// takeAll are the builtin actors that take any public method, and do nothing: contracts' calls are sent to them as to contracts.
var takeAll = []string{"account", "ethaccount", "placeholder", "multisig"}

// frcNumber is the number of a method by its name (FRC-0042), 0 if it has none.
func frcNumber(name string) abi.MethodNum {
	n, err := builtin.GenerateFRCMethodNum(name)
	if err != nil {
		return 0
	}
	return n
}

// MethodName is a method's name, or its number in words: "method 7". actor is the receiver's kind, such as "storageminer";
// of others, and of "", the names are known that any actor may have.
func MethodName(actor string, num abi.MethodNum) string {
	if name := methodTables()[actor][num]; name != "" {
		return name
	}
	if num == builtin.MethodSend {
		return "Send"
	}
	if num == builtin.MethodConstructor {
		return "Constructor"
	}
	if name := methodTables()[""][num]; name != "" {
		return name
	}
	return fmt.Sprintf("method %d", num)
}

// ParseMethod reads a number, or the name of a method: "9", "InvokeContract". A builtin actor's own methods are
// known by name. Some of them have a public number too, but not in all versions, so the other is taken. Of
// other actors, contracts among them, the number is made from the name, as for any public method. A name that a
// builtin actor does not have is an error: many would do nothing under its number, and say that all is well. InvokeContract is
// known of all that may be called as contracts are.
func ParseMethod(actor, s string) (abi.MethodNum, error) {
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return abi.MethodNum(n), nil
	}
	if s == "Send" {
		return builtin.MethodSend, nil
	}
	public, err := builtin.GenerateFRCMethodNum(s)
	if err != nil {
		if strings.Trim(s, "0123456789") == "" && s != "" {
			return 0, errors.New("want a number or a method's name: a number is below 2^64")
		}
		return 0, errors.New("want a number or a method's name, which begins with a capital letter or _ and has letters, digits and _")
	}
	num, known := public, false
	if _, own := methodSets[actor]; s == "InvokeContract" && (!own || slices.Contains(takeAll, actor)) {
		return builtin.MethodsEVM.InvokeContract, nil // it is not the name that its number is made from
	}
	for n, name := range methodTables()[actor] {
		if name == s && (!known || n < num) {
			num, known = n, true
		}
	}
	_, own := methodSets[actor]
	if own && !known && actor != "evm" && methodTables()[actor][public] == "" && methodTables()[""][public] == "" {
		return 0, fmt.Errorf("%s has no method %q", actor, s)
	}
	return num, nil
}

// MethodNames are the names of a builtin actor's methods, each once, by their numbers; of others, those that any actor may have.
func MethodNames(actor string) []string {
	t := methodTables()[actor]
	if t == nil {
		t = methodTables()[""]
	}
	var names []string
	for _, num := range slices.Sorted(maps.Keys(t)) {
		if !slices.Contains(names, t[num]) { // of a public method and one that is not
			names = append(names, t[num])
		}
	}
	return names
}

// exitNames say exit codes in words.
var exitNames = map[exitcode.ExitCode]string{
	0: "ok", 1: "the sender is invalid", 2: "the sender is in the wrong state", 4: "illegal instruction", 5: "no such receiver",
	6: "insufficient funds", 7: "out of gas", 8: "the system failed", 9: "illegal exit code", 10: "fatal error or failed assertion of the system", 11: "missing return value",
	16: "illegal argument", 17: "not found", 18: "forbidden", 19: "insufficient funds (actor)", 20: "illegal state", 21: "serialization failed",
	22: "unhandled message", 23: "unspecified", 24: "assertion failed", 25: "read only", 26: "not payable", 32: "the actor's own",
}

// evmNames are the exit codes of contracts.
var evmNames = map[exitcode.ExitCode]string{
	33: "contract reverted", 34: "invalid EVM instruction", 35: "undefined EVM instruction", 36: "EVM stack underflow", 37: "EVM stack overflow",
	38: "illegal EVM memory access", 39: "bad EVM jump", 40: "EVM self-destruct failed",
}

// ownNames are the exit codes that actors have for themselves. The address manager hands on what a constructor ended with.
var ownNames = map[string]map[exitcode.ExitCode]string{
	"evm": evmNames, "eam": evmNames,
	"paymentchannel": {32: "channel settled"},
	"storagemarket":  {32: "deal expired", 33: "deal not activated yet"},
	"storagepower":   {32: "too many proofs of one miner in an epoch"},
	"storageminer": {
		1000: "the miner's balance is less than what it must hold", 1001: "a notification of new pieces could not be sent",
		1002: "a receiver of a notification of new pieces aborted", 1003: "a receiver answered a notification of new pieces with something else",
		1004: "a receiver rejected new pieces",
	},
}

// ExitMeaning says an exit code in words. actor is the kind of actor that it came from, "" if that is not known.
func ExitMeaning(code exitcode.ExitCode, actor string) string {
	if name := ownNames[actor][code]; name != "" {
		return name
	}
	if name := exitNames[code]; name != "" && code != 32 {
		return name
	}
	return "the actor's own code"
}

// errnoNames are what a caller hears when a send fails before the receiver runs (FIP-0030).
var errnoNames = []string{
	1: "illegal argument", 2: "illegal operation", 3: "limit exceeded", 4: "assertion failed", 5: "insufficient funds", 6: "not found",
	7: "invalid handle", 8: "illegal CID", 9: "illegal codec", 10: "serialization", 11: "forbidden", 12: "buffer too small", 13: "read only",
}

// ErrnoMeaning says in words what a caller hears when a send fails before the receiver runs.
func ErrnoMeaning(n uint32) string {
	if uint64(n) < uint64(len(errnoNames)) && errnoNames[n] != "" {
		return errnoNames[n]
	}
	return "error " + strconv.FormatUint(uint64(n), 10)
}

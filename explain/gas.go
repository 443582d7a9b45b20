package explain

import (
	"cmp"
	"slices"
	"strings"
)

// Share is the gas of one kind, or of one charge.
type Share struct {
	Kind  string `json:"kind"`
	Milli int64  `json:"milligas"` // less than none: given back, see Call
}

// The kinds of gas, in the order in which Kinds gives them.
const (
	kindExec      = "Wasm execution"
	kindMemory    = "Wasm memory"
	kindSyscalls  = "system calls"
	kindWrites    = "block writes"
	kindReads     = "block reads"
	kindScan      = "link scan"
	kindTree      = "state tree"
	kindCalls     = "calls"
	kindEvents    = "events"
	kindCrypto    = "cryptography"
	kindCreation  = "actor creation"
	kindFacts     = "chain facts"
	kindInclusion = "chain inclusion"
	kindOther     = "other"
)

// Kinds are the names of all kinds of gas, in an order for legends.
func Kinds() []string {
	return []string{
		kindExec, kindMemory, kindSyscalls, kindWrites, kindReads, kindScan, kindTree, kindCalls, kindEvents, kindCrypto,
		kindCreation, kindFacts, kindInclusion, kindOther,
	}
}

// prefixes group gas charges by the start of the charge's name; the first that fits counts.
var prefixes = []struct{ prefix, kind string }{
	{"wasm_exec", kindExec}, {"wasm_", kindMemory}, {"OnSyscall", kindSyscalls},
	{"OnBlockCreate", kindWrites}, {"OnBlockLink", kindWrites}, {"OnBlock", kindReads}, {"OnScanIpldLinks", kindScan},
	{"OnActorLookup", kindTree}, {"OnActorUpdate", kindTree}, {"OnLookupAddress", kindTree}, {"OnResolveAddress", kindTree},
	{"OnActorGetRoot", kindTree}, {"OnActorSetRoot", kindTree},
	{"OnChain", kindInclusion}, {"OnReturnValue", kindCalls}, {"OnMethodInvocation", kindCalls}, {"OnValueTransfer", kindCalls},
	{"OnCreateActor", kindCreation}, {"OnDeleteActor", kindCreation}, {"OnActorEvent", kindEvents},
	{"OnHashing", kindCrypto}, {"OnVerify", kindCrypto}, {"OnRecover", kindCrypto}, {"OnCompute", kindCrypto}, {"OnSubmitVerifySeal", kindCrypto},
	{"OnGetRandomness", kindFacts}, {"OnTipsetCid", kindFacts},
}

// KindOf is the kind of a gas charge, by its name in traces: "block writes" of "OnBlockCreate".
func KindOf(charge string) string {
	for _, p := range prefixes {
		if strings.HasPrefix(charge, p.prefix) {
			return p.kind
		}
	}
	return kindOther
}

// ByKind sums the gas of the call and all below it by kind, the most first.
func (c *Call) ByKind() []Share {
	return c.sum(func(c *Call) map[string]int64 { return c.Kinds })
}

// ByCharge sums it by the charge's own name.
func (c *Call) ByCharge() []Share {
	return c.sum(func(c *Call) map[string]int64 { return c.Charges })
}

func (c *Call) sum(of func(*Call) map[string]int64) []Share {
	sums := map[string]int64{}
	c.Walk(func(c *Call) {
		for k, v := range of(c) {
			sums[k] += v
		}
	})
	return SortShares(sums)
}

// SortShares lists sums, such as Call.Kinds, the most first and equal ones by name.
func SortShares(sums map[string]int64) []Share {
	list := make([]Share, 0, len(sums))
	for k, v := range sums {
		list = append(list, Share{k, v})
	}
	slices.SortFunc(list, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Milli, a.Milli), strings.Compare(a.Kind, b.Kind))
	})
	return list
}

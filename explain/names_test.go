package explain

import (
	"slices"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
)

func TestMethodName(t *testing.T) {
	for _, tt := range []struct {
		actor  string
		method abi.MethodNum
		want   string
	}{
		{"storageminer", 9, "TerminateSectors"}, {"storageminer", 1, "Constructor"}, {"multisig", 2, "Propose"}, {"evm", 3844450837, "InvokeContract"},
		{"", 0, "Send"}, {"", 1, "Constructor"}, {"", 9, "method 9"}, {"nobody's", 9, "method 9"}, {"actor", 3726118371, "Receive"},
		{"datacap", 80475954, "Transfer"}, // a public method of its own
		{"multisig", 3726118371, "UniversalReceiverHook"}, {"storageminer", 1<<64 - 1, "method 18446744073709551615"},
	} {
		if got := MethodName(tt.actor, tt.method); got != tt.want {
			t.Errorf("method %d of %q is %q, want %q", tt.method, tt.actor, got, tt.want)
		}
	}
}

func TestParseMethod(t *testing.T) {
	for _, tt := range []struct {
		actor, s string
		want     abi.MethodNum
	}{
		{"", "9", 9}, {"", "Send", 0}, {"storageminer", "TerminateSectors", 9}, {"multisig", "Propose", 2}, {"evm", "InvokeContract", 3844450837}, {"", "InvokeEVM", 3844450837}, {"", "Receive", 3726118371},
		{"multisig", "Receive", 3726118371}, {"account", "TransferFrom", 3621052141}, {"evm", "Deposit", frcNumber("Deposit")}, {"", "InvokeContract", 3844450837}, {"account", "InvokeContract", 3844450837}, {"ethaccount", "InvokeContract", 3844450837}, {"placeholder", "InvokeContract", 3844450837}, {"multisig", "InvokeContract", 3844450837}, {"account", "99", 99},
	} {
		if got, err := ParseMethod(tt.actor, tt.s); err != nil || got != tt.want {
			t.Errorf("%s of %q: %d, %v; want %d", tt.s, tt.actor, got, err, tt.want)
		}
	}
	for _, s := range []string{"", "-1", "propose", "18446744073709551616", "Pro pose", "Aprove", "Deposit"} {
		if got, err := ParseMethod("multisig", s); err == nil {
			t.Errorf("%q is taken for method %d", s, got)
		}
	}
}

func TestMethodNames(t *testing.T) {
	if names := MethodNames("multisig"); len(names) < 10 || !slices.Equal(names[:4], []string{"Send", "Constructor", "Propose", "Approve"}) {
		t.Errorf("of a multisig: %v", names)
	}
	for actor := range methodSets {
		names := MethodNames(actor)
		if once := slices.Compact(slices.Sorted(slices.Values(names))); len(once) != len(names) {
			t.Errorf("of %s, twice: %v", actor, names)
		}
	}
	if names := MethodNames("nobody"); !slices.Contains(names, "Receive") || slices.Contains(names, "Propose") {
		t.Errorf("of any actor: %v", names)
	}
}

// A name leads back to its number, whatever actor has it.
func TestNamesLeadBack(t *testing.T) {
	for actor, table := range methodTables() {
		for num, name := range table {
			back, err := ParseMethod(actor, name)
			if err != nil || MethodName(actor, back) != name {
				t.Errorf("%q method %d is %q, which is method %d: %v", actor, num, name, back, err)
			}
		}
	}
	if n := len(methodTables()["storageminer"]); n < 30 {
		t.Errorf("a storageminer has %d methods", n)
	}
}

func TestMeanings(t *testing.T) {
	for _, tt := range []struct {
		code  exitcode.ExitCode
		actor string
		want  string
	}{
		{0, "", "ok"}, {7, "evm", "out of gas"}, {16, "multisig", "illegal argument"}, {33, "evm", "contract reverted"}, {33, "eam", "contract reverted"}, {33, "multisig", "the actor's own code"},
		{32, "paymentchannel", "channel settled"}, {32, "", "the actor's own code"}, {3, "", "the actor's own code"}, {1 << 31, "evm", "the actor's own code"},
	} {
		if got := ExitMeaning(tt.code, tt.actor); got != tt.want {
			t.Errorf("exit code %d of %q is %q, want %q", tt.code, tt.actor, got, tt.want)
		}
	}
	for n, want := range map[uint32]string{0: "error 0", 1: "illegal argument", 6: "not found", 13: "read only", 14: "error 14", 1<<32 - 1: "error 4294967295"} {
		if got := ErrnoMeaning(n); got != want {
			t.Errorf("error %d is %q, want %q", n, got, want)
		}
	}
}

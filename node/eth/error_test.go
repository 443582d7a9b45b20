package eth

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/edgefvm/fvm/node/ethtx"
)

// Texts of Tools are those that dev-node.md of ../shared recorded of Anvil 1.7.1 and of the clients; of Strict those that
// Lotus v1.36.3 makes (api.NewErrExecutionRevertedFromResult, ethtypes.ParseEthRevert).
func TestReverted(t *testing.T) {
	text := "08c379a0" + strings.Repeat("0", 62) + "20" + strings.Repeat("0", 62) + "04" + "6f6f7073" + strings.Repeat("0", 56)
	panicked := "4e487b71" + strings.Repeat("0", 62) + "12"
	wrapped := func(s string) []byte { return ethtx.WrapBytes(unhex(t, s)) }
	for _, tt := range []struct {
		name                string
		f                   Failure
		tools, strict, data string
	}{
		{"a reason", Failure{ExitCode: 33, Return: wrapped(text)}, "execution reverted: oops", "message execution failed (exit=[33], revert reason=[Error(oops)], vm error=[w])", "0x" + text},
		{"a panic", Failure{ExitCode: 33, Return: wrapped(panicked)}, "execution reverted: panic: ", "revert reason=[DivideByZero()]", "0x" + panicked},
		{"a custom error", Failure{ExitCode: 33, Return: wrapped("17ed6350")}, "execution reverted: custom error 0x17ed6350", "revert reason=[0x17ed6350]", "0x17ed6350"},
		{"no reason", Failure{ExitCode: 33, Return: wrapped("")}, "execution reverted", "revert reason=[none]", "0x"},
		{"nothing returned", Failure{ExitCode: 33}, "execution reverted", "message execution failed (exit=[33], vm error=[w])", "0x"},
		{"out of gas", Failure{ExitCode: 7}, "(exit 7)", "exit=[SysErrOutOfGas(7)]", "0x"},
		{"an actor's own", Failure{ExitCode: exitcode.ErrForbidden}, "(exit 18)", "exit=[ErrForbidden(18)]", "0x"},
		{"a return that is no string of bytes", Failure{ExitCode: 33, Return: []byte{0x80}}, "execution reverted", "exit=[33], vm", "0x"},
		{"a reason that is broken", Failure{ExitCode: 33, Return: wrapped(text[:72] + strings.Repeat("f", 64))}, "execution reverted: Error, whose data are broken", "revert reason=[0x08c379a0", "0x" + text[:72] + strings.Repeat("f", 64)},
	} {
		tt.f.Words = "w"
		e := Reverted(Tools, tt.f)
		if e.Code != 3 || !strings.HasPrefix(e.Message, "execution reverted") || !strings.Contains(e.Message, tt.tools) || e.Data != tt.data || e.ExitCode != int64(tt.f.ExitCode) {
			t.Errorf("%s: %+v", tt.name, e)
		}
		e = Reverted(Strict, tt.f)
		if e.Code != 3 || !strings.Contains(e.Message, tt.strict) || e.Data != tt.data || e.ExitCode != 0 {
			t.Errorf("%s, strict: %+v", tt.name, e)
		}
	}
}

func TestErrorJSON(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{Reverted(Tools, Failure{ExitCode: 33}), `{"code":3,"message":"execution reverted","data":"0x","exitCode":33}`},
		{NullRound(7), `{"code":12,"message":"requested epoch was a null round (7)","data":7}`},
		{RangeExceeded(2880, 3000), `{"code":-32005,"message":"block range exceeds maximum of 2880 (got 3000)"}`},
		{FutureBlock(Strict), `{"code":1,"message":"requested a future epoch (beyond 'latest')"}`},
		{ExpensiveFork(9), `{"code":-32002,"message":"required historical state unavailable: refusing explicit call due to state fork at epoch 9","data":9}`},
	} {
		if b, err := json.Marshal(tt.err); err != nil || string(b) != tt.want {
			t.Errorf("%s, %v, want %s", b, err, tt.want)
		}
	}
}

// A sender without the value is told so that ethers and viem know it: not as a revert.
func TestRevertedWithoutFunds(t *testing.T) {
	e := Reverted(Tools, Failure{ExitCode: exitcode.SysErrInsufficientFunds})
	if e.Code != -32003 || e.Message != ErrFunds.Message || e.Data != nil || e.ExitCode != 6 {
		t.Errorf("%+v", e)
	}
	if e := Reverted(Strict, Failure{ExitCode: exitcode.SysErrInsufficientFunds, Words: "w"}); e.Code != 3 || !strings.Contains(e.Message, "exit=[SysErrInsufficientFunds(6)]") {
		t.Errorf("Lotus's manner: %+v", e)
	}
}

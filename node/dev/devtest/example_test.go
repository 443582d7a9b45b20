package devtest_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
)

// A test of a contract: deploy it, send it a transaction, read from it.
func Example() {
	test := func(t *testing.T) {
		t.Parallel()
		net := devtest.New(t)
		token := net.Deploy(t, 0, devtest.Token()) // init code, as solc gives it
		alice, bob := net.Account(0).Eth, net.Account(1).Eth
		sent := net.Send(t, 0, eth.Call{To: &token, Input: devtest.Transfer(bob, 5)})
		if sent.Result.ExitCode != 0 {
			t.Errorf("exit code %d: %s", sent.Result.ExitCode, sent.Result.Failure)
		}
		has := net.Read(t, eth.Call{To: &token, Input: devtest.BalanceOf(bob)})
		if new(big.Int).SetBytes(has).Int64() != 5 {
			t.Errorf("%x got 5 tokens of %x and has %x", bob, alice, has)
		}
	}
	fmt.Println(testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "TestToken", F: test}}))
	// Output:
	// true
}

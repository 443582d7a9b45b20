package devtest

import (
	"math/rand/v2"
	"testing"

	fbig "github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/eth"
)

// Busy makes some dozens of blocks with all sorts of messages, the same for the same seed: contracts, tokens, transfers to old and new
// addresses, native messages, some that run out of gas or revert, null rounds, moved time, several messages a block. It is for tests of
// what reads a chain.
func Busy(t testing.TB, n *Net, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	at, around := n.Deploy(t, 0, Token()), n.Deploy(t, 1, World())
	accounts := n.Genesis().Accounts
	few := []uint64{1_500_000, 1_700_000, 2_000_000, 4_000_000}
	for range 8 {
		from, to := rng.IntN(5), eth.Address(accounts[rng.IntN(len(accounts))].Eth)
		var fresh eth.Address
		for i := range fresh {
			fresh[i] = byte(rng.Uint32()) | 1
		}
		n.Send(t, 0, eth.Call{To: &at, Input: Transfer(to, uint64(rng.Uint32()))})
		n.Send(t, from, eth.Call{To: &to, Value: eth.NewAmount(int64(rng.Uint32()))})
		n.Send(t, from, eth.Call{To: &around})
		n.Send(t, from, eth.Call{To: &fresh, Value: eth.NewAmount(7)})
		n.Send(t, 0, eth.Call{To: &at, Input: Transfer(to, 1), Gas: limit(few[rng.IntN(len(few))])}) // may run out of gas
		n.Send(t, from, eth.Call{To: &at, Input: Transfer(to, 1<<60), Gas: limit(20_000_000)})       // reverts: too poor
		n.Send(t, from, eth.Call{To: &at, Input: []byte{1, 2, 3, 4}, Gas: limit(20_000_000)})        // reverts: no such function
		switch rng.IntN(4) {
		case 0:
			n.Blocks(t, 3)
		case 1:
			if _, err := n.IncreaseTime(uint64(rng.IntN(400))); err != nil {
				t.Fatal(err)
			}
		case 2:
			if err := n.SetNextTimestamp(n.Latest().Timestamp() + 1 + uint64(rng.IntN(200))); err != nil {
				t.Fatal(err)
			}
		}
		n.together(t, at, to, from)
	}
}

// together makes a block with five messages.
func (n *Net) together(t testing.TB, token, to eth.Address, from int) {
	t.Helper()
	n.SetAutomine(false)
	defer n.SetAutomine(true)
	calls := []eth.Call{
		{To: &to, Value: eth.NewAmount(1), Gas: limit(3_000_000)}, {To: &to, Value: eth.NewAmount(2), Gas: limit(3_000_000)},
		{To: &token, Input: Transfer(to, 2), Gas: limit(12_000_000)}, {To: &token, Input: Transfer(to, 3), Gas: limit(12_000_000)},
	}
	for i, c := range calls {
		if _, err := n.SubmitTransaction(t.Context(), n.Transaction(t, i%3, c)); err != nil {
			t.Fatal(err)
		}
	}
	n.SubmitNative(t, from, fvm.Message{To: n.Account(from + 1).F1, Value: fbig.NewInt(3), GasPremium: fbig.NewInt(1)})
	if b := n.Blocks(t, 1); len(b.Messages) != len(calls)+1 {
		t.Fatalf("%d messages in a block", len(b.Messages))
	}
}

func limit(n uint64) *eth.Quantity {
	q := eth.Quantity(n)
	return &q
}

package executor_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/executor"
)

// What the executor did differently on network versions 16 and 17.

// inclusion16 is 38,863 + 1300 (36 + 150) gas: the sender's update is not part of it.
const inclusion16 = 280_663

// Accounts alone send messages.
func TestSendersBefore18(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*executor.Message)
		ok     bool
	}{
		{"an account", func(*executor.Message) {}, true},
		{"ethaccount", func(m *executor.Message) { m.From = addr.NewID(ether) }, false},
		{"placeholder", func(m *executor.Message) { m.From, m.Nonce = addr.NewID(fresh), 0 }, false},
		{"multisig", func(m *executor.Message) { m.From = addr.NewID(wallet) }, false},
	} {
		m := newMachine(t, 17)
		before := root(t, m)
		msg := fromAlice()
		c.change(&msg)
		r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength)
		if err != nil {
			t.Fatal(err)
		}
		if c.ok != (r.ExitCode == 0) || !c.ok && (r.ExitCode != 1 || !strings.Contains(r.Failure, "not an account") || !r.Penalty.Equals(big.NewInt(100_000_000)) || root(t, m) != before) {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

// A call of nothing: inclusion, the call, and an empty return value. No events, no codec.
func TestReceiptBefore18(t *testing.T) {
	for _, c := range []struct {
		value, used int64
	}{{0, inclusion16 + 29_233}, {5, inclusion16 + 216_405}} {
		m := newMachine(t, 16)
		msg := fromAlice()
		msg.Value, msg.Params = big.NewInt(c.value), []byte("\x81\x01")
		r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength)
		if err != nil || r.ExitCode != 0 || r.GasUsed != c.used || r.EventsRoot != nil || r.Events != nil || r.ReturnCodec != 0 {
			t.Errorf("value %d: %+v, %v; want %d gas", c.value, r, err, c.used)
		}
	}
	m := newMachine(t, 17)
	msg := fromAlice()
	msg.GasLimit = inclusion16
	r, err := executor.Execute(t.Context(), m, nil, &msg, executor.Explicit, chainLength)
	if err != nil || r.ExitCode != 7 || r.GasUsed != inclusion16 {
		t.Errorf("gas for inclusion alone: %+v, %v", r, err)
	}
}

// A message with an f4 address is none.
func TestDelegatedAddressesBefore18(t *testing.T) {
	for name, change := range map[string]func(*executor.Message){
		"to": func(m *executor.Message) { m.To = *f4(t, 10, "x") }, "from": func(m *executor.Message) { m.From = *f4(t, 10, "fresh") },
	} {
		for _, kind := range []executor.Kind{executor.Explicit, executor.Implicit} {
			m := newMachine(t, 17)
			msg := fromAlice()
			change(&msg)
			_, err := executor.Execute(t.Context(), m, nil, &msg, kind, chainLength)
			var invalid *execerr.InvalidMessage
			if !errors.As(err, &invalid) || !strings.Contains(err.Error(), "f4 addresses") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

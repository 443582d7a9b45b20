package fvm

import (
	"context"
	"errors"
	"testing"

	"github.com/filecoin-project/go-state-types/big"
)

// A tipset with a message that no block may hold has no result.
func TestTipsetWithoutResult(t *testing.T) {
	if _, err := ApplyTipset(context.Background(), Tipset{}); err == nil {
		t.Error("a tipset without a state has a result")
	}
	for name, cm := range map[string]ChainMessage{"nil": {}, "length": {&Message{Value: big.Zero(), GasFeeCap: big.Zero(), GasPremium: big.Zero()}, -1}} {
		s := steps{seen: map[string]bool{}}
		err := s.add(1, 0, &TipsetBlock{Messages: []ChainMessage{cm}})
		if !errors.Is(err, ErrInvalidMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

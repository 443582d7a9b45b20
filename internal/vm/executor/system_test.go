package executor

import (
	"bytes"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v16/reward"
)

// The reward's parameters are those of go-state-types.
func TestRewardParams(t *testing.T) {
	for _, id := range []uint64{0, 1000, 1 << 40} {
		miner, err := address.NewIDAddress(id)
		if err != nil {
			t.Fatal(err)
		}
		p := reward.AwardBlockRewardParams{Miner: miner, Penalty: big.NewInt(int64(id)), GasReward: big.NewInt(77), WinCount: int64(id % 7)}
		var want bytes.Buffer
		if err := p.MarshalCBOR(&want); err != nil {
			t.Fatal(err)
		}
		got, err := rewardParams(p.Miner, p.Penalty, p.GasReward, p.WinCount)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%x, %v; want %x", got, err, want.Bytes())
		}
	}
	if _, err := rewardParams(address.Undef, big.Zero(), big.Zero(), -1); err == nil {
		t.Error("a negative win count was encoded")
	}
}

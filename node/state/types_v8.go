package state

import (
	"github.com/filecoin-project/go-state-types/builtin/v8/account"
	"github.com/filecoin-project/go-state-types/builtin/v8/cron"
	init_ "github.com/filecoin-project/go-state-types/builtin/v8/init"
	"github.com/filecoin-project/go-state-types/builtin/v8/market"
	"github.com/filecoin-project/go-state-types/builtin/v8/miner"
	"github.com/filecoin-project/go-state-types/builtin/v8/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v8/paych"
	"github.com/filecoin-project/go-state-types/builtin/v8/power"
	"github.com/filecoin-project/go-state-types/builtin/v8/reward"
	"github.com/filecoin-project/go-state-types/builtin/v8/system"
	"github.com/filecoin-project/go-state-types/builtin/v8/verifreg"
)

func partsV8() *parts {
	return &parts{
		Account: account.State{}, Cron: cron.State{}, Init: init_.State{}, System: system.State{},
		Multisig: multisig.State{}, Transaction: multisig.Transaction{}, Paych: paych.State{}, LaneState: paych.LaneState{},
		Reward: reward.State{},
		Market: market.State{}, DealProposal: market.DealProposal{}, DealState: market.DealState{},
		Miner: miner.State{}, MinerInfo: miner.MinerInfo{}, VestingFunds: miner.VestingFunds{},
		Deadlines: miner.Deadlines{}, Deadline: miner.Deadline{}, Partition: miner.Partition{}, ExpirationSet: miner.ExpirationSet{},
		PreCommit: miner.SectorPreCommitOnChainInfo{}, Sector: miner.SectorOnChainInfo{}, WindowedPoSt: miner.WindowedPoSt{},
		Power: power.State{}, CronEvent: power.CronEvent{}, PowerClaim: power.Claim{},
		Verifreg: verifreg.State{}, RemoveID: number(0),
	}
}

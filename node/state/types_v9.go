package state

import (
	"github.com/filecoin-project/go-state-types/builtin/v9/account"
	"github.com/filecoin-project/go-state-types/builtin/v9/cron"
	"github.com/filecoin-project/go-state-types/builtin/v9/datacap"
	init_ "github.com/filecoin-project/go-state-types/builtin/v9/init"
	"github.com/filecoin-project/go-state-types/builtin/v9/market"
	"github.com/filecoin-project/go-state-types/builtin/v9/miner"
	"github.com/filecoin-project/go-state-types/builtin/v9/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v9/paych"
	"github.com/filecoin-project/go-state-types/builtin/v9/power"
	"github.com/filecoin-project/go-state-types/builtin/v9/reward"
	"github.com/filecoin-project/go-state-types/builtin/v9/system"
	"github.com/filecoin-project/go-state-types/builtin/v9/verifreg"
)

func partsV9() *parts {
	return &parts{
		Account: account.State{}, Cron: cron.State{}, Init: init_.State{}, System: system.State{},
		Datacap: datacap.State{}, DatacapToken: datacap.TokenState{},
		Multisig: multisig.State{}, Transaction: multisig.Transaction{}, Paych: paych.State{}, LaneState: paych.LaneState{},
		Reward: reward.State{},
		Market: market.State{}, DealProposal: market.DealProposal{}, DealState: market.DealState{},
		Miner: miner.State{}, MinerInfo: miner.MinerInfo{}, VestingFunds: miner.VestingFunds{},
		Deadlines: miner.Deadlines{}, Deadline: miner.Deadline{}, Partition: miner.Partition{}, ExpirationSet: miner.ExpirationSet{},
		PreCommit: miner.SectorPreCommitOnChainInfo{}, Sector: miner.SectorOnChainInfo{}, WindowedPoSt: miner.WindowedPoSt{},
		Power: power.State{}, CronEvent: power.CronEvent{}, PowerClaim: power.Claim{},
		Verifreg: verifreg.State{}, RemoveID: verifreg.RmDcProposalID{}, Allocation: verifreg.Allocation{}, Claim: verifreg.Claim{},
	}
}

package state

import (
	"github.com/filecoin-project/go-state-types/builtin/v16/account"
	"github.com/filecoin-project/go-state-types/builtin/v16/cron"
	"github.com/filecoin-project/go-state-types/builtin/v16/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v16/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v16/init"
	"github.com/filecoin-project/go-state-types/builtin/v16/market"
	"github.com/filecoin-project/go-state-types/builtin/v16/miner"
	"github.com/filecoin-project/go-state-types/builtin/v16/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v16/paych"
	"github.com/filecoin-project/go-state-types/builtin/v16/power"
	"github.com/filecoin-project/go-state-types/builtin/v16/reward"
	"github.com/filecoin-project/go-state-types/builtin/v16/system"
	"github.com/filecoin-project/go-state-types/builtin/v16/verifreg"
)

func partsV16() *parts {
	return &parts{
		Account: account.State{}, Cron: cron.State{}, Init: init_.State{}, System: system.State{},
		Datacap: datacap.State{}, DatacapToken: datacap.TokenState{},
		EVM: evm.State{}, EVMTransient: evm.TransientData{},
		Multisig: multisig.State{}, Transaction: multisig.Transaction{}, Paych: paych.State{}, LaneState: paych.LaneState{},
		Reward: reward.State{},
		Market: market.State{}, DealProposal: market.DealProposal{}, DealState: market.DealState{}, SectorDeals: market.SectorDealIDs{},
		Miner: miner.State{}, MinerInfo: miner.MinerInfo{}, VestingFunds: miner.VestingFunds{}, VestingTail: miner.VestingFundsTail{},
		Deadlines: miner.Deadlines{}, Deadline: miner.Deadline{}, Partition: miner.Partition{}, ExpirationSet: miner.ExpirationSet{},
		PreCommit: miner.SectorPreCommitOnChainInfo{}, Sector: miner.SectorOnChainInfo{}, WindowedPoSt: miner.WindowedPoSt{},
		Power: power.State{}, CronEvent: power.CronEvent{}, PowerClaim: power.Claim{},
		Verifreg: verifreg.State{}, RemoveID: verifreg.RmDcProposalID{}, Allocation: verifreg.Allocation{}, Claim: verifreg.Claim{},
	}
}

package state

import (
	"github.com/filecoin-project/go-state-types/builtin/v15/account"
	"github.com/filecoin-project/go-state-types/builtin/v15/cron"
	"github.com/filecoin-project/go-state-types/builtin/v15/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v15/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v15/init"
	"github.com/filecoin-project/go-state-types/builtin/v15/market"
	"github.com/filecoin-project/go-state-types/builtin/v15/miner"
	"github.com/filecoin-project/go-state-types/builtin/v15/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v15/paych"
	"github.com/filecoin-project/go-state-types/builtin/v15/power"
	"github.com/filecoin-project/go-state-types/builtin/v15/reward"
	"github.com/filecoin-project/go-state-types/builtin/v15/system"
	"github.com/filecoin-project/go-state-types/builtin/v15/verifreg"
)

func partsV15() *parts {
	return &parts{
		Account: account.State{}, Cron: cron.State{}, Init: init_.State{}, System: system.State{},
		Datacap: datacap.State{}, DatacapToken: datacap.TokenState{},
		EVM:      evm.State{},
		Multisig: multisig.State{}, Transaction: multisig.Transaction{}, Paych: paych.State{}, LaneState: paych.LaneState{},
		Reward: reward.State{},
		Market: market.State{}, DealProposal: market.DealProposal{}, DealState: market.DealState{}, SectorDeals: market.SectorDealIDs{},
		Miner: miner.State{}, MinerInfo: miner.MinerInfo{}, VestingFunds: miner.VestingFunds{},
		Deadlines: miner.Deadlines{}, Deadline: miner.Deadline{}, Partition: miner.Partition{}, ExpirationSet: miner.ExpirationSet{},
		PreCommit: miner.SectorPreCommitOnChainInfo{}, Sector: miner.SectorOnChainInfo{}, WindowedPoSt: miner.WindowedPoSt{},
		Power: power.State{}, CronEvent: power.CronEvent{}, PowerClaim: power.Claim{},
		Verifreg: verifreg.State{}, RemoveID: verifreg.RmDcProposalID{}, Allocation: verifreg.Allocation{}, Claim: verifreg.Claim{},
	}
}

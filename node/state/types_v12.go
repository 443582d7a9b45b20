package state

import (
	"github.com/filecoin-project/go-state-types/builtin/v12/account"
	"github.com/filecoin-project/go-state-types/builtin/v12/cron"
	"github.com/filecoin-project/go-state-types/builtin/v12/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v12/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v12/init"
	"github.com/filecoin-project/go-state-types/builtin/v12/market"
	"github.com/filecoin-project/go-state-types/builtin/v12/miner"
	"github.com/filecoin-project/go-state-types/builtin/v12/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v12/paych"
	"github.com/filecoin-project/go-state-types/builtin/v12/power"
	"github.com/filecoin-project/go-state-types/builtin/v12/reward"
	"github.com/filecoin-project/go-state-types/builtin/v12/system"
	"github.com/filecoin-project/go-state-types/builtin/v12/verifreg"
)

func partsV12() *parts {
	return &parts{
		Account: account.State{}, Cron: cron.State{}, Init: init_.State{}, System: system.State{},
		Datacap: datacap.State{}, DatacapToken: datacap.TokenState{},
		EVM:      evm.State{},
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

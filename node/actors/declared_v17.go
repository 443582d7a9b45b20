package actors

import (
	"github.com/filecoin-project/go-state-types/builtin/v17/account"
	"github.com/filecoin-project/go-state-types/builtin/v17/cron"
	"github.com/filecoin-project/go-state-types/builtin/v17/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v17/eam"
	"github.com/filecoin-project/go-state-types/builtin/v17/ethaccount"
	"github.com/filecoin-project/go-state-types/builtin/v17/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v17/init"
	"github.com/filecoin-project/go-state-types/builtin/v17/market"
	"github.com/filecoin-project/go-state-types/builtin/v17/miner"
	"github.com/filecoin-project/go-state-types/builtin/v17/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v17/paych"
	"github.com/filecoin-project/go-state-types/builtin/v17/placeholder"
	"github.com/filecoin-project/go-state-types/builtin/v17/power"
	"github.com/filecoin-project/go-state-types/builtin/v17/reward"
	"github.com/filecoin-project/go-state-types/builtin/v17/system"
	"github.com/filecoin-project/go-state-types/builtin/v17/verifreg"
)

// v17 are the methods of actors v17 as go-state-types has them.
func v17() declared {
	return declared{
		"account":          account.Methods,
		"cron":             cron.Methods,
		"datacap":          datacap.Methods,
		"eam":              eam.Methods,
		"ethaccount":       ethaccount.Methods,
		"evm":              evm.Methods,
		"init":             init_.Methods,
		"multisig":         multisig.Methods,
		"paymentchannel":   paych.Methods,
		"placeholder":      placeholder.Methods,
		"reward":           reward.Methods,
		"storagemarket":    market.Methods,
		"storageminer":     miner.Methods,
		"storagepower":     power.Methods,
		"system":           system.Methods,
		"verifiedregistry": verifreg.Methods,
	}
}

package actors

import (
	"github.com/filecoin-project/go-state-types/builtin/v15/account"
	"github.com/filecoin-project/go-state-types/builtin/v15/cron"
	"github.com/filecoin-project/go-state-types/builtin/v15/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v15/eam"
	"github.com/filecoin-project/go-state-types/builtin/v15/ethaccount"
	"github.com/filecoin-project/go-state-types/builtin/v15/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v15/init"
	"github.com/filecoin-project/go-state-types/builtin/v15/market"
	"github.com/filecoin-project/go-state-types/builtin/v15/miner"
	"github.com/filecoin-project/go-state-types/builtin/v15/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v15/paych"
	"github.com/filecoin-project/go-state-types/builtin/v15/placeholder"
	"github.com/filecoin-project/go-state-types/builtin/v15/power"
	"github.com/filecoin-project/go-state-types/builtin/v15/reward"
	"github.com/filecoin-project/go-state-types/builtin/v15/system"
	"github.com/filecoin-project/go-state-types/builtin/v15/verifreg"
)

// v15 are the methods of actors v15 as go-state-types has them.
func v15() declared {
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

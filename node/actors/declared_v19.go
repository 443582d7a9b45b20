package actors

import (
	"github.com/filecoin-project/go-state-types/builtin/v19/account"
	"github.com/filecoin-project/go-state-types/builtin/v19/cron"
	"github.com/filecoin-project/go-state-types/builtin/v19/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v19/eam"
	"github.com/filecoin-project/go-state-types/builtin/v19/ethaccount"
	"github.com/filecoin-project/go-state-types/builtin/v19/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v19/init"
	"github.com/filecoin-project/go-state-types/builtin/v19/market"
	"github.com/filecoin-project/go-state-types/builtin/v19/miner"
	"github.com/filecoin-project/go-state-types/builtin/v19/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v19/paych"
	"github.com/filecoin-project/go-state-types/builtin/v19/placeholder"
	"github.com/filecoin-project/go-state-types/builtin/v19/power"
	"github.com/filecoin-project/go-state-types/builtin/v19/reward"
	"github.com/filecoin-project/go-state-types/builtin/v19/system"
	"github.com/filecoin-project/go-state-types/builtin/v19/verifreg"
)

// v19 are the methods of actors v19 as go-state-types has them.
func v19() declared {
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

package actors

import (
	"github.com/filecoin-project/go-state-types/builtin/v18/account"
	"github.com/filecoin-project/go-state-types/builtin/v18/cron"
	"github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v18/eam"
	"github.com/filecoin-project/go-state-types/builtin/v18/ethaccount"
	"github.com/filecoin-project/go-state-types/builtin/v18/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v18/init"
	"github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/filecoin-project/go-state-types/builtin/v18/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v18/paych"
	"github.com/filecoin-project/go-state-types/builtin/v18/placeholder"
	"github.com/filecoin-project/go-state-types/builtin/v18/power"
	"github.com/filecoin-project/go-state-types/builtin/v18/reward"
	"github.com/filecoin-project/go-state-types/builtin/v18/system"
	"github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
)

// v18 are the methods of actors v18 as go-state-types has them.
func v18() declared {
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

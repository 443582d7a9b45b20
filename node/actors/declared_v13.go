package actors

import (
	"github.com/filecoin-project/go-state-types/builtin/v13/account"
	"github.com/filecoin-project/go-state-types/builtin/v13/cron"
	"github.com/filecoin-project/go-state-types/builtin/v13/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v13/eam"
	"github.com/filecoin-project/go-state-types/builtin/v13/ethaccount"
	"github.com/filecoin-project/go-state-types/builtin/v13/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v13/init"
	"github.com/filecoin-project/go-state-types/builtin/v13/market"
	"github.com/filecoin-project/go-state-types/builtin/v13/miner"
	"github.com/filecoin-project/go-state-types/builtin/v13/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v13/paych"
	"github.com/filecoin-project/go-state-types/builtin/v13/placeholder"
	"github.com/filecoin-project/go-state-types/builtin/v13/power"
	"github.com/filecoin-project/go-state-types/builtin/v13/reward"
	"github.com/filecoin-project/go-state-types/builtin/v13/system"
	"github.com/filecoin-project/go-state-types/builtin/v13/verifreg"
)

// v13 are the methods of actors v13 as go-state-types has them.
func v13() declared {
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

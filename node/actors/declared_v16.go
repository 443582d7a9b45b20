package actors

import (
	"github.com/filecoin-project/go-state-types/builtin/v16/account"
	"github.com/filecoin-project/go-state-types/builtin/v16/cron"
	"github.com/filecoin-project/go-state-types/builtin/v16/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v16/eam"
	"github.com/filecoin-project/go-state-types/builtin/v16/ethaccount"
	"github.com/filecoin-project/go-state-types/builtin/v16/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v16/init"
	"github.com/filecoin-project/go-state-types/builtin/v16/market"
	"github.com/filecoin-project/go-state-types/builtin/v16/miner"
	"github.com/filecoin-project/go-state-types/builtin/v16/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v16/paych"
	"github.com/filecoin-project/go-state-types/builtin/v16/placeholder"
	"github.com/filecoin-project/go-state-types/builtin/v16/power"
	"github.com/filecoin-project/go-state-types/builtin/v16/reward"
	"github.com/filecoin-project/go-state-types/builtin/v16/system"
	"github.com/filecoin-project/go-state-types/builtin/v16/verifreg"
)

// v16 are the methods of actors v16 as go-state-types has them.
func v16() declared {
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

package actors

import (
	"github.com/filecoin-project/go-state-types/builtin/v14/account"
	"github.com/filecoin-project/go-state-types/builtin/v14/cron"
	"github.com/filecoin-project/go-state-types/builtin/v14/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v14/eam"
	"github.com/filecoin-project/go-state-types/builtin/v14/ethaccount"
	"github.com/filecoin-project/go-state-types/builtin/v14/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v14/init"
	"github.com/filecoin-project/go-state-types/builtin/v14/market"
	"github.com/filecoin-project/go-state-types/builtin/v14/miner"
	"github.com/filecoin-project/go-state-types/builtin/v14/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v14/paych"
	"github.com/filecoin-project/go-state-types/builtin/v14/placeholder"
	"github.com/filecoin-project/go-state-types/builtin/v14/power"
	"github.com/filecoin-project/go-state-types/builtin/v14/reward"
	"github.com/filecoin-project/go-state-types/builtin/v14/system"
	"github.com/filecoin-project/go-state-types/builtin/v14/verifreg"
)

// v14 are the methods of actors v14 as go-state-types has them.
func v14() declared {
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

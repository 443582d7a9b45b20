package actors

import (
	"github.com/filecoin-project/go-state-types/builtin/v11/account"
	"github.com/filecoin-project/go-state-types/builtin/v11/cron"
	"github.com/filecoin-project/go-state-types/builtin/v11/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v11/eam"
	"github.com/filecoin-project/go-state-types/builtin/v11/ethaccount"
	"github.com/filecoin-project/go-state-types/builtin/v11/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v11/init"
	"github.com/filecoin-project/go-state-types/builtin/v11/market"
	"github.com/filecoin-project/go-state-types/builtin/v11/miner"
	"github.com/filecoin-project/go-state-types/builtin/v11/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v11/paych"
	"github.com/filecoin-project/go-state-types/builtin/v11/placeholder"
	"github.com/filecoin-project/go-state-types/builtin/v11/power"
	"github.com/filecoin-project/go-state-types/builtin/v11/reward"
	"github.com/filecoin-project/go-state-types/builtin/v11/system"
	"github.com/filecoin-project/go-state-types/builtin/v11/verifreg"
)

// v11 are the methods of actors v11 as go-state-types has them.
func v11() declared {
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

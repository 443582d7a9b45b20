package actors

import (
	"github.com/filecoin-project/go-state-types/builtin/v10/account"
	"github.com/filecoin-project/go-state-types/builtin/v10/cron"
	"github.com/filecoin-project/go-state-types/builtin/v10/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v10/eam"
	"github.com/filecoin-project/go-state-types/builtin/v10/ethaccount"
	"github.com/filecoin-project/go-state-types/builtin/v10/evm"
	init_ "github.com/filecoin-project/go-state-types/builtin/v10/init"
	"github.com/filecoin-project/go-state-types/builtin/v10/market"
	"github.com/filecoin-project/go-state-types/builtin/v10/miner"
	"github.com/filecoin-project/go-state-types/builtin/v10/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v10/paych"
	"github.com/filecoin-project/go-state-types/builtin/v10/placeholder"
	"github.com/filecoin-project/go-state-types/builtin/v10/power"
	"github.com/filecoin-project/go-state-types/builtin/v10/reward"
	"github.com/filecoin-project/go-state-types/builtin/v10/system"
	"github.com/filecoin-project/go-state-types/builtin/v10/verifreg"
)

// v10 are the methods of actors v10 as go-state-types has them.
func v10() declared {
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

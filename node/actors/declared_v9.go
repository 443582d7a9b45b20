package actors

import (
	"github.com/filecoin-project/go-state-types/builtin/v9/account"
	"github.com/filecoin-project/go-state-types/builtin/v9/cron"
	"github.com/filecoin-project/go-state-types/builtin/v9/datacap"
	init_ "github.com/filecoin-project/go-state-types/builtin/v9/init"
	"github.com/filecoin-project/go-state-types/builtin/v9/market"
	"github.com/filecoin-project/go-state-types/builtin/v9/miner"
	"github.com/filecoin-project/go-state-types/builtin/v9/multisig"
	"github.com/filecoin-project/go-state-types/builtin/v9/paych"
	"github.com/filecoin-project/go-state-types/builtin/v9/power"
	"github.com/filecoin-project/go-state-types/builtin/v9/reward"
	"github.com/filecoin-project/go-state-types/builtin/v9/system"
	"github.com/filecoin-project/go-state-types/builtin/v9/verifreg"
)

// v9 are the methods of actors v9 as go-state-types has them.
func v9() declared {
	return declared{
		"account":          account.Methods,
		"cron":             cron.Methods,
		"datacap":          datacap.Methods,
		"init":             init_.Methods,
		"multisig":         multisig.Methods,
		"paymentchannel":   paych.Methods,
		"reward":           reward.Methods,
		"storagemarket":    market.Methods,
		"storageminer":     miner.Methods,
		"storagepower":     power.Methods,
		"system":           system.Methods,
		"verifiedregistry": verifreg.Methods,
	}
}

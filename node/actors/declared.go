package actors

import (
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
)

// declared are methods by the actor's name in a manifest and by number.
type declared map[string]map[abi.MethodNum]builtin.MethodMeta

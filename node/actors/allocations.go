package actors

import (
	"reflect"

	verifreg10 "github.com/filecoin-project/go-state-types/builtin/v10/verifreg"
	verifreg11 "github.com/filecoin-project/go-state-types/builtin/v11/verifreg"
	verifreg12 "github.com/filecoin-project/go-state-types/builtin/v12/verifreg"
	verifreg13 "github.com/filecoin-project/go-state-types/builtin/v13/verifreg"
	verifreg14 "github.com/filecoin-project/go-state-types/builtin/v14/verifreg"
	verifreg15 "github.com/filecoin-project/go-state-types/builtin/v15/verifreg"
	verifreg16 "github.com/filecoin-project/go-state-types/builtin/v16/verifreg"
	verifreg17 "github.com/filecoin-project/go-state-types/builtin/v17/verifreg"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	verifreg19 "github.com/filecoin-project/go-state-types/builtin/v19/verifreg"
)

// allocationRequests are what comes with DataCap that is sent to the registry, by version.
var allocationRequests = map[int]reflect.Type{
	9:  reflect.TypeFor[AllocationRequests9](),
	10: reflect.TypeFor[verifreg10.AllocationRequests](),
	11: reflect.TypeFor[verifreg11.AllocationRequests](),
	12: reflect.TypeFor[verifreg12.AllocationRequests](),
	13: reflect.TypeFor[verifreg13.AllocationRequests](),
	14: reflect.TypeFor[verifreg14.AllocationRequests](),
	15: reflect.TypeFor[verifreg15.AllocationRequests](),
	16: reflect.TypeFor[verifreg16.AllocationRequests](),
	17: reflect.TypeFor[verifreg17.AllocationRequests](),
	18: reflect.TypeFor[verifreg18.AllocationRequests](),
	19: reflect.TypeFor[verifreg19.AllocationRequests](),
}

package state

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// data are fields of states whose CIDs name things outside of the state: pieces, sectors.
var data = []string{"DealProposal.PieceCID", "SectorOnChainInfo.SealedCID", "SectorOnChainInfo.SectorKeyCID", "SectorPreCommitInfo.SealedCID",
	"SectorPreCommitInfo.UnsealedCid", "Allocation.Data", "Claim.Data", "SealVerifyInfo.SealedCID", "SealVerifyInfo.UnsealedCID", "ManifestEntry.Code"}

// Every link of every state has an end, in every version: one that go-state-types adds is not overlooked.
func TestEveryLinkHasAnEnd(t *testing.T) {
	first, last := Versions()
	if first != 8 || last != 19 {
		t.Errorf("versions %d to %d", first, last)
	}
	used := map[string]bool{}
	for v := first; v <= last; v++ {
		l := layoutOf(v)
		seen := map[*Shape]bool{}
		types := map[reflect.Type]bool{}
		var shape func(s *Shape)
		var walk func(typ reflect.Type)
		walk = func(typ reflect.Type) {
			switch typ.Kind() {
			case reflect.Pointer, reflect.Slice, reflect.Array:
				walk(typ.Elem())
			case reflect.Struct:
				if types[typ] || typ == reflect.TypeFor[cid.Cid]() || !strings.Contains(typ.PkgPath(), "go-state-types") {
					return
				}
				types[typ] = true
				for i := range typ.NumField() {
					f := typ.Field(i)
					in := f.Type
					for in.Kind() == reflect.Pointer || in.Kind() == reflect.Slice || in.Kind() == reflect.Array {
						in = in.Elem()
					}
					name := typ.Name() + "." + f.Name
					to := l.linkOf(typ, f.Name)
					if in == reflect.TypeFor[cid.Cid]() && to == nil && !slices.Contains(data, name) {
						t.Errorf("v%d: %s leads nowhere", v, name)
					}
					if slices.Contains(data, name) {
						used[name] = true
						if to != nil {
							t.Errorf("v%d: %s has an end", v, name)
						}
					}
					if to != nil {
						shape(to)
					}
					walk(f.Type)
				}
			}
		}
		shape = func(s *Shape) {
			if s == nil || seen[s] {
				return
			}
			seen[s] = true
			if s.kind == typed {
				if _, ok := reflect.New(s.typ).Interface().(cbg.CBORUnmarshaler); !ok {
					t.Errorf("v%d: %s does not read CBOR", v, s)
				}
				walk(s.typ)
			}
			if s.isCollection() && (s.key.show == nil || s.kind != kindAMT && (s.bits < 1 || s.bits > 8)) {
				t.Errorf("v%d: %s has no keys, or no width", v, s)
			}
			shape(s.elem)
		}
		for _, s := range l.states {
			shape(s)
		}
		// Fields of which the layout says where they lead are there.
		for typ, fields := range l.links {
			for name := range fields {
				if _, ok := typ.FieldByName(name); !ok && !slices.Contains(gone, name) {
					t.Errorf("v%d: %s has no field %s", v, typ, name)
				}
			}
		}
	}
	for _, name := range data {
		if !used[name] {
			t.Errorf("there is no %s", name)
		}
	}
}

// gone are fields that not all versions have.
var gone = []string{"VerifiedClients", "Allocations", "Claims", "ProviderSectors", "PendingDealAllocationIds", "StreamsRoot", "RemoveDataCapProposalIDs"}

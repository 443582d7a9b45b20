package jsonview

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	rleplus "github.com/filecoin-project/go-bitfield/rle"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/edgefvm/fvm/internal/ipld/addr"
)

// Address is the text of an address on mainnet, whatever network the process is set to.
func Address(a address.Address) string { return addr.String(a) }

// BitField shows a bitfield as its members in ascending order, "0-4,7": a single member, or a range with both ends. An empty
// one is "". It errs if what the bitfield was read from is not RLE+.
func BitField(b bitfield.BitField) (string, error) {
	runs, err := b.RunIterator()
	if err != nil {
		return "", err
	}
	var parts []string
	var pos uint64
	for runs.HasNext() {
		run, err := runs.NextRun()
		if err != nil {
			return "", err
		}
		end := pos + run.Len
		if end < pos {
			return "", fmt.Errorf("the bitfield reaches beyond 2^64")
		}
		if run.Val && run.Len > 0 {
			text := strconv.FormatUint(pos, 10)
			if run.Len > 1 {
				text += "-" + strconv.FormatUint(end-1, 10)
			}
			parts = append(parts, text)
		}
		pos = end
	}
	return strings.Join(parts, ","), nil
}

// ParseBitField reads what [BitField] shows: members and ranges in ascending order, none twice.
func ParseBitField(s string) (bitfield.BitField, error) {
	it := &rleplus.RunSliceIterator{}
	next, first := uint64(0), true
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" && strings.TrimSpace(s) == "" {
			break
		}
		from, to, isRange := strings.Cut(part, "-")
		a, err := strconv.ParseUint(strings.TrimSpace(from), 10, 64)
		b := a
		if err == nil && isRange {
			b, err = strconv.ParseUint(strings.TrimSpace(to), 10, 64)
		}
		switch {
		case err != nil:
			return bitfield.BitField{}, fmt.Errorf("bitfield: %q is no member and no range; want numbers such as 0-4,7", part)
		case b < a:
			return bitfield.BitField{}, fmt.Errorf("bitfield: the range %s ends before it begins", part)
		case b == math.MaxUint64:
			return bitfield.BitField{}, fmt.Errorf("bitfield: %d is too large", b)
		case !first && a < next:
			return bitfield.BitField{}, fmt.Errorf("bitfield: %s is not after what precedes it; want ascending members, each once", part)
		}
		if !first && a == next { // one run, written as two
			it.Runs[len(it.Runs)-1].Len += b - a + 1
		} else {
			if a > next {
				it.Runs = append(it.Runs, rleplus.Run{Val: false, Len: a - next})
			}
			it.Runs = append(it.Runs, rleplus.Run{Val: true, Len: b - a + 1})
		}
		next, first = b+1, false
	}
	return bitfield.NewFromIter(it)
}

// enums are the names of values, by their type.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[abi.RegisteredSealProof](): {
		"StackedDrg2KiBV1", "StackedDrg8MiBV1", "StackedDrg512MiBV1", "StackedDrg32GiBV1", "StackedDrg64GiBV1",
		"StackedDrg2KiBV1_1", "StackedDrg8MiBV1_1", "StackedDrg512MiBV1_1", "StackedDrg32GiBV1_1", "StackedDrg64GiBV1_1",
		"StackedDrg2KiBV1_1_Feat_SyntheticPoRep", "StackedDrg8MiBV1_1_Feat_SyntheticPoRep", "StackedDrg512MiBV1_1_Feat_SyntheticPoRep",
		"StackedDrg32GiBV1_1_Feat_SyntheticPoRep", "StackedDrg64GiBV1_1_Feat_SyntheticPoRep",
		"StackedDrg2KiBV1_2_Feat_NiPoRep", "StackedDrg8MiBV1_2_Feat_NiPoRep", "StackedDrg512MiBV1_2_Feat_NiPoRep",
		"StackedDrg32GiBV1_2_Feat_NiPoRep", "StackedDrg64GiBV1_2_Feat_NiPoRep",
	},
	reflect.TypeFor[abi.RegisteredPoStProof](): {
		"StackedDrgWinning2KiBV1", "StackedDrgWinning8MiBV1", "StackedDrgWinning512MiBV1", "StackedDrgWinning32GiBV1", "StackedDrgWinning64GiBV1",
		"StackedDrgWindow2KiBV1", "StackedDrgWindow8MiBV1", "StackedDrgWindow512MiBV1", "StackedDrgWindow32GiBV1", "StackedDrgWindow64GiBV1",
		"StackedDrgWindow2KiBV1_1", "StackedDrgWindow8MiBV1_1", "StackedDrgWindow512MiBV1_1", "StackedDrgWindow32GiBV1_1", "StackedDrgWindow64GiBV1_1",
	},
	reflect.TypeFor[abi.RegisteredAggregationProof](): {"SnarkPackV1", "SnarkPackV2"},
	reflect.TypeFor[abi.RegisteredUpdateProof](): {
		"StackedDrg2KiBV1", "StackedDrg8MiBV1", "StackedDrg512MiBV1", "StackedDrg32GiBV1", "StackedDrg64GiBV1",
	},
	reflect.TypeFor[abi.SectorStatusCode](): {"Dead", "Active", "Faulty"},
	reflect.TypeFor[crypto.SigType]():       {1: "secp256k1", 2: "bls", 3: "delegated"},
}

// enumView is a value of an enumeration: its name, or its number if it has none; nil for other types.
func enumView(v reflect.Value) any {
	names, ok := enums[v.Type()]
	if !ok {
		return nil
	}
	n := int64(0)
	if v.CanInt() {
		n = v.Int()
	} else {
		n = int64(v.Uint())
	}
	if n >= 0 && n < int64(len(names)) && names[n] != "" {
		return names[n]
	}
	return json.Number(strconv.FormatInt(n, 10))
}

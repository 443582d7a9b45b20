package page

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/state"
)

const (
	deadlineCount  = 48
	mostPartitions = 10_000 // of a miner, in an answer
)

// minerView is a miner's deadlines.
type minerView struct {
	Epoch       abi.ChainEpoch `json:"epoch"`
	PeriodStart abi.ChainEpoch `json:"proving_period_start"`
	Current     uint64         `json:"current_deadline"`
	SectorSize  uint64         `json:"sector_size"`
	Deadlines   []deadlineView `json:"deadlines"`
	// Cut says that there are more partitions.
	Cut     bool `json:"cut,omitempty"`
	Missing bool `json:"missing,omitempty"` // parts are not there
}

type deadlineView struct {
	Sectors    uint64          `json:"live_sectors"`
	Total      uint64          `json:"total_sectors"`
	Posted     []uint64        `json:"posted,omitempty"` // partitions proven in this period
	Partitions []partitionView `json:"partitions,omitempty"`
}

// partitionView counts the sectors of a partition. Active are those that are neither faulty nor unproven.
type partitionView struct {
	Number     uint64 `json:"number"`
	All        uint64 `json:"all"`
	Active     uint64 `json:"active"`
	Unproven   uint64 `json:"unproven"`
	Faulty     uint64 `json:"faulty"`
	Recovering uint64 `json:"recovering"` // of the faulty ones
	Terminated uint64 `json:"terminated"`
}

// deadlines is fvm_deadlines: the deadlines and partitions of a miner, in numbers.
func (p *Page) deadlines(ctx context.Context, text string, epoch jsonrpc.Optional[abi.ChainEpoch]) (*minerView, error) {
	t, st, err := p.at(ctx, epoch, Whole)
	if err != nil {
		return nil, err
	}
	a, err := actorOf(ctx, t, text)
	if err != nil {
		return nil, err
	}
	if kind := t.Kind(ctx, a.Code); kind.Name != "storageminer" {
		return nil, errNone(fmt.Sprintf("%s is no storage provider", idText(a.ID)))
	}
	path := a.Path() + "/state"
	n, err := t.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	out := &minerView{Epoch: st.Epoch, PeriodStart: abi.ChainEpoch(whole(n.Value(), "ProvingPeriodStart")), Current: uint64(whole(n.Value(), "CurrentDeadline"))}
	if info, err := t.Get(ctx, path+"/Info"); err == nil {
		out.SectorSize = uint64(whole(info.Value(), "SectorSize"))
	}
	left := mostPartitions
	for i := range deadlineCount {
		d, err := t.Get(ctx, path+"/Deadlines/Due/"+strconv.Itoa(i))
		if err != nil {
			if missing(err) {
				out.Missing = true
				out.Deadlines = append(out.Deadlines, deadlineView{})
				continue
			}
			return nil, err
		}
		view := deadlineView{Sectors: uint64(whole(d.Value(), "LiveSectors")), Total: uint64(whole(d.Value(), "TotalSectors"))}
		if posted, ok := bits(d.Value(), "PartitionsPoSted"); ok {
			view.Posted, _ = posted.All(mostPartitions) // more there cannot be
		}
		parts, err := d.Get(ctx, "Partitions")
		if err == nil {
			err = parts.Each(ctx, func(key string, part *state.Node) error {
				if left--; left < 0 {
					out.Cut = true
					return errEnough
				}
				view.Partitions = append(view.Partitions, partitionOf(key, part.Value()))
				return nil
			})
		}
		switch {
		case out.Cut:
		case missing(err):
			out.Missing = true
		case err != nil:
			return nil, err
		}
		out.Deadlines = append(out.Deadlines, view)
	}
	return out, nil
}

func missing(err error) bool {
	var m *state.MissingError
	return errors.As(err, &m)
}

func partitionOf(key string, value any) partitionView {
	v := partitionView{}
	v.Number, _ = strconv.ParseUint(key, 10, 64) // an array's key
	count := func(field string) uint64 {
		b, ok := bits(value, field)
		if !ok {
			return 0
		}
		n, err := b.Count()
		if err != nil {
			return 0
		}
		return n
	}
	v.All, v.Unproven, v.Faulty, v.Recovering, v.Terminated = count("Sectors"), count("Unproven"), count("Faults"), count("Recoveries"), count("Terminated")
	if gone := v.Unproven + v.Faulty + v.Terminated; gone < v.All {
		v.Active = v.All - gone
	}
	return v
}

// fieldOf is a field of a struct of go-state-types, by its name.
func fieldOf(v any, name string) reflect.Value {
	r := reflect.Indirect(reflect.ValueOf(v))
	if r.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return r.FieldByName(name)
}

func whole(v any, name string) int64 {
	f := fieldOf(v, name)
	switch {
	case !f.IsValid():
		return 0
	case f.CanInt():
		return f.Int()
	case f.CanUint():
		return int64(f.Uint())
	}
	return 0
}

func bits(v any, name string) (bitfield.BitField, bool) {
	f := fieldOf(v, name)
	if !f.IsValid() || !f.CanInterface() {
		return bitfield.BitField{}, false
	}
	b, ok := f.Interface().(bitfield.BitField)
	return b, ok
}

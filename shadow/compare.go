package shadow

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// parts lists in what an outcome differs from the primary's.
type parts []vector.Difference

func (p *parts) add(field, want, got string) {
	*p = append(*p, vector.Difference{Message: -1, Field: field, Want: want, Got: got})
}

func check[T comparable](p *parts, field string, want, got T) {
	if want != got {
		p.add(field, fmt.Sprint(want), fmt.Sprint(got))
	}
}

// compare is empty if two outcomes are the same.
func compare(want, got *outcome) (p parts) {
	switch {
	case want.err != nil && got.err != nil:
		// Both have no receipt. That one engine failed is no excuse for the other to refuse the message.
		if a, b := isInvalid(want.err), isInvalid(got.err); a != b {
			p.add("error", want.err.Error(), got.err.Error())
		}
		return p
	case want.err != nil || got.err != nil:
		p.add("error", saidOr(want), saidOr(got))
	case want.res != nil:
		p.results(want.res, got.res)
	}
	if d := trace.Diff(want.trace, got.trace); d != "" {
		p.add("trace", "", d)
	}
	if want.err == nil && got.err == nil && want.root != got.root {
		p.add("state_root", want.root.String(), got.root.String())
	}
	return p
}

func isInvalid(err error) bool { return errors.Is(err, fvm.ErrInvalidMessage) }

// saidOr is an outcome in a few words.
func saidOr(o *outcome) string {
	switch {
	case o.err != nil:
		return o.err.Error()
	case o.res != nil:
		return fmt.Sprintf("a receipt with exit code %d", o.res.ExitCode)
	}
	return "the state root " + o.root.String()
}

func (p *parts) results(want, got *fvm.Result) {
	check(p, "exit_code", want.ExitCode, got.ExitCode)
	if !bytes.Equal(want.Return, got.Return) {
		p.add("return", hex.EncodeToString(want.Return), hex.EncodeToString(got.Return))
	}
	check(p, "return_codec", want.ReturnCodec, got.ReturnCodec)
	check(p, "gas_used", want.GasUsed, got.GasUsed)
	check(p, "events_root", rootOf(want), rootOf(got))
	if !slices.EqualFunc(want.Events, got.Events, sameEvent) {
		p.add("events", fmt.Sprintf("%+v", want.Events), fmt.Sprintf("%+v", got.Events))
	}
	fee := func(field string, want, got big.Int) {
		if !want.Equals(got) {
			p.add(field, want.String(), got.String())
		}
	}
	fee("penalty", want.Penalty, got.Penalty)
	fee("miner_tip", want.MinerTip, got.MinerTip)
	fee("base_fee_burn", want.BaseFeeBurn, got.BaseFeeBurn)
	fee("over_estimation_burn", want.OverEstimationBurn, got.OverEstimationBurn)
	fee("refund", want.Refund, got.Refund)
	check(p, "gas_refund", want.GasRefund, got.GasRefund)
	check(p, "gas_burned", want.GasBurned, got.GasBurned)
	if a, b := sameTraps(want.Failure), sameTraps(got.Failure); a != b { // the only place where the kind of a trap shows
		p.add("failure", strconv.Quote(a), strconv.Quote(b))
	}
}

func rootOf(r *fvm.Result) cid.Cid {
	if r.EventsRoot == nil {
		return cid.Undef
	}
	return *r.EventsRoot
}

func sameEvent(a, b fvm.Event) bool {
	return a.Emitter == b.Emitter && slices.EqualFunc(a.Entries, b.Entries, func(a, b fvm.EventEntry) bool {
		return a.Flags == b.Flags && a.Key == b.Key && a.Codec == b.Codec && bytes.Equal(a.Value, b.Value)
	})
}

// sameTraps makes one of two kinds of trap that not every engine can tell apart.
func sameTraps(failure string) string {
	return strings.ReplaceAll(failure, engine.TrapIndirectCallToNull.String(), engine.TrapTableOutOfBounds.String())
}

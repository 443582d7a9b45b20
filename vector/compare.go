package vector

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
)

// Difference is one thing that is not as a vector expects.
type Difference struct {
	Message int    `json:"message"` // -1: of the vector as a whole
	Field   string `json:"field"`   // such as "gas_used"
	Want    string `json:"want"`
	Got     string `json:"got"`
}

func (d Difference) String() string {
	at := ""
	if d.Message >= 0 {
		at = fmt.Sprintf("message %d ", d.Message)
	}
	if d.Field == "trace" {
		return at + "trace: " + d.Got
	}
	return fmt.Sprintf("%s%s: want %s, got %s", at, d.Field, shorten(d.Want), shorten(d.Got))
}

const longest = 300 // characters of a value that are shown

func shorten(s string) string {
	if len(s) > longest {
		return s[:longest] + "… (" + strconv.Itoa(len(s)) + " characters)"
	}
	return s
}

// Compare lists how a result differs from the receipt that message i must give. A field that the vector leaves out is not compared.
func Compare(i int, want *Receipt, got *fvm.Result) (list []Difference) {
	if want.Error {
		return []Difference{{i, "receipt", "none", fmt.Sprintf("exit code %d", got.ExitCode)}}
	}
	check := func(field, want, got string) {
		if want != got {
			list = append(list, Difference{i, field, want, got})
		}
	}
	number := func(field string, want *int64, got int64) {
		if want != nil {
			check(field, strconv.FormatInt(*want, 10), strconv.FormatInt(got, 10))
		}
	}
	fee := func(field string, want *string, got abi.TokenAmount) {
		if want != nil {
			check(field, *want, got.String())
		}
	}
	number("exit_code", want.ExitCode, int64(got.ExitCode))
	if len(list) > 0 && got.Failure != "" {
		list[0].Got += " (" + got.Failure + ")"
	}
	check("return", hex.EncodeToString(want.Return), hex.EncodeToString(got.Return))
	number("gas_used", want.GasUsed, got.GasUsed)
	if len(want.EventsRoot) > 0 {
		check("events_root", rootText(want.EventsRoot), cidText(got.EventsRoot))
	}
	fee("penalty", want.Penalty, got.Penalty)
	fee("miner_tip", want.MinerTip, got.MinerTip)
	fee("base_fee_burn", want.BaseFeeBurn, got.BaseFeeBurn)
	fee("over_estimation_burn", want.OverEstimationBurn, got.OverEstimationBurn)
	fee("refund", want.Refund, got.Refund)
	number("gas_refund", want.GasRefund, got.GasRefund)
	number("gas_burned", want.GasBurned, got.GasBurned)
	return list
}

// CompareResults lists how a result differs from what must come of message i; nil is no receipt.
func CompareResults(i int, want, got *fvm.Result) []Difference {
	w := receiptOf(want)
	switch {
	case got == nil && want == nil:
		return nil
	case got == nil:
		return []Difference{{i, "receipt", fmt.Sprintf("exit code %d", want.ExitCode), "none"}}
	}
	return Compare(i, &w, got)
}

// rootText reads {"/": cid} or null.
func rootText(raw json.RawMessage) string {
	var c *cid.Cid
	if err := json.Unmarshal(raw, &c); err != nil {
		return string(raw)
	}
	return cidText(c)
}

func cidText(c *cid.Cid) string {
	if c == nil {
		return "none"
	}
	return c.String()
}

package page

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/node/gasreport"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// mostProfiled is how many messages a report of gas has.
const mostProfiled = 20_000

// GasSpan says of which messages a report of gas is: of one, by its hash or CID, or of all blocks from one epoch to another, both counted.
// To 0 is the newest block.
type GasSpan struct {
	Message string         `json:"message,omitempty"`
	From    abi.ChainEpoch `json:"from,omitempty"`
	To      abi.ChainEpoch `json:"to,omitempty"`
}

// GasReport sums up the gas of messages of a source.
func GasReport(ctx context.Context, s Source, span GasSpan, o gasreport.Options) (*gasreport.Report, error) {
	b := gasreport.New(o)
	left := mostProfiled
	add := func(at Place) error {
		if left--; left < 0 {
			return errNone(fmt.Sprintf("the blocks have more than %d messages: name fewer blocks", mostProfiled))
		}
		m, err := s.Explain(ctx, at, explain.Decoders{})
		if err != nil {
			return err
		}
		b.Add(m)
		return nil
	}
	if span.Message != "" {
		at, ok, err := s.Find(ctx, span.Message)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, errNone("no message has the hash or CID " + span.Message)
		case at.Message != Whole:
			if err := add(at); err != nil {
				return nil, err
			}
			return b.Report(), nil
		}
		span.From, span.To = at.Epoch, at.Epoch
	}
	if span.To == 0 {
		span.To = Latest
	}
	if span.From < 0 || span.To != Latest && span.To < span.From {
		return nil, errNone("want epochs from a lower to a higher one")
	}
	blocks := 0
	done := func() (*gasreport.Report, error) {
		if blocks == 0 {
			return nil, noBlock(span.From)
		}
		return b.Report(), nil
	}
	for from := span.To; ; {
		list, err := s.Blocks(ctx, from, mostBlocks)
		if err != nil {
			return nil, err
		}
		for _, block := range list {
			if block.Epoch < span.From {
				return done()
			}
			blocks++
			whole, err := s.Block(ctx, block.Epoch)
			if err != nil {
				return nil, err
			}
			for i := range whole.Messages {
				if err := add(Place{block.Epoch, i}); err != nil {
					return nil, err
				}
			}
			from = block.Epoch - 1
		}
		if len(list) < mostBlocks || from < 0 {
			return done()
		}
	}
}

// gasReport is fvm_gasReport.
func (p *Page) gasReport(ctx context.Context, span GasSpan, text jsonrpc.Optional[json.RawMessage]) (*gasreport.Report, error) {
	a, err := p.abiOf(text)
	if err != nil {
		return nil, err
	}
	title := fmt.Sprintf("blocks from epoch %d", span.From)
	if span.Message != "" {
		title = span.Message
	} else if span.To != 0 {
		title += fmt.Sprintf(" to %d", span.To)
	}
	return GasReport(ctx, p.o.Source, span, gasreport.Options{Title: title, ABI: a})
}

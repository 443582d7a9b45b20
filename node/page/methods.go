package page

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/state"
	"github.com/edgefvm/fvm/node/textform"
)

// mostBlocks and mostChanges are how many an answer has.
const (
	mostBlocks  = 500
	mostChanges = 2000
)

// about is fvm_about.
func (p *Page) about(ctx context.Context) (*About, error) {
	a, err := p.o.Source.About(ctx)
	if err == nil {
		a.Writable = p.o.Writable
	}
	return a, err
}

// blocks is fvm_blocks: at most count of them from an epoch downwards, the newest first; without an epoch from the newest.
func (p *Page) blocks(ctx context.Context, from jsonrpc.Optional[abi.ChainEpoch], count jsonrpc.Optional[int]) ([]*Block, error) {
	n := count.Or(25)
	if n < 1 || n > mostBlocks {
		return nil, errNone(fmt.Sprintf("%d blocks: want 1 to %d", n, mostBlocks))
	}
	return p.o.Source.Blocks(ctx, from.Or(Latest), n)
}

// block is fvm_block: a block with its messages.
func (p *Page) block(ctx context.Context, epoch jsonrpc.Optional[abi.ChainEpoch]) (*Block, error) {
	return p.o.Source.Block(ctx, epoch.Or(Latest))
}

// explained is a message with its events in words.
type explained struct {
	*explain.Message
	FromEth string         `json:"from_eth,omitempty"` // the sender as Ethereum has it, if it is one of Ethereum's
	Decoded []actors.Event `json:"events_decoded"`
}

// explain is fvm_explain: what a message did, in the words of package explain, parameters, returns and events decoded.
func (p *Page) explain(ctx context.Context, epoch abi.ChainEpoch, message int, text jsonrpc.Optional[json.RawMessage]) (*explained, error) {
	a, err := p.abiOf(text)
	if err != nil {
		return nil, err
	}
	m, err := p.o.Source.Explain(ctx, Place{epoch, message}, actors.Decoders(actors.DecodersOptions{ABI: a}))
	if err != nil {
		return nil, err
	}
	out := &explained{Message: m, Decoded: []actors.Event{}}
	if from, err := textform.Address(m.From); err == nil && strings.HasPrefix(shown(from), "0x") {
		out.FromEth = shown(from)
	}
	for _, e := range m.Events {
		out.Decoded = append(out.Decoded, actors.DecodeEvent(eventOf(e), a))
	}
	return out, nil
}

// eventOf is an event as the machine gave it.
func eventOf(e explain.Event) fvm.Event {
	out := fvm.Event{Emitter: e.Emitter}
	for _, n := range e.Entries {
		value, _ := hex.DecodeString(n.Hex) // it was written by package explain
		out.Entries = append(out.Entries, fvm.EventEntry{Flags: n.Flags, Key: n.Key, Codec: n.Codec, Value: value})
	}
	return out
}

// abiOf reads what a reader brought.
func (p *Page) abiOf(text jsonrpc.Optional[json.RawMessage]) (*ethabi.ABI, error) {
	if !text.Set || len(text.Value) == 0 || string(text.Value) == "null" {
		return p.o.ABI, nil
	}
	a, err := ethabi.Parse(text.Value)
	if err != nil {
		return nil, errNone("the ABI: " + err.Error())
	}
	if p.o.ABI != nil { // the reader's go first
		a = &ethabi.ABI{Entries: append(append([]*ethabi.Entry{}, a.Entries...), p.o.ABI.Entries...)}
	}
	return a, nil
}

// change is one of a state.
type change struct {
	Actor  string   `json:"actor"` // its id as an address
	Kind   string   `json:"kind,omitempty"`
	Op     state.Op `json:"op"`
	Path   string   `json:"path"`
	Type   string   `json:"type,omitempty"`
	Before any      `json:"before,omitempty"`
	After  any      `json:"after,omitempty"`
	Fields []string `json:"fields,omitempty"`
	More   string   `json:"more,omitempty"` // members that a bitfield got
	Less   string   `json:"less,omitempty"` // and lost
}

type changes struct {
	Changes []change `json:"changes"`
	// Cut says that there are more.
	Cut bool `json:"cut,omitempty"`
	// Of says what made them: "message" or "block".
	Of string `json:"of"`
}

// changes is fvm_changes: what a message changed in the state, where the source knows that, else what its block did.
func (p *Page) changes(ctx context.Context, epoch abi.ChainEpoch, message jsonrpc.Optional[int]) (*changes, error) {
	st, err := p.o.Source.States(ctx, Place{epoch, message.Or(Whole)})
	if err != nil {
		return nil, err
	}
	before, err := state.Open(ctx, st.Store, st.Before, state.Options{})
	if err != nil {
		return nil, err
	}
	after, err := state.Open(ctx, st.Store, st.After, state.Options{})
	if err != nil {
		return nil, err
	}
	out := &changes{Changes: []change{}, Of: "block"}
	if _, ok := p.o.Source.(*vectorSource); ok && message.Set {
		out.Of = "message"
	}
	err = state.Diff(ctx, before, after, state.DiffOptions{Missing: func(*state.MissingError) error { return nil }}, func(c *state.Change) error {
		if len(out.Changes) == mostChanges {
			out.Cut = true
			return errEnough
		}
		out.Changes = append(out.Changes, change{idText(c.ID), c.Kind, c.Op, c.Path, c.Type, c.Before, c.After, c.Fields, c.More, c.Less})
		return nil
	})
	if err != nil && !out.Cut {
		return nil, err
	}
	return out, nil
}

// found is what a text that a reader typed leads to.
type found struct {
	Kind    string         `json:"kind"` // block, message, actor or none
	Epoch   abi.ChainEpoch `json:"epoch,omitempty"`
	Message *int           `json:"message,omitempty"`
	Address string         `json:"address,omitempty"`
}

var epochText = regexp.MustCompile(`^[0-9]{1,18}$`)

// find is fvm_find: an epoch, a hash or CID of a block or message, or an address of an actor.
func (p *Page) find(ctx context.Context, text string) (*found, error) {
	const longest = 256
	text = strings.TrimSpace(text)
	if len(text) > longest {
		return nil, errNone("that is no epoch, hash, CID or address: it is too long")
	}
	at, ok, err := p.o.Source.Find(ctx, text)
	if err != nil {
		return nil, err
	}
	if ok {
		if at.Message == Whole {
			return &found{Kind: "block", Epoch: at.Epoch}, nil
		}
		return &found{Kind: "message", Epoch: at.Epoch, Message: &at.Message}, nil
	}
	if epochText.MatchString(text) {
		var n abi.ChainEpoch
		_, _ = fmt.Sscan(text, &n) // digits, few enough
		if _, err := p.o.Source.Blocks(ctx, n, 1); err == nil {
			return &found{Kind: "block", Epoch: n}, nil
		}
	}
	if a, err := textform.Address(text); err == nil {
		return &found{Kind: "actor", Address: shown(a)}, nil
	}
	return &found{Kind: "none"}, nil
}

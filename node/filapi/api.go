package filapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/state"
	"github.com/edgefvm/fvm/node/textform"
)

// Options say what an API serves. The zero value of all but Chain serves a chain that nobody adds to.
type Options struct {
	// Chain to read. Required. One that is a [Heads] is watched too.
	Chain Chain
	// Pool takes messages. Default: they are refused.
	Pool Pool
	// Keys sign for clients. Default: there are none.
	Keys Keys
	// Agent is the program's name and version. Default: "edgefvm".
	Agent string
	// Bundles has lists of actors that the network's versions to come will run. Default: bundle.Open's.
	Bundles *bundle.Set
	// ExactFees makes estimates of gas and fees whose sum is what a message pays to the last attoFIL: limits of at most 1.1 times the
	// use, and no premium. Default: as Lotus estimates.
	ExactFees bool
	// Settled answers who waits for a message as soon as it was executed, however many epochs more are asked for: of a chain on which
	// blocks come by command only, the client would wait for ever.
	Settled bool
	// Now is the time. Default: the machine's clock.
	Now func() time.Time
}

// API answers the methods. Make it with [New].
type API struct {
	o       Options
	prefix  byte
	session string
	started time.Time

	mu      sync.Mutex
	lines   map[chain.Key]*chain.Line // of tipsets that were asked for, and the oldest of them
	pushing sync.Mutex                // one after the other, since each takes the next nonce
	deflt   address.Address           // what WalletSetDefault set
	bundles *bundle.Set
	named   string // the network's name, once it was read
}

// New makes an API.
func New(o Options) *API {
	if o.Agent == "" {
		o.Agent = "edgefvm"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &API{o: o, prefix: 't', session: newUUID(), started: o.Now(), lines: map[chain.Key]*chain.Line{}, bundles: o.Bundles}
	if o.Chain.Network().AddressPrefix == "f" {
		a.prefix = 'f'
	}
	return a
}

// Code is what errors have that Lotus gives no code of their own.
const Code = 1

// Codes of Lotus's errors (api/api_errors.go).
const (
	CodeOutOfGas      = 2
	CodeReverted      = 3
	CodeActorNotFound = 11
	CodeNullRound     = 12
)

// out is a method's result as JSON, or its error with a code.
func (a *API) out(v any, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, coded(err)
	}
	return marshal(a.prefix, v)
}

// errActorNotFound is the same with the code that it has where addresses are looked up.
var errActorNotFound = &jsonrpc.Error{Code: CodeActorNotFound, Message: "actor not found"}

// coded gives an error the code that clients know it by. As at Lotus that is lost where something was put around the error.
func coded(err error) error {
	switch own := err.(type) {
	case *jsonrpc.Error:
		return own
	case *eth.Error:
		return &jsonrpc.Error{Code: Code, Message: own.Message}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &jsonrpc.Error{Code: Code, Message: err.Error()}
}

// tipsetKey is a parameter that names a tipset by its blocks; none, or null, is the head. It may be left out.
type tipsetKey = jsonrpc.Optional[[]cid.Cid]

// mostBlocks is how many blocks a tipset's key may have; networks have 5 on average.
const mostBlocks = 100

// tipset is the one that a key names.
func (a *API) tipset(ctx context.Context, key tipsetKey) (*chain.Tipset, error) {
	if len(key.Value) == 0 {
		return a.o.Chain.Head(ctx)
	}
	return a.exact(ctx, key.Value)
}

// exact is the tipset of blocks.
func (a *API) exact(ctx context.Context, blocks []cid.Cid) (*chain.Tipset, error) {
	if len(blocks) > mostBlocks {
		return nil, fmt.Errorf("loading tipset: a key of %d blocks", len(blocks))
	}
	for _, c := range blocks {
		if !c.Defined() {
			return nil, errors.New("loading tipset: a key with null for a block")
		}
	}
	ts, err := a.o.Chain.Store().Tipset(ctx, blocks...)
	if err != nil {
		return nil, fmt.Errorf("loading tipset %s: %w", keyText(blocks), err)
	}
	return ts, nil
}

func keyText(blocks []cid.Cid) string {
	s := "{"
	for i, c := range blocks {
		if i > 0 {
			s += ","
		}
		s += c.String()
	}
	return s + "}"
}

// view sees the chain from a tipset.
func (a *API) view(ts *chain.Tipset) *chain.View {
	const most = 8 // lines that are remembered: a line knows the way back as far as it was asked for
	key := ts.Key()
	a.mu.Lock()
	defer a.mu.Unlock()
	line := a.lines[key]
	if line == nil {
		if len(a.lines) >= most {
			clear(a.lines)
		}
		line = chain.NewLine(a.o.Chain.Store(), ts)
		a.lines[key] = line
	}
	return line.View(ts)
}

// tree is the state that a tipset's messages run on, for what nodes read of it.
func (a *API) tree(ctx context.Context, ts *chain.Tipset) (*tree.Tree, error) {
	if err := a.o.Chain.Reach(ctx, ts); err != nil {
		return nil, err
	}
	return tree.Load(ctx, a.o.Chain.States(), ts.ParentStateRoot())
}

// state is the same, for what actors keep.
func (a *API) state(ctx context.Context, ts *chain.Tipset) (*state.Tree, error) {
	if err := a.o.Chain.Reach(ctx, ts); err != nil {
		return nil, err
	}
	return state.Open(ctx, a.o.Chain.States(), ts.ParentStateRoot(), state.Options{Bundle: a.bundleOf})
}

// bundleOf names the bundle with a list of actors that package bundle does not know: one that was added, or "".
func (a *API) bundleOf(list cid.Cid) (string, error) {
	return bundle.NameOfAdded(bundle.DefaultAdded(), list)
}

// stateAt is state of the tipset that a key names.
func (a *API) stateAt(ctx context.Context, key tipsetKey) (*state.Tree, *chain.Tipset, error) {
	ts, err := a.tipset(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	t, err := a.state(ctx, ts)
	return t, ts, err
}

// bundlesOf is where lists of actors are.
func (a *API) bundlesOf(ctx context.Context) (*bundle.Set, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bundles == nil {
		set, err := bundle.Open(ctx, bundle.Options{})
		if err != nil {
			return nil, err
		}
		a.bundles = set
	}
	return a.bundles, nil
}

// Address is an address as a parameter: of any protocol, with f or t, or 0x….
type Address struct{ address.Address }

// UnmarshalJSON reads an address. Null, "" and "<empty>" are none.
func (p *Address) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("an address is text, such as t01000 or 0x…: %w", err)
	}
	if s == "" || s == address.UndefAddressString {
		p.Address = address.Undef
		return nil
	}
	parsed, err := textform.Address(s)
	if err != nil {
		return fmt.Errorf("%q is no address: %w", cut(s), err)
	}
	p.Address = parsed
	return nil
}

// MarshalJSON writes the address as mainnet does.
func (p Address) MarshalJSON() ([]byte, error) { return json.Marshal(addressText('f', p.Address)) }

// must refuses no address.
func (p Address) must() error {
	if p.Address == address.Undef {
		return errors.New("an address is missing")
	}
	return nil
}

func cut(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}

// epochText is for errors.
func epochText(e abi.ChainEpoch) string { return fmt.Sprintf("epoch %d", e) }

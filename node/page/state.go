package page

import (
	"context"
	"errors"
	"sync"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/state"
	"github.com/edgefvm/fvm/node/textform"
)

// errEnough ends a walk.
var errEnough = errors.New("enough")

// noMissing goes on past blocks that are not there, as vectors have only what their messages touch.
func noMissing(*state.MissingError) error { return nil }

// at opens the state after a block, or after a message of it.
func (p *Page) at(ctx context.Context, epoch jsonrpc.Optional[abi.ChainEpoch], message int) (*state.Tree, *States, error) {
	st, err := p.o.Source.States(ctx, Place{epoch.Or(Latest), message})
	if err != nil {
		return nil, nil, err
	}
	t, err := state.Open(ctx, st.Store, st.After, state.Options{})
	return t, st, err
}

// actorRow is an actor in a list.
type actorRow struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Address string `json:"address,omitempty"` // delegated
	Eth     string `json:"eth,omitempty"`
	Balance string `json:"balance"` // attoFIL
	Nonce   uint64 `json:"nonce"`
}

func rowOf(ctx context.Context, t *state.Tree, a *state.Actor) actorRow {
	r := actorRow{ID: idText(a.ID), Kind: t.Kind(ctx, a.Code).Name, Balance: a.Balance.String(), Nonce: a.Nonce}
	if a.DelegatedAddress != nil {
		r.Address = a.DelegatedAddress.String()
		if e := shown(*a.DelegatedAddress); e[0] == '0' {
			r.Eth = e
		}
	}
	return r
}

// lists remembers the actors of the state that was listed last.
type lists struct {
	mu   sync.Mutex
	root cid.Cid
	rows []actorRow
}

// mostRemembered is how many actors are kept between two pages of a list.
const mostRemembered = 200_000

type actorList struct {
	Epoch  abi.ChainEpoch `json:"epoch"`
	Actors []actorRow     `json:"actors"`
	Total  int            `json:"total"` // of the kind
	Kinds  map[string]int `json:"kinds"` // how many there are of each
}

// actors is fvm_actors: a page of the actors of a state, in the order of ids, of one kind if that is given.
func (p *Page) actors(ctx context.Context, epoch jsonrpc.Optional[abi.ChainEpoch], after, count jsonrpc.Optional[int], kind jsonrpc.Optional[string]) (*actorList, error) {
	first, n := after.Or(0), count.Or(100)
	if n < 1 || n > 1000 || first < 0 {
		return nil, errNone("actors: want a first of 0 or more, and a count of 1 to 1000")
	}
	t, st, err := p.at(ctx, epoch, Whole)
	if err != nil {
		return nil, err
	}
	rows, err := p.listed(ctx, t)
	if err != nil {
		return nil, err
	}
	out := &actorList{Epoch: st.Epoch, Actors: []actorRow{}, Kinds: map[string]int{}}
	for _, r := range rows {
		out.Kinds[r.Kind]++
		if k := kind.Or(""); k != "" && r.Kind != k {
			continue
		}
		if out.Total++; out.Total > first && len(out.Actors) < n {
			out.Actors = append(out.Actors, r)
		}
	}
	return out, nil
}

func (p *Page) listed(ctx context.Context, t *state.Tree) ([]actorRow, error) {
	p.lists.mu.Lock()
	defer p.lists.mu.Unlock()
	if p.lists.rows != nil && p.lists.root == t.Root() {
		return p.lists.rows, nil
	}
	rows := []actorRow{}
	err := t.Actors(ctx, state.ListOptions{Missing: noMissing}, func(a *state.Actor) error {
		if len(rows) == mostRemembered {
			return errNone("the state has too many actors to list: look one up by its address")
		}
		rows = append(rows, rowOf(ctx, t, a))
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.lists.root, p.lists.rows = t.Root(), rows
	return rows, nil
}

// actorView is an actor with its state.
type actorView struct {
	actorRow
	Epoch   abi.ChainEpoch `json:"epoch"`
	Version int            `json:"actors_version,omitempty"`
	Bundle  string         `json:"bundle,omitempty"`
	Code    string         `json:"code"`
	Head    string         `json:"head"`
	Path    string         `json:"path"` // of its state, for fvm_state
	State   *place         `json:"state,omitempty"`
	Note    string         `json:"note,omitempty"` // why the state is not shown
}

// actor is fvm_actor: an actor by any of its addresses, with its state decoded.
func (p *Page) actor(ctx context.Context, text string, epoch jsonrpc.Optional[abi.ChainEpoch], message jsonrpc.Optional[int]) (*actorView, error) {
	t, st, err := p.at(ctx, epoch, message.Or(Whole))
	if err != nil {
		return nil, err
	}
	a, err := actorOf(ctx, t, text)
	if err != nil {
		return nil, err
	}
	kind := t.Kind(ctx, a.Code)
	out := &actorView{
		actorRow: rowOf(ctx, t, a), Epoch: st.Epoch, Version: kind.Version, Bundle: kind.Bundle, Code: a.Code.String(), Head: a.Head.String(), Path: a.Path() + "/state",
	}
	if kind.Stateless() {
		out.Note = "actors of this kind keep no state"
		return out, nil
	}
	n, err := t.Get(ctx, out.Path)
	if err == nil {
		out.State, err = placeOf(ctx, n, placeOptions{})
	}
	if err != nil {
		out.Note = err.Error()
	}
	return out, nil
}

func actorOf(ctx context.Context, t *state.Tree, text string) (*state.Actor, error) {
	a, err := textform.Address(text)
	if err != nil {
		return nil, errNone("that is no address: " + err.Error())
	}
	act, err := t.Actor(ctx, a)
	if errors.Is(err, state.ErrNotFound) {
		return nil, errNotFound(a)
	}
	return act, err
}

// placeOptions say which entries of a map or array are shown.
type placeOptions struct {
	First int `json:"first"`
	Count int `json:"count"`
}

// place is a place in a state.
type place struct {
	Path  string `json:"path"`
	Shape string `json:"shape"`
	CID   string `json:"cid,omitempty"`
	Value any    `json:"value,omitempty"`
	// Fields of a struct.
	Fields []placeField `json:"fields,omitempty"`
	// Entries of a map or array, from Options.First on.
	Entries []any   `json:"entries,omitempty"`
	Count   *uint64 `json:"count,omitempty"` // of entries, where the root of the array says so
	More    bool    `json:"more,omitempty"`
	Missing bool    `json:"missing,omitempty"` // parts are not there, as a vector has only what its messages touch
}

type placeField struct {
	Name  string  `json:"name"`
	Value any     `json:"value"`
	To    string  `json:"to,omitempty"` // what the link leads to
	Count *uint64 `json:"count,omitempty"`
}

// entries is fvm_state: a place in the state, with its fields or entries.
func (p *Page) entries(ctx context.Context, path string, epoch jsonrpc.Optional[abi.ChainEpoch], o jsonrpc.Optional[placeOptions]) (*place, error) {
	const longest = 1024
	if len(path) > longest {
		return nil, errNone("the path is too long")
	}
	t, _, err := p.at(ctx, epoch, Whole)
	if err != nil {
		return nil, err
	}
	n, err := t.Get(ctx, path)
	if err != nil {
		var wrong *state.PathError
		if errors.As(err, &wrong) {
			return nil, errNone(err.Error())
		}
		return nil, err
	}
	return placeOf(ctx, n, o.Value)
}

func placeOf(ctx context.Context, n *state.Node, o placeOptions) (*place, error) {
	if o.Count <= 0 || o.Count > 1000 {
		o.Count = 50
	}
	out := &place{Path: n.Path(), Shape: n.Shape().String()}
	if c := n.CID(); c.Defined() {
		out.CID = c.String()
	}
	missing := func(*state.MissingError) error { out.Missing = true; return nil }
	if n.Collection() {
		if count, ok, err := n.Count(ctx); err == nil && ok {
			out.Count = &count
		}
		i := 0
		out.Entries = []any{}
		err := n.EachView(ctx, state.ViewOptions{Missing: missing}, func(e any) error {
			if i++; i <= o.First {
				return nil
			}
			if len(out.Entries) == o.Count {
				out.More = true
				return errEnough
			}
			out.Entries = append(out.Entries, e)
			return nil
		})
		if errors.Is(err, errEnough) {
			err = nil
		}
		return out, err
	}
	fields, err := n.Fields(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		to := ""
		if f.To != nil {
			to = f.To.String()
		}
		out.Fields = append(out.Fields, placeField{f.Name, f.Value, to, f.Count})
	}
	if fields == nil {
		out.Value, err = n.View(ctx, state.ViewOptions{Missing: missing})
	}
	return out, err
}

package cheats

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/edit"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// filecoin are the methods that no node of Ethereum has.
func (s *server) filecoin(t *table) {
	slow := func(names ...string) []jsonrpc.MethodOption { return append(named(names...), jsonrpc.Waits()) }
	t.add(s.setActor, named("address", "actor"), "fvm_setActor")
	t.add(s.installActor, slow("actor"), "fvm_installActor")
	t.add(s.setEpoch, slow("epoch", "how"), "fvm_setEpoch")
	t.add(s.skipEpochs, named("epochs", "how"), "fvm_skipEpochs")
	t.add(s.setTimeJumps, named("jumps"), "fvm_setTimeJumps")
	t.add(func() string { return s.n.Jumps().String() }, loose(), "fvm_getTimeJumps")
	t.add(s.runCron, slow("epochs"), "fvm_runCron")
	t.add(s.setRandomness, named("epoch", "value"), "fvm_setRandomness")
	t.add(s.createMiner, slow("miner"), "fvm_createMiner")
	t.add(s.addPower, slow("miner", "sectors"), "fvm_addPower")
	t.add(s.grantDatacap, slow("client", "bytes"), "fvm_grantDatacap")
	t.add(s.installBundle, slow("bundle"), "fvm_installBundle")
	t.add(s.gasProfile, slow("what", "format"), "fvm_gasProfile")
	t.add(s.extractVector, slow("transaction"), "fvm_extractVector")
	t.add(s.network, nil, "fvm_network")
}

// text is an address as the chain's clients write it.
func (s *server) text(a address.Address) string {
	t := addr.String(a)
	if p := s.n.Network().AddressPrefix; p != "" && t != "" {
		return p + t[1:]
	}
	return t
}

// made says where an actor is.
type made struct {
	ID      string  `json:"id"`
	Address string  `json:"address,omitempty"` // f2 or f4
	Eth     string  `json:"ethAddress"`
	Code    string  `json:"code,omitempty"`
	Return  *string `json:"return,omitempty"` // of the constructor, in hex
}

func (s *server) made(id abi.ActorID, robust address.Address) *made {
	a := addr.NewID(uint64(id))
	m := &made{ID: s.text(a)}
	m.Eth, _ = addr.Ethereum(a)
	if robust != address.Undef {
		m.Address = s.text(robust)
		if eth, ok := addr.Ethereum(robust); ok {
			m.Eth = eth
		}
	}
	return m
}

// actorEntry is what fvm_setActor takes: what is left out stays.
type actorEntry struct {
	Code      *string  `json:"code"` // a CID, or the name of a builtin actor
	Head      *string  `json:"head"` // a CID
	State     *Data    `json:"state"`
	Nonce     *Uint    `json:"nonce"`
	Balance   *Amount  `json:"balance"`
	Delegated *Address `json:"delegatedAddress"`
}

func (a *actorEntry) entry() (to edit.Entry, err error) {
	if a.Code != nil {
		if to.Code, err = cid.Decode(*a.Code); err != nil {
			to.Code, to.Builtin = cid.Undef, *a.Code
		}
	}
	if a.Head != nil {
		if to.Head, err = cid.Decode(*a.Head); err != nil {
			return to, invalid("the head is no CID: %v", err)
		}
	}
	if a.State != nil {
		to.State = *a.State
	}
	if a.Nonce != nil {
		n := uint64(*a.Nonce)
		to.Nonce = &n
	}
	if a.Balance != nil {
		b := a.Balance.tokens()
		to.Balance = &b
	}
	if a.Delegated != nil {
		to.Delegated = &a.Delegated.Address
	}
	return to, nil
}

func (s *server) setActor(ctx context.Context, a Address, actor actorEntry) (out *made, err error) {
	to, err := actor.entry()
	if err != nil {
		return nil, err
	}
	err = s.edit(ctx, func(e *edit.Editor) error {
		id, err := e.SetActor(ctx, a.Address, to)
		if err != nil {
			return invalid("%v", err)
		}
		out = s.made(id, address.Undef)
		return nil
	})
	return out, err
}

// actorCode is what fvm_installActor takes: the Wasm alone, or an object.
type actorCode struct {
	Wasm    Data     `json:"code"`
	Address *Address `json:"address"` // an f410 or 0x address that the actor has besides
	Balance *Amount  `json:"balance"`
	Params  *Data    `json:"constructorParams"`
	// Constructor is false for actors whose method 1 shall not run.
	Constructor *bool `json:"constructor"`
}

func (c *actorCode) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return c.Wasm.UnmarshalJSON(b)
	}
	type plain actorCode
	return json.Unmarshal(b, (*plain)(c))
}

// installActor makes an actor of other code, and runs its constructor as the init actor does.
func (s *server) installActor(ctx context.Context, c actorCode) (out *made, err error) {
	at := address.Undef
	if c.Address != nil {
		at = c.Address.Address
	}
	err = s.editIn(ctx, func(e *edit.Editor, cfg fvm.Config) error {
		id, robust, err := e.InstallActor(ctx, c.Wasm, at)
		if err != nil {
			return invalid("%v", err)
		}
		out = s.made(id, robust)
		if at != address.Undef {
			out.Eth, _ = addr.Ethereum(at)
		}
		_, st, err := e.Actor(ctx, robust)
		if err != nil {
			return err
		}
		out.Code = st.Code.String()
		if c.Balance != nil {
			if err := e.SetBalance(ctx, robust, c.Balance.tokens()); err != nil {
				return err
			}
		}
		if c.Constructor != nil && !*c.Constructor {
			return nil
		}
		var params []byte
		if c.Params != nil {
			params = *c.Params
		}
		const initActor, constructor = 1, 1
		returns, err := e.Run(ctx, cfg, edit.Call{From: addr.NewID(initActor), To: addr.NewID(uint64(id)), Method: constructor, Params: params})
		if err != nil {
			return invalid("the actor's constructor: %v", err)
		}
		text := hexOf(returns[0])
		out.Return = &text
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// editIn changes the state after the latest block, by messages too, which run as if they came first in the next block.
func (s *server) editIn(ctx context.Context, change func(*edit.Editor, fvm.Config) error) error {
	return s.edit(ctx, func(e *edit.Editor) error {
		cfg, err := s.n.Setting(ctx)
		if err != nil {
			return err
		}
		return change(e, cfg)
	})
}

// skipHow says in which null rounds cron runs: "all" of them, as on the network, or those in which an actor has asked for it, "due".
type skipHow struct {
	Cron string `json:"cron"`
}

func (h *skipHow) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &h.Cron)
	}
	type plain skipHow
	return json.Unmarshal(b, (*plain)(h))
}

func (s *server) skip(epochs uint64, how skipHow) error {
	switch how.Cron {
	case "", "all":
		return wrong(s.n.SkipEpochs(epochs))
	case "due":
		return wrong(s.n.SkipIdle(epochs))
	}
	return invalid(`cron runs in "all" null rounds, or where it is "due", and not %q`, how.Cron)
}

// setEpoch makes a block at an epoch, after null rounds.
func (s *server) setEpoch(ctx context.Context, epoch Uint, how jsonrpc.Optional[skipHow]) (string, error) {
	e, err := at(epoch)
	last := s.n.Latest().Epoch()
	if err != nil || e <= last {
		return "", invalid("the epoch %d is not above the latest block's, %d", epoch, last)
	}
	if up := e - last - 1; up > 0 {
		if err := s.skip(uint64(up), how.Value); err != nil {
			return "", err
		}
	}
	b, err := s.n.Mine(ctx, dev.MineOptions{})
	if err != nil {
		return "", wrong(err)
	}
	return quantity(uint64(b.Epoch())), nil
}

// skipEpochs makes the next block so many epochs higher, and says at which epoch it would be.
func (s *server) skipEpochs(epochs Uint, how jsonrpc.Optional[skipHow]) (string, error) {
	if err := s.skip(uint64(epochs), how.Value); err != nil {
		return "", err
	}
	return quantity(uint64(s.n.Latest().Epoch()) + uint64(epochs) + 1), nil
}

// setTimeJumps says what a jump of time by more than a day does.
func (s *server) setTimeJumps(name string) error {
	j, err := dev.ParseJumps(name)
	if err != nil {
		return invalid("%v", err)
	}
	return s.n.SetJumps(j)
}

// runCron makes blocks, without what waits in the pool being left out: cron runs at the end of each. It says the last one's epoch.
func (s *server) runCron(ctx context.Context, epochs jsonrpc.Optional[Uint]) (string, error) {
	b, err := s.n.Mine(ctx, dev.MineOptions{Blocks: uint64(epochs.Or(1))})
	if err != nil {
		return "", wrong(err)
	}
	return quantity(uint64(b.Epoch())), nil
}

// setRandomness forces what an epoch draws; null gives it back to the chain.
func (s *server) setRandomness(epoch Uint, value jsonrpc.Optional[Word]) error {
	e, err := at(epoch)
	if err != nil {
		return invalid("%v", err)
	}
	if !value.Set {
		s.n.SetRandomness(e, nil)
		return nil
	}
	v := [32]byte(value.Value)
	s.n.SetRandomness(e, &v)
	return nil
}

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

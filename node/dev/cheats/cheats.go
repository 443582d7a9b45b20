package cheats

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/edit"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// Options say what the methods do besides. The zero value has the defaults.
type Options struct {
	// ClientVersion is what web3_clientVersion says; anvil_metadata says it too.
	ClientVersion string
	// Log is called by anvil_setLoggingEnabled. Default: it changes nothing.
	Log func(on bool)
	// Manner in which blocks are shown.
	Manner eth.Manner
	// Bundles that upgrades take actors from. Default: bundle.Open's.
	Bundles *bundle.Set
	// Fork opens what a reset goes on from: of the chain that a node serves at a URL, or of the one that was forked before if url is "", the
	// tipset at an epoch or the newest. Default: a reset cannot fork.
	Fork func(ctx context.Context, url string, epoch *abi.ChainEpoch) (*dev.Fork, error)
}

// server has the methods.
type server struct {
	n        *dev.Node
	o        Options
	instance eth.Hash // changes with each start, and by a reset
}

// Register puts the methods on a table. Of a name that is taken it leaves what is there.
func Register(ms *jsonrpc.Methods, n *dev.Node, o Options) {
	s := &server{n: n, o: o}
	s.renew()
	t := table{ms}
	s.accounts(&t)
	s.mining(&t)
	s.clock(&t)
	s.chain(&t)
	s.about(&t)
	s.tokens(&t)
	s.filecoin(&t)
}

func (s *server) renew() { _, _ = rand.Read(s.instance[:]) } // it never fails

// table registers a function by several names.
type table struct{ ms *jsonrpc.Methods }

// add takes names with a family, such as "anvil_mine", or a bare name, which stands for those of Hardhat and Anvil.
func (t *table) add(fn any, options []jsonrpc.MethodOption, names ...string) {
	for _, name := range names {
		all := []string{name}
		if !family(name) {
			all = []string{"anvil_" + name, "hardhat_" + name}
		}
		for _, n := range all {
			if !t.ms.Has(n) {
				t.ms.Register(n, fn, options...)
			}
		}
	}
}

func family(name string) bool {
	for i := range len(name) {
		if name[i] == '_' {
			return true
		}
	}
	return false
}

func named(names ...string) []jsonrpc.MethodOption {
	return []jsonrpc.MethodOption{jsonrpc.Names(names...), jsonrpc.Extra()}
}

// loose is for methods that look at their parameters themselves, or have none.
func loose() []jsonrpc.MethodOption { return []jsonrpc.MethodOption{jsonrpc.Extra()} }

// edit changes the state after the latest block.
func (s *server) edit(ctx context.Context, change func(*edit.Editor) error) error {
	err := s.n.Edit(ctx, func(ctx context.Context, b *blockstore.Buffered, root cid.Cid) (cid.Cid, error) {
		e, err := edit.Open(ctx, b, root)
		if err != nil {
			return cid.Undef, err
		}
		if err := change(e); err != nil {
			return cid.Undef, err
		}
		return e.Flush(ctx)
	})
	return wrong(err)
}

// wrong gives errors that are the caller's mistake the code of wrong parameters.
func wrong(err error) error {
	for _, mine := range []error{edit.ErrNoActor, edit.ErrImpossible, edit.ErrLayout, dev.ErrTooMany} {
		if errors.Is(err, mine) {
			return jsonrpc.Errorf(jsonrpc.CodeInvalidParams, "%v", err)
		}
	}
	if errors.Is(err, dev.ErrTime) {
		return jsonrpc.Errorf(jsonrpc.CodeInvalidParams, "%s", capital(err.Error()))
	}
	return err
}

// capital begins a text as Anvil's errors begin.
func capital(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

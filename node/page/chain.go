package page

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/tree"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/filapi"
)

// chainSource is a chain that package filapi reads: an archive's, or a development node's.
type chainSource struct {
	c     filapi.Chain
	n     *dev.Node // nil: an archive
	title string

	mu   sync.Mutex
	line *chain.Line // of an archive, whose head does not move
}

// OfNode is a development node.
func OfNode(n *dev.Node) Source {
	return &chainSource{c: filapi.Node(n), n: n, title: "Development node"}
}

// OfChain is the chain of an archive.
func OfChain(c filapi.Chain, title string) Source { return &chainSource{c: c, title: title} }

func (s *chainSource) About(ctx context.Context) (*About, error) {
	n := s.c.Network()
	a := &About{Kind: KindChain, Title: s.title, Network: n.Name, ChainID: n.ChainID}
	if s.n != nil {
		a.Kind, a.Latest, a.First = KindNode, s.n.Latest().Epoch(), s.n.First().Epoch()
	} else {
		head, err := s.c.Head(ctx)
		if err != nil {
			return nil, err
		}
		a.Latest = head.Height()
	}
	a.Version = n.VersionAt(a.Latest)
	return a, nil
}

// tipset is the one at an epoch; exact refuses a null round, else it is the one below.
func (s *chainSource) tipset(ctx context.Context, epoch abi.ChainEpoch, exact bool) (*chain.Tipset, error) {
	if s.n != nil {
		b := s.n.Latest()
		if epoch != Latest {
			b = s.n.BlockUntil(epoch)
		}
		if b == nil || epoch > s.n.Latest().Epoch() || exact && epoch != Latest && b.Epoch() != epoch {
			return nil, noBlock(epoch)
		}
		return b.Tipset, nil
	}
	head, err := s.c.Head(ctx)
	if err != nil {
		return nil, err
	}
	if epoch == Latest {
		return head, nil
	}
	if epoch < 0 || epoch > head.Height() {
		return nil, noBlock(epoch)
	}
	ts, err := s.lineOf(head).At(ctx, epoch)
	if err != nil {
		return nil, err
	}
	if ts.Height() == epoch {
		return ts, nil
	}
	if exact {
		return nil, noBlock(epoch)
	}
	return s.c.Store().Parent(ctx, ts)
}

func (s *chainSource) lineOf(head *chain.Tipset) *chain.Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == nil {
		s.line = chain.NewLine(s.c.Store(), head)
	}
	return s.line
}

func (s *chainSource) Blocks(ctx context.Context, from abi.ChainEpoch, count int) ([]*Block, error) {
	ts, err := s.tipset(ctx, from, false)
	if err != nil {
		return nil, err
	}
	out := []*Block{}
	for {
		b, err := s.head(ctx, ts)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
		if ts.Height() == 0 || len(out) == count {
			return out, nil
		}
		if ts, err = s.below(ctx, ts); err != nil {
			return out, nil // an archive ends somewhere
		}
	}
}

func (s *chainSource) below(ctx context.Context, ts *chain.Tipset) (*chain.Tipset, error) {
	if s.n != nil {
		return s.tipset(ctx, ts.Height()-1, false)
	}
	return s.c.Store().Parent(ctx, ts)
}

// head is a block without messages.
func (s *chainSource) head(ctx context.Context, ts *chain.Tipset) (*Block, error) {
	b := &Block{Epoch: ts.Height(), Timestamp: ts.Timestamp(), BaseFee: ts.BaseFee().String(), StateRoot: ts.ParentStateRoot().String()}
	for i, h := range ts.Blocks {
		b.CIDs = append(b.CIDs, ts.CIDs[i].String())
		b.Miners = append(b.Miners, addr.String(h.Miner))
	}
	parents, err := ts.Parents().CIDs()
	if err != nil {
		return nil, err
	}
	for _, c := range parents {
		b.Parents = append(b.Parents, c.String())
	}
	if s.n != nil {
		own := s.n.BlockAt(ts.Height())
		if own == nil {
			return nil, noBlock(ts.Height())
		}
		used, failed := own.GasUsed(), 0
		for _, m := range own.Messages {
			if m.Result.ExitCode != 0 {
				failed++
			}
		}
		b.Hash, b.Count, b.GasUsed, b.Failed, b.StateRoot, b.Edited = own.Hash.String(), len(own.Messages), &used, &failed, own.Root.String(), own.Edited()
		return b, nil
	}
	b.Count = -1
	if lists, err := s.c.Store().TipsetMessages(ctx, ts); err == nil {
		seen := map[cid.Cid]bool{}
		for _, l := range lists {
			for _, m := range l.All() {
				seen[m.CID] = true
			}
		}
		b.Count = len(seen)
	}
	if key, err := ts.Key().CID(); err == nil {
		if h, err := eth.HashOf(key); err == nil {
			b.Hash = h.String()
		}
	}
	return b, nil
}

func (s *chainSource) Block(ctx context.Context, epoch abi.ChainEpoch) (*Block, error) {
	ts, err := s.tipset(ctx, epoch, true)
	if err != nil {
		return nil, err
	}
	b, err := s.head(ctx, ts)
	if err != nil {
		return nil, err
	}
	done, err := s.c.Executed(ctx, ts)
	if err != nil {
		return nil, err
	}
	t, err := tree.Load(ctx, s.c.States(), done.Root)
	if err != nil {
		return nil, err
	}
	var used int64
	failed := 0
	r := rows{ctx: ctx, t: t, kinds: map[address.Address]string{}}
	for i, m := range done.Messages {
		row := r.row(m.Message)
		row.result(done.Results[i])
		row.CID = m.CID.String()
		used += row.GasUsed
		if done.Results[i].ExitCode != 0 {
			failed++
		}
		if s.n != nil {
			if own := s.n.BlockAt(ts.Height()); own != nil && i < len(own.Messages) {
				row.Hash, row.Implicit = own.Messages[i].Hash.String(), own.Messages[i].Implicit
			}
		}
		b.Messages = append(b.Messages, row)
	}
	b.Count, b.GasUsed, b.Failed, b.StateRoot = len(b.Messages), &used, &failed, done.Root.String()
	return b, nil
}

// rows makes lines of messages, by the kinds of the receivers.
type rows struct {
	ctx   context.Context
	t     *tree.Tree
	kinds map[address.Address]string
}

func (r *rows) kind(a address.Address) string {
	if k, ok := r.kinds[a]; ok {
		return k
	}
	k := ""
	if id, err := r.t.ID(r.ctx, a); err == nil {
		if act, err := r.t.Actor(r.ctx, id); err == nil {
			k, _ = r.t.Name(r.ctx, act.Code)
		}
	}
	r.kinds[a] = k
	return k
}

func (r *rows) row(m *fvm.Message) Row {
	kind := r.kind(m.To)
	row := Row{
		From: shown(m.From), To: shown(m.To), Actor: kind, Method: m.Method, Name: explain.MethodName(kind, m.Method), Value: m.Value.String(), Nonce: m.Nonce, GasLimit: m.GasLimit,
	}
	if m.Method == builtin.MethodsEVM.InvokeContract {
		if bare, err := actors.Unwrap(m.Params); err == nil && len(bare) >= 4 {
			row.Selector = "0x" + hex.EncodeToString(bare[:4])
		}
	}
	return row
}

// result adds what came of the message.
func (r *Row) result(res *fvm.Result) {
	if res == nil {
		return
	}
	exit := int64(res.ExitCode)
	r.Exit, r.GasUsed, r.Events = &exit, res.GasUsed, len(res.Events)
}

// shown is an address for people: as Ethereum has it where it is one of Ethereum's.
func shown(a address.Address) string {
	if a.Protocol() == address.Delegated {
		if e, ok := addr.Ethereum(a); ok {
			return e
		}
	}
	return addr.String(a)
}

func (s *chainSource) Explain(ctx context.Context, at Place, d explain.Decoders) (*explain.Message, error) {
	ts, err := s.tipset(ctx, at.Epoch, true)
	if err != nil {
		return nil, err
	}
	done, err := s.c.Executed(ctx, ts)
	if err != nil {
		return nil, err
	}
	if at.Message < 0 || at.Message >= len(done.Messages) {
		return nil, errNone(fmt.Sprintf("the block at epoch %d has %d messages", ts.Height(), len(done.Messages)))
	}
	res, err := s.c.Trace(ctx, ts, at.Message)
	if err != nil {
		return nil, err
	}
	t, err := tree.Load(ctx, s.c.States(), done.Root)
	if err != nil {
		return nil, err
	}
	a := explain.Applied{Message: done.Messages[at.Message].Message, Kind: fvm.Explicit, Trace: res.Trace, Result: res.Result}
	if s.n != nil {
		if b := s.n.BlockAt(ts.Height()); b != nil && at.Message < len(b.Messages) && b.Messages[at.Message].Implicit {
			a.Kind = fvm.Implicit
		}
	}
	return explain.Trace(a, explain.Options{
		NetworkVersion: s.c.Network().VersionAt(ts.Height()), Decoders: d,
		ActorName: func(code cid.Cid) (string, bool) {
			name, err := t.Name(ctx, code)
			return name, err == nil && name != ""
		},
		EthAddress: func(id abi.ActorID) (string, bool) {
			act, err := t.Actor(ctx, id)
			if err != nil {
				return "", false
			}
			return explain.EthAddress(id, act.Delegated), true
		},
	})
}

func (s *chainSource) States(ctx context.Context, at Place) (*States, error) {
	ts, err := s.tipset(ctx, at.Epoch, false)
	if err != nil {
		return nil, err
	}
	if s.n == nil && at.Epoch == Latest && ts.Height() > 0 { // the state that an archive ends with is there without executing
		if ts, err = s.c.Store().Parent(ctx, ts); err != nil {
			return nil, err
		}
	}
	out := &States{Store: s.c.States(), Before: ts.ParentStateRoot(), Epoch: ts.Height(), Version: s.c.Network().VersionAt(ts.Height())}
	if s.n == nil {
		head, err := s.c.Head(ctx)
		if err != nil {
			return nil, err
		}
		if child, err := s.lineOf(head).Child(ctx, ts); err == nil && child != nil {
			if err := s.c.Reach(ctx, child); err != nil {
				return nil, err
			}
			out.After = child.ParentStateRoot()
			return out, nil
		}
	}
	done, err := s.c.Executed(ctx, ts)
	if err != nil {
		return nil, err
	}
	out.After = done.Root
	return out, nil
}

// longestSearch is how many tipsets of an archive are looked through for a message.
const longestSearch = 10_000

func (s *chainSource) Find(ctx context.Context, text string) (Place, bool, error) {
	var hash *eth.Hash
	if strings.HasPrefix(text, "0x") {
		var h eth.Hash
		if err := h.UnmarshalJSON([]byte(`"` + text + `"`)); err != nil {
			return Place{}, false, nil //nolint:nilerr // no hash: nothing is found
		}
		hash = &h
	}
	c, err := cid.Decode(text)
	if hash == nil && err != nil {
		return Place{}, false, nil //nolint:nilerr // neither
	}
	if s.n != nil {
		at, ok := s.findInNode(hash, c)
		return at, ok, nil
	}
	if hash != nil {
		return Place{}, false, nil // an archive has no list of hashes
	}
	return s.findInArchive(ctx, c)
}

func (s *chainSource) findInNode(hash *eth.Hash, c cid.Cid) (Place, bool) {
	if hash == nil {
		if b, i, ok := s.n.Message(c); ok {
			return Place{b.Epoch(), i}, true
		}
		if b := s.n.BlockByCID(c); b != nil {
			return Place{b.Epoch(), Whole}, true
		}
		return Place{}, false
	}
	if b, i, ok := s.n.Transaction(*hash); ok {
		return Place{b.Epoch(), i}, true
	}
	if b := s.n.BlockByHash(*hash); b != nil {
		return Place{b.Epoch(), Whole}, true
	}
	return Place{}, false
}

func (s *chainSource) findInArchive(ctx context.Context, c cid.Cid) (Place, bool, error) {
	ts, err := s.c.Head(ctx)
	for range longestSearch {
		if err != nil || ctx.Err() != nil {
			return Place{}, false, ctx.Err()
		}
		for _, b := range ts.CIDs {
			if b == c {
				return Place{ts.Height(), Whole}, true, nil
			}
		}
		lists, err := s.c.Store().TipsetMessages(ctx, ts)
		if err != nil {
			return Place{}, false, nil //nolint:nilerr // here the archive ends
		}
		for _, l := range lists {
			for _, m := range l.All() {
				if m.CID == c {
					return s.placeOf(ctx, ts, c)
				}
			}
		}
		if ts.Height() == 0 {
			break
		}
		if ts, err = s.c.Store().Parent(ctx, ts); err != nil {
			return Place{}, false, nil //nolint:nilerr // the same
		}
	}
	return Place{}, false, nil
}

// placeOf is the place of a message in the order in which its tipset was executed.
func (s *chainSource) placeOf(ctx context.Context, ts *chain.Tipset, c cid.Cid) (Place, bool, error) {
	done, err := s.c.Executed(ctx, ts)
	if err != nil {
		return Place{}, false, err
	}
	for i, m := range done.Messages {
		if m.CID == c {
			return Place{ts.Height(), i}, true, nil
		}
	}
	return Place{ts.Height(), Whole}, true, nil
}

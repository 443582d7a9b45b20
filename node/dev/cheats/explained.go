package cheats

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/flame"
	"github.com/edgefvm/fvm/explain/pprof"
	"github.com/edgefvm/fvm/explain/text"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/network"
)

// profiled is what fvm_gasProfile looks at: a transaction by its hash, or a call.
type profiled struct {
	hash *eth.Hash
	call *eth.Call
}

func (p *profiled) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		p.call = new(eth.Call)
		return json.Unmarshal(b, p.call)
	}
	p.hash = new(eth.Hash)
	return p.hash.UnmarshalJSON(b)
}

// gasProfile tells where the gas of a transaction went: "json" is the tree of calls with their charges, "text" the same for people, "pprof" a
// profile for go tool pprof (base64), "svg" a flame graph.
func (s *server) gasProfile(ctx context.Context, what profiled, format jsonrpc.Optional[string]) (any, error) {
	as := format.Or("json")
	switch as {
	case "json", "text", "pprof", "svg":
	default:
		return nil, invalid("there is no profile as %q: want json, text, pprof or svg", as)
	}
	m, b, err := s.explained(ctx, what)
	if err != nil {
		return nil, err
	}
	if as == "json" {
		return m, nil
	}
	x := &explain.Explanation{Vector: "transaction", NV: s.n.Version(b.Epoch()), Epoch: b.Epoch(), Messages: []explain.Message{*m}}
	var buf bytes.Buffer
	switch as {
	case "text":
		err = text.Write(&buf, x, text.Options{})
	case "pprof":
		err = pprof.Write(&buf, x, pprof.Options{})
		return base64Of(buf.Bytes()), err
	default:
		err = flame.Write(&buf, x, flame.Options{})
	}
	return buf.String(), err
}

func (s *server) explained(ctx context.Context, what profiled) (*explain.Message, *dev.Block, error) {
	a := explain.Applied{Kind: fvm.Explicit}
	b := s.n.Latest()
	var res *dev.CallResult
	var err error
	if what.hash != nil {
		var i int
		var ok bool
		if b, i, ok = s.n.Transaction(*what.hash); !ok {
			return nil, nil, invalid("no transaction of the chain has the hash %s", what.hash)
		}
		if res, err = s.n.Trace(ctx, b, i); err != nil {
			return nil, nil, err
		}
		a.Message = b.Messages[i].Message.Message
		if b.Messages[i].Implicit {
			a.Kind = fvm.Implicit
		}
	} else {
		if a.Message, err = what.call.Message(s.o.Manner); err != nil {
			return nil, nil, err
		}
		if res, err = s.n.Call(ctx, b, a.Message, dev.CallOptions{Trace: true}); err != nil {
			return nil, nil, err
		}
		a.Kind = fvm.Implicit
	}
	a.Trace, a.Result = res.Trace, res.Result
	t, err := s.n.Tree(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	m, err := explain.Trace(a, explain.Options{
		NetworkVersion: s.n.Version(b.Epoch()),
		ActorName: func(code cid.Cid) (string, bool) {
			name, err := t.Name(ctx, code)
			return name, err == nil && name != ""
		},
	})
	return m, b, err
}

// network describes the chain's network in the form of --network's file, by which others replay or follow it.
func (s *server) network(context.Context) (*network.Network, error) { return s.n.Network(), nil }

// extractVector is a transaction as a closed vector: a file of JSON that edgefvm vectors run, and the reference, take.
func (s *server) extractVector(ctx context.Context, hash eth.Hash) (json.RawMessage, error) {
	b, i, ok := s.n.Transaction(hash)
	if !ok {
		return nil, invalid("no transaction of the chain has the hash %s", hash)
	}
	dir, err := os.MkdirTemp("", "edgefvm-vector-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path, err := s.n.ExtractVector(ctx, b, i, dir)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	var v map[string]json.RawMessage
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	delete(v, "trace") // a file beside it, which nobody gets
	return json.Marshal(v)
}

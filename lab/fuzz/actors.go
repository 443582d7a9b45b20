package fuzz

import (
	"bytes"
	"context"
	"math/big"
	"path/filepath"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"
	gsbig "github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/oracle"
)

// sameVector is how many cases in a row are of one vector: its state must go to the oracle first.
const sameVector = 8

// actorCase is a case of calls on the world, or of a vector's messages with some of them changed, on the vector's state.
// The latter may lack blocks that a changed message asks for: then there is no verdict.
func actorCase(ctx context.Context, g *gen) (*Case, error) {
	files := g.f.corpus.files[g.NV]
	if len(files) == 0 || g.index/sameVector%2 == 0 {
		return g.worldCalls()
	}
	which := source(g.f.seed, "corpus", g.index/sameVector)
	path := files[which.IntN(len(files))]
	s, err := g.f.corpus.read(ctx, path)
	if err != nil {
		return nil, err
	}
	r := *s.request
	r.Messages = slices.Clone(r.Messages)
	if g.one(6) {
		g.otherSetting(&r)
	}
	changed := 0
	asTheyAre := g.one(10) // what succeeds in the vectors is to succeed here, too
	for i, msg := range s.messages {
		if msg == nil || asTheyAre || changed > 0 && !g.one(3) {
			continue
		}
		if err := g.otherMessage(ctx, &r, i, msg); err != nil {
			return nil, err
		}
		changed++
	}
	if last := len(s.messages) - 1; s.messages[last] != nil && g.one(4) { // and once more
		again := *s.messages[last]
		again.Nonce++
		r.Messages = append(r.Messages, r.Messages[last])
		if err := g.otherMessage(ctx, &r, last+1, &again); err != nil {
			return nil, err
		}
	}
	of := func(r *oracle.Request) *duel.Case {
		return &duel.Case{Request: r, Bundle: s.bundle, Bases: []duel.Base{s.code}, Scope: &s.state}
	}
	c := g.messages(&r, "changed messages of "+filepath.Base(path))
	c.Case = of(&r)
	without := c.without
	c.without = func(ctx context.Context, keep []bool) (*duel.Case, error) {
		d, err := without(ctx, keep)
		if err != nil {
			return nil, err
		}
		return of(d.Request), nil
	}
	return c, nil
}

// otherSetting changes what is around the messages.
func (g *gen) otherSetting(r *oracle.Request) {
	switch g.IntN(6) {
	case 0:
		r.Epoch += abi.ChainEpoch(g.IntN(6000)) - 3000
	case 1:
		r.BaseFee = pick(g.Rand, "0", "1", "1000000000")
	case 2:
		r.CircSupply = pick(g.Rand, "0", "1", "600000000000000000000000000")
	case 3:
		r.Proofs = pick(g.Rand, "valid", "invalid")
	case 4:
		r.ChainID = pick[uint64](g.Rand, 314, 314159, 0)
	case 5:
		r.Timestamp += uint64(g.IntN(100000))
	}
}

// otherMessage puts a changed message in place of message i.
func (g *gen) otherMessage(ctx context.Context, r *oracle.Request, i int, old *fvm.Message) error {
	msg := *old
	for range 1 + g.IntN(2) {
		switch p := g.IntN(20); {
		case p < 10:
			msg.Params = g.mutateCBOR(msg.Params)
		case p < 12:
			msg.Method = g.method(msg.Method)
		case p < 14:
			if msg.GasLimit > 1 {
				msg.GasLimit = 1 + g.Int64N(msg.GasLimit)
			}
		case p == 14:
			msg.Value = gsbig.Int{Int: new(big.Int).Abs(g.amount())}
		case p == 15:
			to, err := addr.ParseAddress(g.receiver())
			if err == nil {
				msg.To = to
			}
		case p == 16: // params of another message
			files := g.f.corpus.files[g.NV]
			other, err := g.f.corpus.read(ctx, files[g.IntN(len(files))])
			if err != nil {
				return err
			}
			if m := other.messages[0]; m != nil {
				msg.Params = m.Params
				if g.one(2) {
					msg.Method = m.Method
				}
			}
		case p == 17:
			r.Messages[i].Implicit = !r.Messages[i].Implicit
		}
	}
	var buf bytes.Buffer
	if err := msg.MarshalCBOR(&buf); err != nil {
		return nil // it stays as it was
	}
	r.Messages[i] = oracle.Message{Bytes: buf.Bytes(), Implicit: r.Messages[i].Implicit, ChainLen: r.Messages[i].ChainLen}
	return nil
}

// method is a method's number that is likely to exist.
func (g *gen) method(old abi.MethodNum) abi.MethodNum {
	switch g.IntN(4) {
	case 0:
		return old + abi.MethodNum(g.IntN(5)) - 2
	case 1:
		return abi.MethodNum(g.Uint64() >> g.IntN(64))
	}
	return abi.MethodNum(g.IntN(40))
}

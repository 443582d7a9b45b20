package fuzz

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/big"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/fuzz/internal/script"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/lab/wasmgen"
)

const (
	moduleActor = 2000        // the actor of a case's module
	moduleGas   = 150_000_000 // what its messages may take: modules may run for ever
)

// wasmCase is a case of one module, called a few times. A third of the modules are damaged, to see whether both refuse them alike.
func wasmCase(ctx context.Context, g *gen) (*Case, error) {
	seed := g.Int64()
	// Most modules for the first network versions have nothing that their parser does not read.
	wasm := wasmgen.Module(seed, wasmgen.Options{Actor: true, First: g.NV < 18 && seed%8 != 0})
	note := "a random module"
	part, changed, ok := g.reaching()
	if ok {
		c := g.chapter(part)
		wasm, note = c.Wasm, "all instructions: "+c.Name
	} else {
		changed = g.one(3)
	}
	if changed {
		wasm, note = g.damaged(wasm), "a damaged module"
	}
	r := g.setting()
	r.BaseFee = "100"
	r.Messages = g.moduleCalls()
	build := func(ctx context.Context, code []byte) (*duel.Case, error) {
		req := *r
		made, err := g.withModule(ctx, code)
		if err != nil {
			return nil, err
		}
		req.Root, req.Blocks = made.root, made.blocks
		return g.duel(&req), nil
	}
	d, err := build(ctx, wasm)
	if err != nil {
		return nil, err
	}
	return &Case{Case: d, Note: note, parts: len(wasm), without: func(ctx context.Context, keep []bool) (*duel.Case, error) {
		var less []byte
		for i, b := range wasm {
			if keep[i] {
				less = append(less, b)
			}
		}
		return build(ctx, less)
	}}, nil
}

type madeState struct {
	root   string
	blocks []oracle.Block
}

// withModule is the state in which an actor has this code.
func (g *gen) withModule(ctx context.Context, wasm []byte) (*madeState, error) {
	code := block(cid.Raw, wasm)
	extra := []oracle.Block{code}
	var system oracle.Block
	if g.NV < 18 { // nothing runs but the manifest's code
		var manifest oracle.Block
		manifest, system = listing(append(slices.Clone(g.entries), actors.Entry{Name: "module", Code: code.CID}))
		extra = append(extra, manifest, system)
	}
	root, blocks, err := g.changed(ctx, extra, func(t *state.Tree) error {
		if system.CID.Defined() {
			if err := setHead(ctx, t, systemID, system.CID); err != nil {
				return err
			}
		}
		st, err := t.Actor(ctx, 1000) // a script actor, with a state and a balance
		if err != nil {
			return err
		}
		module := *st
		module.Code, module.Delegated = code.CID, nil
		return t.SetActor(moduleActor, module)
	})
	if err != nil {
		return nil, err
	}
	return &madeState{root.String(), blocks}, nil
}

// moduleCalls are messages to the module: without params, with some, and from a script that limits its gas.
func (g *gen) moduleCalls() []oracle.Message {
	from := g.of("secp")[0]
	m := script.Message{To: idBytes(moduleActor), From: from.address().Bytes(), Nonce: from.Nonce, Method: 2, GasLimit: moduleGas, FeeCap: big.NewInt(200), Premium: big.NewInt(10)}
	list := []oracle.Message{{Bytes: m.Marshal()}}
	m.Nonce++
	m.Params = binary.LittleEndian.AppendUint32(nil, g.Uint32())
	list = append(list, oracle.Message{Bytes: m.Marshal()})
	if g.one(3) {
		m.Nonce++
		m.GasLimit = int64(g.IntN(30_000_000))
		list = append(list, oracle.Message{Bytes: m.Marshal()})
	}
	if g.one(3) {
		m.Nonce++
		s := script.Calls(g.env(g.Rand), idBytes(moduleActor), uint64(g.IntN(20_000_000)))
		m.To, m.GasLimit, m.Params = idBytes(g.Pool[0]), 4*moduleGas, s.Marshal()
		list = append(list, oracle.Message{Bytes: m.Marshal()})
	}
	return list
}

// damaged changes a module's bytes here and there.
func (g *gen) damaged(wasm []byte) []byte {
	b := bytes.Clone(wasm)
	for range 1 + g.IntN(3) {
		if len(b) < 10 {
			break
		}
		at := 8 + g.IntN(len(b)-8)
		if g.one(40) {
			at = g.IntN(8)
		}
		switch g.IntN(6) {
		case 0:
			b[at] = byte(g.Uint32())
		case 1:
			b[at] ^= 1 << g.IntN(8)
		case 2:
			b[at] = b[8+g.IntN(len(b)-8)]
		case 3:
			b = slices.Delete(b, at, at+1)
		case 4:
			b = slices.Insert(b, at, byte(g.Uint32()))
		case 5:
			b[at]++
		}
	}
	return b
}

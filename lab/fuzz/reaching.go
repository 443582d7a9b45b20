package fuzz

import (
	"context"
	"math/rand/v2"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/internal/vm/state"
	"github.com/edgefvm/fvm/lab/fuzz/internal/script"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/lab/wasmgen"
	"github.com/edgefvm/fvm/vector"
)

// Cases that reach all that can be reached: each result of each syscall, each charge, each instruction. They are the same with
// every seed, and the first of their layers: of a network version's first 32 cases, every fourth. Later, every sixteenth is one of them, changed.
const (
	reachingParts = 8
	reachingFirst = streak / reachingParts
	reachingLater = 16
)

// Reaching are these cases, for a network version.
func Reaching(ctx context.Context, a *vector.Actors, nv network.Version) ([]*Case, error) {
	w, err := newWorlds(a)
	if err != nil {
		return nil, err
	}
	f := &factory{worlds: w, nvs: []network.Version{nv}}
	var list []*Case
	for _, l := range layers() {
		if !l.reaching {
			continue
		}
		for part := range uint64(reachingParts) {
			c, err := f.make(ctx, &l, part*reachingFirst)
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// reaching tells whether a case is of those that reach all, which part it runs, and whether it is changed first.
func (g *gen) reaching() (part int, changed, ok bool) {
	if g.turn < streak {
		return int(g.turn / reachingFirst), false, g.turn%reachingFirst == 0
	}
	return int(g.turn / reachingLater % reachingParts), true, g.turn%reachingLater == 0
}

// partOf is one of the parts of a list, as equal as can be.
func partOf[T any](list []T, part int) []T {
	return list[len(list)*part/reachingParts : len(list)*(part+1)/reachingParts]
}

// reachingWorld is the world with an init actor that runs scripts, and with actors whose states are blocks that no actor makes.
func (g *gen) reachingWorld(ctx context.Context, r *oracle.Request) error {
	odd, cut := block(script.OddCodec, script.OddBlock), dagCBOR(script.CutBlock)
	root, blocks, err := g.changed(ctx, []oracle.Block{odd, cut}, func(t *state.Tree) error {
		scripts, err := t.Actor(ctx, abi.ActorID(g.Pool[0]))
		if err != nil {
			return err
		}
		scripts.Delegated = nil
		for id, b := range map[abi.ActorID]oracle.Block{script.OddActor: odd, script.CutActor: cut} {
			scripts.Head = b.CID
			if err := t.SetActor(id, *scripts); err != nil {
				return err
			}
		}
		init, err := t.Actor(ctx, initID)
		if err != nil {
			return err
		}
		init.Code = g.Script
		return t.SetActor(initID, *init)
	})
	r.Root, r.Blocks = root.String(), blocks
	return err
}

// reachingScripts is a case of a part of the scripts that reach all.
func (g *gen) reachingScripts(ctx context.Context, r *oracle.Request, part int, changed bool) (*Case, error) {
	if err := g.reachingWorld(ctx, r); err != nil {
		return nil, err
	}
	r.BaseFee, r.Proofs, r.Timestamp = "100", "valid", uint64(g.Epoch)*30
	list := partOf(script.Reaching(g.env(rand.New(rand.NewPCG(1, uint64(g.NV))))), part)
	if changed {
		for i := range list {
			if c := &list[i]; c.Script != nil && g.one(2) {
				c.Script, c.Name, c.GasLimit = c.Script.Mutate(g.Rand), c.Name+" mutated", int64(1+g.IntN(someGas))
			}
		}
	}
	return g.scripts(r, list), nil
}

// chapter is a module that runs every instruction of a kind. There are more parts than kinds: some come again, called otherwise.
func (g *gen) chapter(part int) wasmgen.Chapter {
	list := wasmgen.Chapters(g.NV < 18)
	return list[part%len(list)]
}

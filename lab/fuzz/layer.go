package fuzz

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/lab/duel"
)

// Case is a case of a campaign.
type Case struct {
	*duel.Case
	Layer string
	Seed  uint64
	Index uint64
	// Note says in words what the case is.
	Note string
	// parts is how many parts can be left out to make the case smaller, and without makes it with some of them. May be 0 and nil.
	parts   int
	without func(ctx context.Context, keep []bool) (*duel.Case, error)
}

// layer makes cases of one kind.
type layer struct {
	name, about string
	// first is the first network version that has such cases.
	first network.Version
	// code: each case brings Wasm of its own, which engines and the oracle would keep for good.
	code bool
	// slim cases run on the slim world.
	slim bool
	// reaching: the layer begins with cases that reach all.
	reaching bool
	make     func(ctx context.Context, g *gen) (*Case, error)
}

// gen is what a case is made with. All that is random comes from its source.
type gen struct {
	*rand.Rand
	*world
	f     *factory
	index uint64
	turn  uint64 // which case of its layer and network version it is
}

// layers are all there are, in the order of their letters.
func layers() []layer {
	return []layer{
		{name: "wasm", about: "random and mutated modules", code: true, slim: true, reaching: true, make: wasmCase},
		{name: "syscalls", about: "raw syscalls by scripts, with nested sends", slim: true, reaching: true, make: syscallCase},
		{name: "actors", about: "calls of builtin actors, and the messages of vectors, changed", make: actorCase},
		{name: "scenes", about: "chains of calls that reach each method of the builtin actors, as they are and then changed", make: sceneCase},
		{name: "evm", about: "random EVM bytecode, calldata and inputs of precompiles", first: 18, make: evmCase},
		{name: "envelopes", about: "random senders, nonces, fees and gas limits", slim: true, make: envelopeCase},
	}
}

// Layers are the names of the layers, with what they are about.
func Layers() (names, about []string) {
	for _, l := range layers() {
		names, about = append(names, l.name), append(about, l.about)
	}
	return names, about
}

// Versions are the network versions that cases are made for.
func Versions() []network.Version {
	first, last, _ := fvm.NetworkVersions()
	var list []network.Version
	for nv := first; nv <= last; nv++ {
		list = append(list, nv)
	}
	return list
}

// factory makes cases. Safe for concurrent use.
type factory struct {
	worlds *worlds
	corpus *corpus
	// theater plays scenes, on an engine of its own.
	theater theater
	seed    uint64
	nvs     []network.Version
}

// streak is how many cases in a row are of one network version: the reference takes seconds to prepare each.
const streak = 32

// make makes a case of a layer. The same seed and index make the same case.
func (f *factory) make(ctx context.Context, l *layer, index uint64) (*Case, error) {
	nvs := slices.DeleteFunc(slices.Clone(f.nvs), func(nv network.Version) bool {
		return nv < l.first
	})
	if len(nvs) == 0 {
		return nil, fmt.Errorf("layer %s has no cases for the network versions that were asked for", l.name)
	}
	n := uint64(len(nvs))
	w, err := f.worlds.at(ctx, nvs[index/streak%n])
	if err != nil {
		return nil, err
	}
	if l.slim {
		w = w.slim
	}
	c, err := l.make(ctx, &gen{Rand: source(f.seed, l.name, index), world: w, f: f, index: index, turn: index/(streak*n)*streak + index%streak})
	if err != nil {
		return nil, fmt.Errorf("case %d of layer %s with seed %d: %w", index, l.name, f.seed, err)
	}
	c.Layer, c.Seed, c.Index = l.name, f.seed, index
	return c, nil
}

// source is the randomness of a case.
func source(seed uint64, layer string, index uint64) *rand.Rand {
	b := binary.LittleEndian.AppendUint64([]byte(layer), seed)
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64(b, index))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:])))
}

func pick[T any](g *rand.Rand, list ...T) T { return list[g.IntN(len(list))] }

// one is true once in n times.
func (g *gen) one(n int) bool { return g.IntN(n) == 0 }

// bytes are random bytes.
func (g *gen) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

package fuzz

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/fuzz/internal/script"
	"github.com/edgefvm/fvm/lab/oracle"
)

// env is what scripts may know of the world.
func (w *world) env(r *rand.Rand) *script.Env {
	bytesOf := func(text string) []byte {
		c, err := cid.Decode(text)
		if err != nil {
			panic(err) // of an embedded file
		}
		return c.Bytes()
	}
	from := w.of("secp")[0]
	e := &script.Env{
		NV: int(w.NV), Era: script.EraOf(int(w.NV)), Epoch: int64(w.Epoch), Rand: r, Pool: w.Pool, Pool2: w.Partners, Self: w.Pool[0],
		Others: []uint64{w.Partners[0], w.Poor}, Sender: uint64(from.ID), SenderKey: from.address().Bytes(), ScriptCid: w.Script.Bytes(),
		Codes: map[string][]byte{}, StateCid: bytesOf(w.State), Unlinked: bytesOf(w.Unlinked), Addrs: map[string][]byte{}, WatActors: map[string]uint64{},
	}
	for _, p := range w.of("placeholder") {
		e.Placeholder, e.PlaceholderAddr = uint64(p.ID), p.address().Bytes()
	}
	for _, c := range w.manifest.Codes() {
		if name, ok := w.manifest.Name(c); ok {
			e.Codes[name] = c.Bytes()
		}
	}
	// As the maker of the worlds has it: the state links to a child, and that to a grandchild and to a block that is not there.
	grandchild := script.CIDOf(cid.DagCBOR, []byte("\x81\x6agrandchild"))
	e.Addrs["grandchildCid"], e.Addrs["missingCid"] = grandchild, script.CIDOf(cid.DagCBOR, []byte("missing"))
	child := append([]byte{0x82}, link(grandchild)...)
	child = append(child, link(e.Addrs["missingCid"])...)
	e.Addrs["childCid"] = script.CIDOf(cid.DagCBOR, child)
	for _, id := range w.Pool[:3] { // a few known addresses are enough
		sum := blake2b.Sum256(fmt.Append(nil, "script actor ", id))
		e.Addrs[fmt.Sprint("a-f2-", id)] = append([]byte{2}, sum[:20]...)
		e.Addrs[fmt.Sprint("a-f4-", id)] = append([]byte{4, 10}, sum[:20]...)
	}
	e.StateData = append(append([]byte{0x82}, link(e.Addrs["childCid"])...), 1)
	return e
}

// link is a DAG-CBOR link to a CID.
func link(c []byte) []byte { return append([]byte{0xd8, 0x2a, 0x58, byte(len(c) + 1), 0}, c...) }

var directed = struct {
	sync.Mutex
	of map[network.Version][]script.Case
}{of: map[network.Version][]script.Case{}}

// directedCases are those of a version, made once.
func (w *world) directedCases() []script.Case {
	directed.Lock()
	defer directed.Unlock()
	if list := directed.of[w.NV]; list != nil {
		return list
	}
	list := script.Directed(w.env(rand.New(rand.NewPCG(1, uint64(w.NV)))))
	directed.of[w.NV] = list
	return list
}

// costly are directed cases that take all the gas or memory they get.
func costly(name string) bool {
	for _, s := range []string{"endless", "depth", "memory", "big", "limited", "sizes"} {
		if strings.Contains(name, s) {
			return true
		}
	}
	return false
}

const (
	plentyGas = 3_000_000_000
	someGas   = 200_000_000
)

// syscallCase is a case of scripts, each to another script actor.
func syscallCase(ctx context.Context, g *gen) (*Case, error) {
	r := g.setting()
	if r.BaseFee == "12345678901234567890" {
		r.BaseFee = "100" // the sender is to pay for plenty of gas
	}
	g.answers(r)
	if part, changed, ok := g.reaching(); ok {
		return g.reachingScripts(ctx, r, part, changed)
	}
	env := g.env(g.Rand)
	for range g.IntN(len(g.Pool)) {
		env.Next()
	}
	var cases []script.Case
	for range 4 + g.IntN(9) {
		cases = append(cases, g.script(env))
		env.Next()
	}
	return g.scripts(r, cases), nil
}

// scripts is a case of these messages.
func (g *gen) scripts(r *oracle.Request, cases []script.Case) *Case {
	from := g.of("secp")[0]
	marshal := func(list []script.Case) []oracle.Message {
		var out []oracle.Message
		for i, c := range list {
			out = append(out, oracle.Message{Bytes: c.Marshal(from.address().Bytes(), from.Nonce+uint64(i))})
		}
		return out
	}
	r.Messages = marshal(cases)
	c := &Case{Case: g.duel(r)}
	var notes []string
	for _, x := range cases {
		c.parts += scriptParts(&x)
		notes = append(notes, x.Name)
	}
	c.Note = "scripts: " + strings.Join(notes, ", ")
	c.without = func(_ context.Context, keep []bool) (*duel.Case, error) {
		few := *r
		few.Messages = marshal(lessScripts(cases, keep))
		return g.duel(&few), nil
	}
	return c
}

// scriptParts is how many parts a message has: the whole, and each operation.
func scriptParts(c *script.Case) int {
	if c.Script == nil {
		return 1
	}
	return 1 + c.Script.Len()
}

// lessScripts leaves out messages, and operations of others.
func lessScripts(cases []script.Case, keep []bool) []script.Case {
	var few []script.Case
	for _, x := range cases {
		n := scriptParts(&x)
		if keep[0] {
			if x.Script != nil {
				x.Script = x.Script.Without(keep[1:n])
			}
			few = append(few, x)
		}
		keep = keep[n:]
	}
	return few
}

// largest is how long a script's bytes may be.
const largest = 60_000

// script is one message.
func (g *gen) script(env *script.Env) script.Case {
	if g.one(4) {
		list := g.directedCases()
		c := list[g.IntN(len(list))]
		if c.GasLimit == 0 || c.GasLimit > someGas {
			if costly(c.Name) || g.one(3) {
				c.GasLimit = int64(1 + g.IntN(someGas))
			}
		}
		if c.Script != nil && g.one(2) {
			c.Script, c.Name = c.Script.Mutate(g.Rand), c.Name+" mutated"
			c.GasLimit = int64(1 + g.IntN(someGas))
		}
		return c
	}
	c := script.Case{Self: env.Self, Name: "random"}
	for {
		c.Script = script.Random(env, 1+g.IntN(14), g.IntN(4))
		if len(c.Script.Marshal()) < largest {
			break
		}
	}
	c.GasLimit = plentyGas
	switch g.IntN(10) {
	case 0:
		c.Method = g.Uint64()
	case 1, 2:
		c.GasLimit = int64(1 + g.IntN(60_000_000))
	case 3:
		c.Script, c.Name = c.Script.Mutate(g.Rand), "random mutated"
		c.GasLimit = someGas
	}
	if c.Script.Len() == 0 {
		c.Name = fmt.Sprint(c.Name, " empty")
	}
	return c
}

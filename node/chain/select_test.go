package chain

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
)

// key is an f1 address told apart by a letter.
func key(t testing.TB, letter byte) address.Address {
	t.Helper()
	a, err := address.NewSecp256k1Address([]byte{letter})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Which messages of a tipset are executed. A message is a letter for its sender and its nonce: A and B are keys, a and b the IDs of the
// same actors, X a key that no actor has.
func TestSelect(t *testing.T) {
	who := map[byte]address.Address{'A': key(t, 'A'), 'B': key(t, 'B'), 'a': id(t, 100), 'b': id(t, 101), 'X': key(t, 'X')}
	resolve := func(_ context.Context, a address.Address) (address.Address, error) {
		switch a {
		case who['A'], who['a']:
			return who['a'], nil
		case who['B'], who['b']:
			return who['b'], nil
		}
		return address.Undef, errors.New("no such actor")
	}
	for _, c := range []struct {
		name            string
		blocks          string // of BLS messages, a slash, and the others; blocks are apart by a bar
		byAddress, byID string // that are executed, blocks apart by a bar
		failsByID       bool
	}{
		{name: "in order", blocks: "A5 A6/A7", byAddress: "A5 A6 A7", byID: "A5 A6 A7"},
		{name: "a prefix in a block, all in a later one", blocks: "A5 A6/|A5 A6 A7/", byAddress: "A5 A6|A7", byID: "A5 A6|A7"},
		{name: "the same nonce again", blocks: "A5/|/A5", byAddress: "A5|", byID: "A5|"},
		{name: "a gap", blocks: "A5/|A7/|A6/", byAddress: "A5||A6", byID: "A5||A6"},
		{name: "two senders", blocks: "A5 B9/|B10 A6/", byAddress: "A5 B9|B10 A6", byID: "A5 B9|B10 A6"},
		{name: "by ID after by key", blocks: "A5 A6/|a6 a7/", byAddress: "A5 A6|a6 a7", byID: "A5 A6|a7"},
		{name: "by key after by ID", blocks: "a5/|A5 A6/", byAddress: "a5|A5 A6", byID: "a5|A6"},
		{name: "another's ID makes all senders IDs", blocks: "A5/|b1/|a6 A7/", byAddress: "A5|b1|a6", byID: "A5|b1|a6 A7"},
		{name: "a key without an actor, alone", blocks: "X0 X1/", byAddress: "X0 X1", byID: "X0 X1"},
		{name: "a key without an actor, before an ID", blocks: "X0/|a5/", byAddress: "X0|a5", failsByID: true},
		{name: "a key without an actor, after an ID", blocks: "a5/|X0/", byAddress: "a5|X0", failsByID: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var blocks []*BlockMessages
			names := map[*fvm.Message]string{}
			for _, b := range strings.Split(c.blocks, "|") {
				bls, secp, _ := strings.Cut(b, "/")
				m := &BlockMessages{}
				for i, list := range []string{bls, secp} {
					for _, name := range strings.Fields(list) {
						var nonce uint64
						for _, d := range name[1:] {
							nonce = nonce*10 + uint64(d-'0')
						}
						msg := &fvm.Message{From: who[name[0]], To: id(t, 1), Nonce: nonce, Value: big.Zero(), GasFeeCap: big.Zero(), GasPremium: big.Zero()}
						names[msg] = name
						if i == 0 {
							m.BLS = append(m.BLS, Message{Message: msg})
						} else {
							m.Secp = append(m.Secp, Message{Message: msg})
						}
					}
				}
				blocks = append(blocks, m)
			}
			for _, byID := range []bool{false, true} {
				got, err := Select(t.Context(), blocks, byID, resolve)
				if fails := byID && c.failsByID; (err != nil) != fails {
					t.Fatalf("by ID %v: %v", byID, err)
				} else if fails {
					continue
				}
				var list []string
				for _, b := range got {
					var in []string
					for _, m := range b {
						in = append(in, names[m.Message])
					}
					list = append(list, strings.Join(in, " "))
				}
				want := c.byAddress
				if byID {
					want = c.byID
				}
				if s := strings.Join(list, "|"); s != want {
					t.Errorf("by ID %v: %q, want %q", byID, s, want)
				}
			}
		})
	}
}

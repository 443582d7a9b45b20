package edit

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"testing"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/ethtx"
)

// pairs are slots as contracts have them: low ones, words that are hashes, an array.
func pairs(r *rand.Rand, n int) (list [][2][32]byte) {
	var base [32]byte
	r.Read(base[:])
	for range n {
		var p [2][32]byte
		switch r.Intn(3) {
		case 0:
			p[0] = word(r.Int63n(20))
		case 1:
			r.Read(p[0][:])
		case 2:
			p[0] = base
			p[0][31] = byte(r.Intn(40))
		}
		switch r.Intn(4) {
		case 0:
			p[1] = word(r.Int63n(3))
		case 1:
			r.Read(p[1][:])
		case 2:
			p[1] = word(r.Int63())
		}
		list = append(list, p)
	}
	return list
}

// A contract whose slots were set by hand, and one that stored the same by itself, have the same state, to the bit; and both the one that
// was deployed has.
func TestStorageAsSSTORE(t *testing.T) {
	for _, nv := range versions {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			w := begin(t, nv)
			ctx := t.Context()
			r := rand.New(rand.NewSource(int64(nv)))
			deployed, _ := w.create(store)
			byHand, other := eth(1), eth(2)
			w.must(w.SetCode(ctx, byHand, store))
			w.must(w.SetCode(ctx, other, store))
			if w.head(byHand) != w.head(deployed) {
				t.Fatal("the state of a contract made by hand is not that of one that was deployed")
			}
			for round := range 8 {
				list := pairs(r, 1+r.Intn(20))
				var data []byte
				for _, p := range list {
					data = append(append(data, p[0][:]...), p[1][:]...)
				}
				w.invoke(deployed, data)
				if round%2 == 0 {
					w.invoke(byHand, data)
				}
				for _, p := range list {
					w.must(w.SetStorage(ctx, other, p[0], p[1]))
					if round%2 == 1 {
						w.must(w.SetStorage(ctx, byHand, p[0], p[1]))
					}
				}
				for _, p := range list {
					a, err := w.Storage(ctx, deployed, p[0])
					w.must(err)
					if b, err := w.Storage(ctx, other, p[0]); err != nil || a != b {
						t.Errorf("slot %x: %x by itself, %x by hand, %v", p[0], a, b, err)
					}
				}
				if a, b, c := w.head(deployed), w.head(other), w.head(byHand); a != b || a != c {
					t.Fatalf("round %d: the states are %s by itself, %s by hand, %s by both", round, a, b, c)
				}
			}
		})
	}
}

// What was set by hand is what running contracts see.
func TestContractsSee(t *testing.T) {
	for _, nv := range versions {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			w := begin(t, nv)
			ctx := t.Context()
			at := eth(3)
			w.must(w.SetStorage(ctx, at, word(5), word(77)))
			w.must(w.SetCode(ctx, at, load))
			if got, want := w.invoke(at, bytes.Repeat([]byte{0}, 32)), word(0); !bytes.Equal(got, want[:]) {
				t.Errorf("slot 0 has %x", got)
			}
			five := word(5)
			if got, want := w.invoke(at, five[:]), word(77); !bytes.Equal(got, want[:]) {
				t.Errorf("slot 5 has %x", got)
			}
			w.must(w.SetStorage(ctx, at, word(5), word(0)))
			if got := w.invoke(at, five[:]); !bytes.Equal(got, make([]byte, 32)) {
				t.Errorf("the slot that was deleted has %x", got)
			}
			// Other code, the same slots; and what others see of the code.
			w.must(w.SetStorage(ctx, at, word(6), word(78)))
			long := append(bytes.Clone(load), make([]byte, 30000)...)
			w.must(w.SetCode(ctx, at, long))
			six := word(6)
			if got, want := w.invoke(at, six[:]), word(78); !bytes.Equal(got, want[:]) {
				t.Errorf("with new code slot 6 has %x", got)
			}
			w.must(w.SetCode(ctx, eth(4), size))
			three := append(make([]byte, 12), bytes.Repeat([]byte{3}, 20)...)
			if got, want := w.invoke(eth(4), three), word(int64(len(long))); !bytes.Equal(got, want[:]) {
				t.Errorf("EXTCODESIZE is %x, not %x", got, want)
			}
		})
	}
}

// An account that becomes a contract and an account again goes on where it was.
func TestCodeOfAccounts(t *testing.T) {
	w := begin(t, 28)
	ctx := t.Context()
	me := w.g.Accounts[1].F410
	w.send(1, w.g.Accounts[0].F410, 0, nil, 5)
	before := w.head(me)
	idBefore, was, err := w.Actor(ctx, me)
	w.must(err)
	w.must(w.SetCode(ctx, me, load))
	if got := w.invoke(me, make([]byte, 32)); !bytes.Equal(got, make([]byte, 32)) {
		t.Errorf("it gives %x", got)
	}
	id, is, err := w.Actor(ctx, me)
	w.must(err)
	if w.Name(is.Code) != "evm" || id != idBefore || !is.Balance.Equals(was.Balance) {
		t.Errorf("it is %q f0%d with %s", w.Name(is.Code), id, is.Balance)
	}
	w.must(w.SetCode(ctx, me, nil))
	if w.head(me) != before {
		t.Error("it has another state than before")
	}
	w.send(1, w.g.Accounts[0].F410, 0, nil, 5)
	// Of a contract with slots the code alone goes.
	w.must(w.SetCode(ctx, me, load))
	w.must(w.SetStorage(ctx, me, word(1), word(2)))
	w.must(w.SetCode(ctx, me, nil))
	if _, is, err = w.Actor(ctx, me); err != nil || w.Name(is.Code) != "evm" {
		t.Errorf("it is %q, %v", w.Name(is.Code), err)
	}
	if v, err := w.Storage(ctx, me, word(1)); err != nil || v != word(2) {
		t.Errorf("slot 1 has %x, %v", v, err)
	}
	if got := w.invoke(me, nil); len(got) != 0 {
		t.Errorf("a contract without code gives %x", got)
	}
}

// A contract that destroyed itself is a new one when it is given code.
func TestDeadContract(t *testing.T) {
	for _, nv := range versions {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			w := begin(t, nv)
			ctx := t.Context()
			kill := code("33ff") // CALLER, SELFDESTRUCT
			at := eth(7)
			w.must(w.SetStorage(ctx, at, word(1), word(2)))
			w.must(w.SetCode(ctx, at, kill))
			w.invoke(at, nil)
			if v, err := w.Storage(ctx, at, word(1)); err != nil || v != word(0) {
				t.Errorf("of a dead contract slot 1 has %x, %v", v, err)
			}
			w.must(w.SetCode(ctx, at, store))
			fresh, _ := w.create(store)
			if w.head(at) != w.head(fresh) {
				t.Error("it is not a new contract")
			}
		})
	}
}

func TestNonces(t *testing.T) {
	w := begin(t, 28)
	ctx := t.Context()
	// Nobody and a placeholder become Ethereum accounts, which can send.
	w.must(w.SetNonce(ctx, eth(8), 0))
	if _, st, err := w.Actor(ctx, eth(8)); err != nil || w.Name(st.Code) != "placeholder" {
		t.Errorf("%v", err)
	}
	w.must(w.SetNonce(ctx, eth(8), 41))
	if _, st, err := w.Actor(ctx, eth(8)); err != nil || w.Name(st.Code) != "ethaccount" || st.Nonce != 41 {
		t.Errorf("%v", err)
	}
	me := w.g.Accounts[0].F410
	w.must(w.SetNonce(ctx, me, 1000))
	w.send(0, eth(8), 0, nil, 1) // with nonce 1000
	// A contract's nonce makes the address of the next that it creates: CREATE of nothing, and its address.
	creator := code("600060006000f0" + "60005260206000f3")
	for _, n := range []uint64{1, 7, 300} {
		w.must(w.SetCode(ctx, eth(9), creator))
		w.must(w.SetNonce(ctx, eth(9), n))
		got := w.invoke(eth(9), nil)
		rlp := append([]byte{0x94}, bytes.Repeat([]byte{9}, 20)...)
		switch {
		case n < 0x80:
			rlp = append(rlp, byte(n))
		default:
			rlp = append(rlp, 0x82, byte(n>>8), byte(n))
		}
		want := ethtx.Keccak256(append([]byte{0xc0 + byte(len(rlp))}, rlp...))
		if !bytes.Equal(got[12:], want[12:]) {
			t.Errorf("nonce %d: the address is %x, not %x", n, got[12:], want[12:])
		}
	}
}

func TestImpossible(t *testing.T) {
	w := begin(t, 28)
	ctx := t.Context()
	native := w.g.Accounts[0].F1
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"code of an account of a key":   {w.SetCode(ctx, native, load), ErrImpossible},
		"code of the power actor":       {w.SetCode(ctx, addr.NewID(4), load), ErrImpossible},
		"slots of the power actor":      {w.SetStorage(ctx, addr.NewID(4), word(1), word(1)), ErrImpossible},
		"slots of an Ethereum account":  {w.SetStorage(ctx, w.g.Accounts[0].F410, word(1), word(1)), ErrImpossible},
		"code of an ID without actor":   {w.SetCode(ctx, addr.NewID(99999), load), ErrNoActor},
		"balance of an ID without one":  {w.SetBalance(ctx, addr.NewID(99999), big.NewInt(1)), ErrNoActor},
		"nonce of an ID without actor":  {w.SetNonce(ctx, addr.NewID(99999), 1), ErrNoActor},
		"a balance below 0":             {w.SetBalance(ctx, native, big.NewInt(-1)), nil},
		"no balance":                    {w.SetBalance(ctx, native, big.Int{}), nil},
		"a balance that is far too big": {w.SetBalance(ctx, native, big.Lsh(big.NewInt(1), 256)), nil},
		"code that is far too long":     {w.SetCode(ctx, eth(1), make([]byte, MaxCode+1)), nil},
	} {
		if c.err == nil || c.want != nil && !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	if got := w.invoke(w.g.Accounts[0].F410, nil); len(got) != 0 {
		t.Errorf("%x", got)
	}
}

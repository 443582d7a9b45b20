package stateproof_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/filecoin-project/go-address"
	blocks "github.com/ipfs/go-block-format"

	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/stateproof"
)

// keeper stores its two words of calldata: SSTORE(first, second), for each pair.
//
//	JUMPDEST CALLDATASIZE DUP2 LT ISZERO PUSH1 1a JUMPI … is written out for 40 slots instead: PUSH1 n PUSH1 n SSTORE
func keeper() []byte {
	var code []byte
	for n := byte(1); n <= 40; n++ {
		code = append(code, 0x60, n+100, 0x60, n, 0x55)
	}
	// It runs as creation code, and deploys one STOP.
	return append(code, 0x60, 0x01, 0x5f, 0xf3)
}

func slot(n int64) (h eth.Hash) {
	big.NewInt(n).FillBytes(h[:])
	return h
}

type proven struct {
	net *devtest.Net
	at  eth.Address
}

func begin(t testing.TB) *proven {
	n := devtest.New(t)
	return &proven{n, n.Deploy(t, 0, keeper())}
}

func (p *proven) make(t testing.TB, a address.Address, slots ...eth.Hash) *stateproof.Proof {
	t.Helper()
	b := p.net.Latest()
	x, err := stateproof.Make(t.Context(), b.Store(), b.Root, a, slots)
	if err != nil {
		t.Fatal(err)
	}
	if err := stateproof.Verify(t.Context(), b.Root, x); err != nil {
		t.Fatalf("an honest proof: %v", err)
	}
	return x
}

// What is proven is what the node says by its own reads, through JSON too.
func TestProof(t *testing.T) {
	p := begin(t)
	b := p.net.Latest()
	x := p.make(t, p.at.Filecoin(), slot(1), slot(40), slot(41))
	if !x.Exists || x.Slots[0].Value != slot(101) || x.Slots[1].Value != slot(140) || x.Slots[2].Value != slot(0) || x.Nonce != 1 || x.Balance.Sign() != 0 {
		t.Errorf("%+v", x)
	}
	// Keccak-256 of one zero byte.
	if got := x.CodeHash.String(); got != "0xbc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a" {
		t.Errorf("code's hash %s", got)
	}
	me := p.net.Account(0).F410
	y := p.make(t, me)
	if want := p.net.Balance(t, me); !y.Exists || y.Balance.Cmp(want) != 0 || y.Nonce != 1 || y.CodeHash != (eth.Hash{}) {
		t.Errorf("%+v, balance %s", y, want)
	}
	nobody := eth.Address{19: 77}
	if z := p.make(t, nobody.Filecoin(), slot(1)); z.Exists || z.Slots[0].Value != (eth.Hash{}) {
		t.Errorf("%+v", z)
	}
	text, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	var again stateproof.Proof
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if err := stateproof.Verify(t.Context(), b.Root, &again); err != nil {
		t.Error(err)
	}
	size := 0
	for _, b := range x.Blocks {
		size += len(b.Data)
	}
	t.Logf("%d blocks, %d bytes", len(x.Blocks), size)
}

// Whatever is changed of a proof is found.
func TestTampering(t *testing.T) {
	p := begin(t)
	b := p.net.Latest()
	honest := p.make(t, p.at.Filecoin(), slot(3), slot(99))
	other := p.make(t, p.net.Account(1).F410)
	for name, change := range map[string]func(x *stateproof.Proof){
		"the value of a slot":       func(x *stateproof.Proof) { x.Slots[0].Value[31]++ },
		"an empty slot":             func(x *stateproof.Proof) { x.Slots[1].Value[31] = 1 },
		"the key of a slot":         func(x *stateproof.Proof) { x.Slots[0].Key = slot(4) },
		"the balance":               func(x *stateproof.Proof) { x.Balance = big.NewInt(1) },
		"no balance":                func(x *stateproof.Proof) { x.Balance = nil },
		"the nonce":                 func(x *stateproof.Proof) { x.Nonce++ },
		"the code's hash":           func(x *stateproof.Proof) { x.CodeHash[0]++ },
		"that it exists":            func(x *stateproof.Proof) { x.Exists = false },
		"the actor":                 func(x *stateproof.Proof) { x.ID++ },
		"the address":               func(x *stateproof.Proof) { x.Address = p.net.Account(1).F410 },
		"a block too many":          func(x *stateproof.Proof) { x.Blocks = append(x.Blocks, other.Blocks[len(other.Blocks)-1]) },
		"a block twice":             func(x *stateproof.Proof) { x.Blocks = append(x.Blocks, x.Blocks[0]) },
		"two blocks changed places": func(x *stateproof.Proof) { x.Blocks[0].Data, x.Blocks[1].Data = x.Blocks[1].Data, x.Blocks[0].Data },
		"no blocks":                 func(x *stateproof.Proof) { x.Blocks = nil },
	} {
		x := *honest
		x.Slots, x.Blocks = slices.Clone(honest.Slots), slices.Clone(honest.Blocks)
		change(&x)
		if err := stateproof.Verify(t.Context(), b.Root, &x); !errors.Is(err, stateproof.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range honest.Blocks {
		for _, with := range []string{"left out", "changed", "another with its own hash"} {
			x := *honest
			x.Blocks = slices.Clone(honest.Blocks)
			switch with {
			case "left out":
				x.Blocks = slices.Delete(x.Blocks, i, i+1)
			default:
				data := slices.Clone(x.Blocks[i].Data)
				data[len(data)/2] ^= 1
				x.Blocks[i].Data = data
				if with != "changed" {
					c, err := x.Blocks[i].CID.Prefix().Sum(data)
					if err != nil {
						t.Fatal(err)
					}
					x.Blocks[i].CID = c
				}
			}
			if err := stateproof.Verify(t.Context(), b.Root, &x); !errors.Is(err, stateproof.ErrInvalid) {
				t.Errorf("block %d %s: %v", i, with, err)
			}
		}
	}
	if err := stateproof.Verify(t.Context(), p.net.First().Root, honest); !errors.Is(err, stateproof.ErrInvalid) {
		t.Errorf("another root: %v", err)
	}
	if _, err := stateproof.Make(t.Context(), b.Store(), b.Root, p.at.Filecoin(), make([]eth.Hash, stateproof.MaxSlots+1)); err == nil {
		t.Error("too many slots")
	}
	if _, err := stateproof.Make(t.Context(), b.Store(), blocks.NewBlock(nil).Cid(), p.at.Filecoin(), nil); err == nil {
		t.Error("a root of nothing")
	}
}

func FuzzVerify(f *testing.F) {
	p := begin(f)
	b := p.net.Latest()
	x, err := stateproof.Make(f.Context(), b.Store(), b.Root, p.at.Filecoin(), []eth.Hash{slot(3)})
	if err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(x)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"address":"f01","blocks":[{"cid":"bafy2bzacea","data":"0x00"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var y stateproof.Proof
		if json.Unmarshal(text, &y) != nil {
			return
		}
		if err := stateproof.Verify(t.Context(), b.Root, &y); err == nil && y.Address == x.Address && (y.Balance.Cmp(x.Balance) != 0 || y.Nonce != x.Nonce || y.CodeHash != x.CodeHash || !y.Exists) {
			t.Errorf("a false proof: %s", text)
		}
	})
}

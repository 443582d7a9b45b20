package cheats

import (
	"context"
	"math/big"

	"github.com/filecoin-project/go-address"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/edit"
	"github.com/edgefvm/fvm/node/ethtx"

	fbig "github.com/filecoin-project/go-state-types/big"
)

// tokens are the methods that write what an ERC-20 token keeps.
func (s *server) tokens(t *table) {
	t.add(s.dealERC20, named("address", "token", "balance"), "dealERC20", "anvil_setERC20Balance")
	t.add(s.setAllowance, named("owner", "spender", "token", "amount"), "anvil_setERC20Allowance")
}

func (s *server) dealERC20(ctx context.Context, who, token Address, balance Amount) error {
	owner, err := ethWord(who)
	if err != nil {
		return err
	}
	call := append(selector("balanceOf(address)"), owner[:]...)
	return s.writeToken(ctx, token, call, balance, func(base [32]byte) [][32]byte { return mapped(base, owner) })
}

func (s *server) setAllowance(ctx context.Context, who, spender, token Address, amount Amount) error {
	owner, err := ethWord(who)
	if err != nil {
		return err
	}
	other, err := ethWord(spender)
	if err != nil {
		return err
	}
	call := append(append(selector("allowance(address,address)"), owner[:]...), other[:]...)
	return s.writeToken(ctx, token, call, amount, func(base [32]byte) (all [][32]byte) {
		for _, inner := range mapped(base, owner) {
			all = append(all, mapped(inner, other)...)
		}
		return all
	})
}

// maxSlot is how many slots of a contract are looked at for its maps.
const maxSlot = 256

// bases are the slots that a token's map of balances or allowances may have: low ones, and those that EIP-7201 gives the tokens of
// OpenZeppelin that can be upgraded.
func bases() (all [][32]byte) {
	for i := range int64(maxSlot) {
		var w [32]byte
		big.NewInt(i).FillBytes(w[:])
		all = append(all, w)
	}
	openZeppelin := [32]byte{
		0x52, 0xc6, 0x32, 0x47, 0xe1, 0xf4, 0x7d, 0xb1, 0x9d, 0x5c, 0xe0, 0x46, 0x00, 0x30, 0xc4, 0x97,
		0xf0, 0x67, 0xca, 0x4c, 0xeb, 0xf7, 0x1b, 0xa9, 0x8e, 0xea, 0xda, 0xbe, 0x20, 0xba, 0xce, 0x00,
	}
	next := openZeppelin
	next[31]++
	return append(all, openZeppelin, next)
}

// mapped are the places of a key in a map: as Solidity has them, and as Vyper.
func mapped(base, key [32]byte) [][32]byte {
	return [][32]byte{ethtx.Keccak256(key[:], base[:]), ethtx.Keccak256(base[:], key[:])}
}

// writeToken looks for the slot that decides what a call gives, by trying, and writes it.
func (s *server) writeToken(ctx context.Context, token Address, call []byte, value Amount, places func([32]byte) [][32]byte) error {
	var want [32]byte
	value.FillBytes(want[:])
	probe := [32]byte{0: 0, 16: 0x5a, 17: 0xa5, 31: 0x77} // what no token has by chance, and no larger than tokens of 128 bits take
	slots := make([][32]byte, 0, 2*maxSlot)
	for _, base := range bases() {
		slots = append(slots, places(base)...)
	}
	slot, ok, err := s.search(ctx, token.Address, call, probe, slots)
	if err != nil {
		return err
	}
	if !ok {
		return invalid("no slot of %s decides what it answers: is it an ERC-20 token that keeps plain numbers?", addr.String(token.Address))
	}
	return s.edit(ctx, func(e *edit.Editor) error { return e.SetStorage(ctx, token.Address, slot, want) })
}

// search halves the slots of which one decides what a call gives.
func (s *server) search(ctx context.Context, token address.Address, call []byte, probe [32]byte, slots [][32]byte) (found [32]byte, ok bool, err error) {
	for len(slots) > 0 {
		half := slots[:(len(slots)+1)/2]
		hit, err := s.asked(ctx, token, call, probe, slots)
		if err != nil || !hit {
			return found, false, err
		}
		if len(slots) == 1 {
			return slots[0], true, nil
		}
		if hit, err = s.asked(ctx, token, call, probe, half); err != nil {
			return found, false, err
		}
		if hit {
			slots = half
		} else {
			slots = slots[len(half):]
		}
	}
	return found, false, nil
}

// asked tells whether a call gives a value once slots have it.
func (s *server) asked(ctx context.Context, token address.Address, call []byte, value [32]byte, slots [][32]byte) (bool, error) {
	res, err := s.n.Call(ctx, s.n.Latest(), &fvm.Message{
		From: addr.FromEthereum([addr.EthLen]byte{}), To: token, Method: 3844450837, Params: cbor.AppendBytes(nil, call),
		Value: fbig.Zero(), GasLimit: chain.BlockGasLimit, GasFeeCap: fbig.Zero(), GasPremium: fbig.Zero(),
	}, dev.CallOptions{Edit: func(ctx context.Context, b *blockstore.Buffered, root cid.Cid) (cid.Cid, error) {
		e, err := edit.Open(ctx, b, root)
		if err != nil {
			return cid.Undef, err
		}
		if _, _, err := e.Actor(ctx, token); err != nil {
			return cid.Undef, err
		}
		for _, slot := range slots {
			if err := e.SetStorage(ctx, token, slot, value); err != nil {
				return cid.Undef, err
			}
		}
		return e.Flush(ctx)
	}})
	if err != nil {
		return false, wrong(err)
	}
	r := cbor.NewReader(res.Return)
	got := r.Bytes()
	return res.ExitCode == 0 && r.End() == nil && string(got) == string(value[:]), nil
}

func selector(signature string) []byte {
	sum := ethtx.Keccak256([]byte(signature))
	return sum[:4]
}

// ethWord is an address as a word of calldata.
func ethWord(a Address) (w [32]byte, err error) {
	b, ok := addr.EthereumBytes(a.Address)
	if !ok {
		return w, invalid("%s is no address of Ethereum", addr.String(a.Address))
	}
	copy(w[len(w)-len(b):], b[:])
	return w, nil
}

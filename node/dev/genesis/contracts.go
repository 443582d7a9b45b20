package genesis

import (
	"context"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

//go:embed contracts/multicall3.hex
var multicall3 string

// create2 is what runs at the deployer's address on all chains: it takes a salt of 32 bytes and init code, makes a contract by
// CREATE2, and gives its address in 20 bytes.
const create2 = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"

// contracts deploys those that tools expect at their addresses. The Ethereum address manager's own message to the init actor does
// it, so that the address need not be that of a CREATE.
func (w *world) contracts(ctx context.Context, _ *Options) error {
	for _, c := range []struct {
		to                *Contract
		at, creator, code string
	}{
		{&w.Create2, "4e59b44847b379578588920ca78fbf26c0b4956c", "3fab184622dc19b6109349b94811493bf45362ae", create2},
		{&w.Multicall3, "ca11bde05977b3631167028862be2a173976ca11", "05f32b3cc3888453ff71b01135b34ff8e41263f2", multicall3},
	} {
		at, err := hex.DecodeString(c.at)
		if err != nil {
			return err
		}
		creator, err := hex.DecodeString(c.creator)
		if err != nil {
			return err
		}
		code, err := hex.DecodeString(strings.TrimSpace(c.code))
		if err != nil {
			return err
		}
		if c.to.ID, err = w.deploy(ctx, at, creator, code); err != nil {
			return fmt.Errorf("0x%s: %w", c.at, err)
		}
		c.to.Eth = [20]byte(at)
	}
	return nil
}

// deploy makes an EVM actor by Exec4 of the init actor.
func (w *world) deploy(ctx context.Context, at, creator, code []byte) (abi.ActorID, error) {
	evm, err := w.code("evm")
	if err != nil {
		return 0, err
	}
	constructor := cbor.AppendBytes(cbor.AppendBytes(cbor.AppendArray(nil, 2), creator), initCode(code))
	params := cbor.AppendCID(cbor.AppendArray(nil, 3), evm)
	params = cbor.AppendBytes(cbor.AppendBytes(params, constructor), at)
	returns, err := w.run(ctx, call{from: idAddress(eamID), to: idAddress(initID), method: 3, params: params})
	if err != nil {
		return 0, err
	}
	return idOf(returns[0])
}

// initCode returns the code that stands after it.
func initCode(code []byte) []byte {
	n := len(code)
	// PUSH2 n, DUP1, PUSH1 12, PUSH1 0, CODECOPY, PUSH1 0, RETURN
	return append([]byte{0x61, byte(n >> 8), byte(n), 0x80, 0x60, 12, 0x60, 0, 0x39, 0x60, 0, 0xf3}, code...)
}

// idOf reads the first of the addresses that are returned when an actor is made.
func idOf(data []byte) (abi.ActorID, error) {
	r := cbor.NewReader(data)
	r.Tuple(2)
	raw := r.Bytes()
	r.Bytes()
	if err := r.End(); err != nil {
		return 0, err
	}
	a, err := addr.ParseAddress(raw)
	if err != nil {
		return 0, err
	}
	id, ok := addr.ID(a)
	if !ok {
		return 0, fmt.Errorf("the new actor's address %s is no ID", a)
	}
	return abi.ActorID(id), nil
}

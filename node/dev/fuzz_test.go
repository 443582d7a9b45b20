package dev_test

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/devtest"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethtx"
)

// FuzzSubmit takes whatever is sent: raw transactions, messages with any signature, and messages of anybody whom nobody signs for. Each
// is refused with an error or executed; the node goes on either way, and what it executed replays by its own trace.
func FuzzSubmit(f *testing.F) {
	n := devtest.New(f)
	at := n.Deploy(f, 0, devtest.Token())
	to := eth.Address(n.Account(1).Eth)
	for _, call := range []eth.Call{{To: &to, Value: eth.NewAmount(3)}, {To: &at, Input: devtest.Transfer(to, 1)}, {Input: devtest.World()}} {
		tx := n.Transaction(f, 0, call)
		f.Add(tx.Encode(), byte(0), []byte{})
		nat, err := tx.Native()
		if err != nil {
			f.Fatal(err)
		}
		var raw bytes.Buffer
		msg := message(f, call)
		msg.From, msg.Nonce, msg.GasFeeCap.Int, msg.GasLimit = nat.From, nat.Nonce, big.NewInt(200), 50_000_000
		if err := msg.MarshalCBOR(&raw); err != nil {
			f.Fatal(err)
		}
		f.Add(raw.Bytes(), byte(crypto.SigTypeDelegated), nat.Signature)
		f.Add(raw.Bytes(), byte(9), []byte{})
	}
	// The example of EIP-155, of another chain.
	old, err := hex.DecodeString("f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(old, byte(0), []byte{})
	base, err := n.Snapshot(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, kind byte, sig []byte) {
		defer func() {
			if ok, err := n.Revert(t.Context(), base); err != nil || !ok {
				t.Fatal(ok, err)
			}
			if base, err = n.Snapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
		}()
		sent, err := submitAny(t, n, data, kind, sig)
		if err != nil {
			return
		}
		b, i, ok := n.Node.Transaction(sent.Hash)
		if !ok {
			if _, waits := n.PoolMessage(sent.Hash); !waits {
				t.Fatal("it was taken, and is nowhere")
			}
			return
		}
		if _, err := n.Trace(t.Context(), b, i); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Render(t.Context(), b, eth.Tools); err != nil {
			t.Fatal(err)
		}
	})
}

func submitAny(t *testing.T, n *devtest.Net, data []byte, kind byte, sig []byte) (dev.Sent, error) {
	if kind == 0 {
		tx, err := ethtx.Decode(data)
		if err != nil {
			return dev.Sent{}, err
		}
		return n.SubmitTransaction(t.Context(), tx)
	}
	msg, err := fvm.DecodeMessage(data)
	if err != nil {
		return dev.Sent{}, err
	}
	if kind == 9 {
		return n.SubmitUnsigned(t.Context(), msg)
	}
	return n.Submit(t.Context(), msg, &crypto.Signature{Type: crypto.SigType(kind), Data: sig})
}

package fuzz

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/fuzz/internal/script"
	"github.com/edgefvm/fvm/lab/oracle"
)

// envelopeCase is a case of messages that are mostly refused before an actor runs, or barely.
func envelopeCase(_ context.Context, g *gen) (*Case, error) {
	r := g.setting()
	nonces := map[string]uint64{}
	for range 2 + g.IntN(11) {
		r.Messages = append(r.Messages, g.envelope(nonces))
	}
	return g.messages(r, "random envelopes"), nil
}

// messages is a case of which the messages are the parts.
func (g *gen) messages(r *oracle.Request, note string) *Case {
	return &Case{Case: g.duel(r), Note: note, parts: len(r.Messages), without: func(_ context.Context, keep []bool) (*duel.Case, error) {
		few := *r
		few.Messages = nil
		for i, m := range r.Messages {
			if keep[i] {
				few.Messages = append(few.Messages, m)
			}
		}
		return g.duel(&few), nil
	}}
}

func (g *gen) envelope(nonces map[string]uint64) oracle.Message {
	from := g.sender()
	m := script.Message{From: from.addr, To: g.receiver(), Nonce: from.nonce + nonces[string(from.addr)]}
	valid := true
	switch g.IntN(12) {
	case 0:
		m.Nonce += pick[uint64](g.Rand, 1, 2, math.MaxUint64)
		valid = false
	case 1:
		m.Nonce = pick(g.Rand, 0, g.Uint64()>>g.IntN(64))
		valid = false
	}
	m.Value = g.amount()
	m.GasLimit = g.gasLimit()
	// No node lets a message with negative fees in.
	m.FeeCap, m.Premium = new(big.Int).Abs(g.amount()), new(big.Int).Abs(g.amount())
	if g.IntN(3) > 0 {
		m.FeeCap, m.Premium = big.NewInt(int64(g.IntN(2000))), big.NewInt(int64(g.IntN(300)))
	}
	switch g.IntN(6) {
	case 0:
		m.Method = g.Uint64() >> g.IntN(64)
	case 1:
		m.Method = uint64(g.IntN(30))
	}
	if g.one(3) {
		m.Params = g.bytes(g.IntN(1 << g.IntN(12)))
	}
	msg := oracle.Message{Bytes: m.Marshal(), Implicit: g.one(10)}
	switch {
	case g.one(8):
		n := g.IntN(1 << g.IntN(17))
		msg.ChainLen = &n
	case g.one(60):
		// A flipped sign must not make a negative fee.
		if b := flipped(g, msg.Bytes); !negativeFees(b) {
			msg.Bytes = b
		}
	}
	if valid {
		nonces[string(from.addr)]++
	}
	return msg
}

func negativeFees(message []byte) bool {
	m, err := fvm.DecodeMessage(message)
	return err == nil && (m.GasFeeCap.Sign() < 0 || m.GasPremium.Sign() < 0)
}

type sender struct {
	addr  []byte
	nonce uint64
}

// sender is mostly an account that can pay.
func (g *gen) sender() sender {
	if g.one(8) {
		id := pick[uint64](g.Rand, 0, 1, 2, 4, 10, 90, 99, g.Pool[0], g.Poor, 5000, math.MaxInt64, g.Uint64()>>g.IntN(64))
		return sender{addr: idBytes(id)}
	}
	if g.one(20) {
		return sender{addr: g.unknown()}
	}
	a := &g.Accounts[g.IntN(len(g.Accounts))]
	s := sender{addr: a.address().Bytes(), nonce: a.Nonce}
	if g.one(4) {
		s.addr = idBytes(uint64(a.ID))
	}
	return s
}

// unknown is an address that no actor has yet.
func (g *gen) unknown() []byte {
	switch g.IntN(6) {
	case 0:
		return append([]byte{1}, g.bytes(20)...)
	case 1:
		return append([]byte{2}, g.bytes(20)...)
	case 2:
		return append([]byte{3}, g.bytes(48)...)
	case 3:
		return append([]byte{4, 10}, g.bytes(20)...)
	case 4:
		return append(binary.AppendUvarint([]byte{4}, pick[uint64](g.Rand, 0, 1, 9, 10, 32, g.Uint64()>>g.IntN(64))), g.bytes(g.IntN(55))...)
	}
	return append([]byte{4, 10, 0xff}, append(make([]byte, 11), g.bytes(8)...)...) // a masked ID
}

func (g *gen) receiver() []byte {
	switch g.IntN(8) {
	case 0, 1:
		return g.unknown()
	case 2:
		return idBytes(uint64(g.IntN(12)))
	case 3:
		return idBytes(pick(g.Rand, g.Pool...))
	case 4:
		return idBytes(pick[uint64](g.Rand, 90, 99, g.Poor, 3000, 1<<40, math.MaxInt64, math.MaxUint64, g.Uint64()>>g.IntN(64)))
	}
	a := &g.Accounts[g.IntN(len(g.Accounts))]
	if g.one(2) {
		return idBytes(uint64(a.ID))
	}
	return a.address().Bytes()
}

func idBytes(id uint64) []byte { return binary.AppendUvarint([]byte{0}, id) }

// amount is of attoFIL, at the edges of what accounts have.
func (g *gen) amount() *big.Int {
	switch g.IntN(14) {
	case 0:
		return fil(10_000_000)
	case 1:
		return new(big.Int).Sub(fil(10_000_000), big.NewInt(int64(g.IntN(1e9))))
	case 2:
		return fil(5_000_000)
	case 3:
		return new(big.Int).SetBytes(g.bytes(g.IntN(20)))
	case 4:
		return big.NewInt(1000)
	case 5:
		if g.one(4) {
			return new(big.Int).Neg(big.NewInt(int64(g.IntN(100))))
		}
		return big.NewInt(1)
	case 6, 7, 8:
		return big.NewInt(g.Int64() >> g.IntN(63))
	}
	return new(big.Int)
}

func (g *gen) gasLimit() int64 {
	switch g.IntN(10) {
	case 0:
		return int64(g.IntN(1000))
	case 1, 2:
		return int64(g.IntN(3_000_000)) // about what inclusion takes
	case 3, 4:
		return int64(g.IntN(10_000_000))
	case 5:
		return pick[int64](g.Rand, 10_000_000_000, 10_000_000_001, math.MaxInt64, math.MaxInt64/1000, math.MaxInt64/1000+1, -1, 0, 1)
	}
	return 20_000_000 + int64(g.IntN(300_000_000))
}

// flipped is a message with one bit changed, if nodes read and write it still: decoding is theirs, not the machine's.
func flipped(g *gen, b []byte) []byte {
	c := bytes.Clone(b)
	c[g.IntN(min(len(c), 60))] ^= byte(1 << g.IntN(8))
	msg, err := fvm.DecodeMessage(c)
	if err != nil {
		return b
	}
	var again bytes.Buffer
	if err := msg.MarshalCBOR(&again); err != nil || !bytes.Equal(again.Bytes(), c) {
		return b
	}
	return c
}

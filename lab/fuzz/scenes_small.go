package fuzz

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm"
)

var smallScenes = []scene{
	{name: "constructors", play: playConstructors},
	{name: "accounts", play: playAccounts},
	{name: "multisig", play: playMultisig},
	{name: "paymentchannel", play: playPaych},
	{name: "epochs", play: playEpochs},
}

// secpKey is the private key of the world's n-th secp256k1 account, which its maker derived from the number.
func secpKey(n uint64) *secp256k1.PrivateKey {
	b := binary.BigEndian.AppendUint64([]byte("secp account"), 1)
	key := sha256.Sum256(binary.BigEndian.AppendUint64(b, n))
	return secp256k1.PrivKeyFromBytes(key[:])
}

// sign is the signature of the world's n-th secp256k1 account: r, s, and the recovery id.
func sign(n uint64, msg []byte) []byte {
	sum := blake2b.Sum256(msg)
	c := ecdsa.SignCompact(secpKey(n), sum[:], false)
	return append(c[1:], c[0]-27)
}

// typed is a signature with its kind before it.
func typed(sig []byte) []byte { return append([]byte{1}, sig...) }

// made is the ID of the actor that a step created: the first thing that it returned.
func (s *stage) made(r *fvm.Result) uint64 {
	it := s.at(s.ret(r), 0)
	if it.major == 0 { // the EAM gives numbers
		return it.value
	}
	if len(it.data) < 2 {
		s.fail("no new actor's address")
	}
	id, _ := binary.Uvarint(it.data[1:])
	return id
}

func (s *stage) code(name string) *item {
	c, ok := s.manifest.ByName(name)
	if !ok {
		s.fail("no actor %q", name)
	}
	return linkItem(c.Bytes())
}

// playConstructors makes actors by their constructors, as genesis does: by the system, on actors that have no state.
func playConstructors(s *stage) {
	pow := new(big.Int).Lsh(big.NewInt(4), 60)
	system := func(to uint64, params *item) { s.as(systemID, to, 1, params, nil) }
	system(s.bare(2000, "account"), bytesItem(append([]byte{1}, filler(20)...)))
	system(s.bare(2001, "cron"), p(tuple{tuple{idOf(powerID), 5}, tuple{idOf(marketID), 9}}))
	system(s.bare(2002, "init"), p("edge"))
	system(s.bare(2003, "reward"), amountItem(pow))
	system(s.bare(2004, "storagemarket"), nil)
	system(s.bare(2005, "storagepower"), nil)
	system(s.bare(2006, "system"), nil)
	system(s.bare(2007, "verifiedregistry"), bytesItem(idBytes(uint64(s.of("root")[0].ID))))
	if s.NV >= 17 {
		system(s.bare(2008, "datacap"), bytesItem(idBytes(verifregID)))
	}
	if s.NV >= 18 {
		system(eamID, nil)
		system(uint64(s.of("eth")[0].ID), nil)
	}
}

func playAccounts(s *stage) {
	a, b := s.of("secp")[0], s.of("secp")[1]
	msg := []byte("a message of some length, which an account signs")
	s.by(a, uint64(b.ID), 2, nil, nil)
	s.by(b, uint64(a.ID), frc("AuthenticateMessage"), p(sign(0, msg), msg), nil)
	s.by(b, uint64(a.ID), frc("AuthenticateMessage"), p(sign(1, msg), msg), nil)
}

func playMultisig(s *stage) {
	a, b, c, d := s.of("secp")[0], s.of("secp")[1], s.of("secp")[2], s.of("secp")[3]
	for _, exported := range []bool{false, true} {
		number := func(plain uint64, name string) uint64 {
			if exported {
				return frc(name)
			}
			return plain
		}
		ctor := encoded(tuple{tuple{a, b}, 2, 0, 0})
		ms := s.made(s.by(a, initID, 2, p(s.code("multisig"), ctor), fil(100)))
		propose := func(value int64) {
			s.by(a, ms, number(2, "Propose"), p(c, big.NewInt(value), 0, []byte{}), nil)
		}
		propose(5)
		s.by(b, ms, number(3, "Approve"), p(0, []byte{}), nil)
		propose(7)
		s.by(a, ms, number(4, "Cancel"), p(1, []byte{}), nil)
		s.as(ms, ms, number(5, "AddSigner"), p(c, false), nil)
		s.as(ms, ms, number(7, "SwapSigner"), p(c, d), nil)
		s.as(ms, ms, number(6, "RemoveSigner"), p(d, false), nil)
		s.as(ms, ms, number(8, "ChangeNumApprovalsThreshold"), p(1), nil)
		s.as(ms, ms, number(9, "LockBalance"), p(s.epoch, 1000, fil(10)), nil)
		propose(9)
		s.by(d, ms, frc("Receive"), p(1, []byte("payload")), nil)
	}
}

func playPaych(s *stage) {
	a, b := s.of("secp")[0], s.of("secp")[1]
	ch := s.made(s.by(a, initID, 2, p(s.code("paymentchannel"), encoded(tuple{a, b})), fil(50)))
	voucher := func(lane, nonce uint64, amount *big.Int) tuple {
		v := tuple{idOf(ch), 0, 0, []byte{}, nil, lane, nonce, amount, 0, tuple{}}
		sig := typed(sign(0, encoded(append(v[:len(v):len(v)], nil))))
		return append(v, sig)
	}
	s.by(b, ch, 2, p(voucher(1, 1, fil(1)), []byte{}), nil)
	s.by(b, ch, 2, p(voucher(1, 2, fil(2)), []byte{}), nil)
	s.by(b, ch, 3, nil, nil)
	s.epoch += 1500
	s.by(b, ch, 4, nil, nil)
}

// playEpochs runs what the singletons do at the end of epochs.
func playEpochs(s *stage) {
	a := s.of("secp")[0]
	s.by(a, rewardID, 3, nil, nil)
	s.as(powerID, rewardID, 4, amountItem(new(big.Int).Lsh(big.NewInt(4), 60)), nil)
	for range 3 {
		s.as(systemID, cronID, 2, nil, nil)
		s.epoch++
	}
	s.as(cronID, powerID, 5, nil, nil)
	s.as(cronID, marketID, 9, nil, nil)
}

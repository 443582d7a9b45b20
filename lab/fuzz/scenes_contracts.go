package fuzz

import "encoding/binary"

var contractScenes = []scene{{name: "contracts", first: 18, play: playContracts}}

// diesOnData is a contract that does nothing when it is called without data, and destroys itself otherwise.
var diesOnData = []byte{0x36, 0x15, 0x60, 7, 0x57, 0x33, 0xff, 0x5b, 0x00}

// delegates is a contract that runs the code of another, whose address it is given, as its own. It is how a contract's method 6 is called: the
// method wants params with links, which those of a message are not.
var delegates = []byte{0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x35, 0x5a, 0xf4, 0x00}

func playContracts(s *stage) {
	a, eth := s.of("secp")[0], s.of("eth")[0]
	code := initCode(diesOnData)
	var salt [32]byte
	factory := s.made(s.by(eth, eamID, 4, bytesItem(code), nil))
	create2 := func() uint64 { return s.made(s.as(factory, eamID, 3, p(code, salt[:]), nil)) }
	contract := create2()
	s.as(factory, eamID, 2, p(code, 1), nil)
	s.by(a, contract, invokeEVM, bytesItem(nil), nil)
	s.by(a, contract, 4, nil, nil)
	s.by(a, contract, 3, nil, nil)
	s.as(systemID, contract, 5, p([]byte{}), nil)
	s.as(systemID, contract, 5, p(make([]byte, 32)), nil)
	delegate := s.made(s.by(eth, eamID, 4, bytesItem(initCode(delegates)), nil))
	var to [32]byte
	to[12] = 0xff
	binary.BigEndian.PutUint64(to[24:], contract)
	s.by(a, delegate, invokeEVM, bytesItem(to[:]), nil)
	s.by(a, contract, invokeEVM, bytesItem([]byte{1}), nil)
	s.epoch++
	create2() // it is resurrected
}

package validate

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	fnetwork "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	vmcrypto "github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/chain/amt"
	"github.com/edgefvm/fvm/node/chain/tree"
)

// maxMessages of a block.
const maxMessages = 10_000

// messages judges a block's messages.
func (j *judge) messages(ctx context.Context, m *chain.BlockMessages, unread error) {
	if unread != nil {
		if errors.Is(unread, chain.ErrMalformed) || errors.Is(unread, chain.ErrHash) || errors.Is(unread, amt.ErrMalformed) {
			unread = brokenf("%v", unread)
		}
		j.say(Messages, unread)
		return
	}
	c := &contents{judge: j, nonces: map[abi.ActorID]uint64{}}
	j.say(Aggregate, c.aggregate(ctx, m.BLS))
	j.say(Messages, c.all(ctx, m))
	j.say(MessageRoot, c.root(m))
}

// contents is a block's messages while they are judged.
type contents struct {
	*judge
	nonces map[abi.ActorID]uint64 // the next of each sender
	gas    int64                  // limits so far
}

// state is what the messages are looked at in: that after the parents.
func (c *contents) state(ctx context.Context) (*tree.Tree, error) {
	root := c.h.ParentStateRoot
	if r := c.rules.Result; r != nil {
		root = r.State
	}
	return c.at(ctx, root)
}

// key is the address by which a sender signs, found before the parents, and if it is not there after them.
func (c *contents) key(ctx context.Context, from address.Address) (address.Address, error) {
	switch from.Protocol() {
	case address.BLS, address.SECP256K1, address.Delegated:
		return from, nil
	case address.Actor:
		return address.Undef, brokenf("%s is no address of a key", addr.String(from))
	}
	before, err := c.at(ctx, c.parent.ParentStateRoot())
	if err == nil {
		var key address.Address
		if key, err = before.Key(ctx, from); err == nil {
			return key, nil
		}
	}
	if !answers(err) {
		return address.Undef, err
	}
	after, err := c.state(ctx)
	if err != nil {
		return address.Undef, err
	}
	return after.Key(ctx, from)
}

// aggregate tells whether the block's aggregate signs the messages without signatures. Of no messages it may be anything.
func (c *contents) aggregate(ctx context.Context, list []chain.Message) error {
	if len(list) == 0 {
		return nil
	}
	var keys [][vmcrypto.BLSKeyLen]byte
	var signed [][]byte
	for i, m := range list {
		key, err := c.key(ctx, m.Message.From)
		if err != nil {
			return fmt.Errorf("message %d, %s: its sender's key: %w", i, m.CID, err)
		}
		if key.Protocol() != address.BLS {
			return brokenf("message %d, %s: its sender %s has no BLS key", i, m.CID, addr.String(m.Message.From))
		}
		keys, signed = append(keys, [vmcrypto.BLSKeyLen]byte(key.Payload())), append(signed, m.CID.Bytes())
	}
	sig := c.h.BLSAggregate.Data // Quirk: of whatever type, and what follows its 96 bytes is not looked at
	if len(sig) < vmcrypto.BLSSignatureLen {
		return brokenf("it has %d bytes", len(sig))
	}
	ok, err := vmcrypto.VerifyBLSAggregateWhile(ctx, [vmcrypto.BLSSignatureLen]byte(sig[:vmcrypto.BLSSignatureLen]), keys, signed)
	if err == nil && !ok {
		err = brokenf("it is not the sum of the signatures of the %d messages by their senders", len(list))
	}
	return err
}

// all judges message by message, in their order, until one is not good: what comes after depends on it.
func (c *contents) all(ctx context.Context, m *chain.BlockMessages) error {
	if n := len(m.BLS) + len(m.Secp); n > maxMessages {
		return brokenf("%d messages, and a block has %d at most", n, maxMessages)
	}
	for i := range m.BLS {
		if err := c.one(ctx, &m.BLS[i]); err != nil {
			return fmt.Errorf("message %d, %s: %w", i, m.BLS[i].CID, err)
		}
	}
	for i := range m.Secp {
		err := c.kind(&m.Secp[i])
		if err == nil {
			err = c.one(ctx, &m.Secp[i])
		}
		if err == nil {
			err = c.signedBySender(ctx, &m.Secp[i])
		}
		if err != nil {
			return fmt.Errorf("signed message %d, %s: %w", i, m.Secp[i].CID, err)
		}
	}
	return nil
}

// kind tells whether a signature is of a kind that the network version has.
func (c *contents) kind(m *chain.Message) error {
	switch t := m.Signature.Type; {
	case t == crypto.SigTypeSecp256k1:
		return nil
	case t == crypto.SigTypeDelegated && c.version >= fnetwork.Version18:
		tx, err := c.transaction(m)
		if err == nil && c.version < fnetwork.Version23 && !tx.Dynamic {
			err = brokenf("it is a legacy transaction of Ethereum, which blocks have from network version 23 on") // FIP-0091
		}
		return err
	default:
		return brokenf("a signature of type %d", t)
	}
}

// one judges a message by its fields, its gas and its sender.
func (c *contents) one(ctx context.Context, m *chain.Message) error {
	if err := c.fields(m); err != nil {
		return err
	}
	c.gas += m.Message.GasLimit
	if c.gas > chain.BlockGasLimit {
		return brokenf("with it the block's messages ask for %d gas, more than %d", c.gas, int64(chain.BlockGasLimit))
	}
	st, err := c.state(ctx)
	if err != nil {
		return err
	}
	from := m.Message.From
	sender, err := st.ID(ctx, from)
	if err != nil {
		return fmt.Errorf("its sender: %w", err)
	}
	next, known := c.nonces[sender]
	if !known {
		act, err := st.Actor(ctx, sender)
		if err != nil {
			return fmt.Errorf("its sender: %w", err)
		}
		ok, err := c.maySend(ctx, st, act)
		if err != nil {
			return err
		}
		if !ok {
			return brokenf("its sender %s is no account", addr.String(from))
		}
		next = act.Nonce
	}
	if next != m.Message.Nonce {
		return brokenf("its nonce is %d, and %s's next is %d", m.Message.Nonce, addr.String(from), next)
	}
	c.nonces[sender] = next + 1
	return nil
}

// maySend tells whether an actor may send messages: accounts, and from version 18 on those of Ethereum's addresses (FIP-0055).
func (c *contents) maySend(ctx context.Context, st *tree.Tree, act *tree.Actor) (bool, error) {
	name, err := st.Name(ctx, act.Code)
	switch {
	case err != nil:
		return false, err
	case name == "account":
		return true, nil
	case c.version < fnetwork.Version18:
		return false, nil
	case name == "ethaccount":
		return true, nil
	case name != "placeholder" || act.Nonce != 0 || act.Delegated == nil:
		return false, nil
	}
	namespace, _, ok := addr.Delegated(*act.Delegated)
	return ok && namespace == addr.EthNamespace, nil
}

// zeroKey is the BLS key that is the point at infinity. Nobody may send to its address.
var zeroKey = append([]byte{0xc0}, make([]byte, vmcrypto.BLSKeyLen-1)...)

// allFIL there can ever be, in attoFIL.
var allFIL = big.Mul(big.NewInt(2_000_000_000), big.NewInt(1_000_000_000_000_000_000))

// fields judges a message by itself (Filecoin specification, "Message Syntactic Validation").
func (c *contents) fields(m *chain.Message) error {
	msg := m.Message
	supported := func(a address.Address) bool {
		return a.Protocol() != address.Delegated || c.version >= fnetwork.Version18
	}
	least := c.leastGas(m.Length)
	switch {
	case msg.Version != 0:
		return brokenf("its version is %d", msg.Version)
	case msg.To == address.Undef:
		return brokenf("it has no receiver")
	case msg.To.Protocol() == address.BLS && bytes.Equal(msg.To.Payload(), zeroKey):
		return brokenf("its receiver is the address of no key")
	case msg.From == address.Undef:
		return brokenf("it has no sender")
	case !supported(msg.To) || !supported(msg.From):
		return brokenf("it has a delegated address, which there are from network version 18 on")
	case msg.Value.Sign() < 0 || msg.Value.GreaterThan(allFIL):
		return brokenf("its value is %s attoFIL", msg.Value)
	case msg.GasFeeCap.Sign() < 0:
		return brokenf("its fee cap is %s attoFIL", msg.GasFeeCap)
	case msg.GasPremium.Sign() < 0:
		return brokenf("its premium is %s attoFIL", msg.GasPremium)
	case msg.GasPremium.GreaterThan(msg.GasFeeCap):
		return brokenf("its premium %s is above its fee cap %s", msg.GasPremium, msg.GasFeeCap)
	case msg.GasLimit > chain.BlockGasLimit:
		return brokenf("its gas limit is %d, above the block's %d", msg.GasLimit, int64(chain.BlockGasLimit))
	case msg.GasLimit <= 0:
		return brokenf("its gas limit is %d", msg.GasLimit)
	case msg.GasLimit < least:
		return brokenf("its gas limit is %d, and to be stored it needs %d", msg.GasLimit, least)
	}
	return nil
}

// mainnetHygge is that upgrade's height on mainnet.
const mainnetHygge = 2683348

// leastGas is what a message's gas limit must be at least, by its length on the chain.
//
// Quirk: it is what Lotus's own price lists say, which are chosen by heights of the build, and by none that is negative. It is not what the
// machine charges: a message between the two is valid, and fails.
func (c *contents) leastGas(length int) int64 {
	const compute, hygge, storage, before, since = 38863, 475000, 36, 1000, 1300
	k := &c.rules.Network.Constants
	calico, eth := k.Calico, abi.ChainEpoch(-1)
	if k.OfMainnet() {
		eth = mainnetHygge
	} else if first, _, ok := c.rules.Network.Epochs(fnetwork.Version18); ok && calico > 0 {
		eth = first - 1
	}
	switch {
	case eth > 0 && c.epoch >= eth:
		return compute + hygge + int64(storage+length)*since
	case calico > 0 && c.epoch >= calico:
		return compute + int64(storage+length)*since
	}
	return compute + int64(storage+length)*before
}

// root tells whether the header's list of messages is these, in the one form that has its hash.
func (c *contents) root(m *chain.BlockMessages) error {
	list := func(messages []chain.Message) (cid.Cid, error) {
		items := make([][]byte, len(messages))
		for i, m := range messages {
			items[i] = cbor.AppendCID(nil, m.CID)
		}
		return amt.Build(items, func(cid.Cid, []byte) error { return nil })
	}
	bls, err := list(m.BLS)
	if err != nil {
		return brokenf("%v", err)
	}
	secp, err := list(m.Secp)
	if err != nil {
		return brokenf("%v", err)
	}
	var data bytes.Buffer
	if err := (&chain.MsgMeta{BLS: bls, Secp: secp}).MarshalCBOR(&data); err != nil {
		return brokenf("%v", err)
	}
	want, err := abi.CidBuilder.Sum(data.Bytes())
	if err != nil {
		return err
	}
	return differ("that of the messages is", want.String(), c.h.Messages.String())
}

// unsigned is the CID of a message without its signature, which is what is signed.
func unsigned(m *fvm.Message) ([]byte, error) {
	var data bytes.Buffer
	if err := m.MarshalCBOR(&data); err != nil {
		return nil, err
	}
	c, err := abi.CidBuilder.Sum(data.Bytes())
	if err != nil {
		return nil, err
	}
	return c.Bytes(), nil
}

package kernel_test

import (
	"encoding/binary"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	stcrypto "github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/crypto"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
	"github.com/edgefvm/fvm/internal/vm/kernel"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/state"
)

// What the kernel did differently on network versions 16 and 17.

// account makes actor id an account with a key address, or with whatever state.
func (w *world) account(id abi.ActorID, head []byte) {
	w.t.Helper()
	st := state.ActorState{Code: code("account"), Head: w.store(0x71, head), Balance: big.Zero()}
	if err := w.m.Tree.SetActor(id, st); err != nil {
		w.t.Fatal(err)
	}
}

func accountState(a address.Address) []byte {
	return cbor.AppendBytes(cbor.AppendArray(nil, 1), a.Bytes())
}

// signer is a key address and its signature of text.
func signer(t *testing.T, text string) (address.Address, []byte) {
	t.Helper()
	key := secp256k1.PrivKeyFromBytes([]byte("a key that nobody has, 32 bytes."))
	a, err := address.NewSecp256k1Address(key.PubKey().SerializeUncompressed())
	if err != nil {
		t.Fatal(err)
	}
	hash := crypto.Blake2b256([]byte(text))
	sig := ecdsa.SignCompact(key, hash[:], false)
	return a, append(sig[1:], sig[0]-27)
}

// A signer can be named by any address of an account; what reads its key is paid for, by the base of a block that is opened
// and by its bytes.
func TestSignatureByOtherAddress(t *testing.T) {
	const open, perByte = 135_617, 10_500
	key, sig := signer(t, "text")
	head := accountState(key)
	verify := func(w *world, typ stcrypto.SigType, a address.Address) (bool, error) {
		return w.VerifySignature(t.Context(), typ, sig, a, []byte("text"))
	}
	w := newWorld(t, 17, plenty)
	if ok, err := verify(w, stcrypto.SigTypeSecp256k1, key); !ok || err != nil || w.paid["OnBlockOpenBase"] != 0 {
		t.Errorf("by its key: %v, %v, paid %v", ok, err, w.paid)
	}
	w = newWorld(t, 17, plenty)
	w.account(other, head)
	if ok, err := verify(w, stcrypto.SigTypeSecp256k1, addr.NewID(other)); !ok || err != nil {
		t.Errorf("by its ID: %v, %v", ok, err)
	}
	if w.paid["OnVerifySignature"] != 1_637_292 || w.paid["OnBlockOpenBase"] != open || w.paid["OnBlockOpenPerByte"] != uint64(len(head))*perByte/1000 {
		t.Errorf("paid %v", w.paid)
	}
	// A wrong type is judged after the key is known; an account may have an address that signs nothing.
	if ok, err := verify(w, stcrypto.SigTypeBLS, addr.NewID(other)); ok || err != nil {
		t.Errorf("as a BLS signature: %v, %v", ok, err)
	}
	w.account(other, accountState(addr.NewID(99)))
	if ok, err := verify(w, stcrypto.SigTypeSecp256k1, addr.NewID(other)); ok || err != nil {
		t.Errorf("an account of an ID address: %v, %v", ok, err)
	}
	for name, c := range map[string]struct {
		who  address.Address
		want execerr.Errno
	}{"nobody": {addr.NewID(777), execerr.NotFound}, "no account": {addr.NewID(self), execerr.IllegalArgument}} {
		w := newWorld(t, 17, plenty)
		if err := w.m.Tree.SetActor(self, state.ActorState{Code: code("system"), Head: machine.EmptyArray(), Balance: big.Zero()}); err != nil {
			t.Fatal(err)
		}
		if _, err := verify(w, stcrypto.SigTypeSecp256k1, c.who); execerrtest.Errno(err) != c.want || w.paid["OnVerifySignature"] == 0 || w.paid["OnBlockOpenBase"] != 0 {
			t.Errorf("%s: %v, paid %v", name, err, w.paid)
		}
	}
	// A state that no account has: all nodes see it alike.
	f4, err := addr.ParseAddress([]byte("\x04\x0aabc"))
	if err != nil {
		t.Fatal(err)
	}
	for name, head := range map[string][]byte{"no list": {0x01}, "no address": accountState(address.Undef), "f4": accountState(f4)} {
		w := newWorld(t, 17, plenty)
		w.account(other, head)
		if _, err := verify(w, stcrypto.SigTypeSecp256k1, addr.NewID(other)); execerrtest.Kind(err) != "guest" {
			t.Errorf("%s: %v", name, err)
		}
	}
	w = newWorld(t, 18, plenty)
	w.account(other, head)
	if _, err := verify(w, stcrypto.SigTypeSecp256k1, addr.NewID(other)); execerrtest.Errno(err) != execerr.IllegalArgument {
		t.Errorf("nv18: %v", err)
	}
}

// A new actor's address derives from the sender's key, even if the message names the sender by its ID.
// Quirk: each is another, whether an actor is made or not.
func TestQuirkNewActorAddressIsTaken(t *testing.T) {
	key, _ := signer(t, "")
	of := func(nth uint64) address.Address {
		a, err := address.NewActorAddress(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(cbor.AppendBytes(nil, key.Bytes()), 3), nth))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	w := newWorld(t, 17, plenty) // its message is from f0102
	w.account(102, accountState(key))
	for n := range uint64(3) {
		if a, err := w.NewActorAddress(t.Context()); err != nil || a != of(n) {
			t.Errorf("address %d: %s, %v; want %s", n, a, err, of(n))
		}
	}
	if len(w.paid) != 0 {
		t.Errorf("paid %v", w.paid)
	}
	// A sender without a key is a failure of the message, not of the syscall.
	w = newWorld(t, 17, plenty)
	if _, err := w.NewActorAddress(t.Context()); execerrtest.Kind(err) != "guest" {
		t.Errorf("a sender that is not there: %v", err)
	}
	if err := w.m.Tree.SetActor(102, state.ActorState{Code: code("init"), Head: machine.EmptyArray(), Balance: big.Zero()}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.NewActorAddress(t.Context()); execerrtest.Kind(err) != "guest" {
		t.Errorf("a sender that is no account: %v", err)
	}
}

// Any actor may create one, with the code of a builtin actor of which there may be several.
func TestCreateBuiltinActor(t *testing.T) {
	const price = 1_108_454 + 98_800
	for _, c := range []struct {
		name string
		code cid.Cid
		id   abi.ActorID
		want execerr.Errno
		paid uint64
	}{
		{"an account", code("account"), 500, 0, price},
		{"an ID that is taken", code("account"), other, execerr.Forbidden, 0},
		{"code of nobody", code("x"), 500, execerr.Forbidden, 0},
		{"a second init actor", code("init"), 500, execerr.Forbidden, 0},
		{"a second system actor, where one is", code("system"), other, execerr.Forbidden, 0},
	} {
		w := newWorld(t, 17, plenty)
		err := w.CreateBuiltinActor(t.Context(), c.code, c.id)
		if execerrtest.Errno(err) != c.want || (c.want == 0) != (err == nil) || w.paid["OnCreateActor"] != c.paid {
			t.Errorf("%s: %v, paid %v", c.name, err, w.paid)
		}
		st, _ := w.m.Tree.Actor(t.Context(), 500)
		if (st != nil) != (c.want == 0) || st != nil && (st.Code != c.code || st.Head != machine.EmptyArray() || !st.Balance.IsZero() || st.Nonce != 0) {
			t.Errorf("%s: %+v", c.name, st)
		}
	}
	w := newWorld(t, 17, price-1)
	if err := w.CreateBuiltinActor(t.Context(), code("account"), 500); execerrtest.Kind(err) != "out of gas" {
		t.Errorf("too dear: %v", err)
	}
	if st, _ := w.m.Tree.Actor(t.Context(), 500); st != nil {
		t.Errorf("too dear, but there is %+v", st)
	}
}

// A hash is paid for, at one price, before it is looked for.
func TestHashChargedFirst(t *testing.T) {
	for _, c := range []struct {
		hash uint64
		size int
		want execerr.Errno
	}{{0xb220, 0, 0}, {0x1053, 1000, 0}, {0x1234, 1000, execerr.IllegalArgument}} {
		w := newWorld(t, 17, plenty)
		_, err := w.AppendHash(t.Context(), nil, c.hash, make([]byte, c.size))
		if execerrtest.Errno(err) != c.want || w.paid["OnHashing"] != 31355 {
			t.Errorf("%+v: %v, paid %v", c, err, w.paid)
		}
	}
}

// Blocks are DAG-CBOR, of any size; other codecs are refused when they are paid for.
func TestOnlyDagCBOR(t *testing.T) {
	for _, c := range []struct {
		name  string
		codec uint64
		size  int
		want  execerr.Errno
	}{{"DAG-CBOR", 0x71, 100, 0}, {"more than 1 MiB", 0x71, 1<<20 + 2, 0}, {"CBOR", 0x51, 100, execerr.IllegalCodec}, {"raw", 0x55, 100, execerr.IllegalCodec}} {
		w := newWorld(t, 17, plenty)
		data := make([]byte, c.size)
		paid := uint64(c.size) * 105 / 10
		if _, err := w.BlockCreate(c.codec, data); execerrtest.Errno(err) != c.want || (c.want == 0) != (err == nil) || w.paid["OnBlockCreate"] != paid {
			t.Errorf("create, %s: %v, paid %v", c.name, err, w.paid)
		}
		k := w.store(c.codec, data)
		if _, _, err := w.BlockOpen(t.Context(), k); execerrtest.Errno(err) != c.want || w.paid["OnBlockOpenBase"] != 135_617 || w.paid["OnBlockOpenPerByte"] != paid {
			t.Errorf("open, %s: %v, paid %v", c.name, err, w.paid)
		}
	}
	w := newWorld(t, 17, plenty)
	if _, _, err := w.BlockOpen(t.Context(), code("nowhere")); execerrtest.Kind(err) != "guest" {
		t.Errorf("a block that is not there: %v", err)
	}
}

// A batch of seals is free, one seal is not.
func TestFreeBatches(t *testing.T) {
	w := newWorld(t, 17, plenty)
	ok, err := w.BatchVerifySeals(t.Context(), []proof.SealVerifyInfo{{SectorID: abi.SectorID{Number: 2}}, {SectorID: abi.SectorID{Number: 3}}})
	if err != nil || len(ok) != 2 || !ok[0] || ok[1] || len(w.paid) != 0 {
		t.Errorf("%v, %v, paid %v", ok, err, w.paid)
	}
	valid, err := w.VerifySeal(t.Context(), proof.SealVerifyInfo{SectorID: abi.SectorID{Number: 2}})
	if err != nil || !valid || w.paid["OnVerifySeal"] != 2000 {
		t.Errorf("one seal: %v, %v, paid %v", valid, err, w.paid)
	}
	w.m.Proofs = nil
	if _, err := w.VerifySeal(t.Context(), proof.SealVerifyInfo{}); execerrtest.Kind(err) != "node" {
		t.Errorf("without a verifier: %v", err)
	}
}

// Interactive PoRep was the last seal type there was.
func TestKnownSealProofs(t *testing.T) {
	for nv, most := range map[network.Version]abi.RegisteredSealProof{16: 9, 17: 9, 18: 14, 20: 14, 21: 19} {
		w := newWorld(t, nv, plenty)
		if !w.KnownSealProof(most) || w.KnownSealProof(most+1) {
			t.Errorf("nv%d: the last is not %d", nv, most)
		}
	}
}

// An actor that is deleted gets gas back, and gives what it owns to a beneficiary.
func TestDeletionGivesGasBack(t *testing.T) {
	w := newWorld(t, 17, plenty)
	before := w.calls.Gas().Available()
	if err := w.SelfDestructTo(t.Context(), addr.NewID(other)); err != nil {
		t.Fatal(err)
	}
	if back := w.calls.Gas().Available() - before; back != 98_800_000 {
		t.Errorf("%d milligas given back", back)
	}
	if st, _ := w.m.Tree.Actor(t.Context(), other); st.Balance.Int64() != 100 {
		t.Errorf("the beneficiary has %s", st.Balance)
	}
	if _, err := w.Root(t.Context()); execerrtest.Errno(err) != execerr.IllegalOperation {
		t.Errorf("a deleted actor's root: %v", err)
	}
	if err := w.SetRoot(t.Context(), machine.EmptyArray()); execerrtest.Errno(err) != execerr.IllegalOperation {
		t.Errorf("a deleted actor's new root: %v", err)
	}
}

// Randomness costs what asking the node does, whatever the entropy.
func TestDrawIsFlat(t *testing.T) {
	w := newWorld(t, 17, plenty)
	a, err := w.DrawRandomness(t.Context(), kernel.ChainRandomness, 1, 7, make([]byte, 100))
	if err != nil || w.paid["OnGetRandomness"] != 21000 {
		t.Errorf("%v, paid %v", err, w.paid)
	}
	w = newWorld(t, 18, plenty)
	if b, err := w.DrawRandomness(t.Context(), kernel.ChainRandomness, 1, 7, make([]byte, 100)); err != nil || a != b {
		t.Errorf("nv18 draws %x, nv17 %x: %v", b, a, err)
	}
}

// f4 addresses are none.
func TestKnownAddresses(t *testing.T) {
	f4, err := addr.ParseAddress([]byte("\x04\x0aabc"))
	if err != nil {
		t.Fatal(err)
	}
	for nv, want := range map[network.Version]bool{16: false, 17: false, 18: true, 28: true} {
		w := newWorld(t, nv, plenty)
		if w.KnownAddress(f4) != want || !w.KnownAddress(addr.NewID(1)) {
			t.Errorf("nv%d: f4 known %v", nv, !want)
		}
	}
}

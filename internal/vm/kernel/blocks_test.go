package kernel

import (
	"testing"
	"unsafe"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
	"github.com/edgefvm/fvm/internal/vm/links"
)

func link(b byte) cid.Cid { return links.Blake2bCID(cbor.CodecDagCBOR, [32]byte{b}) }

func TestBlockRegistry(t *testing.T) {
	var r BlockRegistry
	if _, err := r.Get(0); execerrtest.Errno(err) != execerr.InvalidHandle {
		t.Errorf("no block: %v", err)
	}
	given := &Block{Codec: cbor.CodecDagCBOR, Data: []byte("12345"), Links: []cid.Cid{link(1), link(2)}}
	for _, c := range []struct {
		name string
		put  func(*Block) (BlockID, error)
		b    *Block
		id   BlockID
		want execerr.Errno
	}{
		{"made, unreachable link", r.PutChecked, &Block{Links: []cid.Cid{link(1)}}, 0, execerr.NotFound},
		{"given", r.PutReachable, given, 1, 0},
		{"made, reachable links", r.PutChecked, &Block{Links: []cid.Cid{link(2), link(1), link(2)}}, 2, 0},
		{"made, one unreachable link", r.PutChecked, &Block{Links: []cid.Cid{link(1), link(3)}}, 0, execerr.NotFound},
		{"made, no links", r.PutChecked, &Block{}, 3, 0},
		{"given once more", r.PutReachable, given, 4, 0},
	} {
		if id, err := c.put(c.b); id != c.id || execerrtest.Errno(err) != c.want {
			t.Errorf("%s: %d, %v; want %d, errno %d", c.name, id, err, c.id, c.want)
		}
	}
	for id, want := range map[BlockID]execerr.Errno{0: 7, 1: 0, 4: 0, 5: 7, 1<<32 - 1: 7} {
		if b, err := r.Get(id); execerrtest.Errno(err) != want || (err == nil) != (b != nil) {
			t.Errorf("handle %d: %v, %v", id, b, err)
		}
	}
	if b, _ := r.Get(4); b != given || b.Stat() != (BlockStat{cbor.CodecDagCBOR, 5}) {
		t.Errorf("block 4: %+v", b)
	}
	// What a block that the actor made links to does not become reachable by it, nor what was refused.
	if r.Reachable(link(3)) || !r.Reachable(link(1)) {
		t.Error("the wrong blocks are reachable")
	}
	r.MarkReachable(link(3))
	if !r.Reachable(link(3)) || r.Reachable(cid.NewCidV1(cbor.CodecRaw, link(3).Hash())) {
		t.Error("reachable is a CID with its codec")
	}
}

// A registry holds 2^31-1 blocks.
func TestBlockRegistryFull(t *testing.T) {
	r := BlockRegistry{blocks: make([]*Block, 1)}
	// As many blocks take 16 GiB, so only the length is set; nothing reads beyond the first.
	length := (*struct {
		data     unsafe.Pointer
		len, cap int
	})(unsafe.Pointer(&r.blocks))
	length.len, length.cap = 1<<31-2, 1<<31-2
	if r.Full() {
		t.Error("full with one block missing")
	}
	length.len, length.cap = 1<<31-1, 1<<31-1
	if !r.Full() {
		t.Error("not full")
	}
	for name, put := range map[string]func(*Block) (BlockID, error){"made": r.PutChecked, "given": r.PutReachable} {
		if _, err := put(&Block{}); execerrtest.Errno(err) != execerr.LimitExceeded {
			t.Errorf("%s: %v", name, err)
		}
	}
	// That there is no room is found before links are looked at.
	if _, err := r.PutChecked(&Block{Links: []cid.Cid{link(1)}}); execerrtest.Errno(err) != execerr.LimitExceeded {
		t.Error(err)
	}
	k := &Kernel{Blocks: r}
	if _, err := k.Send(t.Context(), SendParams{}); execerrtest.Errno(err) != execerr.LimitExceeded {
		t.Errorf("a send without room for what it returns: %v", err)
	}
}

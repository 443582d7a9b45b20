package eth

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/chain"
)

func entry(key string, codec uint64, size int) fvm.EventEntry {
	return fvm.EventEntry{Flags: 3, Key: key, Codec: codec, Value: make([]byte, size)}
}

// The rules of ethtypes.EthLogFromEvent in Lotus v1.36.3.
func TestLogOf(t *testing.T) {
	raw := func(key string) fvm.EventEntry {
		if key == "d" {
			return entry(key, 0x55, 5)
		}
		return entry(key, 0x55, 32)
	}
	for _, tt := range []struct {
		name    string
		entries []fvm.EventEntry
		topics  int
		ok      bool
	}{
		{"nothing", nil, 0, true},
		{"all", []fvm.EventEntry{raw("t1"), raw("t2"), raw("t3"), raw("t4"), raw("d")}, 4, true},
		{"another order", []fvm.EventEntry{raw("d"), raw("t2"), raw("t1")}, 2, true},
		{"data only", []fvm.EventEntry{raw("d")}, 0, true},
		{"another key", []fvm.EventEntry{raw("t1"), raw("x"), raw("t5"), raw("t0")}, 1, true},
		{"a gap", []fvm.EventEntry{raw("t1"), raw("t3")}, 0, false},
		{"no first", []fvm.EventEntry{raw("t2")}, 0, false},
		{"a topic twice", []fvm.EventEntry{raw("t1"), raw("t1")}, 0, false},
		{"data twice", []fvm.EventEntry{raw("d"), raw("d")}, 0, false},
		{"a short topic", []fvm.EventEntry{entry("t1", 0x55, 31)}, 0, false},
		{"CBOR", []fvm.EventEntry{entry("$type", 0x51, 5)}, 0, false},
		{"CBOR behind a topic", []fvm.EventEntry{raw("t1"), entry("x", 0x51, 5)}, 0, false},
	} {
		topics, _, ok := LogOf(tt.entries)
		if ok != tt.ok || len(topics) != tt.topics || ok && topics == nil {
			t.Errorf("%s: %d topics, %v", tt.name, len(topics), ok)
		}
	}
}

// Three bits of 2,048; which, the blooms of testdata tell.
func TestBloom(t *testing.T) {
	var b Bloom
	b.Add([]byte("testtest"))
	bits := 0
	for _, v := range b {
		for ; v > 0; v &= v - 1 {
			bits++
		}
	}
	if bits != 3 || !b.Has([]byte("testtest")) || b.Has([]byte("testtes")) {
		t.Errorf("%x", b)
	}
}

func someCID(t testing.TB, s string) cid.Cid {
	mh, err := multihash.Sum([]byte(s), multihash.BLAKE2B_MIN+31, 32)
	if err != nil {
		t.Fatal(err)
	}
	return cid.NewCidV1(cid.DagCBOR, mh)
}

// Quirk: Lotus counts all events for the index of a log, and takes from each the entries that are raw.
func TestQuirkLogIndex(t *testing.T) {
	f1, err := address.NewSecp256k1Address([]byte("somebody"))
	if err != nil {
		t.Fatal(err)
	}
	cborEvent := fvm.Event{Emitter: 5, Entries: []fvm.EventEntry{entry("$type", 0x51, 4)}}
	log := fvm.Event{Emitter: 1001, Entries: []fvm.EventEntry{entry("t1", 0x55, 32)}}
	mixed := fvm.Event{Emitter: 1002, Entries: []fvm.EventEntry{entry("t1", 0x55, 32), entry("x", 0x51, 1)}}
	empty := fvm.Event{Emitter: 1003}
	ts := &Tipset{
		View: View{ChainID: 314, Lookup: func(_ context.Context, a address.Address) (Found, error) {
			id, _ := addr.ID(a)
			return Found{ID: abi.ActorID(id), Known: true}, nil
		}},
		Key: someCID(t, "key"), Parents: someCID(t, "parents"), BaseFee: big.NewInt(100), Blocks: 1,
	}
	for i, events := range [][]fvm.Event{{cborEvent, log}, {empty, mixed, log}} {
		m := &fvm.Message{From: f1, To: builtin.StorageMarketActorAddr, Value: big.Zero(), GasLimit: 10, GasFeeCap: big.NewInt(200), GasPremium: big.Zero(), Method: 2}
		ts.Messages = append(ts.Messages, chain.Message{CID: someCID(t, fmt.Sprint(i)), Message: m})
		ts.Results = append(ts.Results, &fvm.Result{GasUsed: 10, Events: events})
	}
	for m, want := range map[Manner]string{Strict: "1001:1 1002:3 1001:4", Tools: "1001:0 1003:1 1001:2"} {
		ts.Manner = m
		r, err := Render(t.Context(), ts)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, receipt := range r.Receipts {
			for _, l := range receipt.Logs {
				got = append(got, fmt.Sprintf("%d:%d", l.Emitter, l.LogIndex))
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%v: %s, want %s", m, s, want)
		}
	}
}

func TestFilterMatch(t *testing.T) {
	topic := func(b byte) Hash { return Hash{31: b} }
	contract := Address{1: 7}
	l := &Log{Address: contract, Emitter: 1001, Topics: []Hash{topic(1), topic(2)}}
	var bloom Bloom
	bloom.addLog(l.Address, l.Topics)
	A, B := topic(1), topic(2)
	for _, tt := range []struct {
		name string
		f    Filter
		want bool
	}{
		{"any", Filter{}, true},
		{"the address", Filter{Addresses: []Address{{9: 1}, contract}}, true},
		{"its masked ID", Filter{Addresses: []Address{MaskedID(1001)}}, true},
		{"another address", Filter{Addresses: []Address{{9: 1}}}, false},
		{"another ID", Filter{Addresses: []Address{MaskedID(1002)}}, false},
		{"[[A]]", Filter{Topics: [][]Hash{{A}}}, true},
		{"[null, [B]]", Filter{Topics: [][]Hash{nil, {B}}}, true},
		{"[[A], [B]]", Filter{Topics: [][]Hash{{A}, {B}}}, true},
		{"[[A, B], [A, B]]", Filter{Topics: [][]Hash{{A, B}, {A, B}}}, true},
		{"[[B]]", Filter{Topics: [][]Hash{{B}}}, false},
		{"[[A], [B], [A]]", Filter{Topics: [][]Hash{{A}, {B}, {A}}}, false},
		{"[[A], [B], []]", Filter{Topics: [][]Hash{{A}, {B}, {}}}, true},
		{"another topic", Filter{Topics: [][]Hash{{topic(9)}}}, false},
	} {
		if got := tt.f.Match(l); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
		if tt.want && !tt.f.MayMatch(&bloom) {
			t.Errorf("%s: not by the bloom", tt.name)
		}
	}
	if f := (Filter{Addresses: []Address{{9: 1}}}); f.MayMatch(&bloom) {
		t.Error("another address by the bloom")
	}
}

func TestFilterJSONAndRange(t *testing.T) {
	hash := `"0x` + strings.Repeat("ab", 32) + `"`
	for _, tt := range []struct {
		text        string
		manner      Manner
		first, last uint64
		says        string
	}{
		{`{}`, Strict, 100, 100, ""},
		{`{"fromBlock":"0x0"}`, Tools, 0, 100, ""},
		{`{"fromBlock":"earliest","toBlock":"0x5","address":"0x0426d88556bf538d6eefea76f16386fcd8ca5353","topics":[null,` + hash + `,[` + hash + `]]}`, Strict, 0, 5, ""},
		{`{"fromBlock":"0x0","toBlock":"0x200"}`, Tools, 0, 100, ""},
		{`{"fromBlock":"0x0","toBlock":"0x200"}`, Strict, 0, 0, "not yet available"},
		{`{"fromBlock":"0x80"}`, Strict, 0, 0, "not yet available"},
		{`{"fromBlock":"0x80"}`, Tools, 128, 100, ""},
		{`{"fromBlock":"safe"}`, Tools, 100, 100, ""},
		{`{"fromBlock":"safe"}`, Strict, 0, 0, "hex, latest or earliest"},
		{`{"fromBlock":"0x9","toBlock":"0x8"}`, Tools, 0, 0, "to block (8) must be after from block (9)"},
		{`{"blockHash":` + hash + `,"fromBlock":"0x0"}`, Tools, 0, 0, "either blockHash"},
		{`{"fromBlock":` + hash + `}`, Tools, 0, 0, "by numbers"},
		{`{"topics":[null,null,null,null,null]}`, Tools, 0, 0, "too many topics in filter: 5, max: 4"},
		{`{"address":["0x12"]}`, Tools, 0, 0, "want 20"},
	} {
		var f Filter
		err := f.UnmarshalJSON([]byte(tt.text))
		var first, last uint64
		if err == nil {
			first, last, err = f.Range(tt.manner, 100, 2880)
		}
		if tt.says == "" && (err != nil || first != tt.first || last != tt.last) || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %d to %d, %v", tt.text, first, last, err)
		}
	}
	f := Filter{FromBlock: &BlockRef{Tag: Earliest}}
	if _, _, err := f.Range(Tools, 100, 50); err == nil || err.(*Error).Code != CodeLimitExceeded {
		t.Errorf("%v", err)
	}
}

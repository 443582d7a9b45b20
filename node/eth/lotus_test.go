package eth

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/textform"
)

// lotusTipset is a tipset of a chain, and what Lotus shows of it: testdata/README.md.
type lotusTipset struct {
	Headers []string // in CBOR
	Known   map[string]string
	// Messages in the order in which they were executed, with their receipts and events.
	Messages []struct {
		CID    string
		Signed bool
		CBOR   string
		Exit   int64
		Return string
		Gas    int64
		Events []struct {
			Emitter uint64
			Entries []struct {
				Flags uint64
				Key   string
				Codec uint64
				Value string
			}
		}
	}
	Lotus struct{ Block, Hashes, Receipts json.RawMessage }
}

func lotusTipsets(t testing.TB) (all []lotusTipset) {
	t.Helper()
	file, err := os.Open("testdata/dev29.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (l *lotusTipset) tipset(t testing.TB, m Manner) *Tipset {
	t.Helper()
	var headers []*chain.Header
	for _, h := range l.Headers {
		header, err := chain.DecodeHeader(unhex(t, h))
		if err != nil {
			t.Fatal(err)
		}
		headers = append(headers, header)
	}
	ts, err := chain.NewTipset(headers)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ts.Key().CID()
	if err != nil {
		t.Fatal(err)
	}
	parents, err := ts.Parents().CID()
	if err != nil {
		t.Fatal(err)
	}
	out := &Tipset{
		View: View{Manner: m, ChainID: 314, Lookup: l.lookup}, Key: key, Parents: parents, Epoch: uint64(ts.Height()), Timestamp: ts.Timestamp(),
		BaseFee: ts.BaseFee(), Blocks: len(headers),
	}
	for _, one := range l.Messages {
		c, err := cid.Parse(one.CID)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := textform.DecodeMessage(unhex(t, one.CBOR))
		if err != nil {
			t.Fatal(err)
		}
		out.Messages = append(out.Messages, chain.Message{CID: c, Message: msg.Message, Signature: msg.Signature})
		res := &fvm.Result{ExitCode: exitcode.ExitCode(one.Exit), Return: unhex(t, one.Return), GasUsed: one.Gas}
		for _, e := range one.Events {
			event := fvm.Event{Emitter: abi.ActorID(e.Emitter)}
			for _, n := range e.Entries {
				event.Entries = append(event.Entries, fvm.EventEntry{Flags: n.Flags, Key: n.Key, Codec: n.Codec, Value: unhex(t, n.Value)})
			}
			res.Events = append(res.Events, event)
		}
		out.Results = append(out.Results, res)
	}
	return out
}

// lookup answers from what was known of the addresses in the state after the tipset.
func (l *lotusTipset) lookup(_ context.Context, a address.Address) (f Found, err error) {
	if id, ok := addr.ID(a); ok {
		f.ID, f.Known = abi.ActorID(id), true
	}
	id, delegated, _ := strings.Cut(l.Known[addr.String(a)], " ")
	if id == "" {
		return f, nil
	}
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return f, err
	}
	f.ID, f.Known = abi.ActorID(n), true
	if delegated != "" {
		d, err := textform.Address(delegated)
		if err != nil {
			return f, err
		}
		f.Delegated = &d
	}
	return f, nil
}

func plain(t testing.TB, v any) (out any) {
	t.Helper()
	b, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if b, err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Strict is Lotus's JSON, field by field: blocks with hashes and in full, transactions, receipts, logs.
func TestLotusTipsets(t *testing.T) {
	events, native, signed, failed, created := 0, 0, 0, 0, 0
	for _, l := range lotusTipsets(t) {
		ts := l.tipset(t, Strict)
		r, err := Render(t.Context(), ts)
		if err != nil {
			t.Error(err)
			continue
		}
		same := func(what string, got, want any) {
			if !reflect.DeepEqual(got, want) {
				g, _ := json.Marshal(got)
				w, _ := json.Marshal(want)
				t.Errorf("epoch %d: %s: %s\nwant %s", ts.Epoch, what, g, w)
			}
		}
		same("block", plain(t, r.Block.Full(r.Transactions)), plain(t, l.Lotus.Block))
		same("hashes", plain(t, r.Block.Transactions), plain(t, l.Lotus.Hashes))
		same("receipts", plain(t, r.Receipts), plain(t, l.Lotus.Receipts))
		for i, receipt := range r.Receipts {
			events += len(receipt.Logs)
			m := &ts.Messages[i]
			hash, err := textform.EthHash(m.CID, m.Message, m.Signature, 314)
			if err != nil || Hash(hash) != receipt.TransactionHash {
				t.Errorf("epoch %d: hash %s, %v, want %s", ts.Epoch, Hash(hash), err, receipt.TransactionHash)
			}
			if receipt.Status == 0 {
				failed++
			}
			if receipt.ContractAddress != nil {
				created++
			}
			if r.Transactions[i].R.Big().Sign() == 0 {
				native++
			} else {
				signed++
			}
		}
	}
	if events == 0 || native == 0 || signed == 0 || failed == 0 || created == 0 {
		t.Errorf("%d logs, %d native, %d signed, %d failed, %d created: too few kinds to tell", events, native, signed, failed, created)
	}
}

// What Tools have otherwise, and that the rest is Lotus's.
func TestToolsManner(t *testing.T) {
	for _, l := range lotusTipsets(t) {
		strict, err := Render(t.Context(), l.tipset(t, Strict))
		if err != nil {
			t.Fatal(err)
		}
		tools, err := Render(t.Context(), l.tipset(t, Tools))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(strict.Block, tools.Block) {
			t.Errorf("block %+v, strict %+v", tools.Block, strict.Block)
		}
		gas, logs := Quantity(0), Quantity(0)
		for i, r := range tools.Receipts {
			if gas += r.GasUsed; r.CumulativeGasUsed != gas {
				t.Errorf("cumulative gas %d, want %d", r.CumulativeGasUsed, gas)
			}
			for _, log := range r.Logs {
				if log.LogIndex != logs {
					t.Errorf("log %d, want %d", log.LogIndex, logs)
				}
				logs++
			}
			s := strict.Receipts[i]
			if r.EffectiveGasPrice.String() != s.EffectiveGasPrice.String() || r.LogsBloom != s.LogsBloom || r.Status != s.Status || r.From != s.From {
				t.Errorf("receipt %+v, strict %+v", r, s)
			}
			tx := tools.Transactions[i]
			list := string(tx.AccessList)
			if tx.GasPrice == nil || (tx.Type == 2) != (list == "[]") || (tx.Type == 2) != (tx.YParity != nil) {
				t.Errorf("transaction %+v", tx)
			}
		}
	}
}

// Quirk: what follows the calldata of a native message does not matter to nodes that show it.
func TestQuirkBytesAfterCalldata(t *testing.T) {
	got, err := bareBytes([]byte{0x41, 7, 8})
	if err != nil || !bytes.Equal(got, []byte{7}) {
		t.Errorf("%s, %v", hex.EncodeToString(got), err)
	}
	if _, err := bareBytes([]byte{0x42, 7}); err == nil {
		t.Error("a string that is cut")
	}
}

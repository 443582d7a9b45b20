package ethapi_test

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/ethapi"
)

// gethProgram is a contract with transactions, and what go-ethereum's tracers say of them (explain/evmtrace/testdata/geth/tracers).
type gethProgram struct {
	Name         string
	Transactions []struct {
		To, Data string
		Tracers  map[string]any
	}
}

func gethPrograms(t *testing.T) (all []gethProgram) {
	t.Helper()
	f, err := os.Open("testdata/tracers.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(r).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// tracerConfigs are those that testdata/tracers.json.gz was made with.
var tracerConfigs = map[string]object{
	"calls":    {"tracer": "callTracer", "tracerConfig": object{"withLog": false}},
	"top":      {"tracer": "callTracer", "tracerConfig": object{"onlyTopCall": true}},
	"flat":     {"tracer": "flatCallTracer", "tracerConfig": object{"convertParityErrors": true}},
	"4byte":    {"tracer": "4byteTracer"},
	"prestate": {"tracer": "prestateTracer"},
	"diff":     {"tracer": "prestateTracer", "tracerConfig": object{"diffMode": true}},
	"mux":      {"tracer": "muxTracer", "tracerConfig": object{"4byteTracer": object{}, "noopTracer": object{}}},
}

// gethSender sends the transactions there.
const gethSender = "0x00000000000000000000000000000000c0ffee42"

// Each tracer says the same as go-ethereum's of the same code and data, but for what Filecoin has otherwise: see plain.
func TestTracersAgreeWithEthereum(t *testing.T) {
	for _, p := range gethPrograms(t) {
		t.Run(p.Name, func(t *testing.T) {
			w := start(t, dev.Options{}, ethapi.Options{})
			ask[any](w, "eth_sendTransaction", object{"from": w.me, "to": gethSender, "value": "0xde0b6b3a7640000"})
			for i, tx := range p.Transactions {
				send := object{"from": gethSender, "data": tx.Data, "gas": "0x2540be400"}
				if tx.To != "" {
					send["to"] = tx.To
				}
				hash := ask[string](w, "eth_sendUnsignedTransaction", send)
				for kind, want := range tx.Tracers {
					got := ask[any](w, "debug_traceTransaction", hash, tracerConfigs[kind])
					if x, y := plain(want), plain(got); !reflect.DeepEqual(x, y) {
						t.Errorf("transaction %d, %s:\nwant %s\ngot  %s", i, kind, text(x), text(y))
					}
				}
			}
		})
	}
}

func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// sameWords are errors that the chains word otherwise, or that show in Filecoin's exit code alone.
var sameWords = strings.NewReplacer(
	"out of gas: write protection", "failed", "actor error: ErrReadOnly(25)", "failed", "write protection", "failed", "Out of gas", "failed",
	"invalid opcode: INVALID", "failed", "invalid instruction", "failed", "Bad instruction", "failed",
)

var nobody = object{"codeHash": "0x" + strings.Repeat("0", 64)}

// plain takes off what differs between the chains: gas, the sender's and the miners' accounts, the code of new contracts in traces of
// calls, where blocks are, and how errors are worded that are none of REVERT.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, plain(x))
		}
		return out
	case map[string]any:
		out := object{}
		for name, x := range v {
			switch name {
			case "gas", "gasUsed", "blockHash", "blockNumber", "transactionHash", "transactionPosition", "creationMethod":
				continue
			case gethSender, "0x0000000000000000000000000000000000000000", "0xff00000000000000000000000000000000000063", "0xff00000000000000000000000000000000000002":
				continue
			case "error":
				out[name] = sameWords.Replace(x.(string))
				continue
			}
			if reflect.DeepEqual(x, nobody) {
				continue // go-ethereum 1.17 lists addresses of nobody as changed
			}
			out[name] = plain(x)
		}
		if kind, _ := v["type"].(string); strings.HasPrefix(kind, "CREATE") {
			delete(out, "output")
		}
		if r, ok := out["result"].(object); ok && v["type"] == "create" {
			delete(r, "code")
		}
		return out
	}
	return v
}

// Command tracers runs programs of ../programs.txt on go-ethereum's own virtual machine and writes what its tracers say of them, without
// gas, which the tests of package ethapi compare with what a development node says:
//
//	cd explain/evmtrace/testdata/geth && GOWORK=off go run ./tracers ../programs.txt ../../../../node/dev/ethapi/testdata/tracers.json.gz calls logs …
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"log"
	"math/big"
	"os"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/eth/tracers"
	_ "github.com/ethereum/go-ethereum/eth/tracers/native"
	"github.com/ethereum/go-ethereum/params"
)

type transaction struct {
	To      string                     `json:"to,omitempty"` // "": it deploys
	Data    string                     `json:"data"`
	Tracers map[string]json.RawMessage `json:"tracers"`
}

type program struct {
	Name         string        `json:"name"`
	Transactions []transaction `json:"transactions"`
}

func main() {
	if len(os.Args) < 4 {
		log.Fatal("usage: tracers PROGRAMS FILE NAME...")
	}
	f, err := os.Open(os.Args[1])
	check(err)
	var all []*program
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "program":
			all = append(all, &program{Name: words[1]})
		case "init", "call":
			p := all[len(all)-1]
			p.Transactions = append(p.Transactions, transaction{Data: "0x" + strings.TrimPrefix(words[1], "0x")})
		}
	}
	all = slices.DeleteFunc(all, func(p *program) bool { return !slices.Contains(os.Args[3:], p.Name) })
	for _, p := range all {
		run(p)
	}
	out, err := os.Create(os.Args[2])
	check(err)
	w, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	check(err)
	check(json.NewEncoder(w).Encode(all))
	check(w.Close())
	check(out.Close())
}

// sender is the test's, too.
var sender = common.HexToAddress("0x00000000000000000000000000000000c0ffee42")

var kinds = map[string]struct{ tracer, config string }{
	"calls":    {"callTracer", `{"withLog":true}`},
	"top":      {"callTracer", `{"onlyTopCall":true}`},
	"flat":     {"flatCallTracer", `{"convertParityErrors":true}`},
	"4byte":    {"4byteTracer", `{}`},
	"prestate": {"prestateTracer", `{}`},
	"diff":     {"prestateTracer", `{"diffMode":true}`},
	"mux":      {"muxTracer", `{"4byteTracer":{},"noopTracer":{}}`},
}

func run(p *program) {
	for name, k := range kinds {
		db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
		check(err)
		zero := uint64(0)
		chain := *params.MergedTestChainConfig
		chain.OsakaTime = &zero
		var at common.Address
		for i := range p.Transactions {
			tx := &p.Transactions[i]
			t, err := tracers.DefaultDirectory.New(k.tracer, new(tracers.Context), json.RawMessage(k.config), &chain)
			check(err)
			cfg := &runtime.Config{ChainConfig: &chain, Origin: sender, State: db, GasLimit: 1 << 40, Value: new(big.Int), Time: 1, Random: &common.Hash{}, EVMConfig: vm.Config{Tracer: t.Hooks}}
			data, err := hex.DecodeString(tx.Data[2:])
			check(err)
			if i == 0 {
				_, at, _, err = runtime.Create(data, cfg)
				check(err)
			} else {
				tx.To = strings.ToLower(at.Hex())
				_, _, err = runtime.Call(at, data, cfg)
			}
			if err != nil && name == "diff" {
				continue // package runtime tells the tracer of a failure as of a transaction that is not in a block
			}
			db.Finalise(chain.Rules(common.Big1, true, 1))
			result, err := t.GetResult()
			check(err)
			if tx.Tracers == nil {
				tx.Tracers = map[string]json.RawMessage{}
			}
			tx.Tracers[name] = result
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

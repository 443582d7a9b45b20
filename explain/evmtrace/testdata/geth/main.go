// Command geth runs the programs of ../programs.txt on go-ethereum's own virtual machine and writes what it sees at each opcode,
// which the tests of package evmtrace compare with what EdgeFVM's machine tells:
//
//	cd explain/evmtrace/testdata/geth && GOWORK=off go run . ../programs.txt ../steps
//
// It is a module of its own, so that go-ethereum is no dependency of anything.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"log"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/params"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: geth PROGRAMS FOLDER")
	}
	f, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var name, init string
	var calls []string
	done := func() {
		if name != "" {
			var packed bytes.Buffer
			w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
			w.Write(run(init, calls))
			w.Close()
			if err := os.WriteFile(filepath.Join(os.Args[2], name+".txt.gz"), packed.Bytes(), 0o644); err != nil {
				log.Fatal(err)
			}
		}
		calls = nil
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "program":
			done()
			name = words[1]
		case "init":
			init = words[1]
		case "call":
			calls = append(calls, strings.TrimPrefix(words[1], "0x"))
		}
	}
	done()
}

// sender is the test's, too.
var sender = common.HexToAddress("0x00000000000000000000000000000000c0ffee42")

func run(init string, calls []string) []byte {
	var out bytes.Buffer
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		log.Fatal(err)
	}
	storage := map[common.Address]map[common.Hash]common.Hash{}
	hooks := &tracing.Hooks{OnOpcode: func(pc uint64, op byte, gas, cost uint64, scope tracing.OpContext, _ []byte, depth int, err error) {
		fmt.Fprintf(&out, "%d %d %02x", depth, pc, op)
		stack := scope.StackData()
		fmt.Fprintf(&out, " %d", len(stack))
		for i := max(0, len(stack)-8); i < len(stack); i++ {
			fmt.Fprintf(&out, " %s", strings.TrimPrefix(stack[i].Hex(), "0x"))
		}
		self, n := scope.Address(), len(stack)
		if m := storage[self]; m == nil {
			storage[self] = map[common.Hash]common.Hash{}
		}
		m := storage[self]
		switch {
		case op == byte(vm.SLOAD) && n >= 1:
			k := common.Hash(stack[n-1].Bytes32())
			m[k] = db.GetState(self, k)
			show(&out, m)
		case op == byte(vm.SSTORE) && n >= 2:
			m[common.Hash(stack[n-1].Bytes32())] = common.Hash(stack[n-2].Bytes32())
			show(&out, m)
		}
		if mem := scope.MemoryData(); len(mem) > 0 {
			fmt.Fprintf(&out, " m%d:%x", len(mem), common.CopyBytes(mem[max(0, len(mem)-64):]))
		}
		out.WriteByte('\n')
	}}
	zero := uint64(0)
	chain := *params.MergedTestChainConfig
	chain.OsakaTime = &zero
	cfg := &runtime.Config{ChainConfig: &chain, Origin: sender, State: db, GasLimit: 1 << 40, Value: new(big.Int), Time: 1, Random: &common.Hash{},
		EVMConfig: vm.Config{Tracer: hooks}}
	code, err := hex.DecodeString(init)
	if err != nil {
		log.Fatal(err)
	}
	ret, at, _, err := runtime.Create(code, cfg)
	fmt.Fprintf(&out, "= %v %x\n", err == nil, ret[:0])
	for _, c := range calls {
		clear(storage)
		input, _ := hex.DecodeString(c)
		ret, _, err := runtime.Call(at, input, cfg)
		fmt.Fprintf(&out, "= %v %x\n", err == nil, ret)
	}
	return out.Bytes()
}

func show(out *bytes.Buffer, m map[common.Hash]common.Hash) {
	var all []string
	for k, v := range m {
		all = append(all, fmt.Sprintf(" s%x=%x", k.Big(), v.Big()))
	}
	slices.Sort(all)
	for _, s := range all {
		out.WriteString(s)
	}
}

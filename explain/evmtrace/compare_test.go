package evmtrace

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	gobig "math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// program is a contract of testdata/programs.txt.
type program struct {
	name  string
	since int
	init  []byte
	calls [][]byte
}

func programs(t *testing.T) (all []program) {
	t.Helper()
	text, err := os.ReadFile("testdata/programs.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		kind, word, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || kind == "#" {
			continue
		}
		last := len(all) - 1
		switch kind {
		case "program":
			all = append(all, program{name: word})
		case "since":
			all[last].since, err = strconv.Atoi(word)
		case "init":
			all[last].init, err = hex.DecodeString(word)
		case "call":
			var data []byte
			data, err = hex.DecodeString(strings.TrimPrefix(word, "0x"))
			all[last].calls = append(all[last].calls, data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// world is a machine with an account of Ethereum's kind, on the state of one of the laboratory's vectors.
type world struct {
	*vector.Session
	sender address.Address
	nonce  uint64
}

// ethSender is the account that testdata/geth has, too.
const ethSender = "00000000000000000000000000000000c0ffee42"

var (
	eam         = id(10)
	actorsCache = vector.NewActors(bundle.Options{})
)

func id(n uint64) address.Address {
	a, err := address.NewIDAddress(n)
	if err != nil {
		panic(err)
	}
	return a
}

// vectorOf is a vector of a network version whose state has the actors of Ethereum.
func vectorOf(t testing.TB, nv int) string {
	t.Helper()
	all, err := filepath.Glob(fmt.Sprintf("../../lab/conformance/testdata/nv%d-evm*.json", nv))
	if err != nil || len(all) == 0 {
		t.Fatalf("no vector of nv%d: %v", nv, err)
	}
	return all[0]
}

func newWorld(t testing.TB, nv int, hooks *trace.Hooks) *world {
	t.Helper()
	v, err := vector.Load(vectorOf(t, nv))
	if err != nil {
		t.Fatal(err)
	}
	s, err := vector.Prepare(t.Context(), v, 0, actorsCache, nil, hooks)
	if err != nil {
		t.Fatal(err)
	}
	eth, err := hex.DecodeString(ethSender)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Session: s}
	if w.sender, err = address.NewDelegatedAddress(10, eth); err != nil {
		t.Fatal(err)
	}
	w.apply(t, fvm.Implicit, id(0), w.sender, 0, nil) // makes a placeholder
	return w
}

func (w *world) apply(t testing.TB, kind fvm.Kind, from, to address.Address, method abi.MethodNum, params []byte) *fvm.Result {
	t.Helper()
	msg := &fvm.Message{
		From: from, To: to, Method: method, GasLimit: 10_000_000_000, Value: big.Zero(), GasFeeCap: big.Zero(), GasPremium: big.Zero(),
	}
	if kind == fvm.Explicit {
		msg.Nonce = w.nonce
		w.nonce++
	}
	if params != nil {
		msg.Params = byteString(params)
	}
	r, err := w.Execute(context.Background(), msg, kind, 300)
	if err != nil {
		t.Fatal(err)
	}
	if r.GasUsed == 0 && kind == fvm.Explicit {
		t.Fatalf("refused: %+v", r)
	}
	return r
}

func byteString(b []byte) []byte {
	var buf bytes.Buffer
	if err := cbg.WriteByteArray(&buf, b); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

const (
	createExternal = 4
	invokeEVM      = 3844450837
)

func (w *world) create(t testing.TB, init []byte) *fvm.Result {
	t.Helper()
	return w.apply(t, fvm.Explicit, w.sender, eam, createExternal, init)
}

// created is the actor that a message of create made.
func created(t testing.TB, r *fvm.Result) address.Address {
	t.Helper()
	cr := cbg.NewCborReader(bytes.NewReader(r.Return))
	if _, _, err := cr.ReadHeader(); err != nil {
		t.Fatalf("exit %d: %v", r.ExitCode, err)
	}
	_, n, err := cr.ReadHeader()
	if err != nil {
		t.Fatal(err)
	}
	return id(n)
}

func (w *world) call(t testing.TB, to address.Address, data []byte) *fvm.Result {
	t.Helper()
	return w.apply(t, fvm.Explicit, w.sender, to, invokeEVM, data)
}

// versions are the network versions that have the EVM.
func versions() (all []int) {
	for nv := 18; nv <= 29; nv++ {
		all = append(all, nv)
	}
	return all
}

// What go-ethereum sees of the same code and data, opcode by opcode: pc, opcode, depth, stack, storage and memory.
func TestAgreesWithEthereum(t *testing.T) {
	for _, nv := range versions() {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			for _, p := range programs(t) {
				if p.since > nv {
					continue
				}
				want := recorded(t, p.name)
				tr := New(Options{EnableMemory: true})
				w := newWorld(t, nv, tr.Hooks(nil))
				tr.Take(0)
				var got bytes.Buffer
				r := w.create(t, p.init)
				l := tr.Take(uint64(r.GasUsed))
				check(t, p.name, l)
				l.Return = nil // not of Ethereum
				show(&got, l)
				to := created(t, r)
				for _, data := range p.calls {
					r := w.call(t, to, data)
					l := tr.Take(uint64(r.GasUsed))
					check(t, p.name, l)
					show(&got, l)
				}
				if d := differ(want, got.String()); d != "" {
					t.Errorf("%s: %s", p.name, d)
				}
			}
		})
	}
}

// recorded is what testdata/geth has seen of a program.
func recorded(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open("testdata/steps/" + name + ".txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// check looks at what holds for each log.
func check(t testing.TB, name string, l *Log) {
	t.Helper()
	if len(l.Unwatched) > 0 || l.LeftOut > 0 {
		t.Fatalf("%s: unwatched %v, left out %d", name, l.Unwatched, l.LeftOut)
	}
	sum := l.Outside
	for i := range l.Steps {
		sum += l.Steps[i].Cost
	}
	if sum != l.GasUsed*milli {
		t.Errorf("%s: steps and the rest cost %d milligas, the message %d", name, sum, l.GasUsed*milli)
	}
}

// show writes a log as testdata/geth does.
func show(out *bytes.Buffer, l *Log) {
	for i := range l.Steps {
		s := &l.Steps[i]
		fmt.Fprintf(out, "%d %d %02x %d", s.Depth, s.PC, s.Op, len(s.Stack))
		for _, w := range s.Stack[max(0, len(s.Stack)-8):] {
			fmt.Fprintf(out, " %x", new(gobig.Int).SetBytes(w[:]))
		}
		var all []string
		for k, v := range s.Storage {
			all = append(all, fmt.Sprintf(" s%x=%x", new(gobig.Int).SetBytes(k[:]), new(gobig.Int).SetBytes(v[:])))
		}
		slices.Sort(all)
		for _, s := range all {
			out.WriteString(s)
		}
		if n := len(s.Memory); n > 0 {
			fmt.Fprintf(out, " m%d:%x", n, s.Memory[max(0, n-64):])
		}
		out.WriteByte('\n')
	}
	fmt.Fprintf(out, "= %v %x\n", !l.Failed, l.Return)
}

// withoutGas are the lines of a text, without the word that a GAS before them left on the stack: it is of the chain's own gas.
func withoutGas(text string) []string {
	lines := strings.Split(text, "\n")
	gas := false
	for i, l := range lines {
		f := strings.Fields(l)
		const head = 4 // depth, pc, opcode, words on the stack
		if gas && len(f) > head {
			n, err := strconv.Atoi(f[3])
			if at := head - 1 + min(n, 8); err == nil && n > 0 && at < len(f) {
				f[at] = "gas"
				lines[i] = strings.Join(f, " ")
			}
		}
		gas = len(f) >= head && f[2] == "5a"
	}
	return lines
}

// differ says where two texts first differ.
func differ(want, got string) string {
	ws, gs := withoutGas(want), withoutGas(got)
	for i := range max(len(ws), len(gs)) {
		w, g := "(nothing)", "(nothing)"
		if i < len(ws) {
			w = ws[i]
		}
		if i < len(gs) {
			g = gs[i]
		}
		if w != g {
			return fmt.Sprintf("line %d of %d and %d:\nwant %.600s\ngot  %.600s", i+1, len(ws), len(gs), w, g)
		}
	}
	return ""
}

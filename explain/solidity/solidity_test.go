package solidity

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/google/pprof/profile"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/vector"
)

const sourcePath = "contracts/Shop.sol"

// shop is what solc 0.8 made of testdata/Shop.sol, without the optimizer.
func shop(t testing.TB) (all artefact, raw map[string]json.RawMessage) {
	t.Helper()
	data, err := os.ReadFile("testdata/shop.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatal(err)
	}
	return all, raw
}

func write(t testing.TB, dir, name string, v any) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	text, ok := v.([]byte)
	if !ok {
		var err error
		if text, err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// forms are the folders that Hardhat 2, Hardhat 3 and Foundry make of the project.
func forms(t testing.TB) map[string]string {
	all, raw := shop(t)
	source, err := os.ReadFile("testdata/Shop.sol")
	if err != nil {
		t.Fatal(err)
	}
	hardhat2, hardhat3, foundry := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, hardhat2, "artifacts/build-info/abc.json", raw)
	write(t, hardhat2, "artifacts/contracts/Shop.sol/Shop.json", map[string]any{"_format": "hh-sol-artifact-1", "contractName": "Shop", "bytecode": "0x60", "deployedBytecode": "0x60"})
	write(t, hardhat3, "artifacts/build-info/solc-x.json", map[string]any{"_format": "hh3-sol-build-info-1", "id": "solc-x", "input": raw["input"]})
	write(t, hardhat3, "artifacts/build-info/solc-x.output.json", map[string]any{"_format": "hh3-sol-build-info-output-1", "id": "solc-x", "output": raw["output"]})
	write(t, foundry, sourcePath, source)
	write(t, foundry, "package.json", []byte(`{"name":"x"}`))
	for name, c := range all.Output.Contracts[sourcePath] {
		write(t, foundry, "out/Shop.sol/"+name+".json", map[string]any{
			"bytecode": c.EVM.Bytecode, "deployedBytecode": c.EVM.DeployedBytecode, "id": 0,
			"metadata": map[string]any{"settings": map[string]any{"compilationTarget": map[string]string{sourcePath: name}}},
		})
	}
	return map[string]string{"hardhat 2": hardhat2, "hardhat 3": hardhat3, "foundry": foundry, "foundry's out": filepath.Join(foundry, "out")}
}

// world is a machine with an account of Ethereum's kind, on the state of one of the laboratory's vectors.
type world struct {
	t      testing.TB
	s      *vector.Session
	tracer *Tracer
	sender address.Address
	nonce  uint64
}

func newWorld(t testing.TB, p *Project) *world {
	t.Helper()
	v, err := vector.Load("../../lab/conformance/testdata/nv28-evmcalls-027.json")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, sender: addr.FromEthereum([20]byte{19: 0x42})}
	w.tracer = New(p, func(ctx context.Context, c cid.Cid) ([]byte, error) {
		b, err := w.s.Store.Get(ctx, c)
		if err != nil {
			return nil, err
		}
		return b.RawData(), nil
	})
	if w.s, err = vector.Prepare(t.Context(), v, 0, vector.NewActors(bundle.Options{}), nil, w.tracer.Hooks(nil)); err != nil {
		t.Fatal(err)
	}
	w.apply(fvm.Implicit, addr.NewID(0), w.sender, 0, nil)
	return w
}

func (w *world) apply(kind fvm.Kind, from, to address.Address, method abi.MethodNum, params []byte) (*fvm.Result, *Report) {
	w.t.Helper()
	msg := &fvm.Message{From: from, To: to, Method: method, GasLimit: 10_000_000_000, Value: big.Zero(), GasFeeCap: big.Zero(), GasPremium: big.Zero()}
	if kind == fvm.Explicit {
		msg.Nonce = w.nonce
		w.nonce++
	}
	if params != nil {
		msg.Params = cbor.AppendBytes(nil, params)
	}
	r, err := w.s.Execute(w.t.Context(), msg, kind, 300)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.s.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	report := w.tracer.Take(uint64(r.GasUsed))
	sum := report.Outside
	report.Root.walk(func(n *Node) {
		for _, gas := range n.Gas {
			sum += gas
		}
	})
	if kind == fvm.Explicit && sum != report.GasUsed*milli {
		w.t.Errorf("all lines took %d milligas, the message %d", sum, report.GasUsed*milli)
	}
	return r, report
}

// deploy makes the shop and gives its address.
func (w *world) deploy() address.Address {
	w.t.Helper()
	all, _ := shop(w.t)
	init, err := hex.DecodeString(all.Output.Contracts[sourcePath]["Shop"].EVM.Bytecode.Object)
	if err != nil {
		w.t.Fatal(err)
	}
	res, report := w.apply(fvm.Explicit, w.sender, addr.NewID(10), 4, init)
	r := cbor.NewReader(res.Return)
	r.Len()
	id := r.Uint()
	if res.ExitCode != 0 || r.Failed() {
		w.t.Fatalf("exit %d", res.ExitCode)
	}
	if got := tree(report.Root, 0); !strings.HasPrefix(got, "message/Shop/Bank/Bank.constructor") {
		w.t.Errorf("the deployment called %s", got)
	}
	return addr.NewID(id)
}

// tree is the path down the first calls of a node.
func tree(n *Node, at int) string {
	if len(n.Calls) == 0 {
		return n.Name
	}
	return n.Name + "/" + tree(n.Calls[0], 0)
}

func call(selector string, n byte) []byte {
	b, _ := hex.DecodeString(selector)
	return append(b, append(make([]byte, 31), n)...)
}

const (
	buy       = "d96a094a" // buy(uint256)
	tryToBuy  = "51a14a61" // tryToBuy(uint256)
	invokeEVM = 3844450837
)

// A failure names contract, function, file and line of each call, and the dearest line is the loop's: in all forms of artefacts.
func TestShop(t *testing.T) {
	for name, dir := range forms(t) {
		t.Run(name, func(t *testing.T) {
			p, err := Open(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if p.Len() != 2 {
				t.Errorf("%d contracts", p.Len())
			}
			w := newWorld(t, p)
			at := w.deploy()
			if res, r := w.apply(fvm.Explicit, w.sender, at, invokeEVM, call(buy, 20)); res.ExitCode != 0 || r.Failure != nil {
				t.Fatalf("exit %d, %+v", res.ExitCode, r.Failure)
			} else {
				lines := r.Lines()
				var best LineGas
				for _, l := range lines {
					if l.Function == "Bank._add" {
						best = l
						break
					}
				}
				if best.Line != 23 || best.File != sourcePath || best.Text != "balances[msg.sender] += 1;" {
					t.Errorf("%+v of %+v", best, lines)
				}
				profiles(t, r)
			}
			res, r := w.apply(fvm.Explicit, w.sender, at, invokeEVM, call(buy, 200))
			if res.ExitCode != 33 || r.Failure == nil {
				t.Fatalf("exit %d, %+v", res.ExitCode, r.Failure)
			}
			want := "Bank._check:18 Bank.deposit:13 Shop.buy:32"
			if got := shown(r.Failure); got != want {
				t.Errorf("failed at %s, want %s", got, want)
			}
			if p := r.Failure.Stack[0]; p.Opcode != 0xfd || p.Text != `require(n < most, "too much }");` || p.File != sourcePath {
				t.Errorf("%+v", p)
			}
			if _, r = w.apply(fvm.Explicit, w.sender, at, invokeEVM, call(tryToBuy, 200)); r.Failure == nil || shown(r.Failure) != "Shop.tryToBuy:38" {
				t.Errorf("failed at %+v", r.Failure)
			}
			if len(r.Unknown) != 0 {
				t.Errorf("unknown %v", r.Unknown)
			}
		})
	}
}

func shown(f *Failure) string {
	var list []string
	for _, p := range f.Stack {
		list = append(list, p.Function+":"+big.NewInt(int64(p.Line)).String())
	}
	return strings.Join(list, " ")
}

// profiles are read back, and add up to the message's gas.
func profiles(t *testing.T, r *Report) {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteProfile(&b); err != nil {
		t.Fatal(err)
	}
	p, err := profile.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.CheckValid(); err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, s := range p.Sample {
		sum += s.Value[0]
	}
	if sum != int64(r.GasUsed)*milli {
		t.Errorf("the profile has %d milligas of %d", sum, r.GasUsed*milli)
	}
	if err := r.WriteSpeedscope(&b, "x"); err != nil {
		t.Fatal(err)
	}
	var s speedscope
	if err := json.Unmarshal(b.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	var total float64
	for i, w := range s.Profiles[0].Weights {
		total += w
		for _, f := range s.Profiles[0].Samples[i] {
			if f >= len(s.Shared.Frames) {
				t.Fatalf("frame %d", f)
			}
		}
	}
	if len(s.Profiles) != 1 || s.Profiles[0].Type != "sampled" || total < float64(r.GasUsed)-1 || total > float64(r.GasUsed)+1 || s.Profiles[0].End < total-1 {
		t.Errorf("%v gas of %d", total, r.GasUsed)
	}
}

// A contract that is not of the project is named by its actor.
func TestStranger(t *testing.T) {
	dir := t.TempDir()
	_, raw := shop(t)
	var o solcOutput
	if err := json.Unmarshal(raw["output"], &o); err != nil {
		t.Fatal(err)
	}
	delete(o.Contracts[sourcePath], "Bank")
	write(t, dir, "a.json", map[string]any{"input": raw["input"], "output": o})
	p, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, p)
	all, _ := shop(t)
	init, _ := hex.DecodeString(all.Output.Contracts[sourcePath]["Shop"].EVM.Bytecode.Object)
	if _, r := w.apply(fvm.Explicit, w.sender, addr.NewID(10), 4, init); len(r.Unknown) != 1 || !strings.Contains(tree(r.Root, 0), "message/Shop/contract f0") {
		t.Errorf("%v, %s", r.Unknown, tree(r.Root, 0))
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(t.Context(), dir); !errors.Is(err, ErrNoArtifacts) {
		t.Error(err)
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for name, text := range map[string]string{
		"no hex":      `{"deployedBytecode":{"object":"0xzz","sourceMap":"1:2:0:-"},"bytecode":{}}`,
		"a bad map":   `{"deployedBytecode":{"object":"0x6001","sourceMap":"x:2:0:-"},"bytecode":{}}`,
		"wild places": `{"deployedBytecode":{"object":"0x6001","sourceMap":"-9:2:7:-","immutableReferences":{"1":[{"start":-5,"length":900}]}},"bytecode":{}}`,
	} {
		dir := t.TempDir()
		write(t, dir, "a.json", []byte(text))
		p, err := Open(t.Context(), dir)
		if (err == nil) != (name == "wild places") {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}

func TestParseMap(t *testing.T) {
	// As the documentation of solc shows it (internals/source mappings): the two are the same.
	long, err := parseMap("1:2:1:-;1:9:1:-;2:1:2:-;2:1:2:-;2:1:2:-")
	if err != nil {
		t.Fatal(err)
	}
	short, err := parseMap("1:2:1;:9;2:1:2;;")
	if err != nil {
		t.Fatal(err)
	}
	if len(long) != 5 || len(short) != 5 {
		t.Fatalf("%v, %v", long, short)
	}
	for i := range long {
		if long[i] != short[i] {
			t.Errorf("entry %d: %v, %v", i, long[i], short[i])
		}
	}
}

func FuzzFunctions(f *testing.F) {
	source, err := os.ReadFile("testdata/Shop.sol")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(source), "1:2:1;:9;2:1:2;;")
	f.Add(`contract A { function f() external { } } "`, ":::i")
	f.Fuzz(func(t *testing.T, text, entries string) {
		s := &Source{text: text}
		for i := range len(text) {
			s.line(i)
			if fn := s.function(i); fn != nil && (fn.start > i || fn.end <= i) {
				t.Errorf("%d is not in %+v", i, fn)
			}
		}
		_, _ = parseMap(entries)
	})
}

package network_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	gst "github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	"github.com/klauspost/compress/zstd"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/node/network"
)

// lotus is the folder of Lotus's source.
func lotus(t *testing.T) string {
	t.Helper()
	set, err := bundle.Open(t.Context(), bundle.Options{NoAdded: true, Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(set.Dir(), "..", "..")
	if _, err := os.Stat(filepath.Join(root, "build", "buildconstants")); err != nil {
		t.Skipf("SKIPPED: the bundles do not come from Lotus's module, so its constants are not there: %v", err)
	}
	return root
}

// source is the values of a few Go files, as far as they are needed here: numbers, and names of values.
type source map[string]ast.Expr

func read(t *testing.T, paths ...string) source {
	t.Helper()
	s := source{}
	for _, path := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range g.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok || len(v.Values) != len(v.Names) {
					continue
				}
				for i, name := range v.Names {
					s[name.Name] = v.Values[i]
				}
			}
		}
	}
	return s
}

// number evaluates an expression. abi.ChainEpoch(5), uint64(5), wholeFIL(5) and builtin.EpochsInDay are known.
func (s source) number(t *testing.T, e ast.Expr) *big.Int {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		v, ok := new(big.Int).SetString(strings.ReplaceAll(e.Value, "_", ""), 10)
		if ok {
			return v
		}
	case *ast.ParenExpr:
		return s.number(t, e.X)
	case *ast.Ident:
		if e.Name == "true" || e.Name == "false" {
			return big.NewInt(int64(len("false") - len(e.Name))) // 1 and 0
		}
		if of, ok := s[e.Name]; ok {
			return s.number(t, of)
		}
	case *ast.UnaryExpr:
		return new(big.Int).Neg(s.number(t, e.X))
	case *ast.BinaryExpr:
		a, b := s.number(t, e.X), s.number(t, e.Y)
		switch e.Op {
		case token.ADD:
			return a.Add(a, b)
		case token.MUL:
			return a.Mul(a, b)
		case token.SHL:
			return a.Lsh(a, uint(b.Uint64()))
		}
	case *ast.SelectorExpr:
		if of, ok := map[string]int64{"EpochDurationSeconds": 30, "EpochsInHour": 120, "EpochsInDay": 2880, "EpochsInYear": 1051200}[e.Sel.Name]; ok {
			return big.NewInt(of)
		}
		var v int64
		if _, err := fmt.Sscanf(e.Sel.Name, "Version%d", &v); err == nil {
			return big.NewInt(v)
		}
		return s.number(t, e.Sel)
	case *ast.CallExpr:
		v := s.number(t, e.Args[0])
		if f, ok := e.Fun.(*ast.Ident); ok && f.Name == "wholeFIL" {
			v.Mul(v, big.NewInt(1e18))
		}
		return v
	}
	t.Fatalf("cannot evaluate a %T: %v", e, e)
	return nil
}

func (s source) constant(t *testing.T, name string) *big.Int {
	t.Helper()
	e, ok := s[name]
	if !ok {
		t.Fatalf("Lotus has no %s", name)
	}
	return s.number(t, e)
}

// upgradeSteps are the names of heights, versions and whether a migration belongs to them, as DefaultUpgradeSchedule has them.
func upgradeSteps(t *testing.T, path string) (list []network.Upgrade) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	of := f.Scope.Lookup("DefaultUpgradeSchedule").Decl.(*ast.FuncDecl)
	ast.Inspect(of, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || lit.Type != nil {
			return true
		}
		u := network.Upgrade{}
		for _, e := range lit.Elts {
			kv, ok := e.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			switch key := kv.Key.(*ast.Ident).Name; key {
			case "Height":
				u.Name = strings.TrimSuffix(strings.TrimPrefix(kv.Value.(*ast.SelectorExpr).Sel.Name, "Upgrade"), "Height")
			case "Network":
				u.Version = gst.Version(source{}.number(t, kv.Value).Uint64())
			case "Migration":
				id, isName := kv.Value.(*ast.Ident)
				u.Migrates = !isName || id.Name != "nil"
			}
		}
		if u.Name != "" {
			list = append(list, u)
		}
		return true
	})
	if len(list) < 30 {
		t.Fatalf("only %d upgrades in %s", len(list), path)
	}
	return list
}

// drand is the chains by the names of Lotus's enumeration.
var drand = map[string]string{"DrandMainnet": "mainnet", "DrandIncentinet": "incentinet", "DrandQuicknet": "quicknet"}

// Our tables are Lotus's, for each network that it can be built for.
func TestAsLotus(t *testing.T) {
	root := lotus(t)
	steps := upgradeSteps(t, filepath.Join(root, "chain", "consensus", "filcns", "upgrades.go"))
	for name, params := range map[string]string{"mainnet": "mainnet", "calibnet": "calibnet", "butterflynet": "butterfly", "2k": "2k", "interop": "interop", "itests": "mainnet"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(root, "build", "buildconstants")
			s := read(t, filepath.Join(dir, "params_"+params+".go"), filepath.Join(dir, "params_shared_vals.go"))
			n := byName(t, name)
			kit := name == "itests" // it sets one constant, and has a schedule and a beacon of its own
			want := map[string]*big.Int{
				"Eip155ChainId": new(big.Int).SetUint64(n.ChainID), "BlockDelaySecs": new(big.Int).SetUint64(n.BlockDelay),
				"UpgradeSmokeHeight": big.NewInt(int64(n.Constants.Smoke)), "UpgradeIgnitionHeight": big.NewInt(int64(n.Constants.Ignition)),
				"UpgradeLiftoffHeight": big.NewInt(int64(n.Constants.Liftoff)), "UpgradeCalicoHeight": big.NewInt(int64(n.Constants.Calico)),
				"UpgradeHyperdriveHeight": big.NewInt(int64(n.Constants.Hyperdrive)), "UpgradeFireHorseHeight": big.NewInt(int64(n.Constants.FireHorse)),
				"UpgradeWatermelonFixHeight": big.NewInt(int64(n.Constants.WatermelonFix)), "UpgradeTockFixHeight": big.NewInt(int64(n.Constants.TockFix)),
				"UpgradeDragonHeight": big.NewInt(int64(n.Constants.Dragon)), "UpgradeTuktukHeight": big.NewInt(int64(n.Constants.Tuktuk)),
				"InitialFilReserved": n.Constants.InitialFilReserved.Int, "UpgradeTeepInitialFilReserved": n.Constants.TeepInitialFilReserved.Int,
				"UpgradeTuktukPowerRampDurationEpochs": new(big.Int).SetUint64(n.Constants.TuktukPowerRampDuration),
				"ActorDebugging":                       big.NewInt(map[bool]int64{true: 1}[n.Constants.ActorDebugging]),
			}
			if kit {
				if n.Constants.Assembly != -1 {
					t.Errorf("Assembly is %d", n.Constants.Assembly)
				}
			} else {
				want["UpgradeAssemblyHeight"] = big.NewInt(int64(n.Constants.Assembly))
				want["GenesisNetworkVersion"] = big.NewInt(int64(n.GenesisVersion()))
				want["ConsensusMinerMinPower"] = n.Constants.ConsensusMinerMinPower.Int
			}
			for constant, ours := range want {
				if lotus := s.constant(t, constant); lotus.Cmp(ours) != 0 {
					t.Errorf("%s is %s, ours is %s", constant, lotus, ours)
				}
			}
			if kit {
				return
			}
			if got := strings.Trim(s["NetworkBundle"].(*ast.BasicLit).Value, `"`); got != n.Actors {
				t.Errorf("the bundle is %s, ours is %s", got, n.Actors)
			}
			// Heights below 0 are upgrades that do not happen; those beyond any chain have no date yet.
			list := []network.Upgrade{{Name: "genesis", Height: -1, Version: n.GenesisVersion()}}
			for _, u := range steps {
				h := s.constant(t, "Upgrade"+u.Name+"Height").Int64()
				if h >= 0 && h < 9_999_999_999 {
					u.Height = abi.ChainEpoch(h)
					list = append(list, u)
				}
			}
			if !slices.Equal(list, n.Upgrades) {
				t.Errorf("the upgrades are\n%+v, ours are\n%+v", list, n.Upgrades)
			}
			var points []string
			for _, e := range s["DrandSchedule"].(*ast.CompositeLit).Elts {
				kv := e.(*ast.KeyValueExpr)
				points = append(points, fmt.Sprintf("%s from %s", drand[kv.Value.(*ast.Ident).Name], s.number(t, kv.Key)))
			}
			var ours []string
			for _, b := range n.Beacons {
				ours = append(ours, fmt.Sprintf("%s from %d", b.Name, b.Start))
			}
			if !slices.Equal(points, ours) {
				t.Errorf("the beacons are %q, ours are %q", points, ours)
			}
		})
	}
}

// The beacons' times are those of the chain information that Lotus carries.
func TestBeaconsAsLotus(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(lotus(t), "build", "buildconstants", "drand.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range byName(t, "mainnet").Beacons {
		_, rest, ok := strings.Cut(string(data), "\tDrand"+strings.ToUpper(b.Name[:1])+b.Name[1:]+": {")
		entry, _, _ := strings.Cut(rest, "\n\t},")
		entry = strings.Join(strings.Fields(entry), "")
		for _, want := range []string{fmt.Sprintf(`"period":%d,"genesis_time":%d,`, b.Period, b.GenesisTime), fmt.Sprintf("IsChained:%t,", b.Chained), fmt.Sprintf(`"public_key":"%x"`, b.Key)} {
			if !ok || !strings.Contains(entry, want) {
				t.Errorf("%s: no %s in %s", b.Name, want, entry)
			}
		}
	}
}

// The genesis blocks are the roots of the archives that Lotus carries, and their times stand in them.
func TestGenesisAsLotus(t *testing.T) {
	root := lotus(t)
	for name, file := range map[string]string{"mainnet": "mainnet", "calibnet": "calibnet", "butterflynet": "butterflynet", "interop": "interopnet"} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Open(filepath.Join(root, "build", "genesis", file+".car.zst"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			z, err := zstd.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			defer z.Close()
			store := blockstore.NewMemory()
			roots, err := blockstore.LoadCAR(t.Context(), z, store, blockstore.CAROptions{})
			if err != nil {
				t.Fatal(err)
			}
			n := byName(t, name)
			if !slices.Equal(roots, []cid.Cid{n.Genesis}) {
				t.Fatalf("the genesis is %s, ours is %s", roots, n.Genesis)
			}
			block, err := store.Get(t.Context(), n.Genesis)
			if err != nil {
				t.Fatal(err)
			}
			height, time := headerTimes(t, block.RawData())
			if height != 0 || time != n.GenesisTime {
				t.Errorf("height %d at %d, ours is 0 at %d", height, time, n.GenesisTime)
			}
		})
	}
}

// headerTimes reads fields 7 and 12 of a block header, which is a list of 16.
func headerTimes(t *testing.T, data []byte) (height, time uint64) {
	t.Helper()
	r := cbg.NewCborReader(strings.NewReader(string(data)))
	if maj, n, err := r.ReadHeader(); err != nil || maj != cbg.MajArray || n != 16 {
		t.Fatalf("no header: major type %d, %d fields, %v", maj, n, err)
	}
	for i := range 13 {
		if i != 7 && i != 12 {
			var skip cbg.Deferred
			if err := skip.UnmarshalCBOR(r); err != nil {
				t.Fatalf("field %d: %v", i, err)
			}
			continue
		}
		_, v, err := r.ReadHeader()
		if err != nil {
			t.Fatal(err)
		}
		if i == 7 {
			height = v
		} else {
			time = v
		}
	}
	return height, time
}

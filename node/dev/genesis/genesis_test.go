package genesis

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/big"
	netver "github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
)

func make1(t testing.TB, o Options) *Genesis {
	t.Helper()
	g, err := Make(t.Context(), blockstore.NewMemory(), o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var versions = []netver.Version{18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29}

// The same options give the same root, and those that are in the state give another if they change.
func TestSameRoot(t *testing.T) {
	for _, nv := range versions {
		t.Run(fmt.Sprint("nv", nv), func(t *testing.T) {
			o := Options{NetworkVersion: nv, Miners: 2}
			a := make1(t, o)
			if b := make1(t, o); a.Root != b.Root {
				t.Errorf("two roots: %s and %s", a.Root, b.Root)
			}
		})
	}
	base := make1(t, Options{Miners: 1})
	for name, c := range map[string]struct {
		o    Options
		same bool
	}{
		"no miners": {Options{}, false}, "three sectors": {Options{Miners: 1, Sectors: 3}, false}, "two accounts": {Options{Miners: 1, Accounts: 2}, false},
		"no accounts": {Options{Miners: 1, Accounts: -1}, false}, "balance": {Options{Miners: 1, Balance: fil(1)}, false},
		"no balance": {Options{Miners: 1, Balance: big.Zero()}, false}, "miners' balance": {Options{Miners: 1, MinerBalance: fil(100)}, false},
		"mnemonic": {Options{Miners: 1, Mnemonic: strings.Repeat("abandon ", 11) + "about"}, false}, "name": {Options{Miners: 1, Name: "other"}, false},
		"flavour": {Options{Miners: 1, Flavour: "testing"}, false}, "version": {Options{Miners: 1, NetworkVersion: 27}, false},
		"sector size": {Options{Miners: 1, SectorSize: 8 << 20}, false},
		"chain id":    {Options{Miners: 1, ChainID: 31337}, true}, "timestamp": {Options{Miners: 1, Timestamp: 1_700_000_000}, true},
		"defaults in words": {Options{Miners: 1, NetworkVersion: 28, Flavour: "testing-fake-proofs", Mnemonic: TestMnemonic, Accounts: 10, Balance: fil(10_000), Sectors: 2}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if g := make1(t, c.o); (g.Root == base.Root) != c.same {
				t.Errorf("the root is the same: %t", !c.same)
			}
		})
	}
}

// Each flavour that package bundle has is one that a network can begin with, with miners. To compile all of them takes minutes, so
// all are tried only if asked.
func TestFlavours(t *testing.T) {
	for _, flavour := range []string{"mainnet", "testing", "devnet", "calibrationnet", "butterflynet", "caterpillarnet"} {
		for _, nv := range []netver.Version{18, 22, 28} {
			t.Run(fmt.Sprint(flavour, " nv", nv), func(t *testing.T) {
				if (nv != 28 || flavour != "mainnet") && os.Getenv("EDGEFVM_ALL_FLAVOURS") == "" {
					t.Skip("NOT RUN: EDGEFVM_ALL_FLAVOURS=1 asks for it")
				}
				g := make1(t, Options{NetworkVersion: nv, Flavour: flavour, Miners: 1})
				if got := total(t, open(t, g.Store, g.Root)); !got.Equals(fil(totalFIL)) {
					t.Errorf("%s attoFIL", got)
				}
			})
		}
	}
}

func TestBadOptions(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		want error
	}{
		"version 17": {Options{NetworkVersion: 17}, ErrOptions}, "version 30": {Options{NetworkVersion: 30}, ErrOptions},
		"1,001 accounts": {Options{Accounts: 1001}, ErrOptions}, "101 miners": {Options{Miners: 101}, ErrOptions}, "65 sectors": {Options{Sectors: 65}, ErrOptions},
		"debts": {Options{Balance: fil(-1)}, ErrOptions}, "more than there is": {Options{Balance: fil(30_000_001)}, ErrOptions},
		"odd sectors": {Options{SectorSize: 4096}, ErrOptions}, "long name": {Options{Name: strings.Repeat("n", 101)}, ErrOptions},
		"a word": {Options{Mnemonic: "test"}, ErrMnemonic}, "no such flavour": {Options{Flavour: "nowhere"}, bundle.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Make(t.Context(), blockstore.NewMemory(), c.o); !errors.Is(err, c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A miner without the money for its pledge is an error that says so.
func TestPoorMiner(t *testing.T) {
	_, err := Make(t.Context(), blockstore.NewMemory(), Options{Miners: 1, MinerBalance: big.Zero()})
	if err == nil || !strings.Contains(err.Error(), "miner 0") {
		t.Errorf("%v", err)
	}
}

func BenchmarkMake(b *testing.B) {
	for _, miners := range []int{0, 1, 5} {
		b.Run(fmt.Sprint("miners=", miners), func(b *testing.B) {
			set, err := bundle.Open(b.Context(), bundle.Options{})
			if err != nil {
				b.Fatal(err)
			}
			make1(b, Options{Bundles: set, Miners: miners})
			for b.Loop() {
				make1(b, Options{Bundles: set, Miners: miners})
			}
		})
	}
}

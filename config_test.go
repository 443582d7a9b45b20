package fvm_test

import (
	"math"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
)

// A setting that no chain has is this node's mistake, and New names it.
func TestConfigRefused(t *testing.T) {
	s := newSetting(t, false)
	power := func(n uint, plus int64) big.Int { return big.Add(big.Lsh(big.NewInt(1), n), big.NewInt(plus)) }
	for _, c := range []struct {
		name   string
		change func(*fvm.Config)
		want   string // "": admitted
	}{
		{"as it is", func(*fvm.Config) {}, ""},
		{"no amounts", func(c *fvm.Config) { c.BaseFee, c.CircSupply = big.Int{}, big.Int{} }, ""},
		{"largest amounts", func(c *fvm.Config) { c.BaseFee, c.CircSupply = power(128, -1), power(128, -1) }, ""},
		{"epoch 0, largest numbers", func(c *fvm.Config) { c.Epoch, c.Timestamp, c.ChainID = 0, math.MaxUint64, math.MaxUint64 }, ""},
		{"negative base fee", func(c *fvm.Config) { c.BaseFee = big.NewInt(-1) }, "Config.BaseFee is -1 attoFIL: want 0 to 2^128-1"},
		{"large base fee", func(c *fvm.Config) { c.BaseFee = power(128, 0) }, "Config.BaseFee has 129 bits: want 0 to 2^128-1"},
		{"negative supply", func(c *fvm.Config) { c.CircSupply = big.NewInt(-7) }, "Config.CircSupply is -7 attoFIL: want 0 to 2^128-1"},
		{"large supply", func(c *fvm.Config) { c.CircSupply = power(130, 0) }, "Config.CircSupply has 131 bits: want 0 to 2^128-1"},
		{"negative epoch", func(c *fvm.Config) { c.Epoch = -1 }, "Config.Epoch is -1: want 0 or later"},
		{"zero engine", func(c *fvm.Config) { c.Engine = new(fvm.Engine) }, "Config.Engine has no adapter"},
		{"engine of nothing", func(c *fvm.Config) { c.Engine = fvm.EngineFrom(nil) }, "Config.Engine has no adapter"},
		{"no blockstore", func(c *fvm.Config) { c.Blockstore = nil }, "set Config.Blockstore"},
		{"no state root", func(c *fvm.Config) { c.StateRoot = fvm.Config{}.StateRoot }, "no state root given"},
		{"unknown version", func(c *fvm.Config) { c.NetworkVersion = 15 }, "network version 15"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := s.config()
			c.change(&cfg)
			m, err := fvm.New(t.Context(), cfg)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if m != nil || err == nil || !strings.HasPrefix(err.Error(), "fvm.New: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %q", err, c.want)
			}
			if _, err := fvm.ApplyTipset(t.Context(), fvm.Tipset{Config: cfg}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("a tipset: %v; want %q", err, c.want)
			}
		})
	}
}

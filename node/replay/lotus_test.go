package replay

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/chain"
)

// What Lotus's own code answers from each tipset of a chain: randomness of both kinds, tipsets by epoch, lookback states. ffi/chains.sh
// asks it and writes replay.txt, whose name is in EDGEFVM_LOTUS_CHAINS. Lines are "ask NAME HEIGHT EPOCH answers...".
func TestAnswersOfLotus(t *testing.T) {
	path := os.Getenv("EDGEFVM_LOTUS_CHAINS")
	if path == "" {
		t.Skip("SKIPPED: EDGEFVM_LOTUS_CHAINS names no replay.txt of ffi/chains.sh")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	chains, asked := map[string]*asking{}, 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var name string
		var h, e abi.ChainEpoch
		if n, _ := fmt.Sscanf(lines.Text(), "ask %s %d %d", &name, &h, &e); n != 3 {
			continue
		}
		if chains[name] == nil {
			chains[name] = newAsking(t, load(t, shared, name))
		}
		if got := chains[name].ask(t, name, h, e); got != lines.Text() {
			t.Fatalf("here  %s\nLotus %s", got, lines.Text())
		}
		asked++
	}
	if err := lines.Err(); err != nil || asked == 0 {
		t.Fatalf("%d questions, %v", asked, err)
	}
	t.Logf("%d questions on %d chains", asked, len(chains))
}

// asking asks a chain.
type asking struct {
	line  *chain.Line
	rules chain.Rules
}

func newAsking(t *testing.T, c *theirs) *asking {
	s := chain.NewStore(c.archive)
	head, err := s.Head(t.Context(), c.roots)
	if err != nil {
		t.Fatal(err)
	}
	a := &asking{line: chain.NewLine(s, head)}
	genesis, err := a.line.At(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	a.rules = chain.Rules{Network: c.network.WithGenesis(genesis.CIDs[0], genesis.Timestamp()), State: c.archive}
	return a
}

// ask asks for an epoch from the tipset at a height. Instead of an answer there may be an error, which is written as -.
func (a *asking) ask(t *testing.T, name string, h, e abi.ChainEpoch) string {
	ctx := t.Context()
	ts, err := a.line.At(ctx, h)
	if err != nil {
		t.Fatal(err)
	}
	view := a.line.View(ts)
	x := a.rules.Externs(view, h, ts.ParentStateRoot())
	var b strings.Builder
	fmt.Fprintf(&b, "ask %s %d %d", name, h, e)
	for _, ask := range []func() (any, error){
		func() (any, error) { d, err := x.ChainRandomness(ctx, e); return fmt.Sprintf("%x", d), err },
		func() (any, error) { d, err := x.BeaconRandomness(ctx, e); return fmt.Sprintf("%x", d), err },
		func() (any, error) { return x.TipsetCID(ctx, e) },
		func() (any, error) {
			if e < 0 || e-900 >= h { // nobody asks; Lotus would execute the tipset
				return cid.Undef, nil
			}
			return view.Lookback(ctx, e)
		},
	} {
		if v, err := ask(); err != nil {
			b.WriteString(" -")
		} else {
			fmt.Fprintf(&b, " %v", v)
		}
	}
	return b.String()
}

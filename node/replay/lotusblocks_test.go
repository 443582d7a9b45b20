package replay

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm/node/chain"
	"github.com/edgefvm/fvm/node/validate"
	"github.com/edgefvm/fvm/proofs"
)

// spoilt is a block that was damaged, with what Lotus's own validation said of it: a line of blocks.jsonl, which ffi/chains.sh writes.
type spoilt struct {
	Chain   string         `json:"chain"`
	Epoch   abi.ChainEpoch `json:"epoch"` // of the block that was damaged
	Damage  string         `json:"damage"`
	Header  []byte         `json:"header"`
	BLS     [][]byte       `json:"bls"`
	Secp    [][]byte       `json:"secp"`
	Verdict string         `json:"verdict"`
}

const spoiltFile = "testdata/lotus-blocks.jsonl.zst"

// Blocks with each of some ninety damages break the same rules here as in Lotus. Those of testdata are of the cut chains.
func TestDamagedBlocksAsLotus(t *testing.T) {
	f, err := os.Open(spoiltFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	judgeSpoilt(t, "testdata", z)
}

// Blocks of the whole chains, of which EDGEFVM_LOTUS_BLOCKS names the file. With -update those of testdata are chosen from it: each damage
// of each chain once.
func TestManyDamagedBlocksAsLotus(t *testing.T) {
	path := os.Getenv("EDGEFVM_LOTUS_BLOCKS")
	if path == "" {
		t.Skip("SKIPPED: EDGEFVM_LOTUS_BLOCKS names no blocks.jsonl of ffi/chains.sh")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		chooseSpoilt(t, data)
	}
	judgeSpoilt(t, shared, bytes.NewReader(data))
}

func eachSpoilt(t testing.TB, r io.Reader, fn func(line []byte, s *spoilt)) {
	t.Helper()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		s := new(spoilt)
		if err := json.Unmarshal(lines.Bytes(), s); err != nil {
			t.Fatal(err)
		}
		fn(lines.Bytes(), s)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func chooseSpoilt(t *testing.T, data []byte) {
	t.Helper()
	until := map[string]abi.ChainEpoch{}
	for _, c := range cuts {
		until[c.name] = c.to
	}
	var out bytes.Buffer
	seen := map[string]bool{}
	eachSpoilt(t, bytes.NewReader(data), func(line []byte, s *spoilt) {
		if key := s.Chain + s.Damage; s.Epoch <= until[s.Chain] && !seen[key] {
			seen[key] = true
			out.Write(append(line, '\n'))
		}
	})
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(spoiltFile, z.EncodeAll(out.Bytes(), nil), 0o644); err != nil {
		t.Fatal(err)
	}
}

// judgeSpoilt judges blocks here and compares. Lines of one chain follow one another, with rising epochs.
func judgeSpoilt(t *testing.T, folder string, r io.Reader) {
	t.Helper()
	var j *spoiltJudge
	type count struct{ damaged, refused, taken int }
	counts := map[string]*count{}
	eachSpoilt(t, r, func(_ []byte, s *spoilt) {
		if j == nil || j.name != s.Chain {
			if j != nil {
				j.chain.Close(context.Background())
			}
			j = newSpoiltJudge(t, folder, s.Chain)
		}
		faults := j.judge(t, s)
		if msg := compareFaults(s.Verdict, faults); msg != "" {
			t.Errorf("%s, epoch %d, %s: %s\nLotus: %s\nhere:  %v", s.Chain, s.Epoch, s.Damage, msg, s.Verdict, faults)
		}
		c := counts[s.Damage]
		if c == nil {
			c = new(count)
			counts[s.Damage] = c
		}
		c.damaged++
		if len(faults) > 0 {
			c.refused++
		} else {
			c.taken++
		}
	})
	if len(counts) < 60 {
		t.Errorf("only %d kinds of damage", len(counts))
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%-45s %5d blocks, refused by both %5d, taken by both %d", name, counts[name].damaged, counts[name].refused, counts[name].taken)
	}
}

type spoiltJudge struct {
	name  string
	chain *Chain
	rules validate.Rules
	at    abi.ChainEpoch
}

func newSpoiltJudge(t *testing.T, folder, name string) *spoiltJudge {
	t.Helper()
	c := load(t, folder, name)
	o := c.options(t)
	keys := filepath.Join(folder, name+"-vk")
	if _, err := os.Stat(keys); err == nil {
		v, err := proofs.Open(t.Context(), proofs.Options{Dir: keys, TrustParams: true})
		if err != nil {
			t.Fatal(err)
		}
		o.Proofs = v
	}
	ch, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	n, _, err := ch.Network(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	j := &spoiltJudge{name: name, chain: ch, rules: validate.Rules{Network: n, State: ch.States(), MockWinning: o.Proofs == nil}}
	if o.Proofs != nil {
		j.rules.Winning = o.Proofs.(validate.Winning)
	}
	return j
}

func (j *spoiltJudge) judge(t *testing.T, s *spoilt) []validate.Fault {
	t.Helper()
	ctx := t.Context()
	at, err := j.chain.Line().At(ctx, s.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	if s.Epoch != j.at {
		if err := j.chain.Reach(ctx, at); err != nil {
			t.Fatal(err)
		}
		j.at = s.Epoch
	}
	h, err := chain.DecodeHeader(s.Header)
	if err != nil {
		t.Fatalf("%s, epoch %d, %s: %v", s.Chain, s.Epoch, s.Damage, err)
	}
	parent, err := j.chain.Headers().Parent(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	j.rules.Result = &validate.Result{State: at.ParentStateRoot(), Receipts: at.ParentReceipts()}
	base, err := j.rules.On(ctx, j.chain.Line(), j.chain.Headers(), parent, h.Height)
	if err != nil {
		t.Fatal(err)
	}
	messages, unread := s.messages()
	v, err := base.Block(ctx, h, messages, unread)
	if err != nil {
		t.Fatalf("%s, epoch %d, %s: %v", s.Chain, s.Epoch, s.Damage, err)
	}
	if len(v.Unjudged) > 0 {
		t.Errorf("%s, epoch %d, %s: not judged: %v", s.Chain, s.Epoch, s.Damage, v.Unjudged)
	}
	return v.Faults
}

func (s *spoilt) messages() (*chain.BlockMessages, error) {
	out := new(chain.BlockMessages)
	for _, data := range s.BLS {
		c, err := abi.CidBuilder.Sum(data)
		if err != nil {
			return nil, err
		}
		m, err := chain.DecodeUnsigned(c, data)
		if err != nil {
			return nil, err
		}
		out.BLS = append(out.BLS, m)
	}
	for _, data := range s.Secp {
		c, err := abi.CidBuilder.Sum(data)
		if err != nil {
			return nil, err
		}
		m, err := chain.DecodeSigned(c, data)
		if err != nil {
			return nil, err
		}
		out.Secp = append(out.Secp, m)
	}
	return out, nil
}

// words of Lotus's errors, and the checks that they are of. The first of a check that fits counts.
var lotusWords = []struct {
	words string
	check validate.Check
	// alone: Lotus looks no further.
	alone bool
}{
	{"failed basic sanity checks", validate.Form, true},
	{"block height not greater", validate.Height, true},
	{"block has wrong timestamp", validate.Timestamp, true},
	{"parent weight different", validate.Weight, true},
	{"GetMinerWorkerRaw failed", validate.Lookback, true},
	{"failed to get lookback tipset", validate.Lookback, true},
	{"minerIsValid failed", validate.Miner, false},
	{"block is not claiming to be a winner", validate.WinCount, false},
	{"miner is ineligible", validate.Eligibility, false},
	{"determining if miner has min power failed", validate.Eligibility, false},
	{"validating block election proof failed", validate.Election, false},
	{"miner claims wrong number of wins", validate.WinCount, false},
	{"validating block tickets failed", validate.Ticket, false},
	{"check block signature failed", validate.BlockSig, false},
	{"random beacon values", validate.Beacon, false},
	{"invalid election post", validate.WinningPoSt, false},
	{"bls aggregate signature was invalid", validate.Aggregate, false},
	{"failed to load bls public", validate.Aggregate, false},
	{"messages didn't match message root", validate.MessageRoot, false},
	{"block had invalid messages", validate.Messages, false},
	{"base fee doesn't match", validate.BaseFee, false},
	{"parent state root did not match", validate.StateRoot, false},
	{"parent receipts root did not match", validate.Receipts, false},
}

// Lotus ends a group of checks at the first that fails.
var lotusGroups = [][]validate.Check{
	{validate.WinCount, validate.Eligibility, validate.Election},
	{validate.Aggregate, validate.Messages, validate.MessageRoot},
	{validate.StateRoot, validate.Receipts},
}

// What Lotus says of a message, and what we say.
var messageWords = []struct{ lotus, ours string }{
	{"wrong nonce", "its nonce is"}, {"'Version' unsupported", "its version"}, {"invalid 'To' address", "the address of no key"},
	{"'Value' field", "its value is"}, {"'GasFeeCap' field", "its fee cap is"}, {"'GasPremium' field", "its premium is"}, {"less than 'GasPremium'", "is above its fee cap"},
	{"greater than a block's gas limit", "above the block's"}, {"must be positive", "its gas limit is"}, {"cost of storing", "to be stored it needs"},
	{"block gas limit exceeded", "the block's messages ask for"}, {"Sender must be an account", "is no account"}, {"failed to lookup sender", "its sender"},
	{"failed to get actor", "its sender"}, {"failed to validate signature", "signature"}, {"sending legacy ETH", "transaction of Ethereum"},
}

// compareFaults is "" if both name the same rules, as far as Lotus looks.
func compareFaults(lotus string, ours []validate.Fault) string {
	if (lotus == "") != (len(ours) == 0) {
		return "one takes the block"
	}
	got, said := map[validate.Check]string{}, map[validate.Check]bool{}
	for _, f := range ours {
		got[f.Check] = f.Reason
	}
	alone := false
	for _, w := range lotusWords {
		if !strings.Contains(lotus, w.words) || w.check == validate.Messages && (said[validate.Aggregate] || said[validate.MessageRoot]) {
			continue
		}
		said[w.check] = true
		alone = alone || w.alone
	}
	if lotus != "" && len(said) == 0 {
		return "Lotus's words are not known"
	}
	for c := range said {
		if c == validate.Aggregate && strings.HasPrefix(got[validate.Messages], "malformed block") {
			continue // Lotus reads a gas limit below 0, and here nothing more is looked at
		}
		if _, ok := got[c]; !ok {
			return fmt.Sprintf("%s is not told", c)
		}
	}
	if alone {
		return ""
	}
	for c := range got {
		inGroup := slices.ContainsFunc(lotusGroups, func(g []validate.Check) bool {
			return slices.Contains(g, c) && slices.ContainsFunc(g, func(x validate.Check) bool { return said[x] })
		})
		if !said[c] && !inGroup {
			return fmt.Sprintf("%s is told, and not by Lotus", c)
		}
	}
	for _, w := range messageWords {
		if said[validate.Messages] && !strings.HasPrefix(got[validate.Messages], "malformed block") && strings.Contains(lotus, w.lotus) && !strings.Contains(got[validate.Messages], w.ours) {
			return fmt.Sprintf("the message is refused for another reason: want %q", w.ours)
		}
	}
	return ""
}

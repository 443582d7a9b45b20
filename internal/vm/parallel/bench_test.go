package parallel_test

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v16/multisig"

	"github.com/edgefvm/fvm"
)

var (
	tipsetEngine  = flag.String("tipset-engine", "wazero", "`engine` of the tipsets' benchmarks")
	tipsetCache   = flag.String("tipset-cache", "", "`folder` of that engine's compiled code")
	tipsetWorkers = flag.Int("tipset-workers", 2, "goroutines that the benchmarks compare with one")
	tipsetOnly    = flag.Bool("tipset-parallel", false, "run only in parallel, for profiles")
)

// The benchmark's tipset is five blocks of eighty messages, by two hundred senders.
const (
	benchPeople   = 200
	benchBlocks   = 5
	benchMessages = 80
)

// benchMix is how messages of a tipset are made.
type benchMix struct {
	name string
	make func(t testing.TB, w *town, r *rand.Rand, p *person, i int) *fvm.Message
}

var benchMixes = []benchMix{
	{"Independent", independent},
	{"Long", func(t testing.TB, w *town, r *rand.Rand, p *person, _ int) *fvm.Message {
		return message(&p.account, p.contract, invokeEVM, callData(p.id, loops(r)))
	}},
	{"Transfers", func(t testing.TB, w *town, r *rand.Rand, p *person, _ int) *fvm.Message {
		m := message(&p.account, idAddress(p.id), 0, nil)
		m.Value = big.NewInt(1)
		return m
	}},
	{"Miners", func(t testing.TB, w *town, r *rand.Rand, p *person, i int) *fvm.Message {
		return message(&p.account, p.miner, preCommitBatch, w.preCommit(t, p))
	}},
	{"Popular", func(t testing.TB, w *town, r *rand.Rand, p *person, i int) *fvm.Message { // two fifths to four contracts
		if r.IntN(5) < 2 {
			return message(&p.account, w.people[r.IntN(4)].contract, invokeEVM, callData(p.id, loops(r)))
		}
		return independent(t, w, r, p, i)
	}},
	{"OneReceiver", func(t testing.TB, w *town, r *rand.Rand, p *person, _ int) *fvm.Message {
		return message(&p.account, w.bulletin, invokeEVM, callData(p.id, loops(r)))
	}},
	{"HiddenConflicts", func(t testing.TB, w *town, r *rand.Rand, p *person, _ int) *fvm.Message {
		return message(&p.account, p.forwarder, invokeEVM, callData(p.id, loops(r)))
	}},
	{"HiddenTransfers", func(t testing.TB, w *town, r *rand.Rand, p *person, _ int) *fvm.Message {
		return message(&p.account, p.multisig, propose, encode(t, &multisig.ProposeParams{To: w.miner, Value: big.NewInt(1)}))
	}},
}

// loops is a contract's length: a tenth of the calls are long.
func loops(r *rand.Rand) int {
	return []int{0, 0, 20, 20, 50, 50, 100, 200, 400, 1500}[r.IntN(10)]
}

// independent is a message that concerns its sender's own: 4 of 10 a contract, 2 a multisig, 2 a transfer, 2 the miner.
func independent(t testing.TB, w *town, r *rand.Rand, p *person, _ int) *fvm.Message {
	switch k := r.IntN(10); {
	case k < 4:
		return message(&p.account, p.contract, invokeEVM, callData(p.id, loops(r)))
	case k < 6:
		return message(&p.account, p.multisig, propose, encode(t, &multisig.ProposeParams{To: idAddress(p.id), Value: big.NewInt(1)}))
	case k < 8:
		m := message(&p.account, p.address, 0, nil)
		m.Value = big.NewInt(1)
		return m
	case k < 9:
		return message(&p.account, p.miner, preCommitBatch, w.preCommit(t, p))
	}
	return message(&p.account, p.miner, changePeer, []byte{0x81, 0x44, 'p', 'e', 'e', 'r'})
}

// benchTipset makes a tipset. Half of the senders of a block send twice, one message after the other.
func benchTipset(t testing.TB, w *town, mix benchMix) []fvm.TipsetBlock {
	r := rand.New(rand.NewPCG(28, 1))
	fresh := make([]person, len(w.people))
	for i, p := range w.people {
		fresh[i] = *p
	}
	var blocks []fvm.TipsetBlock
	for range benchBlocks {
		b := fvm.TipsetBlock{Miner: w.miner, WinCount: 1}
		for _, at := range r.Perm(len(fresh)) {
			for range 1 + r.IntN(2) {
				if len(b.Messages) < benchMessages {
					b.Messages = append(b.Messages, fvm.ChainMessage{Message: mix.make(t, w, r, &fresh[at], len(b.Messages)), ChainLength: 200})
				}
			}
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// BenchmarkTipset is whole tipsets, serial and parallel in turn: the ratio of both. Ceiling is that of a computation
// without memory, cut in two: what the machine had to give.
func BenchmarkTipset(b *testing.B) {
	eng, err := fvm.NewEngine(fvm.EngineConfig{Name: *tipsetEngine, CacheDir: *tipsetCache})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { eng.Close(b.Context()) })
	w := newTown(b, 28, benchPeople)
	for _, mix := range benchMixes {
		b.Run(mix.name, func(b *testing.B) { w.bench(b, eng, mix) })
	}
}

func (w *town) bench(b *testing.B, eng *fvm.Engine, mix benchMix) {
	blocks := benchTipset(b, w, mix)
	used := map[int]time.Duration{}
	run := func(workers int) (time.Duration, *fvm.TipsetResult) {
		ts := fvm.Tipset{Config: w.config(), ParentEpoch: w.cfg.Epoch - 1, Blocks: blocks, Workers: workers}
		ts.Engine = eng
		runtime.GC() // what earlier runs left is not this one's
		before := cpuTime()
		start := time.Now()
		r, err := fvm.ApplyTipset(b.Context(), ts)
		took := time.Since(start)
		used[workers] += cpuTime() - before
		if err != nil {
			b.Fatal(err)
		}
		for i, m := range r.Receipts {
			if m.ExitCode != 0 {
				b.Fatalf("message %d: exit code %d: %s", i, m.ExitCode, m.Failure)
			}
		}
		return took, r
	}
	_, first := run(1) // compiles
	run(*tipsetWorkers)
	clear(used)
	var one, many, spin1, spin2 []time.Duration
	var last *fvm.TipsetResult
	for i := 0; b.Loop(); i++ {
		if !*tipsetOnly {
			a, c := spin()
			spin1, spin2 = append(spin1, a), append(spin2, c)
		}
		for half := range 2 { // who goes first changes
			if parallel := half == i%2; parallel {
				d, r := run(*tipsetWorkers)
				many, last = append(many, d), r
				if r.Root != first.Root {
					b.Fatal("the roots differ")
				}
			} else if !*tipsetOnly {
				d, _ := run(1)
				one = append(one, d)
			}
		}
	}
	b.ReportMetric(float64(last.Merged), "merged")
	b.ReportMetric(float64(last.Repeated), "repeated")
	if *tipsetOnly {
		return
	}
	b.ReportMetric(ratio(one, many, 0.5), "speedup-p50")
	b.ReportMetric(ratio(one, many, 0), "speedup-min")
	b.ReportMetric(float64(used[*tipsetWorkers])/float64(used[1]), "cpu-ratio")
	b.ReportMetric(ratio(spin1, spin2, 0.5), "ceiling-p50")
	b.ReportMetric(float64(at(one, 0).Microseconds())/float64(len(first.Receipts)), "µs/message")
}

func at(list []time.Duration, part float64) time.Duration {
	slices.Sort(list)
	return list[int(float64(len(list))*part)]
}

func ratio(a, b []time.Duration, part float64) float64 {
	return float64(at(a, part)) / float64(at(b, part))
}

var spun uint64

// spin is how long a computation takes on one goroutine, and on two.
func spin() (one, two time.Duration) {
	work := func() (x uint64) {
		for i := range 20_000_000 {
			x = x*6364136223846793005 + uint64(i)
		}
		return x
	}
	start := time.Now()
	spun += work() + work()
	one = time.Since(start)
	start = time.Now()
	var other sync.WaitGroup
	other.Go(func() { work() })
	spun += work()
	other.Wait()
	return one, time.Since(start)
}

// cpuTime is what the process's threads have had of the processor.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

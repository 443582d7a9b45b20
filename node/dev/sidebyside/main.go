// Command sidebyside measures a development node of EdgeFVM beside others, such as Anvil, in turns, so that what else a machine does
// hits all of them alike: the start, a block of 100 ERC-20 transfers, eth_call, and a command such as a test suite. .ci/devbench runs
// it.
//
//	sidebyside -node 'edgefvm dev --port 0' -node 'anvil --port 0' -token node/dev/ethapi/testdata/coin.json -rounds 5
//
// Each node is a command that prints "Listening on …:PORT". The processor time is that of the node's process.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"text/tabwriter"
	"time"
)

type list []string

func (l *list) String() string     { return strings.Join(*l, ", ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

type bench struct {
	nodes         []string
	token, suite  string
	rounds, calls int
	span          time.Duration
	rows          []row
}

// row is what was measured of one thing, by node.
type row struct {
	what   string
	unit   string
	of     []samples
	target string
}

func run(ctx context.Context) error {
	b := &bench{}
	var nodes list
	flag.Var(&nodes, "node", "`command` that starts a node; give it for each, the one that is measured first")
	flag.StringVar(&b.token, "token", "", "`file` with the bytecode of an ERC-20 whose maker gets it all, as JSON {\"bytecode\": \"0x…\"}")
	flag.StringVar(&b.suite, "suite", "", "shell `command` to be timed too, with the node's address in RPC_URL")
	flag.IntVar(&b.rounds, "rounds", 5, "`number` of rounds")
	flag.IntVar(&b.calls, "clients", 8, "`number` of connections that call")
	flag.DurationVar(&b.span, "span", 2*time.Second, "`time` that calls are counted in each round")
	flag.Parse()
	if b.nodes = nodes; len(nodes) < 1 || flag.NArg() > 0 || b.rounds < 1 || b.calls < 1 {
		flag.Usage()
		return errors.New("want one -node at least, one round and one client")
	}
	for _, measure := range []func(context.Context) error{b.starts, b.transfers, b.suites} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return b.print()
}

// print writes a table: medians, and how often the first node's the others' are.
func (b *bench) print() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "median of ", b.rounds, "\tunit")
	for i, n := range b.nodes {
		fmt.Fprintf(w, "\t%s", name(n))
		if i > 0 {
			fmt.Fprint(w, "\tratio")
		}
	}
	fmt.Fprintln(w, "\ttarget")
	for _, r := range b.rows {
		fmt.Fprintf(w, "%s\t%s", r.what, r.unit)
		for i, s := range r.of {
			fmt.Fprintf(w, "\t%.4g", s.median())
			if i > 0 {
				fmt.Fprintf(w, "\t%.2f", r.of[0].median()/s.median())
			}
		}
		fmt.Fprintf(w, "\t%s\n", r.target)
	}
	return w.Flush()
}

// name of a node is that of its program.
func name(command string) string {
	first := strings.Fields(command)[0]
	return first[strings.LastIndexByte(first, '/')+1:]
}

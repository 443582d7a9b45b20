package devnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/upkeep"
	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/cheats"
	"github.com/edgefvm/fvm/node/dev/ethapi"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/filapi"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// run makes the node, serves it until the command is interrupted, and stops it.
func (x *flags) run(cmd *cobra.Command) error {
	if err := x.check(); err != nil {
		return err
	}
	ctx := cmd.Context()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", x.address()) // first, so that a port that is taken is told at once
	if err != nil {
		return listenError(x, err)
	}
	defer listener.Close()
	engine, err := x.set.Start()
	if err != nil {
		return err
	}
	defer engine.Close(context.WithoutCancel(ctx))
	log := newRequestLog(cmd.OutOrStdout(), x.jsonLog)
	bundles, err := bundle.Open(ctx, x.set.BundleOptions(cmd))
	if err != nil {
		return err
	}
	node, closeStore, err := x.node(ctx, bundles, engine, log)
	if err != nil {
		return err
	}
	defer closeStore()
	defer node.Close()
	s := &service{x: x, node: node, log: log, bundles: bundles, manner: eth.Tools}
	if x.strict {
		s.manner = eth.Strict
	}
	server, end, err := s.server()
	if err != nil {
		return err
	}
	defer end()
	if !x.silent {
		s.banner(cmd.OutOrStdout(), listener.Addr())
	}
	warm := make(chan struct{})
	stop, cancel := context.WithCancel(ctx)
	go func() {
		defer close(warm)
		node.Warm(stop) //nolint:errcheck // who needs the code gets the error
	}()
	defer func() {
		cancel()
		<-warm
	}()
	err = server.Serve(ctx, listener)
	if ctx.Err() != nil && err == nil {
		return nil // interrupted: that is how it ends
	}
	return err
}

func listenError(x *flags, err error) error {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return kit.Usagef("--host %s is no address of this machine: %w", x.host, err)
	case strings.Contains(err.Error(), "address already in use"):
		return fmt.Errorf("port %d is taken: another node may be running; --port 0 takes any that is free", x.port)
	}
	return err
}

// node makes the chain. What is returned beside it closes the store.
func (x *flags) node(ctx context.Context, bundles *bundle.Set, engine *fvm.Engine, log *requestLog) (*dev.Node, func(), error) {
	begin, err := x.genesis()
	if err != nil {
		return nil, nil, err
	}
	begin.Bundles, begin.Engine = bundles, engine
	jumps, err := dev.ParseJumps(x.timeJumps)
	if err != nil {
		return nil, nil, err
	}
	o := dev.Options{
		Genesis: begin, BlockTime: x.epochTime, Jumps: jumps, Manual: x.noMining || x.every > 0, Interval: x.every, LenientGas: x.lenient, Engine: engine,
		Logger: slog.New(slog.DiscardHandler),
	}
	if !x.silent {
		o.Logger = slog.New(log.handler(slog.LevelWarn))
	}
	closeStore := func() {}
	if x.state != "" {
		if closeStore, err = openState(x.state, &o); err != nil {
			return nil, nil, err
		}
	}
	node, err := dev.New(ctx, o)
	if err != nil {
		closeStore()
		return nil, nil, explainOptions(ctx, bundles, x, err)
	}
	return node, closeStore, nil
}

// service is what is served of a node.
type service struct {
	x      *flags
	node   *dev.Node
	log    *requestLog
	manner eth.Manner
	// bundles that upgrades take actors from.
	bundles *bundle.Set
	// muted by anvil_setLoggingEnabled.
	muted atomic.Bool
}

// server puts the methods together. What is returned beside it ends what watches the node.
func (s *service) server() (*jsonrpc.Server, func(), error) {
	o := ethapi.Options{Manner: s.manner, Version: version()}
	for _, a := range s.node.Genesis().Accounts {
		o.Keys = append(o.Keys, a.Private)
	}
	api := ethapi.New(s.node, o)
	lotus, err := filapi.OfNode(s.node, filapi.NodeOptions{Strict: s.x.strict, Agent: "edgefvm/" + o.Version})
	if err != nil {
		api.Close()
		return nil, nil, err
	}
	// Ethereum's methods are at all paths, as on Lotus; tools know none but /.
	table := func(register func(*jsonrpc.Methods)) *jsonrpc.Methods {
		methods := &jsonrpc.Methods{}
		if s.manner == eth.Strict {
			methods.PlainCode = eth.CodeAny
		}
		api.Register(methods)
		if s.manner != eth.Strict {
			cheats.Register(methods, s.node, cheats.Options{
				ClientVersion: ethapi.ClientVersion(o), Manner: s.manner, Bundles: s.bundles, Log: func(on bool) { s.muted.Store(!on) },
			})
		}
		register(methods)
		filapi.Aliases(methods)
		return methods
	}
	options := jsonrpc.Options{
		Access: jsonrpc.Access{Hosts: s.x.allowHosts, Origins: s.x.origins}, Log: slog.New(slog.DiscardHandler),
		Paths: map[string]*jsonrpc.Methods{"/rpc/v0": table(lotus.RegisterV0), "/rpc/v2": table(lotus.RegisterV2)},
	}
	end := api.Close
	if !s.x.silent {
		options.Log = slog.New(s.log.handler(slog.LevelWarn))
		s.log.find, s.log.said = s.facts, said
		options.OnCall = func(c jsonrpc.Call) {
			if !s.muted.Load() {
				s.log.call(c)
			}
		}
		stop := s.watch()
		end = func() {
			api.Close()
			stop()
		}
	}
	return jsonrpc.New(table(lotus.Register), options), end, nil
}

// version of this program, as web3_clientVersion says it.
func version() string {
	v, _ := upkeep.Version()
	return strings.TrimPrefix(strings.Trim(v, "()"), "v")
}

// said are the lines that the contracts of a call logged.
func said(c jsonrpc.Call) []string {
	type logged interface{ ConsoleLines() []string }
	if l, ok := c.Result.(logged); ok {
		return l.ConsoleLines()
	}
	var l logged
	if errors.As(c.Err, &l) {
		return l.ConsoleLines()
	}
	return nil
}

// facts tell of a transaction that is in a block.
func (s *service) facts(ctx context.Context, h eth.Hash) *facts {
	b, i, ok := s.node.Transaction(h)
	if !ok {
		return nil
	}
	return s.factsOf(ctx, b, i)
}

func (s *service) factsOf(ctx context.Context, b *dev.Block, i int) *facts {
	r, err := s.node.Render(ctx, b, s.manner)
	if err != nil {
		return nil
	}
	tx, receipt, m := r.Transactions[i], r.Receipts[i], b.Messages[i]
	f := &facts{
		Hash: tx.Hash, Block: uint64(b.Epoch()), From: tx.From, To: tx.To, Contract: receipt.ContractAddress, Value: tx.Value.Big().String(),
		GasUsed: uint64(receipt.GasUsed), GasLimit: uint64(tx.Gas), Raised: uint64(max(m.Raised, 0)), ExitCode: int64(m.Result.ExitCode), Console: ethapi.Lines(m.Console),
		blockHash: b.Hash, fil: m.Message.Message.Value,
	}
	if m.Result.ExitCode != 0 {
		f.Failure = eth.Reverted(eth.Tools, eth.Failure{ExitCode: m.Result.ExitCode, Return: m.Result.Return}).Message
	}
	return f
}

// banner is what a person needs first.
func (s *service) banner(w io.Writer, at net.Addr) {
	if s.x.jsonLog {
		s.log.writeStart(s.started(at))
		return
	}
	s.print(w, at)
}

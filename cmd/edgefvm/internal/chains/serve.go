package chains

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/upkeep"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethchain"
	"github.com/edgefvm/fvm/node/filapi"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// serving are the flags of serve.
type serving struct {
	s          source
	host       string
	port       int
	allowHosts []string
	origins    []string
	strict     bool
	asJSON     bool
}

func newServe() *cobra.Command {
	var x serving
	cmd := &cobra.Command{
		Use:   "serve CHAIN",
		Short: "Serve a chain's archive as a node does: JSON-RPC of Ethereum and Filecoin, read only",
		Long: `Serves the chain of an archive over HTTP and WebSocket, at one port, as a node would that has
stopped: Ethereum's methods (eth_, trace_ and debug_ with the callTracer) and Filecoin's
(/rpc/v0, /rpc/v1, /rpc/v2, and at every other path those of v1). Block explorers, scripts,
cast, the lotus command and others read it without a node.

Nothing is added to it: transactions are refused. The latest block is the head's parent, since
a tipset's result stands in the one above it. Calls run on the state after their block; logs
and traces come of executing a tipset again in its place. States that the file does not have
are made from the nearest one below it, which takes as long as executing what lies between;
--store keeps them for the next time. Where no state is below, the error says so.`,
		Example: `  edgefvm chain serve forest_snapshot.forest.car.zst
  edgefvm chain serve chain.car.zst --network net.json --port 8546 --store states`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return x.run(cmd, args) },
	}
	x.s.flags(cmd)
	x.s.runFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&x.host, "host", "127.0.0.1", "`address` to listen on; 0.0.0.0 lets other machines in")
	f.IntVar(&x.port, "port", 8545, "`port` for HTTP and WebSocket, 0: any that is free")
	f.StringSliceVar(&x.allowHosts, "allow-host", nil, "further `name` by which the server may be addressed, such as that of a container; * for any")
	f.StringSliceVar(&x.origins, "allow-origin", nil, "further `origin` of web pages that may use it; * for any")
	f.BoolVar(&x.strict, "strict", false, "answer as Lotus does where it and Ethereum's tools part")
	f.BoolVar(&x.asJSON, "json", false, "say in JSON what is served and where")
	return cmd
}

// served is what the command says when it is ready.
type served struct {
	URL     string `json:"url"`
	Network string `json:"network"`
	ChainID uint64 `json:"chain_id"`
	Head    int64  `json:"head_epoch"`
	Latest  uint64 `json:"latest_block"`
}

func (x *serving) run(cmd *cobra.Command, args []string) (err error) {
	if x.port < 0 || x.port > 65535 {
		return kit.Usagef("--port %d is no port", x.port)
	}
	ctx := cmd.Context()
	defer x.s.close(&err)
	rest, err := x.s.open(cmd, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return kit.Usagef("chain serve takes one CHAIN, and %q is another argument", rest[0])
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(x.host, strconv.Itoa(x.port)))
	if err != nil {
		if strings.Contains(err.Error(), "address already in use") {
			return fmt.Errorf("port %d is taken: another node may be running; --port 0 takes any that is free", x.port)
		}
		return err
	}
	defer l.Close()
	server, what, err := x.server(cmd)
	if err != nil {
		return err
	}
	x.s.progress.End()
	what.URL = "http://" + l.Addr().String()
	if err := x.tell(cmd, what); err != nil {
		return err
	}
	if err = server.Serve(ctx, l); ctx.Err() != nil {
		return nil // interrupted: that is how it ends
	}
	return err
}

// server puts the methods together.
func (x *serving) server(cmd *cobra.Command) (*jsonrpc.Server, *served, error) {
	ctx := cmd.Context()
	var engine *fvm.Engine
	if list := x.s.options.Engines; len(list) > 0 {
		engine = list[0]
	}
	c, err := filapi.Archive(ctx, x.s.chain, filapi.ArchiveOptions{Engine: engine, Proofs: x.s.options.Proofs})
	if err != nil {
		return nil, nil, err
	}
	version, _ := upkeep.Version()
	o := ethchain.Options{Version: strings.TrimPrefix(strings.Trim(version, "()"), "v")}
	if x.strict {
		o.Manner = eth.Strict
	}
	api, err := ethchain.New(ctx, c, o)
	if err != nil {
		return nil, nil, err
	}
	lotus := filapi.New(filapi.Options{Chain: c, Agent: "edgefvm/" + o.Version, Bundles: x.s.options.Bundles})
	table := func(register func(*jsonrpc.Methods)) *jsonrpc.Methods {
		ms := &jsonrpc.Methods{}
		if x.strict {
			ms.PlainCode = eth.CodeAny
		}
		api.Register(ms)
		register(ms)
		filapi.Aliases(ms)
		return ms
	}
	server := jsonrpc.New(table(lotus.Register), jsonrpc.Options{
		Access: jsonrpc.Access{Hosts: x.allowHosts, Origins: x.origins}, Log: slog.New(slog.DiscardHandler),
		Paths: map[string]*jsonrpc.Methods{"/rpc/v0": table(lotus.RegisterV0), "/rpc/v2": table(lotus.RegisterV2)},
	})
	n, head := c.Network(), x.s.chain.Line().Head()
	return server, &served{Network: n.Name, ChainID: n.ChainID, Head: int64(head.Height()), Latest: api.Latest()}, nil
}

func (x *serving) tell(cmd *cobra.Command, v *served) error {
	if x.asJSON {
		return kit.WriteJSON(cmd, v)
	}
	_, err := io.WriteString(cmd.OutOrStdout(), fmt.Sprintf(
		"Chain of %s (chain id %d), read only: latest block %d, head at epoch %d\nListening on %s and ws%s\n",
		v.Network, v.ChainID, v.Latest, v.Head, v.URL, strings.TrimPrefix(v.URL, "http")))
	return err
}

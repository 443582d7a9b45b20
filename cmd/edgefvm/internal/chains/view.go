package chains

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/node/filapi"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/page"
)

// viewing are the flags of view.
type viewing struct {
	source
	port           int
	as             string
	abi, artifacts string
	asJSON         bool
}

// What a file may be.
const (
	asVector = "vector"
	asChain  = "chain"
	asBundle = "bundle"
)

// NewView is the command that shows files in a browser.
func NewView() *cobra.Command {
	var x viewing
	cmd := &cobra.Command{
		Use:   "view FILE",
		Short: "Show a vector, a chain's archive or a bundle of actors in a browser",
		Long: `Serves a page that shows a conformance vector, an archive of a chain, or a bundle of actors
(a CAR, or a name such as v18/mainnet): blocks, messages, trees of calls with their gas, flame
graphs, events, what changed in the state, actors with their states decoded, the deadlines of a
storage provider. It prints the page's address and serves it to this machine only, until it is
interrupted. 'edgefvm dev' shows the same of itself.

A vector is run once. Of a chain what is looked at is executed in its real place; --store keeps
the states that takes.`,
		Example: `  edgefvm view lab/conformance/testdata/nv28-onboard-035.json
  edgefvm view chain.car.zst --artifacts out
  edgefvm view v18/mainnet --port 8600`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return x.run(cmd, args) },
	}
	x.flags(cmd)
	_ = cmd.Flags().MarkHidden("chain") // FILE names it
	x.runFlags(cmd)
	x.set.CARFlag(cmd)
	f := cmd.Flags()
	f.IntVar(&x.port, "port", 0, "`port` on this machine (default: any that is free)")
	f.StringVar(&x.as, "as", "", "take FILE as a `kind`: vector, chain or bundle (default: told by the file)")
	f.StringVar(&x.abi, "abi", "", "`file` with the ABI of the contracts: JSON, or an artefact of Hardhat or Foundry")
	f.StringVar(&x.artifacts, "artifacts", "", "`folder` of artefacts whose ABIs are taken, such as Foundry's out")
	f.BoolVar(&x.asJSON, "json", false, "say in JSON what is shown and where")
	return cmd
}

// viewed is what the command says when it is ready.
type viewed struct {
	URL   string `json:"url"`
	Kind  string `json:"kind"`
	Title string `json:"title"`
}

func (x *viewing) run(cmd *cobra.Command, args []string) (err error) {
	if x.port < 0 || x.port > 65535 {
		return kit.Usagef("--port %d is no port", x.port)
	}
	contracts, err := kit.LoadABIs(x.abi, x.artifacts)
	if err != nil {
		return err
	}
	defer x.close(&err)
	ctx := cmd.Context()
	methods := &jsonrpc.Methods{}
	shown, err := x.shown(cmd, args[0], methods)
	if err != nil {
		return err
	}
	if x.progress != nil {
		x.progress.End()
	}
	return x.serve(ctx, cmd, servedPage{shown, methods, contracts})
}

type servedPage struct {
	source    page.Source
	methods   *jsonrpc.Methods
	contracts *ethabi.ABI
}

func (x *viewing) serve(ctx context.Context, cmd *cobra.Command, s servedPage) error {
	p := page.New(page.Options{Source: s.source, ABI: s.contracts})
	p.Register(s.methods)
	server := jsonrpc.New(s.methods, jsonrpc.Options{Log: slog.New(slog.DiscardHandler), Index: p})
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(x.port)))
	if err != nil {
		if strings.Contains(err.Error(), "address already in use") {
			return fmt.Errorf("port %d is taken; without --port any is taken that is free", x.port)
		}
		return err
	}
	defer l.Close()
	about, err := s.source.About(ctx)
	if err != nil {
		return err
	}
	v := viewed{"http://" + l.Addr().String() + "/", about.Kind, about.Title}
	if x.asJSON {
		err = kit.WriteJSON(cmd, v)
	} else {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s, %s: %s\nInterrupt ends it.\n", v.Title, v.Kind, v.URL)
	}
	if err != nil {
		return err
	}
	if err := server.Serve(ctx, l); ctx.Err() == nil {
		return err
	}
	return nil // interrupted: that is how it ends
}

// shown is the source of the page, and methods get what else can be asked of it.
func (x *viewing) shown(cmd *cobra.Command, name string, methods *jsonrpc.Methods) (page.Source, error) {
	as, err := x.kindOf(cmd, name)
	if err != nil {
		return nil, err
	}
	switch as {
	case asVector:
		return x.vector(cmd, name)
	case asBundle:
		return x.bundle(cmd, name)
	}
	return x.archived(cmd, name, methods)
}

// largestBundle is from which size a file is no bundle; the networks' have some 5 MiB.
const largestBundle = 64 << 20

// kindOf tells what a file is.
func (x *viewing) kindOf(cmd *cobra.Command, name string) (string, error) {
	switch x.as {
	case asVector, asChain, asBundle:
		return x.as, nil
	case "":
	default:
		return "", kit.Usagef("--as %q: want vector, chain or bundle", x.as)
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, _, perr := bundle.ParseName(name); perr == nil {
			return asBundle, nil
		}
		return "", err
	case err != nil:
		return "", err
	case info.IsDir():
		return "", kit.Usagef("%s is a folder: want a vector, a chain's archive or a bundle", name)
	case kit.IsTrace(name):
		return "", kit.Usagef("%s is a trace: name the vector beside it", name)
	case strings.HasSuffix(strings.TrimSuffix(name, ".gz"), ".json"):
		return asVector, nil
	}
	if info.Size() <= largestBundle {
		if _, _, err := kit.LoadBundle(cmd.Context(), x.set.BundleOptions(cmd), name, blockstore.NewMemory()); err == nil {
			return asBundle, nil
		}
	}
	return asChain, nil
}

func (x *viewing) vector(cmd *cobra.Command, name string) (page.Source, error) {
	v, err := conformance.Load(name)
	if err != nil {
		return nil, err
	}
	engine, err := x.set.Start()
	if err != nil {
		return nil, err
	}
	x.ends = append(x.ends, func() error { return engine.Close(context.WithoutCancel(cmd.Context())) })
	watched := kit.WatchCompiling(cmd.ErrOrStderr(), engine)
	defer watched()
	code := x.set.Actors(cmd)
	return page.OfVector(cmd.Context(), v, page.VectorOptions{Run: explain.VectorOptions{Actors: code, Engine: engine, Judge: kit.JudgeBy(code, engine)}, Title: filepath.Base(name)})
}

func (x *viewing) bundle(cmd *cobra.Command, name string) (page.Source, error) {
	store := blockstore.NewMemory()
	b, _, err := kit.LoadBundle(cmd.Context(), x.set.BundleOptions(cmd), name, store)
	if err != nil {
		return nil, err
	}
	codes := make([]page.Code, 0, len(b.Actors))
	for _, a := range b.Actors {
		c := page.Code{Name: a.Name, CID: a.Code.String()}
		if known, ok := bundle.CodeOf(a.Code); ok {
			c.Versions = known.Versions
		}
		codes = append(codes, c)
	}
	title := name // VERSION/NETWORK
	if b.Version == 0 {
		title = filepath.Base(name)
	}
	return page.OfBundle(cmd.Context(), title, codes, store)
}

func (x *viewing) archived(cmd *cobra.Command, name string, methods *jsonrpc.Methods) (page.Source, error) {
	x.path = name
	if _, err := x.open(cmd, nil); err != nil {
		return nil, err
	}
	c, err := filapi.Archive(cmd.Context(), x.chain, filapi.ArchiveOptions{})
	if err != nil {
		return nil, err
	}
	filapi.New(filapi.Options{Chain: c, Agent: "edgefvm view"}).Register(methods)
	return page.OfChain(c, filepath.Base(name)), nil
}

package ffi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/shadow"
	"github.com/filecoin-project/filecoin-ffi/metrics"
)

// NodeConfig says what a [Node] has for itself. The zero value is a node on the first of fvm.EngineNames, with this module's
// verifier.
type NodeConfig struct {
	// Settings choose the engines; the environment does not. Two nodes in shadow mode want a ShadowDir each, if their
	// differences are to be told apart.
	Settings Settings
	// Verifier judges proofs for the machines. nil: this module's, with the keys of the folder that the environment names.
	Verifier ProofVerifier
}

// Node is what machines are made with: engines, a verifier of proofs, metrics. The functions of filecoin-ffi have no room
// for one, so those of this package share one node for the process, which the environment and [RegisterProofVerifier]
// describe. A program in which several nodes run makes a Node for each, and machines with its CreateFVM. Nodes share the
// folder of compiled actors and the log, which is slog's default, and nothing else. A Node is safe for concurrent use.
type Node struct {
	engines  []*fvm.Engine // the results of the first one count
	shadow   shadow.Options
	verifier func() ProofVerifier // asked once for each machine
	meter    counter
}

// NewNode makes a node. Its engines are its own, and so is the code that they have compiled in memory.
func NewNode(cfg NodeConfig) (*Node, error) {
	if err := cfg.Settings.check("Settings.Engine", "Settings.Shadow"); err != nil {
		return nil, fmt.Errorf("ffi.NewNode: %w", err)
	}
	n, err := newNode(cfg.Settings, cfg.verifier, counter{metrics.New()})
	if err != nil {
		return nil, fmt.Errorf("ffi.NewNode: %w", err)
	}
	return n, nil
}

func (cfg *NodeConfig) verifier() ProofVerifier {
	if cfg.Verifier == nil {
		return own()
	}
	return cfg.Verifier
}

// process is the node of the package's functions. It is made once, when the first machine is: a mistake in the environment
// stays one.
var process = sync.OnceValues(func() (*Node, error) {
	settings, err := SettingsFrom(os.Getenv)
	if err != nil {
		return nil, err
	}
	n, err := newNode(settings, registered, meter)
	if err == nil {
		meter.register()
	}
	return n, err
})

func newNode(s Settings, verifier func() ProofVerifier, m counter) (*Node, error) {
	n := &Node{verifier: verifier, meter: m}
	for _, name := range s.engines() {
		e, err := fvm.NewEngine(fvm.EngineConfig{Name: name, Compiler: s.Compiler})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("the engine %s: %w", name, err), n.closeEngines())
		}
		n.engines = append(n.engines, e)
	}
	n.meter.watch(n.engines)
	if len(n.engines) == 1 {
		return n, nil
	}
	dir := s.ShadowDir
	if dir == "" {
		cache, err := fvm.DefaultCacheDir()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("no folder for differences is known, ShadowDir (EDGEFVM_SHADOW_DIR) names one: %w", err), n.closeEngines())
		}
		dir = filepath.Join(cache, "differences")
	}
	slog.Info("EdgeFVM runs in shadow mode", "engines", s.engines(), "dir", dir, "halt", s.ShadowHalt)
	n.inShadow(dir, s.ShadowHalt)
	return n, nil
}

// inShadow lets the node's engines run in lock-step.
func (n *Node) inShadow(dir string, halt bool) {
	n.shadow = shadow.Options{Engines: n.engines, Parallel: true, Dir: dir, OnDifference: shadow.Continue, Report: n.meter.differed}
	if halt {
		n.shadow.OnDifference = shadow.Halt
	}
}

// errNoNode is a node that NewNode did not make.
var errNoNode = errors.New("ffi: the node is nil or was not made by NewNode")

func (n *Node) made() bool { return n != nil && len(n.engines) > 0 }

// CreateFVM is the package's [CreateFVM] with this node's engines, verifier and metrics.
func (n *Node) CreateFVM(opts *FVMOpts) (*FVM, error) {
	if !n.made() {
		return nil, errNoNode
	}
	start := time.Now()
	var f *FVM
	err := caught(func() (err error) {
		f, err = n.create(opts)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ffi.CreateFVM: %w", err)
	}
	n.meter.created(time.Since(start))
	return f, nil
}

func (n *Node) machine(ctx context.Context, cfg fvm.Config) (machine, error) {
	if len(n.engines) > 1 {
		return shadow.New(ctx, cfg, n.shadow)
	}
	cfg.Engine = n.engines[0]
	return fvm.New(ctx, cfg)
}

// Metrics is the collector of what the node's machines do. It is registered nowhere. The metrics of all nodes have the
// same names: where they go into one registry, prometheus.WrapRegistererWith tells them apart by a label. nil: the node
// was not made by NewNode.
func (n *Node) Metrics() prometheus.Collector {
	if !n.made() {
		return nil
	}
	return n.meter.Meter
}

// Close frees the engines, when the node and its machines are used no more.
func (n *Node) Close() error {
	if !n.made() {
		return errNoNode
	}
	return n.closeEngines()
}

func (n *Node) closeEngines() (err error) {
	for _, e := range n.engines {
		err = errors.Join(err, e.Close(context.Background()))
	}
	return err
}

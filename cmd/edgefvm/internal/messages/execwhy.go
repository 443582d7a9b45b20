package messages

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/filecoin-project/go-address"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// witness keeps the blocks that are read through it.
type witness struct {
	blockstore.Blockstore
	mu   sync.Mutex
	read map[cid.Cid]blocks.Block
}

func newWitness(store blockstore.Blockstore) *witness {
	return &witness{Blockstore: store, read: map[cid.Cid]blocks.Block{}}
}

func (w *witness) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	b, err := w.Blockstore.Get(ctx, c)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.read[c] = b
	}
	return b, err
}

// explain makes the tree of the message's calls, with what it changed.
func (j *job) explain(ctx context.Context, t *try, events trace.Events, after cid.Cid) (*explain.Message, error) {
	m, err := explain.Trace(
		explain.Applied{Message: j.msg, Kind: j.kind, Trace: events, Result: t.res},
		explain.Options{
			ActorName: t.m.ActorName, EthAddress: explain.EthAddresses(ctx, t.m), NetworkVersion: j.cfg.NetworkVersion, Decoders: j.decoders(),
		},
	)
	if err != nil {
		return nil, err
	}
	store := &blockstore.Overlay{Top: t.top, Base: j.cfg.Blockstore}
	if m.Changes, err = explain.Changes(ctx, store, j.cfg.StateRoot, after, t.m.ActorName); err != nil {
		return nil, fmt.Errorf("comparing states: %w", err)
	}
	return m, nil
}

// writeTrace writes the trace: with the ending .jsonl an event a line, else as vectors have it, a list with one trace. The ending
// .gz packs it.
func writeTrace(path string, events trace.Events) error {
	err := wholefile.Write(path, func(w io.Writer) (err error) {
		name := path
		if strings.HasSuffix(name, ".gz") {
			z := gzip.NewWriter(w)
			defer func() { err = errors.Join(err, z.Close()) }()
			w, name = z, strings.TrimSuffix(name, ".gz")
		}
		enc := json.NewEncoder(w)
		if !strings.HasSuffix(name, ".jsonl") {
			return enc.Encode([]trace.Events{events})
		}
		data, err := json.Marshal(events)
		if err != nil {
			return err
		}
		var list []json.RawMessage
		if err := json.Unmarshal(data, &list); err != nil {
			return err
		}
		for _, e := range list {
			if err := enc.Encode(e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("--trace %s: %w", path, err)
	}
	return nil
}

// save writes the message as a vector with the blocks that it read, and its trace beside it.
func (j *job) save(ctx context.Context, path string, s *setting, t *try, events trace.Events, after cid.Cid) error {
	name, err := j.code(ctx, s, t, events)
	if err != nil {
		return fmt.Errorf("--save %s: the actors: %w", path, err)
	}
	kind, _ := kindOf(ctx, t.m, j.msg.To)
	what := explain.MethodName(kind, j.msg.Method)
	d := vector.NewDraft(j.cfg, name, fmt.Sprintf("%s from %s to %s", what, addr.String(j.msg.From), addr.String(j.msg.To)))
	if err := d.Message(j.msg, j.kind, j.length, t.res); err != nil {
		return fmt.Errorf("--save %s: %w", path, err)
	}
	mode := vector.ProofsValid // there was none
	if j.outside.proofsMode != "" {
		mode = j.outside.proofsMode
	}
	d.Facts(j.outside.asked, mode)
	if j.outside.proofsMode == "" {
		seen := map[string]bool{}
		for _, v := range j.outside.verdict {
			if !seen[v.key] {
				d.Proof(v.key, v.valid, v.err)
			}
			seen[v.key] = true
		}
	}
	d.Traces([]trace.Events{events}, nil, nil)
	list := slices.SortedFunc(maps.Values(t.read.read), func(a, b blocks.Block) int { return bytes.Compare(a.Cid().Bytes(), b.Cid().Bytes()) })
	if err := d.SaveAs(path, after, list); err != nil {
		return fmt.Errorf("--save: %w", err)
	}
	return nil
}

// code names the bundle that has the actors' code, and sees to it that the blocks that were read hold all other code: an engine
// reads code only once in its life.
func (j *job) code(ctx context.Context, s *setting, t *try, events trace.Events) (string, error) {
	store := j.cfg.Blockstore
	manifest, err := actors.ReadManifest(ctx, blockstore.NewBuffered(store), s.list, actors.Required()...)
	if err != nil {
		return "", err
	}
	wanted := map[cid.Cid]bool{}
	for _, e := range events {
		if i, ok := e.(*trace.Invoke); ok {
			wanted[i.Code] = true
		}
	}
	name := vector.NoBundle
	if len(s.names) > 0 {
		name = s.bundleName()
		for _, c := range manifest.Codes() {
			delete(wanted, c)
			delete(t.read.read, c)
		}
	} else {
		// What makes accounts on the way is not traced in every era.
		for _, c := range []cid.Cid{manifest.Account(), manifest.Placeholder(), manifest.EthAccount()} {
			wanted[c] = c.Defined()
		}
	}
	for c, is := range wanted {
		if !is {
			continue
		}
		switch b, err := store.Get(ctx, c); {
		case err == nil:
			t.read.read[c] = b
		case !format.IsNotFound(err): // an actor's code may be missing: then that is what happened
			return "", err
		}
	}
	return name, nil
}

// checkFiles refuses files that would be written into each other, or that cannot be named so.
func (x *execFlags) checkFiles() error {
	if x.save != "" && filepath.Ext(x.save) != ".json" {
		return kit.Usagef("--save %s: a vector's name ends in .json", x.save)
	}
	seen := map[string]string{}
	add := func(flag, path string) error {
		if path == "" {
			return nil
		}
		clean := filepath.Clean(path)
		if other := seen[clean]; other != "" {
			return kit.Usagef("%s and %s name one file: %s", other, flag, path)
		}
		seen[clean] = flag
		return nil
	}
	beside := ""
	if x.save != "" {
		beside = strings.TrimSuffix(x.save, ".json") + ".trace.gz"
	}
	if err := errors.Join(add("--out", x.out), add("--save", x.save), add("--save", beside), add("--trace", x.traceFile)); err != nil {
		return err
	}
	return errors.Join(x.readsToo("--out", x.out), x.readsToo("--save", x.save), x.readsToo("--save", beside), x.readsToo("--trace", x.traceFile))
}

// readsToo refuses to write over a file that is read. --out may name the archive of the state, which then holds the new one.
func (x *execFlags) readsToo(flag, path string) error {
	over, err := os.Stat(path)
	if err != nil {
		return nil
	}
	inputs := map[string][]string{
		"--car": x.cars, "--chain": {x.chain}, "--bundle": x.set.CARs, "--network": {x.network}, "--abi": {x.abi}, "--message": {x.message},
		"--params": {x.params}, "--calldata": {x.calldata}, "--deploy": {x.deploy}, "--randomness": x.randomness,
	}
	if flag == "--out" {
		delete(inputs, "--car")
	}
	for input, names := range inputs {
		for _, name := range names {
			for _, prefix := range []string{"raw:", "hex:", "base64:", "json:", "file:", "@"} {
				name = strings.TrimPrefix(name, prefix)
			}
			if read, err := os.Stat(name); err == nil && os.SameFile(read, over) {
				return kit.Usagef("%s %s would be written over the file that %s reads", flag, path, input)
			}
		}
	}
	return nil
}

// kindOf is the kind of actor that has an address, and its code; "" if that is not known.
func kindOf(ctx context.Context, m *fvm.Machine, a address.Address) (kind string, code cid.Cid) {
	_, st, err := m.Actor(ctx, a)
	if err != nil || st == nil {
		return "", cid.Undef
	}
	kind, _ = m.ActorName(st.Code)
	return kind, st.Code
}

package genesis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/internal/disk/owned"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
)

// memo remembers on disk what the messages of a genesis did. Every start with the same options sends the same ones, to actors whose
// code would have to be loaded for nothing else. What is done by hand, keys among it, is done anew: no key is in the file.
//
// A file is of one program and of one set of options. Its entries are found by all that a message's result hangs on, so that a file
// of other options, or of an other state, gives nothing wrong.
type memo struct {
	path    string
	Program string
	// Runs by their keys, of this start: others are not written again.
	Runs map[string]*remembered
	old  map[string]*remembered
}

// remembered is what one run did.
type remembered struct {
	Root    cid.Cid
	Returns [][]byte
	Blocks  []rawBlock
}

type rawBlock struct {
	CID  cid.Cid
	Data []byte
}

const (
	memoPrefix = "genesis-"
	memoFiles  = 16       // are kept of different options
	memoSize   = 64 << 20 // bytes of a file at most: with 100 miners it is 5 MB
)

// openMemo is a memo in a folder, nil if there is no folder or it cannot be used: a genesis is made without it.
func openMemo(o *Options) *memo {
	if o.Cache == "" {
		return nil
	}
	program := programID()
	if program == "" || os.MkdirAll(o.Cache, 0o700) != nil || owned.Dir(o.Cache) != nil {
		return nil
	}
	of := sha256.Sum256(fmt.Appendf(nil, "%d %s %q %d %q %d %s %d %d %d %s", o.NetworkVersion, o.Flavour, o.Name, o.ChainID, o.Mnemonic, o.Accounts, o.Balance, o.Miners,
		o.Sectors, o.SectorSize, o.MinerBalance))
	m := &memo{path: filepath.Join(o.Cache, memoPrefix+hex.EncodeToString(of[:8])+".json"), Program: program, Runs: map[string]*remembered{}}
	if f, err := owned.Open(m.path); err == nil {
		defer f.Close()
		m.old = readMemo(f, program)
	}
	return m
}

// programID tells builds of this program apart: another one may execute in another way.
func programID() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %d", runtime.Version(), info.Size(), info.ModTime().UnixNano())
}

// readMemo gives the runs of a file, none if it is of another program, or damaged.
func readMemo(r io.Reader, program string) map[string]*remembered {
	data, err := io.ReadAll(io.LimitReader(r, memoSize))
	if err != nil {
		return nil
	}
	var m memo
	if json.Unmarshal(data, &m) != nil || m.Program != program {
		return nil
	}
	for _, run := range m.Runs {
		if run == nil || !run.whole() {
			return nil
		}
	}
	return m.Runs
}

// whole reports whether each block is what its CID says.
func (r *remembered) whole() bool {
	for _, b := range r.Blocks {
		if !b.CID.Defined() {
			return false
		}
		if sum, err := b.CID.Prefix().Sum(b.Data); err != nil || !sum.Equals(b.CID) {
			return false
		}
	}
	return r.Root.Defined()
}

// key is all that the result of a run at epoch 0 hangs on: the root has the actors' code.
func (w *world) key(calls []call) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d %d %s\n", w.NetworkVersion, w.ChainID, w.nonce, w.Root)
	for _, c := range calls {
		fmt.Fprintf(h, "%s %s %d %s %x\n", c.from, c.to, c.method, c.value, c.params)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// again does what a run did before.
func (m *memo) again(ctx context.Context, w *world, key string) (*remembered, error) {
	r := m.old[key]
	if r == nil {
		return nil, nil
	}
	m.Runs[key] = r
	all := make([]blocks.Block, len(r.Blocks))
	for i, b := range r.Blocks {
		var err error
		if all[i], err = blocks.NewBlockWithCid(b.Data, b.CID); err != nil {
			return nil, err
		}
	}
	w.Root = r.Root
	return r, w.store.PutMany(ctx, all)
}

// write keeps the runs of this start, if the file has not got them all. What fails is no harm.
func (m *memo) write() {
	if m == nil {
		return
	}
	known := len(m.Runs) == len(m.old)
	for k := range m.Runs {
		known = known && m.old[k] != nil
	}
	if known {
		return
	}
	err := wholefile.Write(m.path, func(w io.Writer) error { return json.NewEncoder(w).Encode(m) })
	if err == nil {
		m.sweep()
	}
}

// sweep removes the files that were written longest ago.
func (m *memo) sweep() {
	dir := filepath.Dir(m.path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	type file struct {
		name string
		time int64
	}
	var files []file
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && strings.HasPrefix(e.Name(), memoPrefix) && strings.HasSuffix(e.Name(), ".json") {
			files = append(files, file{e.Name(), info.ModTime().UnixNano()})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return int(min(max(b.time-a.time, -1), 1)) })
	for _, f := range files[min(len(files), memoFiles):] {
		err = errors.Join(err, os.Remove(filepath.Join(dir, f.name))) // another process may have done it
	}
}

// recorder keeps what is written to a store besides.
type recorder struct {
	blockstore.Blockstore
	took []rawBlock
}

func (r *recorder) Put(ctx context.Context, b blocks.Block) error {
	r.took = append(r.took, rawBlock{b.Cid(), b.RawData()})
	return r.Blockstore.Put(ctx, b)
}

func (r *recorder) PutMany(ctx context.Context, bs []blocks.Block) error {
	for _, b := range bs {
		r.took = append(r.took, rawBlock{b.Cid(), b.RawData()})
	}
	return r.Blockstore.PutMany(ctx, bs)
}

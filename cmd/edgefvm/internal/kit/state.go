package kit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/blockstore/carfile"
	"github.com/edgefvm/fvm/blockstore/pebble"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/textform"
)

// StateOptions say how the files of a state are opened. The zero value has the defaults.
type StateOptions struct {
	// Flag is the flag or argument that named the files, for errors. Default: "--car".
	Flag string
	// Folder is where indexes of archives, and archives that had to be unpacked, are kept. Default: archives in the
	// usual cache folder.
	Folder string
	// Messages hears, on a terminal, how far long work is, and what there is to say about a file. Default: nobody.
	Messages io.Writer
}

// State is archives opened together: a store that reads from them as it is asked, and refuses to be written to. Any number of
// goroutines may use it.
type State struct {
	// Roots are those of the first archive that names any; none if no archive does.
	Roots []cid.Cid
	// Notes are what there is to say about the files, a sentence each, such as that one is padded with zeros.
	Notes []string

	flag   string
	parts  []part
	closed bool
}

// part is a file of a state.
type part struct {
	blockstore.Blockstore
	roots []cid.Cid
	close func() error
}

// OpenState opens archives, or folders of stores, without reading more of them than an index needs. Errors name the flag and
// the file.
func OpenState(ctx context.Context, paths []string, o StateOptions) (_ *State, err error) {
	if o.Flag == "" {
		o.Flag = "--car"
	}
	s := &State{flag: o.Flag}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, path := range paths {
		if err := s.open(ctx, path, o); err != nil {
			return nil, fmt.Errorf("%s %w", o.Flag, err)
		}
	}
	return s, nil
}

func (s *State) open(ctx context.Context, path string, o StateOptions) error {
	switch {
	case path == "":
		return errors.New("has no name of a file")
	case strings.HasPrefix(path, "http://"), strings.HasPrefix(path, "https://"):
		return fmt.Errorf("%s: it is an address of the web, and files are read: download it first, as with curl -LO", path)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return s.openFolder(path)
	}
	folder := o.Folder
	if folder == "" {
		if dir, err := CacheFolder(""); err == nil {
			folder = ArchivesIn(dir)
		}
	}
	opts := carfile.Options{Folder: folder}
	opts.CAR.Padding = func(from int64) {
		s.Notes = append(s.Notes, fmt.Sprintf("%s is padded with zeros from byte %d to its end: they are passed over", path, from))
	}
	say := func(string) {}
	if o.Messages != nil {
		p := term.NewProgress(o.Messages)
		defer p.End()
		say = p.Line
	}
	tell, unpacked := archiveProgress(path, say), false
	opts.Progress = func(w carfile.Work) {
		unpacked = w.Copy != ""
		tell(w)
	}
	a, err := carfile.Open(ctx, path, opts)
	if err != nil {
		return err
	}
	if unpacked {
		s.Notes = append(s.Notes, fmt.Sprintf("%s was unpacked, this once, to %s; 'edgefvm cache clean' removes it", path, a.Unpacked()))
	}
	s.parts = append(s.parts, part{a, a.Roots(), a.Close})
	if len(s.Roots) == 0 {
		s.Roots = a.Roots()
	}
	return nil
}

// openFolder opens a store on disk.
func (s *State) openFolder(path string) error {
	names, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range names {
		switch name := e.Name(); {
		case strings.HasPrefix(name, "marker.manifest."), name == "CURRENT":
			store, err := pebble.OpenReadOnly(path)
			if err != nil {
				return err
			}
			s.parts = append(s.parts, part{store, nil, store.Close})
			return nil
		case name == "KEYREGISTRY", strings.HasSuffix(name, ".vlog"):
			return fmt.Errorf("%s: is a store of Badger, as Lotus has it, and only those of pebble are read: have the node export a CAR, with lotus chain export", path)
		}
	}
	// The folder of 'replay --store' has its blocks in one below.
	if inner := filepath.Join(path, "blocks"); filepath.Base(path) != "blocks" {
		if info, err := os.Stat(inner); err == nil && info.IsDir() {
			return s.openFolder(inner)
		}
	}
	return fmt.Errorf("%s: is a folder, and no store of pebble", path)
}

// quiet is how long work goes on before it is worth a word.
const quiet = 300 * time.Millisecond

// archiveProgress says how far the making of an index is.
func archiveProgress(path string, say func(string)) func(carfile.Work) {
	start := time.Now()
	return func(w carfile.Work) {
		took := time.Since(start)
		if took < quiet {
			return
		}
		doing := "making the index of"
		if w.Copy != "" {
			doing = "unpacking, this once,"
		}
		text := fmt.Sprintf("%s %s: %d%% of %s, %s blocks", doing, filepath.Base(path), 100*w.Done/max(w.Size, 1), size(w.Size), layout.Grouped(w.Blocks))
		if w.Copy != "" {
			text += fmt.Sprintf(", %s in %s", size(w.Unpacked), filepath.Dir(w.Copy))
		}
		if left := time.Duration(float64(took) * float64(w.Size-w.Done) / float64(max(w.Done, 1))); left > time.Second {
			text += fmt.Sprintf(", %s left", left.Round(time.Second))
		}
		say(text)
	}
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", (n+1023)>>10)
}

// ArchivesIn is where indexes of archives lie in a cache folder.
func ArchivesIn(dir string) string { return filepath.Join(dir, "archives") }

// StateRoot is the state root that a CID means, or the files' own roots if name is "": a state root itself; or one or several
// headers of a tipset, or the metadata of a snapshot of a chain (FRC-0108), which name a head. Then the state is the one that the
// head's messages run on, and what the headers say comes with it. Of several files the first counts whose roots mean a state, and
// of a file's roots the first, or the only one that is a state's. A root whose block is not there is returned as it is: the state may
// be in part elsewhere.
func (s *State) StateRoot(ctx context.Context, name string) (cid.Cid, *Head, error) {
	if name != "" {
		c, err := textform.CID(name)
		if err != nil {
			return cid.Undef, nil, Usagef("--root %q: want a CID such as bafy2bz...: %w", name, err)
		}
		return s.means(ctx, []cid.Cid{c})
	}
	var first error
	for _, p := range s.parts {
		if len(p.roots) == 0 {
			continue
		}
		root, head, err := s.means(ctx, p.roots)
		if err == nil {
			return root, head, nil
		}
		if first == nil {
			first = err
		}
		if !errors.Is(err, errNoState) {
			break
		}
	}
	if first == nil {
		first = Usagef("the %s names no root: give --root", layout.Choose(len(s.parts), "file", "files' headers"))
	}
	return cid.Undef, nil, first
}

// errNoState is of a root that means no state.
var errNoState = errors.New("it means no state: give another file first, or --root")

// means is StateRoot of roots.
func (s *State) means(ctx context.Context, roots []cid.Cid) (cid.Cid, *Head, error) {
	b, err := s.Get(ctx, roots[0])
	if format.IsNotFound(err) {
		return roots[0], nil, nil
	}
	wrong := func(err error) (cid.Cid, *Head, error) {
		return cid.Undef, nil, fmt.Errorf("the root %s: %w", roots[0], err)
	}
	if err != nil {
		return wrong(err)
	}
	f3, kind := false, kindOf(b.RawData())
	switch kind {
	case stateRoot:
		return roots[0], nil, nil
	case snapshotRoot:
		m, err := readSnapshot(b.RawData())
		if err != nil {
			return wrong(err)
		}
		roots, f3 = m.head, m.f3
	case headerRoot:
	default:
		switch states := s.statesOf(ctx, roots[1:]); {
		case len(states) == 1:
			return states[0], nil, nil
		case len(states) > 1:
			return wrong(fmt.Errorf("it means no state, and %d of the roots behind it do: --root says which, such as %s", len(states), states[0]))
		case kind == bundleRoot:
			return wrong(fmt.Errorf("it is that of actors (a bundle, which --bundle takes), and %w", errNoState))
		}
		return wrong(errNoState)
	}
	h, err := readHead(ctx, s, roots)
	if err != nil {
		return wrong(err)
	}
	h.F3 = f3
	return h.StateRoot, h, nil
}

// statesOf are the roots that are those of states, each once.
func (s *State) statesOf(ctx context.Context, roots []cid.Cid) (states []cid.Cid) {
	for _, c := range roots {
		if b, err := s.Get(ctx, c); err == nil && kindOf(b.RawData()) == stateRoot && !slices.Contains(states, c) {
			states = append(states, c)
		}
	}
	return states
}

// Has tells whether a file has the block.
func (s *State) Has(ctx context.Context, c cid.Cid) (bool, error) {
	for _, p := range s.parts {
		if ok, err := p.Has(ctx, c); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// Get reads a block from the first file that has it.
func (s *State) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	for _, p := range s.parts {
		if b, err := p.Get(ctx, c); err == nil || !format.IsNotFound(err) {
			return b, err
		}
	}
	return nil, format.ErrNotFound{Cid: c}
}

// Put refuses.
func (s *State) Put(context.Context, blocks.Block) error { return blockstore.ErrReadOnly }

// PutMany refuses.
func (s *State) PutMany(context.Context, []blocks.Block) error { return blockstore.ErrReadOnly }

// Close closes the files. It may be called again.
func (s *State) Close() error {
	var errs []error
	if !s.closed {
		for _, p := range s.parts {
			errs = append(errs, p.close())
		}
	}
	s.closed = true
	return errors.Join(errs...)
}

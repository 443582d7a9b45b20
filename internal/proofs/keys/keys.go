// Package keys holds the network's verifying keys: their file names, their published digests, and a store that reads
// each once, from the folder in which nodes keep them.
//
// A key that is missing or is not the published one is a failure of the node (externs.ErrNodeFailure), never a verdict.
package keys

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/externs"
	"github.com/edgefvm/fvm/internal/proofs/groth16"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// maxKey bounds the files that are read as keys, in bytes: the largest of the network has 2.4 million.
const maxKey = 16 << 20

// Errors of reading a key, all of which are failures of the node as well.
var (
	ErrMissing = errors.New("the verifying key is missing")
	ErrDigest  = errors.New("the verifying key is not the published one")
)

// Store gives keys. It is safe for concurrent use.
type Store struct {
	dir   string
	trust bool

	keys [len(publishedKeys)][5]slot[groth16.Key]
	srs  slot[SRS]
}

// slot is a thing that is read once. What failed is tried again: an operator may have brought the file in the meantime.
type slot[T any] struct {
	mu    sync.Mutex
	value *T
}

func (s *slot[T]) get(read func() (*T, error)) (*T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.value == nil {
		v, err := read()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", externs.ErrNodeFailure, err)
		}
		s.value = v
	}
	return s.value, nil
}

// New is a store over a folder. It reads nothing. trust: a file whose digest is not the published one is taken, as
// TRUST_PARAMS does for Lotus.
func New(dir string, trust bool) *Store { return &Store{dir: dir, trust: trust} }

// Key reads the key of a kind and size, or remembers it.
func (s *Store) Key(ctx context.Context, kind Kind, size *registered.Size) (*groth16.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.keys[kind][size.Index()].get(func() (*groth16.Key, error) {
		file := fileOf(kind, size)
		b, genuine, err := s.read(file)
		if err != nil {
			return nil, err
		}
		return s.parse(file, b, genuine)
	})
}

// parse reads a key and compares its kind.
func (s *Store) parse(f File, b []byte, genuine bool) (*groth16.Key, error) {
	key, err := groth16.ParseKey(b, genuine)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; %s", filepath.Join(s.dir, f.Name), err, f.Remedy())
	}
	if want := f.Kind.Inputs(f.Size); key.Inputs() != want {
		return nil, fmt.Errorf("%s: a key for %d public inputs, proofs of its name (%s, %s) have %d; %s",
			filepath.Join(s.dir, f.Name), key.Inputs(), f.Kind, f.Size.Name, want, f.Remedy())
	}
	return key, nil
}

func fileOf(kind Kind, size *registered.Size) File {
	p := publishedKeys[kind][size.Index()]
	return File{FileName(kind, size), p.digest, p.cid, kind, size}
}

// File is a file that the network published.
type File struct {
	Name   string
	Digest string // the first 16 bytes of its BLAKE2b-512, in hex
	CID    string
	Kind   Kind             // of keys
	Size   *registered.Size // nil for the SRS, which is of no kind and size
}

// Remedy says where the file comes from.
func (f File) Remedy() string {
	return fmt.Sprintf("the published file is %s in IPFS; 'lotus fetch-params SIZE' fetches it, and a Lotus node at its start", f.CID)
}

// Files are all of them: the keys by kind and size, and the SRS of aggregates.
func Files() []File {
	var all []File
	for _, kind := range Kinds() {
		for _, size := range registered.Sizes() {
			all = append(all, fileOf(kind, size))
		}
	}
	return append(all, srsFile())
}

// read reads a file and compares its digest. genuine: it is the published one.
func (s *Store) read(f File) (b []byte, genuine bool, err error) {
	path := filepath.Join(s.dir, f.Name)
	b, err = readUpTo(path, maxKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, fmt.Errorf("%w: %w; %s", ErrMissing, err, f.Remedy())
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading a verifying key: %w", err)
	}
	sum := blake2b.Sum512(b)
	found := hex.EncodeToString(sum[:digestLen])
	if found == f.Digest {
		return b, true, nil
	}
	if !s.trust {
		return nil, false, fmt.Errorf("%w: %s has %d bytes and the digest %s, want %s (a development network's own keys are taken if its operator says so: TrustParams, --trust-params or TRUST_PARAMS=1); %s",
			ErrDigest, path, len(b), found, f.Digest, f.Remedy())
	}
	return b, false, nil
}

// digestLen is how much of a BLAKE2b-512 the parameters file gives, in bytes.
const digestLen = 16

// readUpTo reads a regular file of at most limit bytes.
func readUpTo(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes: more than any file of this kind (%d)", path, info.Size(), limit)
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// State is what a folder has of a file.
type State string

// The states of files.
const (
	Published State = "published" // its digest is the published one
	Other     State = "other"     // well formed, with another digest: a development network's own
	Missing   State = "missing"
	Wrong     State = "wrong" // cut short, malformed, or not readable
)

// Status is what a folder has of a file.
type Status struct {
	File
	State State
	Bytes int64
	Found string // its digest
	Err   error  // why it is Wrong, or what is wrong about Other unless the store trusts
}

// Check reads a file and tells what it is. The error is ctx's.
func (s *Store) Check(ctx context.Context, f File) (Status, error) {
	st := Status{File: f}
	path := filepath.Join(s.dir, f.Name)
	file, err := os.Open(path)
	if err != nil {
		st.State, st.Err = Wrong, err
		if errors.Is(err, fs.ErrNotExist) {
			st.State = Missing
		}
		return st, ctx.Err()
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err == nil {
		st.Bytes = info.Size()
		st.Found, err = digestOf(ctx, file)
	}
	if err != nil {
		st.State, st.Err = Wrong, err
		return st, ctx.Err()
	}
	st.State = Other
	if st.Found == f.Digest {
		st.State = Published
	}
	if err := s.load(ctx, f, path, st.State == Published); err != nil {
		st.State, st.Err = Wrong, err
	} else if st.State == Other && !s.trust {
		st.Err = fmt.Errorf("%w: digest %s, want %s", ErrDigest, st.Found, f.Digest)
	}
	return st, ctx.Err()
}

// load parses a file whose digest is known.
func (s *Store) load(ctx context.Context, f File, path string, genuine bool) error {
	if f.Size == nil {
		_, err := New(s.dir, true).readSRS(ctx)
		return err
	}
	b, err := readUpTo(path, maxKey)
	if err != nil {
		return err
	}
	_, err = s.parse(f, b, genuine)
	return err
}

package solidity

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Limits of what is read.
const (
	maxFiles     = 50_000
	maxFile      = 256 << 20 // bytes of a build-info
	maxSource    = 4 << 20
	maxContracts = 50_000
)

// ErrNoArtifacts is wrapped where a folder has no contracts.
var ErrNoArtifacts = errors.New("no artefacts of contracts with source maps")

// Project are the contracts of a folder.
type Project struct {
	dir       string
	contracts []*contract
	sources   map[string]*Source // by path
}

// contract is one that was compiled.
type contract struct {
	name, path        string
	creation, runtime *code
}

// code is bytecode with what it comes from.
type code struct {
	owner   *contract
	bytes   []byte
	mask    []bool // bytes that differ from one deployment to another
	entries []entry
	at      map[int]int // the entry of an opcode by its place in the code
	files   map[int]*Source
}

// bytecode is what solc has of a code.
type bytecode struct {
	Object              string                            `json:"object"`
	SourceMap           string                            `json:"sourceMap"`
	LinkReferences      map[string]map[string][]reference `json:"linkReferences"`
	ImmutableReferences map[string][]reference            `json:"immutableReferences"`
}

type reference struct {
	Start  int `json:"start"`
	Length int `json:"length"`
}

// artefact is any of the files, by the members that tell what it is.
type artefact struct {
	// Hardhat 2: a build-info. Hardhat 3: one in two files, of which that without output has the sources.
	Input *struct {
		Sources map[string]struct {
			Content string `json:"content"`
		} `json:"sources"`
	} `json:"input"`
	Output *solcOutput `json:"output"`
	// Foundry: a contract.
	Bytecode json.RawMessage `json:"bytecode"`
	Deployed json.RawMessage `json:"deployedBytecode"`
	Metadata json.RawMessage `json:"metadata"`
	ID       json.RawMessage `json:"id"`
	// Foundry: a build-info.
	Paths map[string]string `json:"source_id_to_path"`
}

type solcOutput struct {
	Contracts map[string]map[string]struct {
		EVM struct {
			Bytecode         bytecode `json:"bytecode"`
			DeployedBytecode bytecode `json:"deployedBytecode"`
		} `json:"evm"`
	} `json:"contracts"`
	Sources map[string]struct {
		ID int `json:"id"`
	} `json:"sources"`
}

// Open reads the artefacts of a folder and of those in it: the project's, or its artifacts (Hardhat) or out (Foundry). Sources are taken from
// the artefacts, or from files beside them.
func Open(ctx context.Context, dir string) (*Project, error) {
	p := &Project{dir: dir, sources: map[string]*Source{}}
	r := reading{p: p, ids: map[int]string{}}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "cache" && path != dir):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".json" || strings.HasSuffix(path, ".dbg.json"):
			return nil
		}
		if files++; files > maxFiles {
			return fmt.Errorf("%s has more than %d files of JSON", dir, maxFiles)
		}
		return r.file(path)
	})
	if err != nil {
		return nil, err
	}
	if err := r.finish(); err != nil {
		return nil, err
	}
	if len(p.contracts) == 0 {
		return nil, fmt.Errorf("%w in %s: want the folder of a project of Hardhat or Foundry that was built (hardhat compile, forge build)", ErrNoArtifacts, dir)
	}
	return p, nil
}

// Len is how many contracts there are.
func (p *Project) Len() int { return len(p.contracts) }

// reading is a project that is being read.
type reading struct {
	p    *Project
	ids  map[int]string // of Foundry's sources
	late []func() error // of contracts whose sources are known at the end
}

func (r *reading) file(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > maxFile {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var a artefact
	if json.Unmarshal(data, &a) != nil {
		return nil // some other JSON
	}
	if a.Input != nil {
		for name, s := range a.Input.Sources {
			if s.Content != "" && len(s.Content) <= maxSource {
				r.p.sources[name] = &Source{Path: name, text: s.Content}
			}
		}
	}
	for id, name := range a.Paths {
		var n int
		if _, err := fmt.Sscan(id, &n); err == nil {
			r.ids[n] = name
		}
	}
	switch {
	case a.Output != nil:
		r.output(a.Output)
	case len(a.Deployed) > 0 && a.Deployed[0] == '{':
		r.foundry(path, &a)
	}
	return nil
}

// output takes the contracts of a build-info. Their sources may be in a file that is read later.
func (r *reading) output(o *solcOutput) {
	paths := map[int]string{}
	for name, s := range o.Sources {
		paths[s.ID] = name
	}
	for path, list := range o.Contracts {
		for name, c := range list {
			r.late = append(r.late, func() error {
				return r.add(&contract{name: name, path: path}, &c.EVM.Bytecode, &c.EVM.DeployedBytecode, paths)
			})
		}
	}
}

// foundry takes a contract of its own file. Its metadata say which it is.
func (r *reading) foundry(path string, a *artefact) {
	var creation, runtime bytecode
	if json.Unmarshal(a.Deployed, &runtime) != nil || json.Unmarshal(a.Bytecode, &creation) != nil {
		return
	}
	c := &contract{name: strings.TrimSuffix(filepath.Base(path), ".json")}
	var meta struct {
		Settings struct {
			Target map[string]string `json:"compilationTarget"`
		} `json:"settings"`
	}
	if json.Unmarshal(a.Metadata, &meta) == nil {
		for file, name := range meta.Settings.Target {
			c.path, c.name = file, name
		}
	}
	var id int
	if json.Unmarshal(a.ID, &id) == nil && c.path != "" && r.ids[id] == "" {
		r.ids[id] = c.path
	}
	r.late = append(r.late, func() error { return r.add(c, &creation, &runtime, r.ids) })
}

func (r *reading) finish() error {
	for _, f := range r.late {
		if err := f(); err != nil {
			return err
		}
	}
	slices.SortFunc(r.p.contracts, func(a, b *contract) int {
		return strings.Compare(a.path+":"+a.name, b.path+":"+b.name)
	})
	return nil
}

func (r *reading) add(c *contract, creation, runtime *bytecode, paths map[int]string) error {
	if len(r.p.contracts) >= maxContracts {
		return fmt.Errorf("more than %d contracts", maxContracts)
	}
	var err error
	if c.creation, err = r.code(c, creation, paths); err != nil {
		return fmt.Errorf("%s:%s: %w", c.path, c.name, err)
	}
	if c.runtime, err = r.code(c, runtime, paths); err != nil {
		return fmt.Errorf("%s:%s: %w", c.path, c.name, err)
	}
	if c.runtime != nil || c.creation != nil {
		r.p.contracts = append(r.p.contracts, c)
	}
	return nil
}

// code makes a code; nil of one without bytes or without a source map, as interfaces are.
func (r *reading) code(c *contract, b *bytecode, paths map[int]string) (*code, error) {
	text := strings.TrimPrefix(b.Object, "0x")
	if text == "" || b.SourceMap == "" {
		return nil, nil
	}
	x := &code{owner: c, files: map[int]*Source{}}
	x.mask = make([]bool, len(text)/2)
	hide := func(refs []reference) {
		for _, ref := range refs {
			for i := max(ref.Start, 0); i < ref.Start+ref.Length && i < len(x.mask); i++ {
				x.mask[i] = true
			}
		}
	}
	for _, of := range b.LinkReferences {
		for _, refs := range of {
			hide(refs)
		}
	}
	for _, refs := range b.ImmutableReferences {
		hide(refs)
	}
	plain := []byte(text)
	for i, m := range x.mask {
		if m { // placeholders of links are no hex
			plain[2*i], plain[2*i+1] = '0', '0'
		}
	}
	var err error
	if x.bytes, err = hex.DecodeString(string(plain)); err != nil {
		return nil, fmt.Errorf("the bytecode is no hex: %w", err)
	}
	if len(x.bytes) > 21 && x.bytes[0] == 0x73 && string(x.bytes[1:21]) == string(make([]byte, 20)) {
		hide([]reference{{1, 20}}) // a library begins with its own address
	}
	if x.entries, err = parseMap(b.SourceMap); err != nil {
		return nil, err
	}
	for _, e := range x.entries {
		if path, ok := paths[e.file]; ok && x.files[e.file] == nil {
			x.files[e.file] = r.source(path)
		}
	}
	x.index()
	return x, nil
}

// source is the source of a path: one that an artefact has, or a file in the project or above the folder of artefacts.
func (r *reading) source(path string) *Source {
	if s := r.p.sources[path]; s != nil {
		return s
	}
	s := &Source{Path: path}
	r.p.sources[path] = s
	if filepath.IsLocal(path) {
		for _, up := range []string{".", "..", "../.."} {
			file := filepath.Join(r.p.dir, up, path)
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() <= maxSource {
				if text, err := os.ReadFile(file); err == nil {
					s.text = string(text)
					break
				}
			}
		}
	}
	return s
}

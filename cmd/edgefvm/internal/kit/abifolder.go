package kit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/edgefvm/fvm/node/ethabi"
)

// mostArtifacts bounds how many files of a folder are read, and largestArtifact the bytes of each.
const (
	mostArtifacts   = 20_000
	largestArtifact = 16 << 20
)

// LoadABIs reads the ABI of the file that --abi names and those of all artefacts in the folder that --artifacts names, such as
// Foundry's out or Hardhat's artifacts; nil if there are none.
func LoadABIs(file, folder string) (*ethabi.ABI, error) {
	all, err := LoadABI(file)
	if err != nil || folder == "" {
		return all, err
	}
	if all == nil {
		all = &ethabi.ABI{}
	}
	known := map[string]bool{}
	for _, e := range all.Entries {
		known[e.Kind+e.Signature()] = true
	}
	files := 0
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "node_modules" || name == "build-info" || strings.HasPrefix(name, ".") && path != folder {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".json" || !d.Type().IsRegular() {
			return nil
		}
		if files++; files > mostArtifacts {
			return fmt.Errorf("more than %d files: name the folder of the artefacts alone", mostArtifacts)
		}
		entries, err := artifact(path)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if id := e.Kind + e.Signature(); !known[id] {
				known[id] = true
				all.Entries = append(all.Entries, e)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("--artifacts %s: %w", folder, err)
	}
	if len(all.Entries) == 0 {
		return nil, fmt.Errorf("--artifacts %s: no file in it has an ABI; build the contracts first", folder)
	}
	return all, nil
}

// artifact are the entries of a file, none if it is not one of the artefacts.
func artifact(path string) ([]*ethabi.Entry, error) {
	info, err := os.Stat(path)
	if err != nil || info.Size() > largestArtifact {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var has struct {
		ABI []json.RawMessage `json:"abi"`
	}
	if err := json.Unmarshal(text, &has); err != nil || has.ABI == nil {
		return nil, nil //nolint:nilerr // other JSON: there is much of it beside artefacts
	}
	a, err := ethabi.Parse(text)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s has an ABI that does not read", path), err)
	}
	return a.Entries, nil
}

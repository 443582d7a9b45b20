package bundle

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/ipfs/go-cid"
)

// codesText lists the code of every actor of the bundles in the Lotus module: the name of a bundle, and below it the
// actors whose code no bundle before it has, with all the versions that have it where it is not that bundle's alone.
// Bundles are in the order of versions, mainnet first. A test makes it anew.
//
//go:embed codes.txt
var codesText string

// Code says which actor a code CID is.
type Code struct {
	Actor   string // its name in the manifest, such as "storageminer"
	Version int    // of the actors
	Network string // such as "mainnet"
	// Versions are all that have the code, the oldest first.
	Versions []int
}

// Bundle is the name of the bundle that has the code, such as "v16/mainnet".
func (c Code) Bundle() string { return Entry{Version: c.Version, Network: c.Network}.Name() }

// CodeOf tells which actor has that code, without opening a bundle. If several bundles have it, it is the first: the
// earliest version's, of mainnet before others. So the code of v19 is told as v18's for as long as they are the same, and
// that of the placeholder, which never changed, as v10's. Codes that are not in Lotus's archives are not known here.
func CodeOf(code cid.Cid) (Code, bool) {
	c, ok := codes()[code.KeyString()]
	return c, ok
}

var codes = sync.OnceValue(func() map[string]Code {
	all, err := readCodes(codesText)
	if err != nil {
		panic(err) // the list is part of the program, and a test reads it
	}
	return all
})

func readCodes(text string) (map[string]Code, error) {
	all := map[string]Code{}
	var of Code
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		words := strings.Fields(line)
		if len(words) < 2 {
			var err error
			if of.Version, of.Network, err = ParseName(line); err != nil {
				return nil, err
			}
			continue
		}
		c, err := cid.Decode(words[1])
		if err != nil {
			return nil, fmt.Errorf("the code of %s: %w", words[0], err)
		}
		code := Code{words[0], of.Version, of.Network, []int{of.Version}}
		for _, word := range words[2:] {
			v, err := versionOf(word)
			if err != nil {
				return nil, fmt.Errorf("the versions of %s: %w", words[0], err)
			}
			code.Versions = append(code.Versions, v)
		}
		all[c.KeyString()] = code
	}
	return all, nil
}

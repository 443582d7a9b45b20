package fuzz

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/lab/duel"
	"github.com/edgefvm/fvm/lab/oracle"
	"github.com/edgefvm/fvm/vector"
)

// corpus are vectors whose messages are changed, by network version. Safe for concurrent use.
type corpus struct {
	actors *vector.Actors
	files  map[network.Version][]string

	mu   sync.Mutex
	open map[string]*seedling // a few
}

// seedling is a vector that was read.
type seedling struct {
	request  *oracle.Request
	messages []*fvm.Message
	bundle   string
	code     duel.Base
	state    duel.Base
}

var versionName = regexp.MustCompile(`^nv(\d+)-`)

// readCorpus sorts files by network version. Vectors of scripts and of modules are left out: other layers make these.
func readCorpus(files []string, nvs []network.Version, a *vector.Actors) (*corpus, error) {
	c := &corpus{actors: a, files: map[network.Version][]string{}, open: map[string]*seedling{}}
	for _, path := range files {
		name := filepath.Base(path)
		if strings.Contains(name, "-script-") || strings.Contains(name, "-wat-") {
			continue
		}
		var nv network.Version
		if m := versionName.FindStringSubmatch(name); m != nil {
			n, err := strconv.ParseUint(m[1], 10, 32)
			if err != nil {
				return nil, fmt.Errorf("corpus: %s: %w", path, err)
			}
			nv = network.Version(n)
		} else {
			v, err := conformance.Load(path)
			if err != nil {
				return nil, fmt.Errorf("corpus: %w", err)
			}
			nv = v.Variants()[0].NV
		}
		c.files[nv] = append(c.files[nv], path)
	}
	return c, nil
}

const keepOpen = 200

// read reads a vector, or finds it.
func (c *corpus) read(ctx context.Context, path string) (*seedling, error) {
	c.mu.Lock()
	s := c.open[path]
	c.mu.Unlock()
	if s != nil {
		return s, nil
	}
	v, err := conformance.Load(path)
	if err != nil {
		return nil, err
	}
	if s, err = c.prepare(ctx, v); err != nil {
		return nil, fmt.Errorf("corpus: %s: %w", path, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) >= keepOpen {
		clear(c.open)
	}
	c.open[path] = s
	return s, nil
}

func (c *corpus) prepare(ctx context.Context, v *vector.Vector) (*seedling, error) {
	s := &seedling{bundle: vector.NoBundle, code: duel.Base{Name: "no bundle", Store: blockstore.NewMemory()}}
	var err error
	if s.request, err = oracle.RequestOf(v, 0); err != nil {
		return nil, err
	}
	if v.Bundle() != vector.NoBundle {
		if s.bundle, err = v.BundleFor(v.Variants()[0]); err != nil {
			return nil, err
		}
		s.code.Name = "bundle " + s.bundle
		if s.code.Store, err = c.actors.Store(ctx, s.bundle); err != nil {
			return nil, err
		}
	}
	s.state = duel.Base{Name: v.Path, Store: blockstore.NewMemory()}
	if _, err := blockstore.LoadCAR(ctx, bytes.NewReader(v.CAR()), s.state.Store, blockstore.CAROptions{}); err != nil {
		return nil, err
	}
	for i := range s.request.Messages {
		msg, _, _, err := s.request.Messages[i].Decode()
		if err != nil {
			msg = nil // left as it is
		}
		s.messages = append(s.messages, msg)
	}
	return s, nil
}

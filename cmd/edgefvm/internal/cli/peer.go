package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/lab/conformance"
)

// theirs runs the first variant of a vector on the reference, and returns what each message took.
func (b *bench) theirs(ctx context.Context, path string) ([]time.Duration, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	answer, err := b.peer.Vector(ctx, abs, 0)
	if err != nil {
		return nil, err
	}
	if len(answer.NS) == 0 {
		return nil, errors.New("the reference gave no times")
	}
	return answer.NS[0], nil
}

// giveBundles loads the actors that the vectors need into the reference.
func (b *bench) giveBundles(set *setting, files []string) error {
	ctx := b.cmd.Context()
	cars := set.cars
	if len(cars) == 0 {
		names, err := bundlesOf(files)
		if err != nil {
			return err
		}
		dir, err := os.MkdirTemp("", "edgefvm-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		s, err := bundle.Open(ctx, set.bundleOptions(b.cmd))
		if err != nil {
			return err
		}
		for _, name := range names {
			path := filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".car")
			if err := exportTo(ctx, s, name, path); err != nil {
				return err
			}
			cars = append(cars, path)
		}
	}
	for _, path := range cars {
		if _, err := b.peer.LoadCAR(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

func bundlesOf(files []string) ([]string, error) {
	var names []string
	seen := map[string]bool{}
	for _, path := range files {
		v, err := conformance.Load(path)
		if err != nil {
			return nil, err
		}
		name, err := v.BundleFor(v.Variants()[0])
		if err == nil && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, nil
}

func exportTo(ctx context.Context, s *bundle.Set, name, path string) error {
	version, network, err := bundle.ParseName(name)
	if err != nil {
		return err
	}
	return wholefile.Write(path, func(w io.Writer) error { return s.Export(ctx, version, network, w) })
}

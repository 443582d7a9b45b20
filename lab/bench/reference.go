package bench

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
	"github.com/edgefvm/fvm/lab/oracle"
)

// Code is where the reference has the actors' code from.
type Code struct {
	// CARs are files of actors that it uses instead of the networks' own.
	CARs []string
	// Bundles say where the networks' own are. They are written to a temporary folder for it.
	Bundles bundle.Options
}

// Oracle is the reference's program, which speaks package oracle's protocol. It belongs to one goroutine.
type Oracle struct{ client *oracle.Client }

// StartOracle starts the program, with the actors' code that the vectors need. It ends with ctx, or by Close.
func StartOracle(ctx context.Context, program string, files []string, code Code) (*Oracle, error) {
	shelf := &shelf{code: code}
	defer shelf.remove()
	cars, err := shelf.carsFor(ctx, files)
	if err != nil {
		return nil, err
	}
	return startOracle(ctx, program, cars)
}

func startOracle(ctx context.Context, program string, cars []string) (*Oracle, error) {
	client, err := oracle.Start(ctx, program)
	if err != nil {
		return nil, err
	}
	o := &Oracle{client}
	for _, path := range cars {
		if _, err := client.LoadCAR(ctx, path); err != nil {
			o.Close()
			return nil, err
		}
	}
	return o, nil
}

// Close ends the program.
func (o *Oracle) Close() { o.client.Close() }

// Times runs the first variant of a vector.
func (o *Oracle) Times(ctx context.Context, path string) ([]time.Duration, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	answer, err := o.client.Vector(ctx, abs, 0)
	if err != nil {
		return nil, err
	}
	if len(answer.NS) == 0 {
		return nil, errors.New("the reference gave no times")
	}
	return answer.NS[0], nil
}

// shelf keeps the networks' actors as files, each written once.
type shelf struct {
	code Code
	set  *bundle.Set
	dir  string
	at   map[string]string // by the bundle's name
}

func (s *shelf) remove() {
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// carsFor are the files of the actors that vectors need.
func (s *shelf) carsFor(ctx context.Context, files []string) ([]string, error) {
	if len(s.code.CARs) > 0 {
		return s.code.CARs, nil
	}
	var cars []string
	seen := map[string]bool{}
	for _, path := range files {
		v, err := conformance.Load(path)
		if err != nil {
			return nil, err
		}
		name, err := v.BundleFor(v.Variants()[0])
		if err != nil || seen[name] {
			continue // without a bundle our own run says what is wrong
		}
		seen[name] = true
		car, err := s.car(ctx, name)
		if err != nil {
			return nil, err
		}
		cars = append(cars, car)
	}
	return cars, nil
}

func (s *shelf) car(ctx context.Context, name string) (path string, err error) {
	if path := s.at[name]; path != "" {
		return path, nil
	}
	version, network, err := bundle.ParseName(name)
	if err != nil {
		return "", err
	}
	if s.set == nil {
		if s.set, err = bundle.Open(ctx, s.code.Bundles); err != nil {
			return "", err
		}
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "edgefvm-bench-"); err != nil {
			return "", err
		}
		s.at = map[string]string{}
	}
	path = filepath.Join(s.dir, strings.ReplaceAll(name, "/", "-")+".car")
	if err := wholefile.Write(path, func(w io.Writer) error { return s.set.Export(ctx, version, network, w) }); err != nil {
		return "", err
	}
	s.at[name] = path
	return path, nil
}

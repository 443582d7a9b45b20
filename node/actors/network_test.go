package actors_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/trace"
	"github.com/edgefvm/fvm/vector"
)

// TestNetworkTakesParameters calls each method of the networks' own actors with parameters by our types: whatever else they say of
// them, they must be able to read them, and have the method (exit codes 21 and 22); and what they return must be of our types.
// The states are those of golden vectors.
func TestNetworkTakesParameters(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT RUN: it takes a while")
	}
	if _, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr}); err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
	t.Parallel()
	n := onNetwork{code: vector.NewActors(bundle.Options{}), done: map[string]bool{}}
	for _, nv := range []int{16, 17, 18, 19, 21, 22, 23, 24, 25, 27, 28} {
		for _, scenario := range []string{"deals", "onboard", "multisig", "paych", "datacap", "evm", "verifreg", "init", "implicit"} {
			files, err := filepath.Glob(fmt.Sprintf("../../lab/conformance/testdata/nv%d-%s-*.json", nv, scenario))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range files[:min(len(files), 2)] {
				n.vector(t, path)
			}
		}
	}
	t.Logf("%d kinds of actors and versions, %d calls of methods, %d of them read, %d answered with data", len(n.done), n.calls, n.read, n.returned)
	if n.read < 700 {
		t.Error("these are too few")
	}
}

type onNetwork struct {
	code                  *vector.Actors
	done                  map[string]bool // kinds of actors by version
	calls, read, returned int
}

// vector calls all methods of the actors that a vector's messages met and that were not called before.
func (n *onNetwork) vector(t *testing.T, path string) {
	v, err := vector.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	x, err := explain.Vector(t.Context(), v, explain.VectorOptions{Actors: n.code})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, m := range x.Messages {
		if m.Calls == nil {
			continue
		}
		m.Calls.Walk(func(c *explain.Call) {
			actor, versions, ok := actors.ActorByCode(c.Code)
			if c.ID == nil || c.Exit == nil || !ok {
				return
			}
			key := fmt.Sprint(versions[0], actor)
			if n.done[key] {
				return
			}
			n.done[key] = true
			methods, err := actors.Methods(versions[0], actor)
			if err != nil { // of a test network, whose actors were ahead of its version
				return
			}
			for _, method := range methods {
				n.call(t, v, method, &fvm.Message{To: addr.NewID(uint64(*c.ID)), From: addr.NewID(uint64(c.From)), Method: method.Number, GasLimit: 10e9,
					Value: big.Zero(), GasFeeCap: big.Zero(), GasPremium: big.Zero()})
			}
		})
	}
}

func (n *onNetwork) call(t *testing.T, v *vector.Vector, m *actors.Method, msg *fvm.Message) {
	s, err := vector.Prepare(t.Context(), v, 0, n.code, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if of := m.ParamsType(); of != nil {
		value := reflect.New(of)
		fill(rand.New(rand.NewPCG(1, uint64(m.Number))), value.Elem())
		text, err := jsonview.Marshal(value.Interface())
		if err != nil {
			t.Fatal(err)
		}
		if msg.Params, err = m.EncodeParams(text); err != nil {
			t.Fatal(err)
		}
	}
	n.calls++
	res, err := s.Machine.ApplyImplicit(t.Context(), msg)
	if err != nil || res.ExitCode == 5 || res.ExitCode == 10 {
		return // the vector's state has not all that the method wants, or not yet this actor
	}
	n.read++
	if res.ExitCode == 21 || res.ExitCode == 22 {
		t.Errorf("%s: exit code %d, %s: %x", m, res.ExitCode, res.Failure, msg.Params)
	}
	if res.ExitCode == 0 && (len(res.Return) > 0 || m.ReturnType() != nil) {
		n.returned++
		if s := check(&trace.Block{Data: res.Return}, m.DecodeReturn, m.EncodeReturn); s != "" || len(res.Return) == 0 {
			t.Errorf("%s returned %x: %s", m, res.Return, s)
		}
	}
}

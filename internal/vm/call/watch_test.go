package call

import (
	"strings"
	"testing"

	"github.com/edgefvm/fvm/internal/vm/actors"
	"github.com/edgefvm/fvm/trace"
)

// An EVM actor whose code is not understood runs as ever, and the hook hears why, at each call.
func TestUnwatched(t *testing.T) {
	code := guestCode{invoke: exit20}.bytes()
	w := newWorld(t, 28, plenty, nil).deploy(code)
	entries := []actors.Entry{{Name: evmActor, Code: rawCID(code)}}
	for _, n := range builtins {
		entries = append(entries, actors.Entry{Name: n, Code: rawCID([]byte("code of " + n))})
	}
	manifest, err := actors.NewManifest(entries)
	if err != nil {
		t.Fatal(err)
	}
	w.m.Manifest = manifest
	var told []*trace.Unwatched
	w.hooks.OnOpcode = func(*trace.Opcode) { t.Error("an opcode") }
	for range 2 {
		res, err := w.invoke()
		if err != nil || res.ExitCode != 20 {
			t.Fatalf("exit %d, %v", res.ExitCode, err)
		}
		w.hooks.OnUnwatched = func(u *trace.Unwatched) { told = append(told, u) }
	}
	if len(told) != 1 || told[0].ID != script || told[0].Code != rawCID(code) || !strings.Contains(told[0].Err.Error(), "no interpreter of the EVM found") {
		t.Errorf("%+v", told)
	}
	// Without the hook nothing is looked for; an actor that is no EVM's is not either.
	w.hooks.OnOpcode = nil
	if _, err := w.invoke(); err != nil || len(told) != 1 {
		t.Errorf("%v, told %d times", err, len(told))
	}
	w.hooks.OnOpcode = func(*trace.Opcode) {}
	if w.setCode(script, w.put(guestCode{invoke: exit20 + trap}.bytes())); len(told) != 1 {
		t.Error("told of another actor")
	}
	if _, err := w.invoke(); err != nil || len(told) != 1 {
		t.Errorf("%v, told %d times", err, len(told))
	}
}

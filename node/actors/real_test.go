package actors_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/trace"
)

// real is a call that an actor accepted.
type real struct {
	version        int
	actor          string
	method         uint64
	params, result *trace.Block
	where          string
}

// readTraces are the calls with exit code 0 in the traces of a folder.
func readTraces(t *testing.T, folder string, visit func(real)) (files int) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.trace.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var messages []trace.Events
		if err := json.NewDecoder(z).Decode(&messages); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		f.Close()
		for _, events := range messages {
			calls(filepath.Base(path), events, visit)
		}
	}
	return len(paths)
}

var nvInName = regexp.MustCompile(`nv(\d+)`)

// calls visits the calls of a message that ended well.
func calls(name string, events trace.Events, visit func(real)) {
	type open struct {
		call *trace.Call
		code cid.Cid
	}
	var stack []open
	for _, e := range events {
		switch e := e.(type) {
		case *trace.Call:
			stack = append(stack, open{call: e})
		case *trace.Invoke:
			stack[len(stack)-1].code = e.Code
		case *trace.Error:
			stack = stack[:len(stack)-1]
		case *trace.Return:
			c := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if e.ExitCode != 0 {
				continue
			}
			r := real{method: uint64(c.call.Method), params: c.call.Params, result: e.Data, where: name}
			if c.code.Defined() {
				actor, versions, ok := actors.ActorByCode(c.code)
				if !ok {
					continue // a contract in Wasm of the generators
				}
				r.actor, r.version = actor, versions[0]
			} else {
				// Traces of network versions 16 and 17 do not say whose code ran: an address may.
				nv, err := strconv.Atoi(nvInName.FindStringSubmatch(name)[1])
				if err != nil {
					continue
				}
				r.version, err = actors.VersionFor(network.Version(nv))
				if err != nil {
					continue
				}
				if c.call.To.Protocol() != address.ID {
					continue
				}
				r.actor, err = actors.ParseActor(r.version, c.call.To.String())
				if err != nil {
					continue
				}
			}
			visit(r)
		}
	}
}

// check decodes data and encodes them again. It returns "" if they came back as they were.
func check(data *trace.Block, decode func([]byte) (actors.Value, error), encode func([]byte) ([]byte, error)) string {
	if len(data.Data) == 0 || data.Codec == 0x55 {
		return ""
	}
	v, err := decode(data.Data)
	if err != nil {
		return err.Error()
	}
	if v.Note != "" {
		return v.Note
	}
	text, err := json.Marshal(v.JSON)
	if err != nil {
		return err.Error()
	}
	again, err := encode(text)
	if err != nil {
		return fmt.Sprintf("%v in %s", err, text)
	}
	if !bytes.Equal(again, data.Data) {
		return fmt.Sprintf("%x became %x by %s", data.Data, again, text)
	}
	return ""
}

// TestRealCalls decodes the parameters and returns of all traced calls that builtin actors accepted, and encodes them again: the
// bytes must come back, of a real method, without a note.
func TestRealCalls(t *testing.T) {
	t.Parallel()
	folders := []string{"../../lab/conformance/testdata"}
	for _, f := range []string{"goldens", "vectors-traces"} {
		if _, err := os.Stat(filepath.Join("../../../shared", f)); err == nil && !testing.Short() {
			folders = append(folders, filepath.Join("../../../shared", f))
		} else {
			t.Logf("not read: %s beside the repository", f)
		}
	}
	c := counts{seen: map[string]bool{}, by: map[string]int{}}
	files := 0
	for _, folder := range folders {
		files += readTraces(t, folder, func(r real) { c.call(t, r) })
	}
	t.Logf("%d files, %d calls, %d of them different, with %d parameters and %d returns; methods that no actor has: %d; by actor: %v",
		files, c.calls, len(c.seen), c.params, c.returns, c.fallback, c.by)
	if c.params < 150 || c.returns < 120 {
		t.Error("these are fewer than the repository's own traces have")
	}
}

// counts are what was tried.
type counts struct {
	seen                             map[string]bool
	by                               map[string]int
	calls, params, returns, fallback int
}

func (c *counts) call(t *testing.T, r real) {
	c.calls++
	key := fmt.Sprint(r.version, r.actor, r.method, r.params != nil, r.result != nil)
	for _, b := range []*trace.Block{r.params, r.result} {
		if b != nil {
			key += fmt.Sprintf("/%x %s", b.Codec, b.Data)
		}
	}
	if c.seen[key] {
		return
	}
	c.seen[key] = true
	m, err := actors.FindMethod(r.version, r.actor, strconv.FormatUint(r.method, 10))
	if err != nil {
		// Placeholders accept what they hear, other actors what bears a public number (FRC-0042).
		if r.method < 1<<24 && r.actor != "placeholder" {
			t.Errorf("%s: %v", r.where, err)
		}
		c.fallback++
		return
	}
	c.by[m.Actor]++
	if m.Gone != "" {
		t.Errorf("%s: %s is said to be gone (%s), and was accepted", r.where, m, m.Gone)
	}
	if r.params != nil && !ignored(m) {
		c.params++
		if s := check(r.params, m.DecodeParams, m.EncodeParams); s != "" {
			t.Errorf("%s: params of %s: %s", r.where, m, s)
		}
	}
	if r.result != nil {
		c.returns++
		if s := check(r.result, m.DecodeReturn, m.EncodeReturn); s != "" {
			t.Errorf("%s: return of %s: %s", r.where, m, s)
		}
	}
}

// ignored are parameters that no actor reads: until v9 a method without any accepted all.
func ignored(m *actors.Method) bool { return m.Version < 10 && m.ParamsType() == nil }

package ffi

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	cbor "github.com/ipfs/go-ipld-cbor"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/lab/conformance"
	"github.com/edgefvm/fvm/vector"
)

const goldens = "../lab/conformance/testdata"

func exitCode(n uint64) exitcode.ExitCode { return exitcode.ExitCode(int64(n)) }

func decodeEvents(data []byte) ([]fvm.Event, error) {
	if data == nil {
		return nil, nil
	}
	var list []any
	if err := cbor.DecodeInto(data, &list); err != nil {
		return nil, err
	}
	var events []fvm.Event
	for _, item := range list {
		pair := item.([]any)
		e := fvm.Event{Emitter: abi.ActorID(number(pair[0]))}
		for _, entry := range pair[1].([]any) {
			f := entry.([]any)
			e.Entries = append(e.Entries, fvm.EventEntry{Flags: number(f[0]), Key: f[1].(string), Codec: number(f[2]), Value: f[3].([]byte)})
		}
		events = append(events, e)
	}
	return events, nil
}

func number(v any) uint64 {
	switch v := v.(type) {
	case int:
		return uint64(v)
	case uint64:
		return v
	}
	panic(fmt.Sprintf("%T is no number", v))
}

func defaultNode(t testing.TB) *Node {
	t.Helper()
	return nodeOf(t, NodeConfig{})
}

func nodeOf(t testing.TB, cfg NodeConfig) *Node {
	t.Helper()
	n, err := NewNode(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// original holds, for vectors, the hash of what filecoin-ffi's own code made of the reference's results: traces (with
// durations of 0) and events in CBOR, and the words for failures. See testdata/README.md.
func original(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open("testdata/original.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		name, sum, ok := strings.Cut(s.Text(), " ")
		if !ok {
			t.Fatalf("testdata/original.txt: %q", s.Text())
		}
		out[name] = sum
	}
	return out
}

// sum hashes what a vector's messages gave to the node: each part with its length before it.
func sum(rets []*ApplyRet) string {
	h := sha256.New()
	part := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	for _, r := range rets {
		if r == nil {
			continue
		}
		part(r.ExecTraceBytes)
		part(r.EventsBytes)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// The golden vectors of the project, run the way a node runs messages: receipts, fees and roots are the reference's,
// and the bytes of traces and events are those of the original.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(goldens + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no vectors", err)
	}
	if testing.Short() {
		var some []string
		for i := 0; i < len(files); i += 20 {
			some = append(some, files[i])
		}
		files = some
	}
	want := original(t)
	s := defaultNode(t)
	var through *throughFFI
	opts := conformance.Options{NoTrace: true, Actors: vector.NewActors(bundle.Options{}), Open: func(_ context.Context, cfg fvm.Config) (vector.Machine, error) {
		var err error
		through, err = openFFI(s, cfg)
		return through, err
	}}
	ran := 0
	for _, file := range files {
		v, err := conformance.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range v.Variants() {
			o := conformance.RunVector(t.Context(), v, i, &opts)
			if o.Status != conformance.Passed {
				t.Errorf("%s: %s %s %v", v.Name, o.Status, o.Error, o.Differences)
				continue
			}
			ran++
			name := v.Name
			if i > 0 {
				name = fmt.Sprintf("%s.%d", v.Name, i)
			}
			if sum := sum(through.rets); want[name] == "" {
				t.Errorf("%s: testdata/original.txt does not have it", name)
			} else if sum != want[name] {
				t.Errorf("%s: the traces or events are %s, want %s", name, sum, want[name])
			}
		}
	}
	if ran != len(files) {
		t.Errorf("%d vectors ran, want %d", ran, len(files))
	}
}

// One trace in full, so that a difference can be read.
func TestTraceBytes(t *testing.T) {
	raw, err := os.ReadFile("testdata/trace.hex")
	if err != nil {
		t.Fatal(err)
	}
	name, text, _ := strings.Cut(strings.TrimSpace(string(raw)), " ")
	v, err := conformance.Load(filepath.Join(goldens, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	s := defaultNode(t)
	var through *throughFFI
	conformance.RunVector(t.Context(), v, 0, &conformance.Options{NoTrace: true, Actors: vector.NewActors(bundle.Options{}), Open: func(_ context.Context, cfg fvm.Config) (vector.Machine, error) {
		through, err = openFFI(s, cfg)
		return through, err
	}})
	want, err := hex.DecodeString(text)
	if err != nil || through == nil || len(through.rets) == 0 {
		t.Fatal(err, through)
	}
	if got := through.rets[0].ExecTraceBytes; !bytes.Equal(got, want) {
		t.Errorf("the trace is\n%x, want\n%x", got, want)
	}
}

package chains

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm/node/follow"
	"github.com/edgefvm/fvm/node/lotusrpc"
	"github.com/edgefvm/fvm/node/replay"
)

// Spans are put together from tipsets that come from above.
func TestSpans(t *testing.T) {
	for _, c := range []struct {
		name  string
		there map[int]bool // by epoch, from 10 down
		want  []span
		text  string
	}{
		{"nothing", nil, []span{}, "no epoch"},
		{"one", map[int]bool{7: true}, []span{{7, 7}}, "epochs 7"},
		{"the highest and the lowest", map[int]bool{10: true, 0: true}, []span{{0, 0}, {10, 10}}, "epochs 0, 10"},
		{"neighbours", map[int]bool{3: true, 4: true, 5: true}, []span{{3, 5}}, "epochs 3 to 5"},
		{"with a gap", map[int]bool{1: true, 2: true, 4: true, 6: true, 7: true}, []span{{1, 2}, {4, 4}, {6, 7}}, "epochs 1 to 2, 4, 6 to 7"},
	} {
		var s spans
		for e := 10; e >= 0; e-- {
			s.note(abi.ChainEpoch(e), c.there[e])
		}
		got := rising(s.list)
		if !slices.Equal(got, c.want) || spansText(got) != c.text {
			t.Errorf("%s: %v, %s; want %v, %s", c.name, got, spansText(got), c.want, c.text)
		}
	}
	// A tipset that is not asked about, as of a null round, ends nothing.
	var s spans
	s.note(10, true)
	s.note(7, true)
	if got := rising(s.list); !slices.Equal(got, []span{{7, 10}}) {
		t.Errorf("across null rounds: %v", got)
	}
	many := make([]span, 12)
	for i := range many {
		many[i] = span{abi.ChainEpoch(2 * i), abi.ChainEpoch(2 * i)}
	}
	if got := spansText(many); got != "epochs 0, 2, 4, 6, 8, 10, 12, 14, and 4 more" {
		t.Errorf("%s", got)
	}
}

// What a file is is told by its first bytes.
func TestFileKind(t *testing.T) {
	dir := t.TempDir()
	car, err := os.ReadFile("../../../../node/state/testdata/state.car")
	if err != nil {
		t.Fatal(err)
	}
	var zipped, packed bytes.Buffer
	g := gzip.NewWriter(&zipped)
	z, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []interface {
		Write([]byte) (int, error)
		Close() error
	}{g, z} {
		if _, err := w.Write(car); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	v2 := append([]byte("\x0a\xa1gversion\x02"), make([]byte, 40)...)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"plain", car, "CAR version 1"},
		{"gzip", zipped.Bytes(), "CAR, compressed by gzip"},
		{"zstd", packed.Bytes(), "CAR, compressed by zstd"},
		{"skippable", append([]byte("\x5e\x2a\x4d\x18\x04\x00\x00\x00abcd"), packed.Bytes()...), "CAR, compressed by zstd, with skippable frames"},
		{"pragma", v2, "CAR version 2"},
		{"short", []byte("x"), "CAR version 1"},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		kind, size, err := fileKind(path)
		if err != nil || kind != c.want || size != int64(len(c.data)) {
			t.Errorf("%s: %s, %d bytes, %v; want %s, %d", c.name, kind, size, err, c.want, len(c.data))
		}
	}
	if kind, size, err := fileKind(dir); err != nil || kind != "store of pebble" || size != 0 {
		t.Errorf("a folder: %s, %d, %v", kind, size, err)
	}
	if _, _, err := fileKind(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
}

// What came of a request is a word of the few that metrics have.
func TestOutcome(t *testing.T) {
	for want, err := range map[string]error{
		"ok": nil, "bad_hash": lotusrpc.ErrHash, "denied": lotusrpc.ErrDenied, "unreachable": lotusrpc.ErrUnreachable, "refused": &lotusrpc.NodeError{Message: "no"},
		"garbage": lotusrpc.ErrAnswer, "cancelled": context.Canceled,
	} {
		if got := outcome(err); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
		if err != nil {
			if got := outcome(fmt.Errorf("asking: %w", err)); got != want {
				t.Errorf("%v, wrapped, is %s, want %s", err, got, want)
			}
		}
	}
}

// A report holds the first tipsets that did not pass, and is written whole.
func TestFollowReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	r := &followReport{Engines: []string{"wazero"}, Proofs: "taken", path: path, status: func() follow.Status { return follow.Status{Differs: 7} }}
	if err := r.write(); err != nil {
		t.Fatal(err)
	}
	for i := range maxFindings + 20 {
		r.add(nil, &follow.Judgement{Result: follow.Passed, Epoch: abi.ChainEpoch(i)})
		r.add(&replay.Tipset{Epoch: abi.ChainEpoch(i)}, &follow.Judgement{Result: follow.Differs, Epoch: abi.ChainEpoch(i)})
	}
	r.note(errors.New("the node went away"))
	if err := r.write(); err != nil {
		t.Fatal(err)
	}
	text := read(t, path)
	if n := strings.Count(text, `"result": "differs"`); n != maxFindings {
		t.Errorf("%d findings", n)
	}
	for _, want := range []string{`"differs": 7`, `"error": "the node went away"`, `"proofs": "taken"`} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %s:\n%.500s", want, text)
		}
	}
	if strings.Contains(text, `"result": "passed"`) || strings.Contains(text, fmt.Sprintf(`"epoch": %d,`, maxFindings+1)) {
		t.Errorf("it has more than the first that did not pass")
	}
	// Without a path nothing is written; where it cannot be written that is an error.
	if err := (&followReport{}).write(); err != nil {
		t.Error(err)
	}
	r.path = filepath.Join(t.TempDir(), "none", "report.json")
	if err := r.write(); err == nil {
		t.Error("a report into nowhere")
	}
	empty := (&followReport{status: func() follow.Status { return follow.Status{} }}).now()
	if empty.Findings == nil {
		t.Error("without findings the list is null")
	}
}

func TestWorkersAndEpochs(t *testing.T) {
	for n, ok := range map[int]bool{-1: false, 0: true, 1: true, 1024: true, 1025: false} {
		if got, err := workers(n); (err == nil) != ok || ok && n > 0 && got != n || ok && got < 1 {
			t.Errorf("%d workers are %d, %v", n, got, err)
		}
	}
	for text, want := range map[string]abi.ChainEpoch{"0": 0, "7": 7, "9223372036854775807": 1<<63 - 1, "-1": -1, "x": -1, "": -1, "1.5": -1, "9223372036854775808": -1} {
		if got, err := epoch(text); (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
}

package filapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/node/jsonrpc"
	"github.com/edgefvm/fvm/node/network"
	"github.com/edgefvm/fvm/node/replay"
)

// archiveServer serves a chain of a folder.
func archiveServer(t testing.TB, folder, name string) *jsonrpc.Server {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, name+".car.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	store := blockstore.NewMemory()
	roots, err := blockstore.LoadCAR(t.Context(), z, store, blockstore.CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	n, err := network.Load(filepath.Join(folder, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if name == "two29" {
		n.AddressPrefix = "t" // a chain of the build 2k
	}
	c, err := replay.Open(t.Context(), replay.Options{Archive: store, Roots: roots, Network: n, Store: blockstore.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	served, err := Archive(t.Context(), c, ArchiveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var ms jsonrpc.Methods
	New(Options{Chain: served}).Register(&ms)
	return jsonrpc.New(&ms, jsonrpc.Options{})
}

// recorded is a request and what Lotus answered: ffi/answers.sh.
type recorded struct {
	Method string
	Params []json.RawMessage
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
	}
}

// answers reads recorded answers; EDGEFVM_LOTUS_ANSWERS is a folder with more of them.
func answers(t testing.TB, name string) (list []recorded) {
	t.Helper()
	path := filepath.Join("testdata", name+".answers.jsonl.zst")
	var r io.Reader
	if dir := os.Getenv("EDGEFVM_LOTUS_ANSWERS"); dir != "" {
		data, err := os.ReadFile(filepath.Join(dir, name+".answers.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		r = bytes.NewReader(data)
	} else {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := zstd.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		r = z
	}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var x recorded
			if err := json.Unmarshal(line, &x); err != nil {
				t.Fatal(err)
			}
			list = append(list, x)
		}
		if err != nil {
			return list
		}
	}
}

// loose is what may differ: times, words of failures, and the height of an upgrade that Lotus's build has and the chain has not.
var loose = map[string]bool{"Duration": true, "tt": true, "Error": true, "UpgradeSolsticeHeight": true}

// difference says where two values of JSON differ; "" if they do not.
func difference(path string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		names := map[string]bool{}
		for name := range w {
			names[name] = true
		}
		for name := range g {
			names[name] = true
		}
		list := make([]string, 0, len(names))
		for name := range names {
			list = append(list, name)
		}
		sort.Strings(list)
		for _, name := range list {
			x, inWant := w[name]
			y, inGot := g[name]
			if inWant != inGot {
				return fmt.Sprintf("%s.%s: in Lotus's answer %v, in ours %v", path, name, inWant, inGot)
			}
			if loose[name] {
				continue
			}
			if d := difference(path+"."+name, x, y); d != "" {
				return d
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok {
			break
		}
		if len(w) != len(g) {
			return fmt.Sprintf("%s: a list of %d, want %d", path, len(g), len(w))
		}
		for i := range w {
			if d := difference(fmt.Sprintf("%s[%d]", path, i), w[i], g[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("%s: %.300v, want %.300v", path, got, want)
	}
	return ""
}

func parsed(t testing.TB, raw json.RawMessage) any {
	t.Helper()
	if raw == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

// What Lotus's own API says of chains that Lotus made is what is said here, to the last field.
func TestLotusAnswers(t *testing.T) {
	for _, name := range []string{"two29", "real28", "upgrades16"} {
		t.Run(name, func(t *testing.T) {
			s := archiveServer(t, filepath.Join("..", "replay", "testdata"), name)
			same, failures := map[string]int{}, map[string]int{}
			for _, x := range answers(t, name) {
				params := make([]any, len(x.Params))
				for i, p := range x.Params {
					params[i] = p
				}
				var got json.RawMessage
				err := s.Client().Call(t.Context(), &got, Prefix+x.Method, params...)
				d := ""
				switch {
				case err != nil && x.Error == nil:
					d = fmt.Sprintf("error %v, want %.200s", err, x.Result)
				case err == nil && x.Error != nil:
					d = fmt.Sprintf("no error, want %d %s; got %.200s", x.Error.Code, x.Error.Message, got)
				case err != nil:
					var e *jsonrpc.Error
					if !errors.As(err, &e) || e.Code != x.Error.Code && x.Error.Code > -32000 {
						d = fmt.Sprintf("error %v (%d), want %d %s", err, e.Code, x.Error.Code, x.Error.Message)
					}
				default:
					d = difference("", parsed(t, x.Result), parsed(t, got))
				}
				if d == "" {
					same[x.Method]++
					continue
				}
				if failures[x.Method]++; failures[x.Method] <= 3 {
					t.Errorf("%s %.200s: %s", x.Method, bytes.Join(bytesOf(x.Params), []byte(", ")), d)
				}
			}
			var list []string
			for m, n := range same {
				list = append(list, fmt.Sprintf("%s %d", m, n))
			}
			sort.Strings(list)
			t.Logf("the same: %s", strings.Join(list, ", "))
			if len(failures) > 0 {
				t.Errorf("answers that differ: %v", failures)
			}
		})
	}
}

func bytesOf(list []json.RawMessage) (out [][]byte) {
	for _, x := range list {
		out = append(out, x)
	}
	return out
}

package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/internal/engine/aot"
	"github.com/edgefvm/fvm/lab/duel/dueltest"
)

const (
	goldens = "../../../../lab/conformance/testdata"
	envPeer = "EDGEFVM_TEST_PEER" // makes the test's own program the reference of bench
)

func TestMain(m *testing.M) {
	aot.RunIfChild()
	dueltest.RunIfChild()
	os.Unsetenv("EDGEFVM_ENGINE")
	if len(os.Args) > 1 && os.Args[1] == firstReceiptUse {
		os.Exit(Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	if mode := os.Getenv(envPeer); mode != "" {
		beReference(mode)
		return
	}
	os.Exit(m.Run())
}

// beReference answers as the reference does, with made-up times.
func beReference(mode string) {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var req struct {
			Op   string `json:"op"`
			Path string `json:"path"`
		}
		if err := json.Unmarshal(in.Bytes(), &req); err != nil {
			fmt.Println(`{"error":"not JSON"}`)
			continue
		}
		switch {
		case req.Op == "load_car":
			fmt.Println(`{"roots":[],"blocks":1}`)
		case mode == "fails":
			fmt.Println(`{"error":"out of order"}`)
		case mode == "ends":
			return
		case mode == "short":
			fmt.Println(`{"ns":[[]]}`)
		default:
			fmt.Println(`{"ns":[[1000000]]}`)
		}
	}
}

func golden(name string) string { return filepath.Join(goldens, name+".json") }

// needBundles skips a test that needs the actors' code where there is none.
func needBundles(t testing.TB) {
	t.Helper()
	if _, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr}); err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
}

type result struct {
	code        int
	out, stderr string
}

func runWith(ctx context.Context, args ...string) result {
	var out, stderr bytes.Buffer
	code := Run(ctx, args, &out, &stderr)
	return result{code, out.String(), stderr.String()}
}

func run(t testing.TB, args ...string) result {
	t.Helper()
	return runWith(t.Context(), args...)
}

// ok runs a command that must succeed and returns what it printed.
func ok(t testing.TB, args ...string) string {
	t.Helper()
	r := run(t, args...)
	if r.code != exitOK {
		t.Fatalf("%v: exit code %d\n%s%s", args, r.code, r.out, r.stderr)
	}
	return r.out
}

// fails runs a command that must end with code and one line of error that says each of want.
func fails(t testing.TB, code int, args []string, want ...string) {
	t.Helper()
	r := run(t, args...)
	if r.code != code {
		t.Errorf("%v: exit code %d, want %d\n%s%s", args, r.code, code, r.out, r.stderr)
	}
	lines := strings.Split(strings.TrimSuffix(r.stderr, "\n"), "\n")
	if n := 1 + code/exitUsage; len(lines) != n { // wrong usage names the help
		t.Errorf("%v: %d lines of error, want %d:\n%s", args, len(lines), n, r.stderr)
	}
	if !strings.HasPrefix(lines[0], "edgefvm: ") {
		t.Errorf("%v: the error starts with %.20q", args, lines[0])
	}
	for _, w := range want {
		if !strings.Contains(lines[0], w) {
			t.Errorf("%v: the error lacks %q:\n%s", args, w, r.stderr)
		}
	}
	if r.out != "" {
		t.Errorf("%v: printed besides the error:\n%s", args, r.out)
	}
}

func fromJSON[T any](t testing.TB, text string) (v T) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("not JSON: %v\n%.300s", err, text)
	}
	if d.More() {
		t.Fatalf("more than one JSON value:\n%.300s", text)
	}
	return v
}

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}

func writeTo(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFrom(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// plain fails if text holds what only a terminal understands.
func plain(t testing.TB, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("the output has the character %U", r)
		}
	}
}

func commands(t testing.TB, visit func(cmd *cobra.Command)) {
	t.Helper()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		visit(cmd)
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot(new(bool)))
}

// Every command has a help text with examples, and the examples' commands and flags exist.
func TestHelp(t *testing.T) {
	seen := 0
	commands(t, func(cmd *cobra.Command) {
		seen++
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		out := ok(t, args...)
		if !strings.Contains(out, "Examples:\n") {
			t.Errorf("%v has no examples", args)
		}
		if cmd.Short == "" {
			t.Errorf("%v has no short description", args)
		}
		for _, line := range strings.Split(strings.TrimSpace(cmd.LocalFlags().FlagUsages()), "\n") {
			if line != "" && !regexp.MustCompile(`--\S+( \S+)?  +\S`).MatchString(line) {
				t.Errorf("%v: a flag is not described: %q", args, line)
			}
		}
		for _, line := range strings.Split(cmd.Example, "\n") {
			words, _, _ := strings.Cut(line, " | ")
			fields := strings.Fields(words)
			if len(fields) < 2 || fields[0] != "edgefvm" {
				t.Errorf("the example %q does not call edgefvm", line)
				continue
			}
			target, rest, err := newRoot(new(bool)).Find(fields[1:])
			if err == nil {
				err = target.ParseFlags(rest)
			}
			if err == nil {
				err = target.ValidateArgs(target.Flags().Args())
			}
			if err == nil {
				err = target.ValidateRequiredFlags()
			}
			if err != nil || target.HasSubCommands() {
				t.Errorf("the example %q cannot run: %v", line, err)
			}
		}
	})
	if seen < 14 {
		t.Errorf("%d commands were seen", seen)
	}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string
	}{
		{"frobnicate", `unknown command "frobnicate"`},
		{"vectors", "needs a command: run"},
		{"cache", "needs a command: build, info, clean"},
		{"bundle frob", `no command "frob": list, cids, export, add, remove`},
		{"vectors run", "at least 1 arg"},
		{"vectors run --jobs 0 x", "--jobs must be at least 1"},
		{"vectors run --frob x", "unknown flag: --frob"},
		{"vectors run --engine v8 " + golden("nv28-send-001"), `no engine "v8"; known: wazero`},
		{"explain", "accepts 1 arg"},
		{"explain " + filepath.Join(goldens, "nv28-send-001.trace.gz"), "is a trace: name the vector"},
		{"explain --message 99 " + golden("nv28-send-001"), "there is no message 99"},
		{"explain --variant 7 " + golden("nv28-send-001"), "there is no variant 7"},
		{"bench --rounds 0 x", "--rounds must be at least 1"},
		{"exec", `required flag(s) "car", "epoch", "nv" not set`},
		{"bundle cids frob", "want VERSION/NETWORK, such as v16/mainnet"},
		{"bundle export frob", "want VERSION/NETWORK, such as v16/mainnet"},
		{"version frob", `unknown command "frob"`},
	} {
		fails(t, exitUsage, strings.Fields(tt.args), tt.want)
	}
}

func TestRootPrintsHelp(t *testing.T) {
	if out := ok(t); !strings.Contains(out, "Available Commands:") {
		t.Errorf("without arguments:\n%s", out)
	}
}

func TestVersion(t *testing.T) {
	out := ok(t, "version")
	for _, want := range []string{"edgefvm ", "engines: wazero", "network versions: 16 to 29", bundle.Module} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	v := fromJSON[map[string]any](t, ok(t, "version", "--json"))
	for _, key := range []string{"version", "revision", "go", "platform", "engines", "network_versions", "actors"} {
		if _, ok := v[key]; !ok {
			t.Errorf("the JSON lacks %q", key)
		}
	}
}

func TestBundle(t *testing.T) {
	needBundles(t)
	out := ok(t, "bundle", "list")
	if !strings.Contains(out, "v18/mainnet ") {
		t.Errorf("bundle list:\n%s", out)
	}
	type entry struct {
		Version           int
		Network, Manifest string
	}
	list := fromJSON[[]entry](t, ok(t, "bundle", "list", "--json"))
	if n := strings.Count(out, "\n"); len(list) != n || n == 0 {
		t.Errorf("%d lines, %d in the JSON", n, len(list))
	}
	manifest := ""
	for _, e := range list {
		if e.Version == 18 && e.Network == "mainnet" {
			manifest = e.Manifest
		}
	}
	type cids struct {
		Manifest string
		Actors   map[string]string
	}
	b := fromJSON[cids](t, ok(t, "bundle", "cids", "v18/mainnet", "--json"))
	if b.Manifest != manifest || manifest == "" || len(b.Actors) < 16 {
		t.Errorf("bundle cids: manifest %q with %d actors, listed %q", b.Manifest, len(b.Actors), manifest)
	}
	if out := ok(t, "bundle", "cids", "v18/mainnet"); !strings.Contains(out, b.Actors["storageminer"]) {
		t.Errorf("bundle cids:\n%s", out)
	}

	dir := t.TempDir()
	car := filepath.Join(dir, "v18-mainnet.car")
	if out := ok(t, "bundle", "export", "v18/mainnet", "--out", car); out != car+"\n" {
		t.Errorf("bundle export printed %q", out)
	}
	if again := fromJSON[cids](t, ok(t, "bundle", "cids", car, "--json")); again.Manifest != manifest {
		t.Errorf("the exported bundle's manifest is %s, want %s", again.Manifest, manifest)
	}
	if out := ok(t, "bundle", "list", "--bundles", dir); !strings.HasPrefix(out, "v18/mainnet") {
		t.Errorf("bundle list of the exported:\n%s", out)
	}
	ok(t, execArgs("--message", messageFile, "--bundle", car)...)

	before := readFrom(t, car)
	fails(t, exitFailed, []string{"bundle", "export", "v18/nowhere", "-o", car}, "exporting v18/nowhere", "no such bundle", "bundle list")
	if !bytes.Equal(readFrom(t, car), before) {
		t.Error("an export that failed changed the file that was there")
	}
	fails(t, exitFailed, []string{"bundle", "cids", "v99/mainnet"}, "no such bundle", "bundle list")
	fails(t, exitFailed, []string{"bundle", "list", "--bundles", t.TempDir()}, "holds neither")
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("leftovers: %v", files)
	}
}

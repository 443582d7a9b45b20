package aot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The test binary is its own child, as programs are. Where the compiler is not
// under test, the child is a stand-in that does what this variable says.
const (
	modeVar = "EDGEFVM_AOT_TEST_MODE"
	runsVar = "EDGEFVM_AOT_TEST_RUNS" // a file that gets a line per run
	useVar  = "EDGEFVM_AOT_TEST_USE"  // a cache to fill, as another process
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVar); mode != "" && IsChild(os.Args) {
		os.Exit(standIn(mode))
	}
	RunIfChild()
	if dir := os.Getenv(useVar); dir != "" {
		os.Exit(otherProcess(dir))
	}
	os.Exit(m.Run())
}

// standIn is a child that only looks like a compiler.
func standIn(mode string) int {
	o, err := parseOrder(os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitUnable
	}
	if runs := os.Getenv(runsVar); runs != "" {
		f, err := os.OpenFile(runs, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return 50
		}
		fmt.Fprintf(f, "%v\n", o.level)
		f.Close()
	}
	code := func() error {
		wasm, err := os.ReadFile(o.in)
		if err != nil {
			return err
		}
		return os.WriteFile(o.out, fmt.Appendf(nil, "code of %x at %v", sha256.Sum256(wasm), o.level), 0o600)
	}
	switch mode {
	case "slow":
		time.Sleep(300 * time.Millisecond)
	case "refuse":
		fmt.Fprintln(os.Stderr, "no such opcode")
		return exitFailed
	case "crash":
		fmt.Fprintln(os.Stdout, "about to crash")
		var p *int
		*p = 1
	case "killed":
		fmt.Fprintln(os.Stderr, "half way through")
		p, _ := os.FindProcess(os.Getpid())
		p.Kill()
		select {}
	case "hang":
		os.WriteFile(o.out, []byte("half"), 0o600)
		tether()
	case "nothing":
		return exitOK
	case "empty":
		os.WriteFile(o.out, nil, 0o600)
		return exitOK
	case "full":
		fmt.Fprintln(os.Stderr, "LLVM ERROR: IO failure on output stream: No space left on device")
		return exitFailed
	case "full, unnoticed":
		// As good as a full disk: what the parent tries to write there fails.
		os.Mkdir(filepath.Join(filepath.Dir(o.in), "probe"), 0o700)
		fmt.Fprintln(os.Stderr, "section header table goes past the end of the file")
		return exitFailed
	case "flood":
		fmt.Println("first words")
		for range 10000 {
			fmt.Println(strings.Repeat("x", 80))
		}
		fmt.Println("last words")
		return exitFailed
	}
	if err := code(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return exitOK
}

// otherProcess fills a cache with the modules that the tests use.
func otherProcess(dir string) int {
	c := open(Options{Dir: dir, Jobs: 2}, testTarget)
	defer c.Close()
	var wg sync.WaitGroup
	for n := range byte(3) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			path, err := c.Artefact(context.Background(), guest(n), O0)
			fmt.Println(path, err)
		}()
	}
	wg.Wait()
	return 0
}

var testTarget = target{"0.0.0-test", "a processor", "any processor"}

// guest is a module that returns n from f.
func guest(n byte) []byte {
	return append([]byte("\x00asm\x01\x00\x00\x00\x01\x05\x01\x60\x00\x01\x7f\x03\x02\x01\x00\x07\x05\x01\x01f\x00\x00\x0a\x06\x01\x04\x00\x41"),
		n, 0x0b)
}

// fixture is a cache whose compiler is the stand-in.
type fixture struct {
	*testing.T
	*Cache
	dir string
	log *lockedBuffer
}

func newFixture(t *testing.T, mode string, change ...func(*Options)) *fixture {
	t.Helper()
	t.Setenv(modeVar, mode)
	t.Setenv(runsVar, filepath.Join(t.TempDir(), "runs"))
	return fixtureIn(t, filepath.Join(t.TempDir(), "new", "cache"), change...)
}

func fixtureIn(t *testing.T, dir string, change ...func(*Options)) *fixture {
	t.Helper()
	x := &fixture{T: t, dir: dir, log: &lockedBuffer{}}
	opts := Options{Dir: dir, PassVersion: "pass 1", Jobs: 4, Logger: slog.New(slog.NewTextHandler(x.log, nil))}
	for _, f := range change {
		f(&opts)
	}
	x.Cache = open(opts, testTarget)
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// runs is how often a child was started.
func (x *fixture) runs() int {
	b, _ := os.ReadFile(os.Getenv(runsVar))
	return bytes.Count(b, []byte("\n"))
}

// artefact makes or finds the code of a guest and checks it.
func (x *fixture) artefact(n byte, level Level) string {
	x.Helper()
	path, err := x.Artefact(context.Background(), guest(n), level)
	if err != nil {
		x.Fatalf("artefact of %d at %v: %v", n, level, err)
	}
	x.check(path, n, level)
	return path
}

func (x *fixture) check(path string, n byte, level Level) {
	x.Helper()
	got, err := os.ReadFile(path)
	want := fmt.Sprintf("code of %x at %v", sha256.Sum256(guest(n)), level)
	if err != nil || string(got) != want {
		x.Errorf("artefact holds %q, %v; want %q", got, err, want)
	}
	if err := verify(path); err != nil {
		x.Error(err)
	}
}

// fails makes an artefact that cannot be made.
func (x *fixture) fails(ctx context.Context) error {
	x.Helper()
	path, err := x.Artefact(ctx, guest(1), O2)
	if err == nil {
		x.Fatalf("there is an artefact: %s", path)
	}
	if _, ok := x.Lookup(guest(1), O2); ok {
		x.Error("what failed is in the cache")
	}
	return err
}

func (x *fixture) warns(text string) {
	x.Helper()
	if n := strings.Count(x.log.String(), "WARN"); n != 1 || !strings.Contains(x.log.String(), text) {
		x.Errorf("%d warnings, want one with %q:\n%s", n, text, x.log)
	}
}

func (x *fixture) quiet() {
	x.Helper()
	if x.log.String() != "" {
		x.Errorf("warnings: %s", x.log)
	}
}

// nothingLeft checks that the folder has artefacts and nothing else.
func (x *fixture) nothingLeft(artefacts int) {
	x.Helper()
	items, err := os.ReadDir(filepath.Join(x.dir, subfolder))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		x.Fatal(err)
	}
	n := 0
	for _, it := range items {
		if _, _, ok := parseEntry(it.Name()); ok {
			n++
		} else {
			x.Errorf("left in the cache: %s", it.Name())
		}
	}
	if n != artefacts {
		x.Errorf("%d artefacts, want %d", n, artefacts)
	}
}

func wantStats(t *testing.T, dir string, entries, bad int) Stats {
	t.Helper()
	st, err := Info(dir)
	if err != nil || st.Entries != entries || st.Bad != bad || st.Bytes > 0 && entries == 0 {
		t.Errorf("cache has %+v, %v; want %d entries, %d of them bad", st, err, entries, bad)
	}
	return st
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// startOther starts another process that fills a cache.
func startOther(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), useVar+"="+dir)
	cmd.Stdout = &lockedBuffer{}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

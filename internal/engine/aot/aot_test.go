package aot

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgefvm/fvm/internal/disk/filelock"
)

func TestFillsAndFinds(t *testing.T) {
	x := newFixture(t, "ok")
	if _, ok := x.Lookup(guest(1), O0); ok {
		t.Error("an empty cache has code")
	}
	a, b, c := x.artefact(1, O0), x.artefact(1, O2), x.artefact(2, O0)
	if a == b || a == c || x.runs() != 3 {
		t.Errorf("%d runs made %s, %s and %s", x.runs(), a, b, c)
	}
	if got, ok := x.Lookup(guest(1), O2); !ok || got != b {
		t.Errorf("found %s, want %s", got, b)
	}
	// Another process finds it all.
	y := fixtureIn(t, x.dir)
	if y.artefact(1, O0) != a || y.artefact(2, O0) != c || y.runs() != 3 {
		t.Errorf("code was made again: %d runs", y.runs())
	}
	x.quiet()
	y.quiet()
	x.nothingLeft(3)
}

// Code must not be used for another module, pass, library, level or processor.
func TestKey(t *testing.T) {
	base := &Cache{pass: "pass 1", target: testTarget}
	seen := map[string]string{}
	add := func(what string, c *Cache, wasm []byte, level Level) {
		k := c.key(wasm, level)
		if !isHex(k) {
			t.Errorf("key %q", k)
		}
		if other, dup := seen[k]; dup {
			t.Errorf("%s has the key of %s", what, other)
		}
		seen[k] = what
	}
	add("base", base, guest(1), O0)
	add("another module", base, guest(2), O0)
	add("another level", base, guest(1), O2)
	add("another pass", &Cache{pass: "pass 2", target: testTarget}, guest(1), O0)
	add("no pass", &Cache{target: testTarget}, guest(1), O0)
	add("another library", &Cache{pass: "pass 1", target: target{"0.0.1-test", "a processor", ""}}, guest(1), O0)
	add("another processor", &Cache{pass: "pass 1", target: target{"0.0.0-test", "another", ""}}, guest(1), O0)
	add("shifted text", &Cache{pass: `pass 1" "0.0.0-test`, target: target{"", "a processor", ""}}, guest(1), O0)
	if k := base.key(guest(1), O0); seen[k] != "base" {
		t.Error("a key is not the same twice")
	}
	if a, b := processor(false), processor(true); a == b || a != processor(false) {
		t.Errorf("processors %q and %q", a, b)
	}
}

// Code for any processor serves where there is none for this one, and not the
// other way round.
func TestGenericCodeServes(t *testing.T) {
	x := newFixture(t, "ok", func(o *Options) { o.Generic = true })
	shipped := x.artefact(1, O2)
	y := fixtureIn(t, x.dir)
	if got, ok := y.Lookup(guest(1), O2); !ok || got != shipped || y.artefact(1, O2) != shipped || x.runs() != 1 {
		t.Errorf("found %s, want %s; %d runs", got, shipped, x.runs())
	}
	own := y.artefact(2, O2)
	if got, ok := x.Lookup(guest(2), O2); ok {
		t.Errorf("code for one processor was found for all: %s", got)
	}
	if x.artefact(2, O2) == own || x.runs() != 3 {
		t.Errorf("%d runs", x.runs())
	}
	if y.artefact(2, O2) != own {
		t.Error("code for this processor does not come first")
	}
}

func TestKeyIsUsed(t *testing.T) {
	x := newFixture(t, "ok")
	x.artefact(1, O0)
	y := fixtureIn(t, x.dir, func(o *Options) { o.PassVersion = "pass 2" })
	if _, ok := y.Lookup(guest(1), O0); ok {
		t.Error("code of another pass was found")
	}
	y.artefact(1, O0)
	if y.runs() != 2 {
		t.Errorf("%d runs, want 2", y.runs())
	}
}

func TestNoSuchLevel(t *testing.T) {
	x := newFixture(t, "ok")
	for _, l := range []Level{-1, 1, 3} {
		if _, err := x.Artefact(context.Background(), guest(1), l); err == nil {
			t.Errorf("there is code at %v", l)
		}
		if _, ok := x.Lookup(guest(1), l); ok {
			t.Errorf("there is code at %v", l)
		}
	}
}

// A compiler that fails is an error of its module, with what it said, and the
// next module is compiled.
func TestChildFails(t *testing.T) {
	for _, c := range []struct {
		mode string
		want []string
	}{
		{"refuse", []string{"O2", "exit status 1", "no such opcode"}},
		{"crash", []string{"exit status 2", "about to crash", "nil pointer"}},
		{"killed", []string{"half way through"}},
		{"nothing", []string{"left no code"}},
		{"empty", []string{"left no code"}},
		{"flood", []string{"first words", "[...]", "last words"}},
	} {
		t.Run(c.mode, func(t *testing.T) {
			x := newFixture(t, c.mode)
			err := x.fails(context.Background())
			var failed *CompileError
			if !errors.As(err, &failed) || failed.Level != O2 {
				t.Fatalf("%T %v, want a CompileError", err, err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error does not say %q: %v", w, err)
				}
			}
			if len(err.Error()) > 3*excerptSize {
				t.Errorf("error of %d bytes", len(err.Error()))
			}
			x.nothingLeft(0)
			t.Setenv(modeVar, "ok")
			x.artefact(1, O2)
			x.quiet()
		})
	}
}

func TestTimeout(t *testing.T) {
	x := newFixture(t, "hang", func(o *Options) { o.Timeout = 200 * time.Millisecond })
	err := x.fails(context.Background())
	if failed := new(CompileError); !errors.As(err, &failed) || !errors.Is(err, ErrTimeout) {
		t.Errorf("error %v", err)
	}
	x.nothingLeft(0)
}

func TestCancelledContext(t *testing.T) {
	x := newFixture(t, "hang", func(o *Options) { o.Jobs = 1 })
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for n := range byte(3) { // one runs, one waits for it, one for a slot
		wg.Add(1)
		go func() {
			defer wg.Done()
			if _, err := x.Artefact(ctx, guest(1+n/2), O2); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		}()
	}
	for x.runs() == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	start := time.Now()
	cancel()
	wg.Wait()
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("it took %v to stop", d)
	}
	if x.runs() != 1 {
		t.Errorf("%d runs, want 1", x.runs())
	}
	x.nothingLeft(0)
	if _, err := x.Artefact(ctx, guest(1), O2); !errors.Is(err, context.Canceled) || x.runs() != 1 {
		t.Errorf("with a cancelled context: %v, %d runs", err, x.runs())
	}
}

func TestCloseStopsChildren(t *testing.T) {
	x := newFixture(t, "hang")
	done := make(chan error)
	go func() {
		_, err := x.Artefact(context.Background(), guest(1), O0)
		done <- err
	}()
	for x.runs() == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, errClosed) {
		t.Errorf("error %v", err)
	}
	x.nothingLeft(0)
	if _, err := x.Artefact(context.Background(), guest(1), O0); !errors.Is(err, errClosed) {
		t.Errorf("a closed cache says %v", err)
	}
	if _, ok := x.Lookup(guest(1), O0); ok {
		t.Error("a closed cache finds code")
	}
}

func TestJobs(t *testing.T) {
	x := newFixture(t, "slow", func(o *Options) { o.Jobs = 2 })
	start := time.Now()
	var wg sync.WaitGroup
	for n := range byte(4) {
		wg.Add(1)
		go func() { defer wg.Done(); x.artefact(n, O0) }()
	}
	wg.Wait()
	if d := time.Since(start); d < 600*time.Millisecond {
		t.Errorf("four times 300 ms in two jobs took %v", d)
	}
}

// Many want one module: it is compiled once.
func TestOnce(t *testing.T) {
	x := newFixture(t, "slow")
	y := fixtureIn(t, x.dir)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			[]*fixture{x, y}[i%2].artefact(7, O0)
		}()
	}
	wg.Wait()
	if x.runs() != 1 {
		t.Errorf("compiled %d times", x.runs())
	}
	x.nothingLeft(1)
}

func TestOnceAmongProcesses(t *testing.T) {
	x := newFixture(t, "slow")
	if _, err := filelock.Try(filepath.Join(t.TempDir(), "absent", "x")); err == nil {
		t.Skip("no file locks on this system")
	}
	a, b := startOther(t, x.dir), startOther(t, x.dir)
	if err := errors.Join(a.Wait(), b.Wait()); err != nil {
		t.Fatal(err)
	}
	out := a.Stdout.(*lockedBuffer).String() + b.Stdout.(*lockedBuffer).String()
	if strings.Count(out, "<nil>") != 6 {
		t.Errorf("the processes say:\n%s", out)
	}
	if x.runs() != 3 {
		t.Errorf("three modules were compiled %d times", x.runs())
	}
	x.nothingLeft(3)
}

// A process that is killed leaves nothing that keeps others out, and its child
// does not go on.
func TestKilledParent(t *testing.T) {
	x := newFixture(t, "hang")
	other := startOther(t, x.dir)
	for x.runs() < 2 {
		time.Sleep(5 * time.Millisecond)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Wait is only done when the children, which write to the same pipe, are gone.
	waited := make(chan error)
	go func() { waited <- other.Wait() }()
	select {
	case <-waited:
	case <-time.After(10 * time.Second):
		t.Fatal("the children live on")
	}
	t.Setenv(modeVar, "ok")
	for n := range byte(3) {
		if _, err := x.Artefact(context.Background(), guest(n), O0); err != nil {
			t.Error(err)
		}
	}
	if _, err := Clean(x.dir); err != nil {
		t.Error(err)
	}
	x.nothingLeft(0)
}

func TestCommand(t *testing.T) {
	if c, err := command(nil); err != nil || len(c) != 1 {
		t.Errorf("this program calls RunIfChild, but: %v, %v", c, err)
	}
	if c, err := command([]string{"a", "b"}); err != nil || len(c) != 2 || c[0] != "a" {
		t.Errorf("command %v, %v", c, err)
	}
	selfIsCompiler.Store(false)
	defer selfIsCompiler.Store(true)
	// A program of that name on PATH is none of ours.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	copyFile(t, self, filepath.Join(dir, "edgefvm"))
	t.Setenv("PATH", dir)
	if c, err := command(nil); !errors.Is(err, errNoCommand) {
		t.Errorf("found %v, %v", c, err)
	}
	x := newFixture(t, "ok")
	if err := x.fails(context.Background()); !errors.Is(err, errNoCommand) || !strings.Contains(err.Error(), "fvm.RunIfChild()") || x.runs() != 0 {
		t.Errorf("error %v, %d runs", err, x.runs())
	}
	// Named, it compiles.
	y := fixtureIn(t, x.dir, func(o *Options) { o.Command = []string{"edgefvm"} })
	made := y.artefact(1, O2)
	if got, ok := x.Lookup(guest(1), O2); !ok || got != made {
		t.Errorf("what is in the cache is not found without a compiler: %s", got)
	}
	// A program that knows nothing of this.
	z := fixtureIn(t, t.TempDir(), func(o *Options) { o.Command = []string{filepath.Join(dir, "absent")} })
	if failed := new(CompileError); !errors.As(z.fails(context.Background()), &failed) {
		t.Error("a program that is not there is no CompileError")
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMainRefuses(t *testing.T) {
	for _, args := range [][]string{{}, {"-level=1", "a", "b"}, {"-what", "a", "b"}, {"a"}, {"-level=0", "-library=9.9.9", "a", "b"}} {
		cmd := exec0(t, args...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != exitUnable || len(out) == 0 {
			t.Errorf("%q: %v, %s", args, err, out)
		}
	}
}

package aot

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/edgefvm/fvm/internal/disk/filelock"
)

// exec0 is a child with these arguments, started by hand.
func exec0(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, append([]string{childArg}, args...)...)
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hold.Close() })
	return cmd
}

func TestDamage(t *testing.T) {
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	for name, damage := range map[string]func([]byte) []byte{
		"truncated":      func(b []byte) []byte { return b[:len(b)-1] },
		"empty":          func([]byte) []byte { return nil },
		"longer":         func(b []byte) []byte { return append(b, 0) },
		"a byte flipped": flip,
		"swapped":        func([]byte) []byte { return []byte("other code") },
	} {
		t.Run(name, func(t *testing.T) {
			x := newFixture(t, "ok")
			path := x.artefact(1, O2)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.Remove(path), os.WriteFile(path, damage(b), 0o600)); err != nil {
				t.Fatal(err)
			}
			wantStats(t, x.dir, 1, 1)
			if got, ok := x.Lookup(guest(1), O2); ok {
				t.Errorf("damaged code was found: %s", got)
			}
			x.warns("unusable")
			y := fixtureIn(t, x.dir)
			y.artefact(1, O2)
			y.warns("made again")
			if x.runs() != 2 {
				t.Errorf("%d runs, want 2", x.runs())
			}
			x.nothingLeft(1)
			wantStats(t, x.dir, 1, 0)
		})
	}
}

// What bears the key but is no file, or bears a name that says another content.
func TestStrangers(t *testing.T) {
	x := newFixture(t, "ok")
	key := x.key(guest(1), O0)
	sum := strings.Repeat("0", hexSize)
	for _, name := range []string{key + ".so", key + "-" + sum[1:] + ".so", key + "-" + sum, "x" + key[1:] + "-" + sum + ".so"} {
		if err := os.WriteFile(filepath.Join(x.dir, subfolder, name), []byte("evil"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := x.Lookup(guest(1), O0); ok {
		t.Error("a stranger was found")
	}
	wantStats(t, x.dir, 0, 0)
	x.artefact(1, O0)
	x.quiet()
}

// Artefacts cannot be written to by accident.
func TestModes(t *testing.T) {
	x := newFixture(t, "ok")
	info, err := os.Stat(x.artefact(1, O0))
	if err != nil || info.Mode().Perm()&0o222 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// unusable folders cost a warning, and code goes to a temporary folder.
func TestUnusableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	folder := func(sub string, mode os.FileMode) string {
		dir := filepath.Join(t.TempDir(), "cache")
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, subfolder), 0o700), os.Chmod(filepath.Join(dir, sub), mode)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, c := range []struct {
		name, dir, warns string
		modes            bool
	}{
		{"below a file", filepath.Join(file, "cache"), "will not be cached", false},
		{"open to all", folder(subfolder, 0o777), "written to by others", true},
		{"below one that is open to all", folder(".", 0o777), "written to by others", true},
		{"none", "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.modes && runtime.GOOS == "windows" {
				t.Skip("no such modes")
			}
			x := newFixture(t, "ok", func(o *Options) { o.Dir = c.dir })
			path := x.artefact(1, O0)
			x.artefact(2, O0)
			if x.artefact(1, O0) != path || x.runs() != 2 {
				t.Errorf("%d runs, want 2", x.runs())
			}
			if c.dir != "" && strings.HasPrefix(path, c.dir) {
				t.Errorf("code went to %s", path)
			}
			if c.warns == "" {
				x.quiet()
			} else {
				x.warns(c.warns)
			}
			if err := x.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Dir(filepath.Dir(path))); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the temporary folder stays: %v", err)
			}
		})
	}
}

// Code that somebody else can have put there, or can change, is made anew.
func TestOthersCode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes")
	}
	for name, change := range map[string]func(path string) error{
		"a file open to all": func(path string) error { return os.Chmod(path, 0o666) },
		"another's file": func(path string) error {
			if os.Geteuid() != 0 {
				return os.ErrPermission
			}
			return os.Chown(path, 12345, 12345)
		},
		"a link": func(path string) error {
			return errors.Join(os.Rename(path, path+".real"), os.Symlink(path+".real", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newFixture(t, "ok")
			path := x.artefact(1, O2)
			if err := change(path); errors.Is(err, os.ErrPermission) {
				t.Skip("NOT RUN: only root gives files away")
			} else if err != nil {
				t.Fatal(err)
			}
			wantStats(t, x.dir, 1, 1)
			if got, ok := x.Lookup(guest(1), O2); ok {
				t.Errorf("it was found: %s", got)
			}
			x.warns("unusable")
			y := fixtureIn(t, x.dir)
			y.artefact(1, O2)
			y.warns("made again")
			if x.runs() != 2 {
				t.Errorf("%d runs, want 2", x.runs())
			}
			wantStats(t, x.dir, 1, 0)
		})
	}
}

// A folder that opens to others while it is in use is left.
func TestFolderOpens(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes")
	}
	x := newFixture(t, "ok")
	old := x.artefact(1, O0)
	if err := os.Chmod(x.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if got, ok := x.Lookup(guest(1), O0); ok {
		t.Errorf("it was found: %s", got)
	}
	if x.artefact(1, O0) == old || x.runs() != 2 {
		t.Errorf("it was used; %d runs", x.runs())
	}
	x.warns("written to by others")
}

// A folder that can be read but not written to: what is there is used.
func TestNoRights(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("this user writes everywhere")
	}
	x := newFixture(t, "ok")
	old := x.artefact(1, O0)
	sub := filepath.Join(x.dir, subfolder)
	if err := os.Chmod(sub, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(sub, 0o755)
	y := fixtureIn(t, x.dir)
	if y.artefact(1, O0) != old {
		t.Error("code was made again")
	}
	y.quiet()
	y.artefact(2, O0)
	y.artefact(3, O0)
	y.warns("temporary folder")
	if y.artefact(2, O0); y.runs() != 3 {
		t.Errorf("%d runs, want 3", y.runs())
	}
}

// The folder vanishes under the cache.
func TestFolderVanishes(t *testing.T) {
	x := newFixture(t, "ok")
	x.artefact(1, O0)
	if err := os.RemoveAll(x.dir); err != nil {
		t.Fatal(err)
	}
	x.artefact(1, O0)
	x.quiet()
	x.nothingLeft(1)
}

// A full disk is not the module's fault; there may be room elsewhere.
func TestNoRoom(t *testing.T) {
	for _, mode := range []string{"full", "full, unnoticed"} {
		x := newFixture(t, mode)
		err := x.fails(context.Background())
		if disk := new(storageError); !errors.As(err, &disk) || x.runs() != 2 {
			t.Errorf("%s: after %d runs: %v", mode, x.runs(), err)
		}
		x.warns("temporary folder")
		t.Setenv(modeVar, "ok")
		x.artefact(1, O2)
		x.nothingLeft(0)
	}
}

func TestInfoAndClean(t *testing.T) {
	x := newFixture(t, "ok")
	for _, dir := range []string{x.dir, filepath.Join(x.dir, "absent")} {
		if st, err := Clean(dir); err != nil || st.Entries != 0 {
			t.Errorf("cleaning nothing: %+v, %v", st, err)
		}
		wantStats(t, dir, 0, 0)
	}
	x.artefact(1, O0)
	x.artefact(2, O2)
	st := wantStats(t, x.dir, 2, 0)
	if st.Bytes < 100 {
		t.Errorf("%d bytes", st.Bytes)
	}
	mine := filepath.Join(x.dir, subfolder, "mine.txt")
	if err := os.WriteFile(mine, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := x.home
	if _, err := s.newJob(x.key(guest(9), O0)); err != nil { // of somebody who was killed
		t.Fatal(err)
	}
	dead := filepath.Join(s.path, x.key(guest(9), O0)+lockSuffix)
	if err := os.WriteFile(dead, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cleaned, err := Clean(x.dir)
	if err != nil || cleaned.Entries != 2 || cleaned.Bytes != st.Bytes {
		t.Errorf("cleaned %+v, %v; there was %+v", cleaned, err, st)
	}
	left, err := os.ReadDir(s.path)
	if err != nil || len(left) != 1 || left[0].Name() != "mine.txt" {
		t.Errorf("left: %v, %v", left, err)
	}
	x.artefact(1, O0) // the cache goes on
	x.quiet()
}

// Cleaning leaves work alone that is going on.
func TestCleanDuringWork(t *testing.T) {
	x := newFixture(t, "slow")
	if _, err := filelock.Try(filepath.Join(t.TempDir(), "absent", "x")); err == nil {
		t.Skip("no file locks on this system")
	}
	done := make(chan struct{})
	go func() { defer close(done); x.artefact(1, O0) }()
	for x.runs() == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	if _, err := Clean(x.dir); err != nil {
		t.Error(err)
	}
	<-done
	x.nothingLeft(1)
	x.quiet()
}

func TestOldJobsAreSwept(t *testing.T) {
	x := newFixture(t, "ok")
	var jobs []string
	for n := range byte(3) {
		job, err := x.home.newJob(x.key(guest(n), O0))
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, job)
	}
	old := time.Now().Add(-2 * abandoned)
	if err := errors.Join(os.Chtimes(jobs[1], old, old), os.Chtimes(jobs[2], old, old)); err != nil {
		t.Fatal(err)
	}
	unlock, err := x.home.lock(x.key(guest(2), O0))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	fixtureIn(t, x.dir)
	for i, want := range []bool{true, false, true} { // young, old, old and at work
		if _, err := os.Stat(jobs[i]); (err == nil) != want && (i != 2 || runtime.GOOS != "windows") {
			t.Errorf("job %d: %v", i, err)
		}
	}
}

// Temporary folders of processes that were killed are removed, those of living ones
// and of strangers are not.
func TestSparesAreSwept(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no file locks there: nothing is swept that is young")
	}
	tmp := t.TempDir()
	alive, release, err := newSpare(tmp)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	dead, drop, err := newSpare(tmp)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile(filepath.Join(filepath.Dir(dead.path), filelock.OwnerLock))
	drop() // removes the lock, which a process that is killed does not
	if err := errors.Join(err, os.WriteFile(filepath.Join(filepath.Dir(dead.path), filelock.OwnerLock), lock, 0o600)); err != nil {
		t.Fatal(err)
	}
	folder := func(name string, age time.Duration) string {
		dir := filepath.Join(tmp, name)
		at := time.Now().Add(-age)
		if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "x"), nil, 0o600), os.Chtimes(dir, at, at)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	old := folder(sparePrefix+"old", 2*abandoned)
	young := folder(sparePrefix+"young", abandoned/2)
	open := folder(sparePrefix+"open", 2*abandoned)
	stranger := folder("edgefvm-other", 2*abandoned)
	link := filepath.Join(tmp, sparePrefix+"link")
	if err := errors.Join(os.Chmod(open, 0o777), os.Symlink(stranger, link)); err != nil {
		t.Fatal(err)
	}
	sweepSpares(tmp)
	for dir, want := range map[string]bool{
		filepath.Dir(alive.path): true, filepath.Dir(dead.path): false, old: false, young: true, open: true, stranger: true, link: true,
	} {
		if _, err := os.Lstat(dir); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %t", filepath.Base(dir), err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(stranger, "x")); err != nil {
		t.Errorf("behind a link: %v", err)
	}
}

// The first compilation looks for them.
func TestCompilingSweeps(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	left := filepath.Join(os.TempDir(), sparePrefix+"left")
	old := time.Now().Add(-2 * abandoned)
	if err := errors.Join(os.Mkdir(left, 0o700), os.Chtimes(left, old, old)); err != nil {
		t.Fatal(err)
	}
	x := newFixture(t, "ok")
	x.artefact(1, O0)
	if _, err := os.Stat(left); runtime.GOOS != "windows" && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the leftover stays: %v", err)
	}
}

// Where there are no file locks, a process still does nothing twice at a time.
func TestReserve(t *testing.T) {
	x := newFixture(t, "ok")
	if !x.reserve("a") || x.reserve("a") || !x.reserve("b") {
		t.Error("a key was reserved twice, or another not at all")
	}
	x.release("a")
	if !x.reserve("a") {
		t.Error("a released key is not to be had")
	}
}

// Another process was faster, between the look and the lock.
func TestMadeMeanwhile(t *testing.T) {
	x := newFixture(t, "ok")
	path := x.artefact(1, O0)
	got, err := x.build(context.Background(), x.home, x.key(guest(1), O0), guest(1), O0)
	if err != nil || got != path || x.runs() != 1 {
		t.Errorf("%s, %v after %d runs", got, err, x.runs())
	}
}

func TestExcerpt(t *testing.T) {
	for _, n := range []int{0, 1, excerptSize, excerptSize + 1, 2 * excerptSize, 2*excerptSize + 1, 10 * excerptSize} {
		for _, chunk := range []int{1, 100, 1 << 20} {
			var all []byte
			for i := range n {
				all = append(all, "0123456789abcdefghijklmnopqrstuvwxyz"[i*i%36])
			}
			x := new(excerpt)
			for rest := all; len(rest) > 0; {
				k := min(chunk, len(rest))
				if got, err := x.Write(rest[:k]); got != k || err != nil {
					t.Fatal(got, err)
				}
				rest = rest[k:]
			}
			want := string(all)
			if n > 2*excerptSize {
				want = string(bytes.Join([][]byte{all[:excerptSize], all[n-excerptSize:]}, []byte("\n[...]\n")))
			}
			if x.String() != want {
				t.Errorf("%d bytes in chunks of %d became %d bytes", n, chunk, len(x.String()))
			}
		}
	}
}

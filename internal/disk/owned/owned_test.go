//go:build unix

package owned

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// stranger owns what a test running as root gives away.
const stranger = 12345

// room is a folder that only this user can write to, whatever the umask.
func room(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	mode(t, dir, 0o700)
	return dir
}

func mode(t *testing.T, path string, m fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, m); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, m fs.FileMode, parts ...string) string {
	t.Helper()
	dir := filepath.Join(parts...)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	mode(t, dir, m)
	return dir
}

func write(t *testing.T, m fs.FileMode, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	if err := os.WriteFile(path, []byte("code"), 0o600); err != nil {
		t.Fatal(err)
	}
	mode(t, path, m)
	return path
}

func link(t *testing.T, to string, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// give makes a path another user's, links themselves.
func give(t *testing.T, path string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT RUN: only root gives files away")
	}
	if err := os.Lchown(path, stranger, stranger); err != nil {
		t.Fatal(err)
	}
	return path
}

// group is the folder in, for a user whose group is not his alone.
func group(t *testing.T, in string) string {
	t.Helper()
	if uid := os.Geteuid(); uid != 0 && uid == os.Getegid() {
		t.Skip("NOT RUN: the group is this user's own")
	}
	return in
}

func want(t *testing.T, err error, text string) {
	t.Helper()
	if (err == nil) != (text == "") || err != nil && !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %q", err, text)
	}
}

func TestDir(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(t *testing.T, in string) string
		want string
	}{
		{"own", func(t *testing.T, in string) string { return mkdir(t, 0o700, in, "a") }, ""},
		{"readable by all", func(t *testing.T, in string) string { return mkdir(t, 0o755, in, "a") }, ""},
		{"nobody may write", func(t *testing.T, in string) string { return mkdir(t, 0o555, in, "a") }, ""},
		{"a group may write", func(t *testing.T, in string) string { return mkdir(t, 0o775, group(t, in), "a") }, "can be written to by others (mode -rwxrwxr-x)"},
		{"others may write", func(t *testing.T, in string) string { return mkdir(t, 0o707, in, "a") }, "can be written to by others"},
		{"sticky itself", func(t *testing.T, in string) string { return mkdir(t, 0o777|fs.ModeSticky, in, "a") }, "can be written to by others"},
		{"below a sticky one", func(t *testing.T, in string) string {
			return mkdir(t, 0o700, mkdir(t, 0o777|fs.ModeSticky, in, "a"), "b")
		}, ""},
		{"below an open one", func(t *testing.T, in string) string { return mkdir(t, 0o700, mkdir(t, 0o777, in, "a"), "b") }, "a can be written"},
		{"far below an open one", func(t *testing.T, in string) string {
			return mkdir(t, 0o700, mkdir(t, 0o700, mkdir(t, 0o773, in, "a"), "b"), "c")
		}, "a can be written"},
		{"another's", func(t *testing.T, in string) string { return give(t, mkdir(t, 0o755, in, "a")) }, "belongs to another user (12345)"},
		{"below another's", func(t *testing.T, in string) string {
			return mkdir(t, 0o700, give(t, mkdir(t, 0o755, in, "a")), "b")
		}, "a belongs to another user"},
		{"another's below a sticky one", func(t *testing.T, in string) string {
			return give(t, mkdir(t, 0o700, mkdir(t, 0o777|fs.ModeSticky, in, "a"), "b"))
		}, "b belongs to another user"},
		{"a file", func(t *testing.T, in string) string { return write(t, 0o600, in, "a") }, "not a folder"},
		{"below a file", func(t *testing.T, in string) string { return filepath.Join(write(t, 0o600, in, "a"), "b") }, "not a folder"},
		{"absent", func(_ *testing.T, in string) string { return filepath.Join(in, "a") }, "no such file"},
		{"a link", func(t *testing.T, in string) string { return link(t, mkdir(t, 0o700, in, "a"), in, "l") }, ""},
		{"a relative link", func(t *testing.T, in string) string {
			mkdir(t, 0o700, in, "a")
			return link(t, "../"+filepath.Base(in)+"/./a", in, "l")
		}, ""},
		{"below a link", func(t *testing.T, in string) string {
			mkdir(t, 0o700, mkdir(t, 0o700, in, "a"), "b")
			return filepath.Join(link(t, "a", in, "l"), "b")
		}, ""},
		{"a link to an open folder", func(t *testing.T, in string) string { return link(t, mkdir(t, 0o777, in, "a"), in, "l") }, "a can be written"},
		{"a link over an open folder", func(t *testing.T, in string) string {
			mkdir(t, 0o700, mkdir(t, 0o777, in, "a"), "b")
			return link(t, "a/b", in, "l")
		}, "a can be written"},
		{"a link back over an open folder", func(t *testing.T, in string) string {
			mkdir(t, 0o777, in, "a")
			mkdir(t, 0o700, in, "b")
			return link(t, "a/../b", in, "l")
		}, "a can be written"},
		{"a link in an open folder", func(t *testing.T, in string) string {
			return link(t, mkdir(t, 0o700, in, "b"), mkdir(t, 0o777, in, "a"), "l")
		}, "a can be written"},
		{"another's link in a sticky folder", func(t *testing.T, in string) string {
			return give(t, link(t, mkdir(t, 0o700, in, "b"), mkdir(t, 0o777|fs.ModeSticky, in, "a"), "l"))
		}, "l belongs to another user"},
		{"a link to nothing", func(t *testing.T, in string) string { return link(t, "none", in, "l") }, "no such file"},
		{"a link to itself", func(t *testing.T, in string) string { return link(t, "l", in, "l") }, "too many links"},
	} {
		t.Run(tt.name, func(t *testing.T) { want(t, Dir(tt.make(t, room(t))), tt.want) })
	}
}

func TestRelativeDir(t *testing.T) {
	t.Chdir(room(t))
	mkdir(t, 0o700, "a")
	want(t, Dir("a"), "")
	want(t, Dir("."), "")
	want(t, Dir("a/.."), "")
	mkdir(t, 0o777, "b")
	want(t, Dir("./b"), "b can be written")
	want(t, Dir("/"), "")
}

func TestWritable(t *testing.T) {
	for _, tt := range []struct {
		mode            fs.FileMode
		group, uid, own int64
		want            bool
	}{
		{0o755, 1000, 1000, 1000, false},
		{0o775, 1000, 1000, 1000, false}, // the user's own group
		{0o777, 1000, 1000, 1000, true},
		{0o757, 1000, 1000, 1000, true},
		{0o775, 100, 1000, 1000, true},  // another group
		{0o775, 1000, 1000, 100, true},  // the user belongs to one of many
		{0o775, 100, 1000, 100, true},   // and it is that one
		{0o775, 0, 0, 0, true},          // root's group has members
		{0o775, 0, 1000, 0, true},       // any user of the group root
		{0o775, 1000, 1001, 1000, true}, // another user's group
		{0o2770, 0, 0, 0, true},
		{0o700, 5, 6, 7, false},
	} {
		if got := writable(tt.mode, tt.group, tt.uid, tt.own); got != tt.want {
			t.Errorf("mode %o of group %d for user %d of group %d: %t", tt.mode, tt.group, tt.uid, tt.own, got)
		}
	}
}

func TestFile(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(t *testing.T, in string) string
		want string
	}{
		{"own", func(t *testing.T, in string) string { return write(t, 0o600, in, "f") }, ""},
		{"nobody may write", func(t *testing.T, in string) string { return write(t, 0o444, in, "f") }, ""},
		{"a group may write", func(t *testing.T, in string) string { return write(t, 0o664, group(t, in), "f") }, "written to by others (mode -rw-rw-r--)"},
		{"all may write", func(t *testing.T, in string) string { return write(t, 0o666, in, "f") }, "written to by others"},
		{"another's", func(t *testing.T, in string) string { return give(t, write(t, 0o644, in, "f")) }, "belongs to another user"},
		{"a folder", func(t *testing.T, in string) string { return mkdir(t, 0o700, in, "f") }, "not a regular file"},
		{"a link", func(t *testing.T, in string) string { return link(t, write(t, 0o600, in, "f"), in, "l") }, "not a regular file"},
		{"a link to nothing", func(t *testing.T, in string) string { return link(t, "none", in, "l") }, "not a regular file"},
		{"a pipe", func(t *testing.T, in string) string {
			path := filepath.Join(in, "p")
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Skip(err)
			}
			return path
		}, "not a regular file"},
		{"absent", func(_ *testing.T, in string) string { return filepath.Join(in, "f") }, "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := tt.make(t, room(t))
			want(t, File(path), tt.want)
			f, err := Open(path)
			want(t, err, tt.want)
			if tt.name == "absent" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v is no fs.ErrNotExist", err)
			}
			if err == nil {
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Package owned says whether what lies on disk can only have been put there by this user or root.
//
// The caches of compiled code ask before they run any of it. What they ask is about rights, not about content: entries have
// checksums besides.
//
// A right that an access control list gives shows in the mode, as one of the group.
//
// On Windows, and wherever else files have no owner and mode in the sense of POSIX, nothing is known of either: there a
// folder passes if it is one, and a file if it is a regular file and no link. The default cache folder is in the user's
// profile there, which others cannot write to; whoever chooses another one answers for it.
package owned

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is how many symbolic links a path may lead over.
const maxLinks = 40

// Dir fails if others can change what is in the folder dir, or put another one in its place. It and all folders above it
// must belong to this user or root, and neither others nor a group may write to them, unless it is the user's own; above dir
// they may if the folder is sticky, since then they can put nothing in the place of what is not theirs. A symbolic link on the
// way must belong to this user or root too, and where it leads is looked at in the same way.
func Dir(dir string) error {
	if !rights {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is not a folder", dir)
		}
		return err
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	rest := strings.Split(path, "/")
	at, links := "/", 0
	if err := mine(at, false); err != nil {
		return err
	}
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at) // at holds no links, and was looked at
			continue
		}
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			if err := mine(at, false); err != nil {
				return err
			}
			continue
		}
		if links++; links > maxLinks {
			return fmt.Errorf("%s leads over too many links", dir)
		}
		if err := owner(info, next); err != nil {
			return err
		}
		to, err := os.Readlink(next)
		if err != nil {
			return err
		}
		if filepath.IsAbs(to) {
			at = "/"
		}
		rest = append(strings.Split(to, "/"), rest...)
	}
	return mine(at, true)
}

// mine looks at one folder, which is no link. last is for the one that was asked for.
func mine(dir string, last bool) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if err := owner(info, dir); err != nil {
		return err
	}
	if shared(info) && (last || info.Mode()&fs.ModeSticky == 0) {
		return fmt.Errorf("%s can be written to by others (mode %v)", dir, info.Mode().Perm())
	}
	return nil
}

// File fails if path is not a regular file that belongs to this user or root and that nobody else can write to. It says
// nothing of the folder, see Dir.
func File(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	return file(info, path)
}

// Open opens a file for reading of which File holds. What was opened is what was looked at.
func Open(path string) (*os.File, error) {
	before, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if err := file(before, path); err != nil { // before it is opened: it may be a pipe
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !os.SameFile(info, before) {
		err = fmt.Errorf("%s was another file just before", path)
	}
	if err == nil {
		err = file(info, path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func file(info fs.FileInfo, path string) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	if err := owner(info, path); err != nil {
		return err
	}
	if shared(info) {
		return fmt.Errorf("%s can be written to by others (mode %v)", path, info.Mode().Perm())
	}
	return nil
}

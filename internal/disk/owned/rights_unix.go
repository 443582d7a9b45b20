//go:build unix

package owned

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// rights is whether files have an owner and a mode.
const rights = true

// owner fails for what belongs to neither this user nor root.
func owner(info fs.FileInfo, path string) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("whom %s belongs to is not known", path)
	}
	if st.Uid != 0 && int64(st.Uid) != int64(os.Geteuid()) {
		return fmt.Errorf("%s belongs to another user (%d)", path, st.Uid)
	}
	return nil
}

// shared is whether others may write.
func shared(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return !ok || writable(info.Mode().Perm(), int64(st.Gid), int64(os.Geteuid()), int64(os.Getegid()))
}

// writable is whether others than the user uid, of group own, may write to what has this mode and group. The group that has
// the user's number is the user's alone on systems that make one for each, where new folders are writable to it. Root's is
// not: it has members.
func writable(mode fs.FileMode, group, uid, own int64) bool {
	alone := uid != 0 && uid == own && uid == group
	return mode&0o002 != 0 || mode&0o020 != 0 && !alone
}

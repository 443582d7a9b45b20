//go:build linux || darwin

package carfile

import "syscall"

// freeBytes is how much room a folder's disk has, for who is no superuser; ok is false if that is not known.
func freeBytes(folder string) (n uint64, ok bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(folder, &s) != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}

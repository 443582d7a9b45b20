//go:build darwin || linux

package cli

import (
	"os"
	"syscall"
	"unsafe"
)

// terminalColumns asks the terminal behind f for its width, 0 if it does not say. ok is false if f is no terminal.
func terminalColumns(f *os.File) (columns int, ok bool) {
	var size struct{ rows, columns, x, y uint16 } // struct winsize of <sys/ioctl.h>
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	return int(size.columns), errno == 0
}

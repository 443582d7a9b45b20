//go:build !darwin && !linux

package cli

import "os"

// terminalColumns tells whether f may be a terminal; its width is not known here.
func terminalColumns(f *os.File) (columns int, ok bool) {
	info, err := f.Stat()
	return 0, err == nil && info.Mode()&os.ModeCharDevice != 0
}

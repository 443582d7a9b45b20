//go:build !linux

package wazero

// Elsewhere large memories come from the garbage collector.

func mapBuffer(uint64) []byte { return nil }

func forgetBuffer([]byte) bool { return false }

func unmapBuffer([]byte) {}

// pagemap is what only Linux has.
type pagemap struct{ size int }

func openPagemap() *pagemap                 { return nil }
func (*pagemap) close()                     {}
func (*pagemap) read([]byte, []byte) []byte { return nil }
func inUse([]byte, int) bool                { return true }
func smallPages([]byte)                     {}

package wazero

import "syscall"

// mapBuffer maps n zero bytes, nil if the system refuses.
func mapBuffer(n uint64) []byte {
	if n > uint64(^uint(0)>>1) {
		return nil
	}
	b, err := syscall.Mmap(-1, 0, int(n), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	if err != nil {
		return nil
	}
	if n > keptBytes {
		// A fault for each 4 KiB is most of what it takes to fill a memory. Few guests come so far, and a large page is
		// cleared as a whole when it is first touched, so the beginning has none. The system may refuse.
		_ = syscall.Madvise(b[keptBytes:], syscall.MADV_HUGEPAGE)
	}
	return b
}

// forgetBuffer makes a mapped buffer zero by giving its pages back.
func forgetBuffer(b []byte) bool { return syscall.Madvise(b, syscall.MADV_DONTNEED) == nil }

func unmapBuffer(b []byte) {
	_ = syscall.Munmap(b) // the worst that can come of a failure is that the address range stays taken
}

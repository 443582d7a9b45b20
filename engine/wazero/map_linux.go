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
	return b
}

// forgetBuffer makes a mapped buffer zero by giving its pages back.
func forgetBuffer(b []byte) bool { return syscall.Madvise(b, syscall.MADV_DONTNEED) == nil }

func unmapBuffer(b []byte) {
	_ = syscall.Munmap(b) // the worst that can come of a failure is that the address range stays taken
}

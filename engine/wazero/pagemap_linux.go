package wazero

import (
	"os"
	"syscall"
	"unsafe"
)

// pagemap asks the system which pages of a private anonymous mapping are in use. A page that is not was never written
// since it was mapped or forgotten, and reads as zeros.
type pagemap struct {
	file *os.File
	fd   int
	size int // of a page, in bytes
}

// openPagemap is nil where the system does not tell, or not what it should.
func openPagemap() *pagemap {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return nil
	}
	p := &pagemap{file: f, fd: int(f.Fd()), size: os.Getpagesize()}
	if p.size%blockSize != 0 || !p.works() {
		p.close()
		return nil
	}
	return p
}

func (p *pagemap) close() { p.file.Close() } //nolint:errcheck // it was only read

// works tries what is relied on.
func (p *pagemap) works() bool {
	b := mapBuffer(uint64(4 * p.size))
	if b == nil {
		return false
	}
	defer unmapBuffer(b)
	smallPages(b)
	is := func(want [4]bool) bool {
		in := p.read(b, nil)
		for i := range want {
			if in == nil || inUse(in, i) != want[i] {
				return false
			}
		}
		return true
	}
	if !is([4]bool{}) {
		return false
	}
	b[p.size], b[2*p.size-1] = 1, 1
	b[3*p.size] = 0
	return is([4]bool{1: true, 3: true}) && forgetBuffer(b) && is([4]bool{}) && b[p.size] == 0
}

// pagemapEntry is the bytes for a page (Linux, Documentation/admin-guide/mm/pagemap.rst).
const pagemapEntry = 8

// read returns an entry for each page of b, which begins with one; in buf if that is large enough. Nil: unknown.
func (p *pagemap) read(b, buf []byte) []byte {
	n := (len(b) + p.size - 1) / p.size * pagemapEntry
	if n == 0 {
		return buf[:0]
	}
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	if at%uintptr(p.size) != 0 {
		return nil
	}
	got, err := syscall.Pread(p.fd, buf, int64(at/uintptr(p.size))*pagemapEntry)
	if err != nil || got != n {
		return nil
	}
	return buf
}

// inUse reports whether page i has memory, or a place in the swap or anything else that is not nothing: bits 63 and 62.
func inUse(entries []byte, i int) bool { return entries[i*pagemapEntry+7]&0xc0 != 0 }

// smallPages keeps the system from backing a mapping with huge pages, all of which count as in use once a byte is.
func smallPages(b []byte) {
	const noHugePage = 15              // MADV_NOHUGEPAGE
	_ = syscall.Madvise(b, noHugePage) // without it more is looked at
}

//go:build wasmedge && cgo && linux

package wasmedge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/edgefvm/fvm/engine"
)

// facts are what the binding needs to know about a module. The library tells
// them too, but in other structures for each version, and not all of them.
type facts struct {
	wasm        []byte // the module, with its memory exported
	imports     []imported
	exports     []exported // the functions
	hasMemory   bool
	memoryPages uint64
	memoryName  string // under which the memory is exported
	memoryShown bool   // that is "memory": the guest wants it seen
}

// signature is a function's type. A byte is a type of the binary format.
type signature struct{ params, results string }

// words says whether each value fits in a word.
func (s signature) words() bool {
	return strings.Trim(s.params+s.results, "\x7f\x7e\x7d\x7c") == ""
}

type imported struct {
	module, name string
	sig          signature
}

type exported struct {
	name string
	sig  signature
}

var errMalformed = errors.New("malformed module")

// Section ids and import or export kinds of the binary format.
const (
	secCustom, secType, secImport, secFunction  = 0, 1, 2, 3
	secMemory, secGlobal, secExport, secStart   = 5, 6, 7, 8
	kindFunc, kindTable, kindMemory, kindGlobal = 0, 1, 2, 3
)

// scanner reads a module. The library validates it; the checks here are against
// running off the end. Every item is a byte at least, so no count can make more
// work than there are bytes.
type scanner struct {
	b       []byte
	err     error
	types   []signature
	funcs   []uint32 // type of each function, imports first
	globals [][2]byte
	names   []string // of all exports
	counter string
	found   bool
	f       *facts
}

// scan reads wasm. counter is the export that must be a mutable i64 global,
// empty for none.
func scan(wasm []byte, counter string) (*facts, error) {
	if len(wasm) < 8 || string(wasm[:8]) != "\x00asm\x01\x00\x00\x00" {
		return nil, errMalformed
	}
	s := &scanner{b: wasm[8:], counter: counter, f: &facts{wasm: wasm}}
	exports := -1 // where the section's content begins
	for len(s.b) > 0 && s.err == nil {
		id, size := s.byte(), s.u32()
		if id == secExport {
			exports = len(wasm) - len(s.b)
		}
		body := s.take(size)
		rest := s.b
		s.b = body
		s.section(id)
		s.b = rest
	}
	switch {
	case s.err != nil:
		return nil, s.err
	case counter != "" && !s.found:
		return nil, fmt.Errorf("no mutable i64 global is exported as %q", counter)
	}
	if s.f.hasMemory && s.f.memoryName == "" {
		s.exportMemory(exports)
	}
	return s.f, nil
}

func (s *scanner) section(id byte) {
	var item func()
	switch id {
	case secType:
		item = s.typeItem
	case secImport:
		item = s.importItem
	case secFunction:
		item = func() { s.funcs = append(s.funcs, s.u32()) }
	case secMemory:
		item = s.memoryItem
	case secGlobal:
		item = func() { s.globals = append(s.globals, [2]byte{s.byte(), s.byte()}); s.constExpr() }
	case secExport:
		item = s.exportItem
	case secStart:
		s.err = errors.New("module has a start function")
		return
	default:
		return
	}
	for n := s.u32(); n > 0 && s.err == nil; n-- {
		item()
	}
}

func (s *scanner) typeItem() {
	s.byte() // a function type; the library checks that
	params := string(s.take(s.u32()))
	s.types = append(s.types, signature{params, string(s.take(s.u32()))})
}

func (s *scanner) sig(typ uint32) signature {
	if int64(typ) >= int64(len(s.types)) {
		s.fail(errMalformed)
		return signature{}
	}
	return s.types[typ]
}

func (s *scanner) importItem() {
	mod, name := string(s.take(s.u32())), string(s.take(s.u32()))
	if s.byte() != kindFunc {
		s.fail(fmt.Errorf("import %s.%s is not a function", mod, name))
	}
	typ := s.u32()
	s.funcs = append(s.funcs, typ)
	s.f.imports = append(s.f.imports, imported{mod, name, s.sig(typ)})
}

func (s *scanner) memoryItem() {
	flags := s.byte()
	s.f.memoryPages = uint64(s.u32())
	if flags&1 != 0 {
		s.u32()
	}
	if s.f.hasMemory {
		s.fail(errors.New("more than one memory"))
	}
	s.f.hasMemory = true
}

func (s *scanner) exportItem() {
	name, kind, index := string(s.take(s.u32())), s.byte(), s.u32()
	s.names = append(s.names, name)
	switch kind {
	case kindFunc:
		if int64(index) >= int64(len(s.funcs)) {
			s.fail(errMalformed)
			return
		}
		s.f.exports = append(s.f.exports, exported{name, s.sig(s.funcs[index])})
	case kindMemory:
		if s.f.memoryName == "" || name == "memory" {
			s.f.memoryName = name
		}
		if name == "memory" {
			s.f.memoryShown = true
		}
	case kindGlobal:
		if name == s.counter && int64(index) < int64(len(s.globals)) && s.globals[index] == [2]byte{byte(engine.I64), 1} {
			s.found = true
		}
	}
}

// exportMemory exports a memory that is not: without a name the library does not
// tell where it is and how large, and a fault could not be told from others. at
// is where the content of the section of exports begins, -1 without one.
func (s *scanner) exportMemory(at int) {
	name := "edgefvm memory"
	for slices.Contains(s.names, name) {
		name += "'"
	}
	s.f.memoryName = name
	entry := append(binary.AppendUvarint(nil, uint64(len(name))), name...)
	entry = append(entry, kindMemory, 0)
	wasm := s.f.wasm
	if at < 0 {
		s.f.wasm = insert(wasm, exportsBelong(wasm), secExport, append([]byte{1}, entry...))
		return
	}
	// The section's head and count can have several lengths; write them anew.
	start := sectionStart(wasm, at)
	size, _ := binary.Uvarint(wasm[start+1:])
	body := wasm[at : at+int(size)]
	n, width := binary.Uvarint(body)
	content := append(binary.AppendUvarint(nil, n+1), body[width:]...)
	rest := slices.Concat(wasm[:start], wasm[at+int(size):])
	s.f.wasm = insert(rest, start, secExport, append(content, entry...))
}

// insert puts a section into a module.
func insert(wasm []byte, at int, id byte, content []byte) []byte {
	head := binary.AppendUvarint([]byte{id}, uint64(len(content)))
	return slices.Concat(wasm[:at], head, content, wasm[at:])
}

// sectionStart is where the head of the section is whose content begins at an offset.
func sectionStart(wasm []byte, content int) int {
	last := 8
	for at := 8; at < content; {
		size, width := binary.Uvarint(wasm[at+1:])
		last, at = at, at+1+width
		if at == content {
			break
		}
		at += int(size)
	}
	return last
}

// exportsBelong is where a section of exports can be put.
func exportsBelong(wasm []byte) int {
	at := 8
	for at < len(wasm) {
		if id := wasm[at]; id != secCustom && id > secExport {
			break
		}
		size, width := binary.Uvarint(wasm[at+1:])
		at += 1 + width + int(size)
	}
	return at
}

// constExpr skips a constant expression.
func (s *scanner) constExpr() {
	for s.err == nil {
		switch op := s.byte(); op {
		case 0x0b: // end
			return
		case 0x41, 0x42, 0x23, 0xd2: // i32.const, i64.const, global.get, ref.func
			s.leb()
		case 0x43: // f32.const
			s.take(4)
		case 0x44: // f64.const
			s.take(8)
		case 0xd0: // ref.null
			s.byte()
		default:
			s.fail(fmt.Errorf("constant expression with opcode 0x%02x", op))
		}
	}
}

func (s *scanner) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *scanner) byte() byte {
	if len(s.b) == 0 {
		s.fail(errMalformed)
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c
}

func (s *scanner) take(n uint32) []byte {
	if uint64(n) > uint64(len(s.b)) {
		s.fail(errMalformed)
		return nil
	}
	b := s.b[:n]
	s.b = s.b[n:]
	return b
}

func (s *scanner) u32() uint32 { return uint32(s.leb()) }

// leb reads a LEB128 number. The high bits of a negative one are not extended.
func (s *scanner) leb() uint64 {
	var v uint64
	for shift := 0; shift < 70; shift += 7 {
		c := s.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	s.fail(errMalformed)
	return 0
}

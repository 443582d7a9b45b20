//go:build wasmedge && cgo && linux

package wasmedge

import (
	leb128 "encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/edgefvm/fvm/engine/internal/binary"
	"github.com/edgefvm/fvm/internal/wasm/ops"
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
	functions   int
	resettable  bool
	mutable     []string // exports of all mutable globals, if instances can be reset; see engine.EnvConfig.Reset
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

// scanner reads a module. The library validates it; the checks here are against
// running off the end. Every item is a byte at least, so no count can make more
// work than there are bytes.
type scanner struct {
	binary.Reader
	types   []signature
	funcs   []uint32 // type of each function, imports first
	globals binary.Globals
	names   []string // of all exports
	reset   string   // name of the section of EnvConfig.Reset, empty for none
	f       *facts
}

// scan reads wasm. counter is the export that must be a mutable i64 global, reset
// the section that says how to reset instances, empty for none.
func scan(wasm []byte, counter, reset string) (*facts, error) {
	if len(wasm) < 8 || string(wasm[:8]) != ops.Header {
		return nil, binary.ErrMalformed
	}
	s := &scanner{Reader: binary.Reader{B: wasm[8:]}, reset: reset, f: &facts{wasm: wasm}}
	exports := -1 // where the section's content begins
	for len(s.B) > 0 && s.Err == nil {
		id, size := s.Byte(), s.U32()
		if id == ops.SecExport {
			exports = len(wasm) - len(s.B)
		}
		body := s.Take(size)
		rest := s.B
		s.B = body
		s.section(id)
		s.B = rest
	}
	if s.Err != nil {
		return nil, s.Err
	}
	if counter != "" {
		if err := s.globals.CheckCounter(counter); err != nil {
			return nil, err
		}
	}
	var err error
	if s.f.mutable, s.f.resettable, err = s.globals.Reset(reset); err != nil {
		return nil, err
	}
	s.f.functions = len(s.funcs)
	if s.f.hasMemory && s.f.memoryName == "" {
		s.exportMemory(exports)
	}
	return s.f, nil
}

func (s *scanner) section(id byte) {
	var item func()
	switch id {
	case ops.SecCustom:
		if !s.globals.Custom(&s.Reader, s.reset) {
			return
		}
		item = func() { s.globals.Listed(&s.Reader) }
	case ops.SecType:
		item = s.typeItem
	case ops.SecImport:
		item = s.importItem
	case ops.SecFunction:
		item = func() { s.funcs = append(s.funcs, s.U32()) }
	case ops.SecMemory:
		item = s.memoryItem
	case ops.SecGlobal:
		item = func() { s.globals.Item(&s.Reader); s.constExpr() }
	case ops.SecExport:
		item = s.exportItem
	case ops.SecStart:
		s.Fail(errors.New("module has a start function"))
		return
	default:
		return
	}
	for n := s.U32(); n > 0 && s.Err == nil; n-- {
		item()
	}
}

func (s *scanner) typeItem() {
	s.Byte() // a function type; the library checks that
	params := string(s.Take(s.U32()))
	s.types = append(s.types, signature{params, string(s.Take(s.U32()))})
}

func (s *scanner) sig(typ uint32) signature {
	if int64(typ) >= int64(len(s.types)) {
		s.Fail(binary.ErrMalformed)
		return signature{}
	}
	return s.types[typ]
}

func (s *scanner) importItem() {
	mod, name := string(s.Take(s.U32())), string(s.Take(s.U32()))
	if s.Byte() != ops.KindFunc {
		s.Fail(fmt.Errorf("import %s.%s is not a function", mod, name))
	}
	typ := s.U32()
	s.funcs = append(s.funcs, typ)
	s.f.imports = append(s.f.imports, imported{mod, name, s.sig(typ)})
}

func (s *scanner) memoryItem() {
	flags := s.Byte()
	s.f.memoryPages = uint64(s.U32())
	if flags&1 != 0 {
		s.U32()
	}
	if s.f.hasMemory {
		s.Fail(errors.New("more than one memory"))
	}
	s.f.hasMemory = true
}

func (s *scanner) exportItem() {
	name, kind, index := string(s.Take(s.U32())), s.Byte(), s.U32()
	s.names = append(s.names, name)
	switch kind {
	case ops.KindFunc:
		if int64(index) >= int64(len(s.funcs)) {
			s.Fail(binary.ErrMalformed)
			return
		}
		s.f.exports = append(s.f.exports, exported{name, s.sig(s.funcs[index])})
	case ops.KindMemory:
		if s.f.memoryName == "" || name == "memory" {
			s.f.memoryName = name
		}
		if name == "memory" {
			s.f.memoryShown = true
		}
	case ops.KindGlobal:
		s.globals.Export(name, index)
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
	entry := append(leb128.AppendUvarint(nil, uint64(len(name))), name...)
	entry = append(entry, ops.KindMemory, 0)
	wasm := s.f.wasm
	if at < 0 {
		s.f.wasm = insert(wasm, exportsBelong(wasm), ops.SecExport, append([]byte{1}, entry...))
		return
	}
	// The section's head and count can have several lengths; write them anew.
	start := sectionStart(wasm, at)
	size, _ := leb128.Uvarint(wasm[start+1:])
	body := wasm[at : at+int(size)]
	n, width := leb128.Uvarint(body)
	content := append(leb128.AppendUvarint(nil, n+1), body[width:]...)
	rest := slices.Concat(wasm[:start], wasm[at+int(size):])
	s.f.wasm = insert(rest, start, ops.SecExport, append(content, entry...))
}

// insert puts a section into a module.
func insert(wasm []byte, at int, id byte, content []byte) []byte {
	head := leb128.AppendUvarint([]byte{id}, uint64(len(content)))
	return slices.Concat(wasm[:at], head, content, wasm[at:])
}

// sectionStart is where the head of the section is whose content begins at an offset.
func sectionStart(wasm []byte, content int) int {
	last := 8
	for at := 8; at < content; {
		size, width := leb128.Uvarint(wasm[at+1:])
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
		if id := wasm[at]; id != ops.SecCustom && id > ops.SecExport {
			break
		}
		size, width := leb128.Uvarint(wasm[at+1:])
		at += 1 + width + int(size)
	}
	return at
}

// constExpr skips a constant expression.
func (s *scanner) constExpr() {
	for s.Err == nil {
		switch op := s.Byte(); op {
		case ops.End:
			return
		case ops.I32Const, ops.I64Const, ops.GlobalGet, ops.RefFunc:
			s.Signed()
		case ops.F32Const:
			s.Take(4)
		case ops.F64Const:
			s.Take(8)
		case ops.RefNull:
			s.Byte()
		default:
			s.Fail(fmt.Errorf("constant expression with opcode 0x%02x", op))
		}
	}
}

//go:build wasmedge && cgo && linux

package wasmedge

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// maxFrame is the most that a function's frame can have on the native stack, in
// bytes. The functions of the network's actors need up to 6 KiB, without
// optimisation. The pass allows 1024 calls at most, so a guest stays within the room
// that is there before it starts (threads.c).
const maxFrame = 16 << 10

// checkFrames refuses machine code with a frame of more than most bytes: what the pass
// counts is not what the compiler makes of it.
func checkFrames(path string, most uint32) error {
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("machine code: %w", err)
	}
	defer f.Close()
	if f.Machine != elf.EM_X86_64 { // the pattern below is one of x86-64
		return fmt.Errorf("machine code for %s: whether its frames fit the stack cannot be told yet", f.Machine)
	}
	text := f.Section(".text")
	if text == nil {
		return nil // no functions
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return fmt.Errorf("machine code: %w", err)
	}
	code, err := text.Data()
	if err != nil {
		return fmt.Errorf("machine code: %w", err)
	}
	for _, s := range symbols {
		at := s.Value - text.Addr
		if elf.ST_TYPE(s.Info) != elf.STT_FUNC || at >= uint64(len(code)) {
			continue
		}
		if n := frameSize(code[at:min(at+s.Size, uint64(len(code)))]); n > most {
			return fmt.Errorf("%w: function %s needs %d bytes of stack, more than %d", ErrLargeFrame, s.Name, n, most)
		}
	}
	return nil
}

// frameSize is what a function takes from the stack where it begins, if that is
// more than the short form of the instruction can say. The instruction is among
// the first, after registers are saved.
func frameSize(code []byte) uint32 {
	const prologue = 48
	code = code[:min(prologue, len(code))]
	i := bytes.Index(code, []byte{0x48, 0x81, 0xec}) // sub rsp, imm32
	if i < 0 || i+7 > len(code) {
		return 0
	}
	return binary.LittleEndian.Uint32(code[i+3:])
}

package solidity

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// entry says which part of which source an opcode comes from.
type entry struct {
	start, length int
	file          int // -1: of none
	jump          byte
}

const maxEntries = 1 << 20

// parseMap reads a source map of solc: entries s:l:f:j:m, separated by semicolons; what is left out is as in the entry before.
func parseMap(text string) ([]entry, error) {
	list := make([]entry, 0, strings.Count(text, ";")+1)
	now := entry{file: -1, jump: '-'}
	for part := range strings.SplitSeq(text, ";") {
		if len(list) == maxEntries {
			return nil, fmt.Errorf("a source map of more than %d entries", maxEntries)
		}
		for i, field := range strings.SplitN(part, ":", 6) {
			if field == "" {
				continue
			}
			if i == 3 {
				now.jump = field[0]
				continue
			}
			if i > 3 {
				break
			}
			n, err := strconv.Atoi(field)
			if err != nil {
				return nil, fmt.Errorf("entry %d of a source map: %q is no number", len(list), field)
			}
			*[]*int{&now.start, &now.length, &now.file}[i] = n
		}
		list = append(list, now)
	}
	return list, nil
}

// index finds the entry of each opcode: they are counted, and bytes that are pushed are none.
func (c *code) index() {
	c.at = make(map[int]int, len(c.entries))
	n := 0
	for pc := 0; pc < len(c.bytes) && n < len(c.entries); pc++ {
		c.at[pc] = n
		n++
		if op := c.bytes[pc]; op >= 0x60 && op < 0x80 {
			pc += int(op) - 0x5f
		}
	}
}

// fits tells whether code that runs is this one.
func (c *code) fits(running []byte, creation bool) bool {
	n := len(c.bytes)
	if len(running) < n || !creation && len(running) != n || n == 0 {
		return false
	}
	end := n - metadata(c.bytes)
	for i := range end {
		if c.bytes[i] != running[i] && !c.mask[i] {
			return false
		}
	}
	return creation || bytes.Equal(running[n-2:], c.bytes[n-2:])
}

// metadata is how long the CBOR is that the compiler appends, with its length in two bytes; 0 if there is none.
func metadata(code []byte) int {
	if len(code) < 4 {
		return 0
	}
	n := int(code[len(code)-2])<<8 | int(code[len(code)-1])
	if n+2 > len(code) || n == 0 || code[len(code)-2-n]>>5 != 5 { // a map
		return 0
	}
	return n + 2
}

// find is the contract that code is of; nil: none.
func (p *Project) find(running []byte, creation bool) *code {
	var similar *code
	for _, c := range p.contracts {
		x := c.runtime
		if creation {
			x = c.creation
		}
		if x == nil || !x.fits(running, creation) {
			continue
		}
		if bytes.Equal(x.bytes, running[:len(x.bytes)]) {
			return x
		}
		if similar == nil || len(x.bytes) > len(similar.bytes) {
			similar = x
		}
	}
	return similar
}

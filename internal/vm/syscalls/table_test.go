package syscalls

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/internal/ipld/cbor"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/execerr/execerrtest"
	"github.com/edgefvm/fvm/internal/vm/machine"
)

var update = flag.Bool("update", false, "write the tables of syscalls to testdata")

// The table of each era is the one in testdata: the name, the parameters (out:
// the pointer to what is returned, with its size in bytes), the results.
func TestTable(t *testing.T) {
	for abi, name := range map[machine.ABI]string{machine.ABI2: "nv16", machine.ABI3: "nv18", machine.ABI4: "nv21"} {
		var lines []string
		for _, r := range rows(abi) {
			lines = append(lines, line(r.hostFunc(), r.outSize))
		}
		for _, h := range helpers {
			lines = append(lines, line(h, 0))
		}
		if n := len(HostFuncs(abi)); n != len(lines) {
			t.Errorf("%s: %d host functions for %d rows", name, n, len(lines))
		}
		slices.Sort(lines)
		if n := len(slices.Compact(slices.Clone(lines))); n != len(lines) {
			t.Errorf("%s: a syscall is in the table twice", name)
		}
		got := strings.Join(lines, "\n") + "\n"
		path := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		wantLines := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n")
		for _, l := range lines {
			if !slices.Contains(wantLines, l) {
				t.Errorf("%s: has %q, which %s does not", name, l, path)
			}
		}
		for _, l := range wantLines {
			if !slices.Contains(lines, l) {
				t.Errorf("%s: lacks %q of %s", name, l, path)
			}
		}
	}
}

func line(h engine.HostFunc, out uint32) string {
	types := func(ts []engine.ValueType) (s []string) {
		for _, v := range ts {
			s = append(s, map[engine.ValueType]string{engine.I32: "i32", engine.I64: "i64"}[v])
		}
		return s
	}
	params := types(h.Params)
	if out > 0 {
		params[0] = fmt.Sprintf("out:%d", out)
	}
	return fmt.Sprintf("%s::%s(%s) -> (%s)", h.Module, h.Name, strings.Join(params, " "), strings.Join(types(h.Results), " "))
}

const top = 1<<32 - 1

// The windows that a guest can name: none may wrap around.
func TestSlice(t *testing.T) {
	mem := guestMemory("0123456789")
	for _, c := range []struct {
		off, n uint32
		want   string // "!": an illegal argument
	}{
		{0, 10, "0123456789"}, {0, 0, ""}, {9, 1, "9"}, {10, 0, ""}, {3, 4, "3456"},
		{10, 1, "!"}, {0, 11, "!"}, {11, 0, "!"}, {9, 2, "!"}, {top, 0, "!"}, {top, 1, "!"}, {1, top, "!"}, {top, top, "!"}, {0, top, "!"}, {5, top - 4, "!"},
	} {
		got, err := mem.slice(c.off, c.n)
		if c.want == "!" {
			if execerrtest.Errno(err) != execerr.IllegalArgument {
				t.Errorf("%d of %d bytes: %q, %v", c.off, c.n, got, err)
			}
			continue
		}
		if err != nil || string(got) != c.want || cap(got) != len(got) {
			t.Errorf("%d of %d bytes: %q (capacity %d), %v; want %q", c.off, c.n, got, cap(got), err, c.want)
		}
	}
	if got, err := guestMemory(nil).slice(0, 0); err != nil || len(got) != 0 {
		t.Errorf("nothing of no memory: %v, %v", got, err)
	}
}

// A CID is read to the end of the memory, however far that is.
func TestCIDsInMemory(t *testing.T) {
	c := cbor.Blake2bCID(0x71, [32]byte{1, 2, 3})
	raw := c.Bytes()
	n := uint32(len(raw))
	mem := guestMemory(append([]byte("xx"), raw...))
	for _, x := range []struct {
		mem guestMemory
		off uint32
		ok  bool
	}{
		{mem, 2, true}, {append(mem, 9, 9), 2, true},
		{mem[:len(mem)-1], 2, false}, {mem, 1, false}, {mem, 3, false}, {mem, n + 2, false}, {mem, n + 3, false}, {mem, top, false}, {nil, 0, false},
	} {
		got, _, err := x.mem.cid(x.off)
		if x.ok && (err != nil || got != c) || !x.ok && execerrtest.Errno(err) != execerr.IllegalArgument {
			t.Errorf("at %d of %d bytes: %s, %v", x.off, len(x.mem), got, err)
		}
	}
	for _, x := range []struct {
		off, n uint32
		want   execerr.Errno
	}{
		{0, n, 0}, {2, n, 0}, {0, n + 2, 0}, {0, n - 1, execerr.BufferTooSmall}, {0, 0, execerr.BufferTooSmall}, {n + 2, 0, execerr.BufferTooSmall},
		{3, n, execerr.IllegalArgument}, {top, n, execerr.IllegalArgument}, {0, top, execerr.IllegalArgument},
	} {
		buf := guestMemory(bytes.Repeat([]byte{0xaa}, int(n)+2))
		size, err := memory{guestMemory: buf}.putCID(c, x.off, x.n)
		switch {
		case execerrtest.Errno(err) != x.want:
			t.Errorf("into %d of %d bytes: %v, want errno %d", x.off, x.n, err, x.want)
		case err == nil && (size != n || !bytes.Equal(buf[x.off:x.off+n], raw)):
			t.Errorf("into %d of %d bytes: %d bytes, %x", x.off, x.n, size, buf)
		case err != nil && !bytes.Equal(buf, bytes.Repeat([]byte{0xaa}, int(n)+2)):
			t.Errorf("into %d of %d bytes: an error, but it wrote %x", x.off, x.n, buf)
		}
	}
}

func TestAddressInMemory(t *testing.T) {
	mem := memory{guestMemory: guestMemory("\x00\xe8\x07\x05\x00")}
	if a, err := mem.address(0, 3); err != nil || a != addr.NewID(1000) {
		t.Errorf("%v, %v", a, err)
	}
	for _, w := range [][2]uint32{{0, 0}, {0, 1}, {0, 2}, {0, 4}, {3, 2}, {0, 6}, {5, 0}, {6, 0}, {top, 3}} {
		if a, err := mem.address(w[0], w[1]); execerrtest.Errno(err) != execerr.IllegalArgument {
			t.Errorf("%d: %v, %v", w, a, err)
		}
	}
}

// Amounts are 128 bits, little-endian: the low half first.
func TestTokens(t *testing.T) {
	max128 := big.Sub(tokens(1<<63, 0), big.NewInt(1))
	max128 = big.Add(big.Add(max128, max128), big.NewInt(1))
	for _, c := range []struct {
		v    abi.TokenAmount
		want string // "": it does not fit
	}{
		{abi.TokenAmount{}, strings.Repeat("\x00", 16)},
		{big.Zero(), strings.Repeat("\x00", 16)},
		{big.NewInt(0x0102), "\x02\x01" + strings.Repeat("\x00", 14)},
		{tokens(0x0a0b, 0x0102030405060708), "\x08\x07\x06\x05\x04\x03\x02\x01\x0b\x0a\x00\x00\x00\x00\x00\x00"},
		{tokens(1, 0), strings.Repeat("\x00", 8) + "\x01" + strings.Repeat("\x00", 7)},
		{max128, strings.Repeat("\xff", 16)},
		{big.Add(max128, big.NewInt(1)), ""},
		{big.NewInt(-1), ""},
	} {
		out := bytes.Repeat([]byte{0xaa}, 17)
		err := putTokens(out, "amount", c.v)
		if c.want == "" {
			var fatal *execerr.Fatal
			if !errors.As(err, &fatal) || !fatal.Guest {
				t.Errorf("%s: %v, want a failure that all nodes have", c.v, err)
			}
			continue
		}
		if err != nil || string(out) != c.want+"\xaa" {
			t.Errorf("%s: %x, %v; want %x", c.v, out, err, c.want)
		}
	}
	if v := tokens(0, 1<<64-1); v.String() != "18446744073709551615" {
		t.Errorf("the largest low half: %s", v)
	}
	if v := tokens(1<<64-1, 1<<64-1); v.Cmp(max128.Int) != 0 {
		t.Errorf("the largest amount: %s", v)
	}
}

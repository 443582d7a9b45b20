package script

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// The log of a script tells what each of its syscalls gave.
func TestHear(t *testing.T) {
	s := NewScript()
	s.Do(OpBlockOpen, 0, 0)                 // gives 8
	s.Do(OpRoot, 0, 0, 0).flags |= ifOK     // left out
	s.Do(OpHash, 0).flags |= ifFail         // gives 1
	s.Fnv(outStart, 8)                      // logs, but is no syscall
	s.Do(OpStore32, 0, 0)                   // gives 0
	s.Do(OpBlockStat, 0, 0).flags |= ifOK   // gives 7
	s.Do(OpReturnLog, 0)                    // the rest cannot be told
	s.Do(OpBlockCreate, 0, 0, 0, 0)         // never runs
	s.Do(OpCurrentBalance, 0).flags |= ifOK // never runs
	var log []byte
	for _, v := range []uint32{8, 1, 0xabcdef, 0, 7} {
		log = binary.LittleEndian.AppendUint32(log, v)
	}
	want := []Heard{{"ipld::block_open", 8}, {"crypto::hash", 1}, {"ipld::block_stat", 7}}
	if got := Hear(s.Marshal(), log); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, bad := range [][]byte{nil, []byte("no script"), make([]byte, 100)[:11], append([]byte{1, 0, 0, 0, 0, 0, 0, 0, 200}, make([]byte, 50)...)} {
		if got := Hear(bad, log); len(got) > 0 {
			t.Errorf("%x: %v", bad, got)
		}
	}
}

func TestWithout(t *testing.T) {
	s := NewScript()
	for i := range 4 {
		s.Do(OpBurn, i)
	}
	few := s.Without([]bool{true, false, false, true})
	if few.Len() != 2 || few.recs[1].args[0] != 3 || s.Len() != 4 {
		t.Errorf("%+v", few.recs)
	}
}

// A changed script is another one, and the one that it was made of stays as it is.
func TestMutate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := NewScript()
	at := s.Bytes([]byte("data"))
	for range 6 {
		s.Do(OpHash, s.Out(4), uint64(hashSha256), at, 4, s.Out(32), 32)
	}
	before := string(s.Marshal())
	other := 0
	for range 100 {
		if string(s.Mutate(r).Marshal()) != before {
			other++
		}
	}
	if string(s.Marshal()) != before || other < 80 {
		t.Errorf("%d of 100 are other scripts", other)
	}
}

// Half of the items, and more, are states in each era.
func TestStates(t *testing.T) {
	for era, want := range map[int]int{2: 41, 3: 60, 4: 98} {
		b := &builder{e: &Env{Era: era, Pool: []uint64{1, 2, 3}}}
		stateCases(b)
		if len(b.cases) != want {
			t.Errorf("era %d: %d, want %d", era, len(b.cases), want)
		}
	}
}

func TestSyscalls(t *testing.T) {
	for era, least := range map[int]int{2: 35, 3: 38, 4: 38} {
		if list := Syscalls(era); len(list) < least {
			t.Errorf("era %d: %d syscalls: %v", era, len(list), list)
		}
	}
	if EraOf(17) != 2 || EraOf(18) != 3 || EraOf(20) != 3 || EraOf(21) != 4 {
		t.Error("the eras begin elsewhere")
	}
}

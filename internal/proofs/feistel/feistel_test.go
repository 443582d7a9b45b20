package feistel

import (
	"encoding/binary"
	"sync"
	"testing"

	"golang.org/x/crypto/blake2b"
)

// plain is the permutation as ../shared/reference/proofs.md, section 4, has it, and remembers nothing.
func plain(keys Keys, half int, u uint64) uint64 {
	mask := uint64(1)<<half - 1
	left, right := u>>half, u&mask
	for _, key := range keys {
		data := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, right), key)
		sum := blake2b.Sum512(data)
		left, right = right, left^binary.BigEndian.Uint64(sum[:])&mask
	}
	return left<<half | right
}

func TestPermute(t *testing.T) {
	keys := Keys{1, 1 << 63, 0x0123456789abcdef}
	for _, half := range []int{1, 2, 5, 9} {
		n := Of(keys, half)
		seen := make([]bool, 1<<(2*half))
		for range 2 { // the second time from memory
			for u := range uint64(len(seen)) {
				got := n.Permute(u)
				if want := plain(keys, half, u); got != want {
					t.Fatalf("%d bits: %d becomes %d, want %d", half, u, got, want)
				}
				seen[got] = true
			}
		}
		for u, yes := range seen {
			if !yes {
				t.Errorf("%d bits: nothing becomes %d", half, u)
			}
		}
	}
	large := Of(keys, maxHalf)
	for u := uint64(0); u < 1<<34; u += 1<<28 + 12345 {
		if got, want := large.Permute(u), plain(keys, maxHalf, u); got != want {
			t.Errorf("%d becomes %d, want %d", u, got, want)
		}
	}
}

func TestOneForAll(t *testing.T) {
	a, b := Of(Keys{5, 6, 7}, 8), Of(Keys{5, 6, 7}, 8)
	if a != b || a == Of(Keys{5, 6, 7}, 9) || a == Of(Keys{5, 6, 8}, 8) {
		t.Error("networks are mixed up")
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for u := range uint64(1 << 16) {
				a.Permute(u)
			}
		})
	}
	wait.Wait()
	if got, want := a.Permute(77), plain(Keys{5, 6, 7}, 8, 77); got != want {
		t.Errorf("%d, want %d", got, want)
	}
	for _, half := range []int{0, maxHalf + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a half of %d bits is taken", half)
				}
			}()
			Of(Keys{}, half)
		}()
	}
}

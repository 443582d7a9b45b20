package registered_test

import (
	"testing"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// Every number of a registered proof has the size that go-state-types gives it, and the variant of the network's list.
func TestNumbers(t *testing.T) {
	for n := abi.RegisteredSealProof(-2); n < 23; n++ {
		size, variant, err := registered.Seal(n)
		want, wantErr := n.SectorSize()
		if (err == nil) != (wantErr == nil) {
			t.Errorf("seal %d: %v, want %v", n, err, wantErr)
			continue
		}
		if err == nil && (size.Bytes != uint64(want) || int(variant) != int(n)/5 || size.Index() != int(n)%5) {
			t.Errorf("seal %d: %+v, %v", n, size, variant)
		}
		window, err := n.RegisteredWindowPoStProof()
		if err != nil {
			continue
		}
		if s, v11, err := registered.Window(window); err != nil || v11 || s != size {
			t.Errorf("window %d: %+v, %v, %v", window, s, v11, err)
		}
		if s, v11, err := registered.Window(window + 5); err != nil || !v11 || s != size {
			t.Errorf("window %d: %+v, %v, %v", window+5, s, v11, err)
		}
		winning, err := n.RegisteredWinningPoStProof()
		if err != nil {
			continue
		}
		if s, err := registered.Winning(winning); err != nil || s != size {
			t.Errorf("winning %d: %+v, %v", winning, s, err)
		}
		update, err := n.RegisteredUpdateProof()
		if err != nil {
			continue
		}
		if s, err := registered.Update(update); err != nil || s != size {
			t.Errorf("update %d: %+v, %v", update, s, err)
		}
	}
	for _, n := range []abi.RegisteredPoStProof{-1, 5, 15} {
		if _, err := registered.Winning(n); err == nil {
			t.Errorf("type %d is a winning PoSt", n)
		}
	}
	for _, n := range []abi.RegisteredPoStProof{-1, 4, 15} {
		if _, _, err := registered.Window(n); err == nil {
			t.Errorf("type %d is a window PoSt", n)
		}
	}
	for _, n := range []abi.RegisteredUpdateProof{-1, 5} {
		if _, err := registered.Update(n); err == nil {
			t.Errorf("type %d is an update", n)
		}
	}
}

// The tables once more, as reference/proofs.md has them, and the rules that tie them together.
func TestTables(t *testing.T) {
	for i, want := range []struct {
		name             string
		nodes            uint64
		partitions, each int
		ni, niEach       int
		window, update   int
	}{
		{"2KiB", 64, 1, 2, 13, 2, 2, 1},
		{"8MiB", 1 << 18, 1, 2, 13, 2, 2, 4},
		{"512MiB", 1 << 24, 1, 2, 13, 2, 2, 16},
		{"32GiB", 1 << 30, 10, 18, 126, 18, 2349, 16},
		{"64GiB", 1 << 31, 10, 18, 126, 18, 2300, 16},
	} {
		s := registered.Sizes()[i]
		n, c := s.Partitions(registered.V1_1)
		ni, niC := s.Partitions(registered.NI)
		if s.Name != want.name || s.Nodes() != want.nodes || n != want.partitions || c != want.each || ni != want.ni || niC != want.niEach ||
			s.WindowSectors != want.window || s.UpdatePartitions != want.update {
			t.Errorf("%+v, want %+v", s, want)
		}
		if c != niC {
			t.Errorf("%s: one key, but partitions of %d and %d challenges", s.Name, c, niC)
		}
		if s.Bytes >= 32<<30 && n*c < 176 { // the least number of challenges of large sectors
			t.Errorf("%s: %d challenges", s.Name, n*c)
		}
	}
}

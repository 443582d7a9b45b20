package dev

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// What a chain grows by besides its states: EDGEFVM_DEV_BLOCKS=100000 says how many blocks. Memory per block and snapshot is bounded.
func TestGrowth(t *testing.T) {
	blocks := uint64(500)
	if asked, err := strconv.ParseUint(os.Getenv("EDGEFVM_DEV_BLOCKS"), 10, 32); err == nil && asked > 0 {
		blocks = asked
	}
	n, err := New(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if _, err := n.Mine(t.Context(), MineOptions{Blocks: 50}); err != nil {
		t.Fatal(err)
	}
	heap, states := heapNow(), n.own.(*memory).bytes()
	begin := time.Now()
	if _, err := n.Mine(t.Context(), MineOptions{Blocks: blocks}); err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	heap, states = (heapNow()-heap)/int64(blocks), (n.own.(*memory).bytes()-states)/int64(blocks)
	t.Logf("%d blocks in %v: %d bytes a block, of which %d are states and headers", blocks, took.Round(time.Millisecond), heap, states)
	const most = 4 << 10
	if heap-states > most {
		t.Errorf("a block takes %d bytes besides its state; the most is %d", heap-states, most)
	}
	const snapshots = 10_000
	heap = heapNow()
	for range snapshots {
		if _, err := n.Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	each := (heapNow() - heap) / snapshots
	t.Logf("%d bytes a snapshot", each)
	if each > 1<<10 {
		t.Errorf("a snapshot takes %d bytes", each)
	}
	// What is reverted is forgotten.
	before := n.own.(*memory).bytes()
	for range 3 {
		if _, err := n.Mine(t.Context(), MineOptions{Blocks: 20}); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Rollback(t.Context(), 20); err != nil {
			t.Fatal(err)
		}
	}
	if after := n.own.(*memory).bytes(); after > before {
		t.Errorf("%d bytes are left of blocks that were taken off", after-before)
	}
}

func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func (m *memory) bytes() (sum int64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, it := range m.items {
		sum += int64(len(it.data))
	}
	return sum
}

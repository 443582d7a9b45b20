package parallel

import "testing"

// What one list found out, the next one begins with: after a list of conflicts it rests where that one stopped.
func TestHabitsOutliveAList(t *testing.T) {
	var h Habits
	first := h.get()
	if first.ahead != firstAhead || first.resting != 0 {
		t.Fatalf("without habits: %+v", first)
	}
	p := first
	for range enough {
		p.count(true, false)
	}
	if p.resting != firstRest {
		t.Fatalf("after %d in vain: %+v", enough, p)
	}
	p.count(false, false) // one in its turn
	h.put(p)
	if next := h.get(); next != p || next.resting != firstRest-1 {
		t.Errorf("the next list begins with %+v, the last one ended with %+v", next, p)
	}
	// It is not for ever: after the rest messages run ahead again, and if that is not in vain, farther and farther.
	for p = h.get(); p.resting > 0; {
		p.count(false, false)
	}
	for range sample {
		p.count(true, true)
	}
	if p.ahead != 2*firstAhead || p.rest != firstRest {
		t.Errorf("after a sample that was merged: %+v", p)
	}
	var none *Habits
	none.put(p)
	if got := none.get(); got != first {
		t.Errorf("a pool without habits begins with %+v", got)
	}
}

package state

// undoMap is a map that can go back to what it was.
type undoMap[K comparable, V any] struct {
	values map[K]V
	log    []undo[K, V]
}

// undo is what a key had before a change.
type undo[K comparable, V any] struct {
	key K
	old V
	had bool
}

func newUndoMap[K comparable, V any]() undoMap[K, V] { return undoMap[K, V]{values: map[K]V{}} }

func (m *undoMap[K, V]) get(k K) (V, bool) {
	v, ok := m.values[k]
	return v, ok
}

// set changes a value so that rollback can take it back.
func (m *undoMap[K, V]) set(k K, v V) {
	old, had := m.values[k]
	m.log = append(m.log, undo[K, V]{k, old, had})
	m.values[k] = v
}

// cache adds a value that is true whatever is rolled back.
func (m *undoMap[K, V]) cache(k K, v V) { m.values[k] = v }

// rollback takes back all changes after the log had n of them.
func (m *undoMap[K, V]) rollback(n int) {
	for i := len(m.log) - 1; i >= n; i-- {
		if u := &m.log[i]; u.had {
			m.values[u.key] = u.old
		} else {
			delete(m.values, u.key)
		}
	}
	clear(m.log[n:])
	m.log = m.log[:n]
}

// forget makes all changes final.
func (m *undoMap[K, V]) forget() {
	clear(m.log)
	m.log = m.log[:0]
}

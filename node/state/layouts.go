package state

import (
	"sync"
)

// known are the versions of the actors whose types go-state-types has.
var known = map[int]func() *parts{
	8: partsV8, 9: partsV9, 10: partsV10, 11: partsV11, 12: partsV12, 13: partsV13, 14: partsV14, 15: partsV15, 16: partsV16,
	17: partsV17, 18: partsV18, 19: partsV19,
}

// made are the layouts that were asked for.
var made struct {
	sync.Mutex
	all map[int]*layout
}

// layoutOf is the layout of a version of the actors, nil if it is not known.
func layoutOf(version int) *layout {
	made.Lock()
	defer made.Unlock()
	if l := made.all[version]; l != nil {
		return l
	}
	types := known[version]
	if types == nil {
		return nil
	}
	if made.all == nil {
		made.all = map[int]*layout{}
	}
	l := newLayout(version, types())
	made.all[version] = l
	return l
}

// Versions are the first and the last version of the actors whose states are decoded.
func Versions() (first, last int) {
	for v := range known {
		if first == 0 || v < first {
			first = v
		}
		last = max(last, v)
	}
	return first, last
}

package parallel

import "slices"

// merged is the numbers of two sorted lists, sorted.
func merged(a, b []int) []int {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return all
}

// byLength drops chains that became part of others and puts long ones first, so that no goroutine ends with the longest.
func byLength(list []*chain) []*chain {
	list = slices.DeleteFunc(list, func(c *chain) bool { return len(c.members) == 0 })
	slices.SortStableFunc(list, func(a, b *chain) int { return len(b.members) - len(a.members) })
	return list
}

func longest(sorted []*chain) int { return len(sorted[0].members) }

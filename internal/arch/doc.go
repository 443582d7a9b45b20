// Package arch holds the floor plan of the house and the rules of the rooms
// that decide results, as tests. It has no other code and nobody imports it.
//
// A new package needs a line in plan_test.go. A rule that has to be broken
// somewhere needs a line there too, with the reason.
package arch

// Package cli puts the commands of edgefvm together: the groups of the help, and the
// root. cmd/edgefvm calls it. The commands live in messages, laboratory and upkeep,
// and what they have in common in kit and term.
package cli

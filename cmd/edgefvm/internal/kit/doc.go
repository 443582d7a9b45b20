// Package kit is what the commands have in common: exit codes and errors of usage,
// groups and help, the flags for engines, caches and bundles, the files of vectors,
// and JSON. It knows no command; the groups call it, and package cli puts them
// together.
package kit

// Package intest is an example: the network's own actors inside a Go test. See intest_test.go.
package intest

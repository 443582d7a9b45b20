//go:build !linux

package wazero

// Elsewhere large memories come from the garbage collector.

func mapBuffer(uint64) []byte { return nil }

func forgetBuffer([]byte) bool { return false }

func unmapBuffer([]byte) {}

//go:build !unix

package aot

import "os/exec"

func trusted(string) error { return nil }

func group(*exec.Cmd) {}

func yield() {}

//go:build !unix

package owned

import "io/fs"

// rights is whether files have an owner and a mode.
const rights = false

func owner(fs.FileInfo, string) error { return nil }

func shared(fs.FileInfo) bool { return false }

package state

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ipfs/go-cid"
)

// ErrNotFound is wrapped by errors about an actor, an entry or a field that is not there.
var ErrNotFound = errors.New("not found")

// MissingError is a block that the store does not have.
type MissingError struct {
	Path string // where in the state, such as "/actors/f01000/state/Sectors"
	CID  cid.Cid
	Err  error // the store's
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s: the block %s is missing", e.Path, e.CID)
}

// Unwrap is the store's error.
func (e *MissingError) Unwrap() error { return e.Err }

// PathError is a part of a path that leads nowhere.
type PathError struct {
	Path  string   // up to where it led
	Name  string   // the part that does not go on from there
	Known []string // what would; some of it, if More
	More  bool
	Why   string // in words, such as "there is no sector 17"
	Err   error  // ErrNotFound, or why the name does not fit
}

func (e *PathError) Error() string {
	text := e.Path + ": " + e.Why
	switch {
	case len(e.Known) > 0 && e.More:
		text += "; it has " + strings.Join(e.Known, ", ") + ", …"
	case len(e.Known) > 0:
		text += "; it has " + strings.Join(e.Known, ", ")
	}
	return text
}

// Unwrap tells what went wrong.
func (e *PathError) Unwrap() error { return e.Err }

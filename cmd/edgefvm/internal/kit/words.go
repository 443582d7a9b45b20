package kit

import (
	"errors"
	"io"
	"io/fs"
	"strings"
)

// words is an error for people: without the names that Go and the libraries give to what they did.
func words(err error) string {
	text := err.Error()
	for _, p := range pathErrors(err) {
		text = strings.ReplaceAll(text, p.Error(), p.Path+": "+p.Err.Error())
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		text = strings.ReplaceAll(text, io.ErrUnexpectedEOF.Error(), "the data end too early")
	}
	text = strings.ReplaceAll(text, ": cbor: ", ": ")
	return strings.ReplaceAll(text, "fvm.New: ", "")
}

// pathErrors are those in the tree of an error: they begin with the name of a system call.
func pathErrors(err error) (all []*fs.PathError) {
	if p, ok := err.(*fs.PathError); ok { //nolint:errorlint // each node of the tree is looked at
		return []*fs.PathError{p}
	}
	switch e := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			all = pathErrors(inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = append(all, pathErrors(inner)...)
		}
	}
	return all
}

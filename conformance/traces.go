package conformance

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/edgefvm/fvm/trace"
)

// maxTrace bounds an unpacked trace file, in bytes.
const maxTrace = 2 << 30

// traces reads the trace that belongs to a variant: a list of events a message. Nil if there is none.
func (v *Vector) traces(variant int, opts *Options) ([]trace.Events, error) {
	if opts.NoTrace || overrideFor(v.Name) != nil {
		return nil, nil // a trace is of the vector as it is, not of one that an override changed
	}
	path := ""
	switch {
	case v.file.Trace != "":
		if filepath.Base(v.file.Trace) != v.file.Trace {
			return nil, fmt.Errorf("trace %q: not the name of a file beside the vector", v.file.Trace)
		}
		path = filepath.Join(filepath.Dir(v.Path), v.file.Trace)
	case opts.TraceDir != "":
		suffix := ""
		if variant > 0 {
			suffix = "." + strconv.Itoa(variant)
		}
		path = filepath.Join(opts.TraceDir, v.Name+suffix+".trace.json.gz")
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
	default:
		return nil, nil
	}
	list, err := readTraces(path)
	if err == nil && len(list) != len(v.Receipts()) {
		err = fmt.Errorf("trace %s: of %d messages, the vector has %d", path, len(list), len(v.Receipts()))
	}
	return list, err
}

func readTraces(path string) ([]trace.Events, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", path, err)
	}
	var list []trace.Events
	if err := json.NewDecoder(io.LimitReader(z, maxTrace)).Decode(&list); err != nil {
		return nil, fmt.Errorf("trace %s: %w", path, err)
	}
	return list, nil
}

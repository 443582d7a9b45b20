package vector

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

// Traces reads the trace that belongs to a variant: a list of events a message. Nil if there is none. dir holds traces of
// vectors that name none (NAME.trace.json.gz); "" is no such folder.
func (v *Vector) Traces(variant int, dir string) ([]trace.Events, error) {
	path := ""
	switch {
	case v.file.Trace != "":
		if filepath.Base(v.file.Trace) != v.file.Trace {
			return nil, fmt.Errorf("trace %q: not the name of a file beside the vector", v.file.Trace)
		}
		path = filepath.Join(filepath.Dir(v.Path), v.file.Trace)
	case dir != "":
		suffix := ""
		if variant > 0 {
			suffix = "." + strconv.Itoa(variant)
		}
		path = filepath.Join(dir, v.Name+suffix+".trace.json.gz")
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

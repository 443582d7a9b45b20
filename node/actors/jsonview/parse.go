package jsonview

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Parse reads JSON into the tree that [View] makes: one value, no field twice in an object, numbers as they are written.
func Parse(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v, err := parse(dec, "", 0)
	if err != nil {
		return nil, fmt.Errorf("JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("JSON: there is more after the value, at byte %d", dec.InputOffset())
	}
	return v, nil
}

func parse(dec *json.Decoder, path string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it nests deeper than %d", maxDepth)
	}
	tok, err := dec.Token()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("it ends early, at byte %d", dec.InputOffset())
	}
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('{'):
		return parseObject(dec, path, depth)
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			e, err := parse(dec, element(path, len(list)), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		return list, end(dec)
	}
	return tok, nil
}

func parseObject(dec *json.Decoder, path string, depth int) (any, error) {
	o := Object{}
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := tok.(string)
		if !ok {
			return nil, fmt.Errorf("a name expected at byte %d", dec.InputOffset())
		}
		if seen[name] {
			return nil, at(member(path, name), "it is there twice")
		}
		seen[name] = true
		v, err := parse(dec, member(path, name), depth+1)
		if err != nil {
			return nil, err
		}
		o = append(o, Field{name, v})
	}
	return o, end(dec)
}

// end reads the bracket that ends a list or an object.
func end(dec *json.Decoder) error {
	_, err := dec.Token()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("it ends early, at byte %d", dec.InputOffset())
	}
	return err
}

package ethabi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/edgefvm/fvm/node/ethtx"
)

// Entry is a function, an event, an error or a constructor.
type Entry struct {
	Kind      string // "function", "event", "error", "constructor"
	Name      string
	Inputs    []Param
	Outputs   []Param // of a function
	Anonymous bool    // an event without its hash among the topics
}

// Signature is the text that a selector is made from: "transfer(address,uint256)".
func (e *Entry) Signature() string { return e.Name + list(e.Inputs) }

// Hash is Keccak-256 of the signature: the first topic of an event.
func (e *Entry) Hash() [32]byte { return ethtx.Keccak256([]byte(e.Signature())) }

// Selector is the first four bytes of the hash, which calldata and the data of errors begin with.
func (e *Entry) Selector() [4]byte {
	h := e.Hash()
	return [4]byte(h[:4])
}

// ABI is what a contract takes and gives.
type ABI struct {
	Entries []*Entry
}

type jsonParam struct {
	Name       string      `json:"name"`
	Type       string      `json:"type"`
	Components []jsonParam `json:"components"`
	Indexed    bool        `json:"indexed"`
}

type jsonEntry struct {
	Type      string      `json:"type"`
	Name      string      `json:"name"`
	Inputs    []jsonParam `json:"inputs"`
	Outputs   []jsonParam `json:"outputs"`
	Anonymous bool        `json:"anonymous"`
}

// Parse reads an ABI: JSON as the compiler prints it, or an object that has it under "abi", as the artefacts of Hardhat and
// Foundry do.
func Parse(text []byte) (*ABI, error) {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if len(text) > 0 && text[0] == '{' {
		var artefact struct {
			ABI json.RawMessage `json:"abi"`
		}
		if err := json.Unmarshal(text, &artefact); err != nil {
			return nil, fmt.Errorf("ABI: %w", err)
		}
		if artefact.ABI == nil {
			return nil, errors.New(`ABI: the object has no "abi"; want the list that the compiler prints, or an artefact of Hardhat or Foundry`)
		}
		text = artefact.ABI
	}
	var entries []jsonEntry
	if err := json.Unmarshal(text, &entries); err != nil {
		return nil, fmt.Errorf("ABI: %w", err)
	}
	abi := &ABI{}
	for i, e := range entries {
		in, err := parseParams(e.Inputs, 0)
		if err != nil {
			return nil, fmt.Errorf("ABI: entry %d, %s: %w", i, e.Name, err)
		}
		out, err := parseParams(e.Outputs, 0)
		if err != nil {
			return nil, fmt.Errorf("ABI: entry %d, %s: %w", i, e.Name, err)
		}
		if e.Type == "" {
			e.Type = "function" // as the specification has it
		}
		abi.Entries = append(abi.Entries, &Entry{Kind: e.Type, Name: e.Name, Inputs: in, Outputs: out, Anonymous: e.Anonymous})
	}
	return abi, nil
}

func parseParams(list []jsonParam, depth int) (params []Param, err error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("tuples nest deeper than %d", maxDepth)
	}
	for _, p := range list {
		fields, err := parseParams(p.Components, depth+1)
		if err != nil {
			return nil, err
		}
		t, err := ParseType(p.Type, fields)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		params = append(params, Param{p.Name, t, p.Indexed})
	}
	return params, nil
}

// bySelector is the entry of a kind with a selector.
func (a *ABI) bySelector(kind string, selector []byte) *Entry {
	if a == nil || len(selector) < 4 {
		return nil
	}
	for _, e := range a.Entries {
		if s := e.Selector(); e.Kind == kind && bytes.Equal(s[:], selector[:4]) {
			return e
		}
	}
	return nil
}

// Function finds a function by its name, or by its signature where several have the name.
func (a *ABI) Function(name string) (*Entry, error) {
	var found []*Entry
	var known []string
	for _, e := range a.Entries {
		if e.Kind != "function" {
			continue
		}
		if e.Signature() == strings.ReplaceAll(name, " ", "") {
			return e, nil
		}
		if e.Name == name {
			found = append(found, e)
		}
		known = append(known, e.Signature())
	}
	switch len(found) {
	case 0:
		slices.Sort(known)
		return nil, &UnknownFunctionError{name, known}
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("several functions are called %s; say which: %s or %s", name, found[0].Signature(), found[1].Signature())
}

// UnknownFunctionError is the error of a function that the ABI does not have.
type UnknownFunctionError struct {
	Name  string
	Known []string // signatures
}

func (e *UnknownFunctionError) Error() string {
	return fmt.Sprintf("the ABI has no function %q", e.Name)
}

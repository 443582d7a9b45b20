package conformance

import (
	_ "embed" // the lists are data
	"encoding/json"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-state-types/network"

	"github.com/edgefvm/fvm/vector"
)

//go:embed rules.json
var rulesJSON []byte

// Override changes how one vector is run, for a reason.
type Override struct {
	Vector string        `json:"vector"` // the file's name without .json
	Proofs vector.Proofs `json:"proofs"`
	Reason string        `json:"reason"`
}

// Skip names vectors that do not pass yet, and why. They are run all the same:
// one that passes is a failure of the list.
type Skip struct {
	Vector         string          `json:"vector,omitempty"`          // the file's name without .json, or
	NetworkVersion network.Version `json:"network_version,omitempty"` // every vector of a network version
	Reason         string          `json:"reason"`
}

type rules struct {
	Overrides []Override `json:"overrides"`
	Skips     []Skip     `json:"skips"`
}

var readRules = sync.OnceValue(func() *rules {
	r := new(rules)
	if err := json.Unmarshal(rulesJSON, r); err != nil {
		panic(fmt.Sprintf("rules.json: %v", err)) // part of the program; a test reads it
	}
	return r
})

// Overrides is the list of overrides, and Skips that of skips.
func Overrides() []Override { return readRules().Overrides }
func Skips() []Skip         { return readRules().Skips }

// Load reads a vector file, and applies the list of overrides.
func Load(path string) (*vector.Vector, error) {
	v, err := vector.Load(path)
	if err != nil {
		return nil, err
	}
	if o := overrideFor(v.Name); o != nil {
		v.JudgeProofs(o.Proofs)
	}
	return v, nil
}

func overrideFor(vector string) *Override {
	for i, o := range readRules().Overrides {
		if o.Vector == vector {
			return &readRules().Overrides[i]
		}
	}
	return nil
}

// skipFor is the reason to skip a vector, or "".
func skipFor(skips []Skip, vector string, nv network.Version) string {
	for _, s := range skips {
		if s.Vector == vector && s.Vector != "" || s.NetworkVersion == nv && s.NetworkVersion != 0 {
			return s.Reason
		}
	}
	return ""
}

package bundle

import (
	"strconv"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/blockstore"
)

// The bundles that were superseded are in the Lotus module, with the manifests that its source has for them, and are not listed.
func TestSuperseded(t *testing.T) {
	s, err := Open(t.Context(), Options{NoAdded: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, manifest := range superseded {
		v, network, _ := strings.Cut(name[1:], "/")
		version, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Load(t.Context(), version, network, blockstore.NewMemory())
		if err != nil || b.ManifestCID.String() != manifest {
			t.Errorf("%s: %v, %v, want the manifest %s", name, b, err, manifest)
		}
		if manifests[name] != "" {
			t.Errorf("%s is listed too", name)
		}
	}
}

package bundle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/blockstore"
)

// What a package installs with the program is found from the program's place, and held to the list of releases.
func TestInstalled(t *testing.T) {
	archive, err := os.ReadFile(lotus(t).archive(11))
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{"share/edgefvm/bundles", "bin/bundles"} {
		root := t.TempDir()
		program := filepath.Join(root, "bin", "edgefvm")
		if s := openInstalled(program); s != nil {
			t.Fatalf("%s: found where nothing is: %s", place, s.Dir())
		}
		folder := filepath.Join(root, filepath.FromSlash(place))
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "v11.tar.zst"), archive, 0o600); err != nil {
			t.Fatal(err)
		}
		s := openInstalled(program)
		if s == nil {
			t.Fatalf("%s: not found", place)
		}
		b, err := s.Load(t.Context(), 11, "mainnet", blockstore.NewMemory())
		if err != nil || b.ManifestCID.String() != manifestOf("v11/mainnet") {
			t.Errorf("%s: %v, %v", place, b, err)
		}
		// An archive under the name of another version is not what was released.
		if err := os.WriteFile(filepath.Join(folder, "v12.tar.zst"), archive, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context(), 12, "mainnet", blockstore.NewMemory()); err == nil || !strings.Contains(err.Error(), "altered") {
			t.Errorf("%s: %v", place, err)
		}
	}
}

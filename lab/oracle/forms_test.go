package oracle

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/edgefvm/fvm/blockstore"
)

// Archives that the program cannot read are made into one that it can.
func TestPlainCAR(t *testing.T) {
	const forms = "../../blockstore/testdata/forms"
	for name, made := range map[string]bool{"state.car": false, "none.car": false, "v2.car": true, "v2-index.car": true, "small.car.zst": true, "stream.car.zst": true} {
		data, n, err := plainCAR(t.Context(), filepath.Join(forms, name))
		if err != nil || (data != nil) != made {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
		if !made {
			continue
		}
		store := blockstore.NewMemory()
		if roots, err := blockstore.LoadCAR(t.Context(), bytes.NewReader(data), store, blockstore.CAROptions{}); err != nil || len(roots) != 1 || store.Len() != n || n == 0 || data[1] != 0xa2 {
			t.Errorf("%s: roots %v, %d blocks: %v", name, roots, n, err)
		}
	}
	if _, _, err := plainCAR(t.Context(), filepath.Join(forms, "null-pad.car")); err != nil { // for the program to refuse
		t.Error(err)
	}
}

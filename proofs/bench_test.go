package proofs

import (
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkVerify judges good proofs, keys loaded. The same proofs take the reference's verifier what the README of the
// shared vectors says; only figures of one run on one machine compare.
func BenchmarkVerify(b *testing.B) {
	for _, name := range []string{
		"simulated-seal/2KiB-s-v11-0/good",
		"simulated-seal/32GiB-s-v11-0/good",
		"simulated-seal/32GiB-s-syn-1/good",
		"simulated-seal/2KiB-s-ni-0/good",
		"simulated-aggregate/2KiB-v11-10-snarkpack2/good",
		"simulated-aggregate/32GiB-v11-3-snarkpack2/good",
		"simulated-update/2KiB-u-0/good",
		"simulated-update/32GiB-u-0/good",
		"simulated-winning/32GiB-win-v11/good",
		"simulated-window/2KiB-w2-2/good",
		"simulated-window/2KiB-w2-5/good",
		"simulated-window/32GiB-w2-3/good",
		"simulated-window/32GiB-w2-2352/good",
	} {
		b.Run(name, func(b *testing.B) {
			kind, _, _ := strings.Cut(name, "/")
			f := readVectors(b, filepath.Join(shared, "vectors", kind+".json"))
			v := openKeys(b, filepath.Join(shared, f.Keys))
			var vector *judgedVector
			for i := range f.Vectors {
				if f.Vectors[i].Name == name {
					vector = &f.Vectors[i]
				}
			}
			if vector == nil {
				b.Skipf("there is no vector %s", name)
			}
			for b.Loop() {
				if got, err := f.judge(b, v, vector); got != "valid" {
					b.Fatalf("%s (%v)", got, err)
				}
			}
		})
	}
}

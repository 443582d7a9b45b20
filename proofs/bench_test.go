package proofs

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
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

// BenchmarkLargest judges aggregates of as many seals as one message may have, 819 of 32 GiB with ten partitions each. They are
// put together of the parts of a small one, and false: all of the work is done but the pairings.
func BenchmarkLargest(b *testing.B) {
	_, small := goodAggregate(b, "snarkpack2")
	const deep = 13 // rounds
	repeat := func(part []byte) []byte { return bytes.Repeat(part, deep) }
	p := small.Proof
	large := small
	large.Proof = slices.Concat(p[:atCount], binary.LittleEndian.AppendUint32(nil, 1<<deep), repeat(p[atRounds:atRounds+4*gtLen]), repeat(p[atCommsC:atCommsC+4*gtLen]),
		repeat(p[atZAB:atZAB+2*gtLen]), repeat(p[atZC:atZC+2*g1Len]), p[atFinal:])
	large.SealProof = abi.RegisteredSealProof_StackedDrg32GiBV1_1
	large.Infos = nil
	for i := range 819 {
		info := small.Infos[0]
		info.Number = abi.SectorNumber(i)
		large.Infos = append(large.Infos, info)
	}
	dir := filepath.Join(shared, "keys-simulated")
	if _, err := os.Stat(dir); err != nil {
		b.Skip(err)
	}
	v := openKeys(b, dir)
	srs, err := v.keys.SRS(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	srs.MaxProofs = 1 << deep // as the published one has
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := v.VerifyAggregateSeals(context.Background(), large); ok || err != nil {
			b.Fatalf("%v, %v", ok, err)
		}
	}
}

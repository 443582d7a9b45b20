#!/usr/bin/env bash
# Lotus: the actor bundle v19 that its module carries is v18's, byte for byte.
#
# Packages  github.com/filecoin-project/lotus v1.36.2 and v1.36.3 (Go modules, files only; 33 MB each),
#           github.com/klauspost/compress v1.19.0
# Needs     Go 1.25 or newer
# Expected  The archive v19.tar.zst holds the actors of network version 29, which differ from those of 28 (FIP-0118).
# Seen      The compressed archives differ, and that hides it: the files in them are equal, of all networks. A node or a
#           tool that goes by the number in the file's name runs the old actors under the new name.
#
# What it printed, and must print:
#> v1.36.2: v18 and v19 hold 7 CAR files each, 7 of them equal; the archives are equal: false
#> v1.36.2: v17 and v18 hold 7 CAR files each, 0 of them equal; the archives are equal: false
#> v1.36.3: v18 and v19 hold 7 CAR files each, 7 of them equal; the archives are equal: false
#> v1.36.3: v17 and v18 hold 7 CAR files each, 0 of them equal; the archives are equal: false
set -euo pipefail

expected=$(sed -n 's/^#> //p' "$0")
command -v go >/dev/null || { echo "needs Go" >&2; exit 3; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod

cat > go.mod <<'EOF'
module finding

go 1.25.0

require github.com/klauspost/compress v1.19.0
EOF
cat > main.go <<'EOF'
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// main takes pairs: a version of Lotus and the folder of its module.
func main() {
	for i := 1; i < len(os.Args); i += 2 {
		for _, pair := range [][2]string{{"v18", "v19"}, {"v17", "v18"}} {
			a, rawA := read(os.Args[i+1], pair[0])
			b, rawB := read(os.Args[i+1], pair[1])
			equal := 0
			for name, sum := range a {
				if b[name] == sum {
					equal++
				}
			}
			if len(a) != len(b) {
				fmt.Println("other files")
			}
			fmt.Printf("%s: %s and %s hold %d CAR files each, %d of them equal; the archives are equal: %v\n",
				os.Args[i], pair[0], pair[1], len(a), equal, bytes.Equal(rawA, rawB))
		}
	}
}

// read gives the hashes of an archive's files by name, and the archive.
func read(lotus, version string) (map[string][32]byte, []byte) {
	raw, err := os.ReadFile(filepath.Join(lotus, "build", "actors", version+".tar.zst"))
	check(err)
	z, err := zstd.NewReader(bytes.NewReader(raw))
	check(err)
	defer z.Close()
	files := map[string][32]byte{}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return files, raw
		}
		check(err)
		if filepath.Ext(h.Name) != ".car" {
			continue
		}
		data, err := io.ReadAll(t)
		check(err)
		files[filepath.Base(h.Name)] = sha256.Sum256(data)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
go build -o finding . || { echo "could not be built" >&2; exit 3; }
args=()
for version in v1.36.2 v1.36.3; do
	got=$(go mod download -json "github.com/filecoin-project/lotus@$version") || { echo "could not be fetched" >&2; exit 3; }
	args+=("$version" "$(printf '%s\n' "$got" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')")
done
seen=$(./finding "${args[@]}" 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }

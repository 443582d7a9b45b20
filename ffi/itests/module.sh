# For the scripts of this module: a temporary module that requires Lotus or Venus as it is, and replaces filecoin-ffi by
# this one.
version=v1.36.3 venus_version=v1.20.0
# EDGEFVM_TAGS are build tags, such as wasmedge, for engines that need one; EDGEFVM_COMPILER then names an edgefvm with that tag.
export GOWORK=off GOFLAGS="-mod=mod -buildvcs=false ${EDGEFVM_TAGS:+-tags=$EDGEFVM_TAGS}" CGO_ENABLED=${CGO_ENABLED:-1}

# source_of MODULE VERSION DIR: prints the folder of a module's source.
source_of() {
  local dir
  dir=$(cd "$3" && go mod download -json "$1@$2" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
  test -d "$dir" || { echo "$1 $2 could not be downloaded" >&2; return 1; }
  echo "$dir"
}

# make_node_module DIR MODULE VERSION SOURCE: a module that is the node's own go.mod, every version pinned as there,
# with the replacements.
make_node_module() {
  local ffi
  ffi=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  cp "$4/go.mod" "$1/go.mod"
  chmod u+w "$1/go.mod"
  ( cd "$1"
    go mod edit -module nodetests -require "$2@$3" -dropreplace github.com/filecoin-project/test-vectors \
      -replace "github.com/filecoin-project/filecoin-ffi=$ffi" -replace "github.com/edgefvm/fvm=$(dirname "$ffi")"
    sort -u "$4/go.sum" "$ffi/go.sum" "$ffi/../go.sum" > go.sum )
}

# make_module DIR: sets lotus to the folder of Lotus's source, and makes its module. Of what Lotus requires, lotus-shed
# alone uses go-kamt-ipld, and not every proxy has it: an empty module takes its place.
make_module() {
  lotus=$(source_of github.com/filecoin-project/lotus "$version" "$1") || return 1
  make_node_module "$1" github.com/filecoin-project/lotus "$version" "$lotus"
  mkdir -p "$1/kamt"
  printf 'module github.com/filecoin-project/go-kamt-ipld\n\ngo 1.25\n' > "$1/kamt/go.mod"
  (cd "$1" && go mod edit -replace github.com/filecoin-project/go-kamt-ipld=./kamt)
}

# make_venus_module DIR: sets venus to the folder of Venus's source, and makes its module.
make_venus_module() {
  venus=$(source_of github.com/filecoin-project/venus "$venus_version" "$1") || return 1
  make_node_module "$1" github.com/filecoin-project/venus "$venus_version" "$venus"
}

# without_cgo DIR: after make_module, for a build of all of Lotus with CGO_ENABLED=0. Two things stand in the way there.
# Four files whose code is Go carry the build tag cgo, since the original needs it: a copy of Lotus has them without.
# And sqlite is C: a module of ten lines puts modernc.org/sqlite, which is Go, in the place of go-sqlite3.
without_cgo() {
  export CGO_ENABLED=0
  rm -rf "$1/lotus-source"
  cp -r "$lotus" "$1/lotus-source"
  lotus=$1/lotus-source
  chmod -R u+w "$lotus"
  grep -rl '^//go:build cgo$' "$lotus/chain" "$lotus/storage" --include='*.go' | xargs sed -i '1{/^\/\/go:build cgo$/d}'
  mkdir -p "$1/sqlite3"
  # What sqlite needs stands there too, as its own go.mod has it: else the newest of each would be taken.
  printf 'module github.com/mattn/go-sqlite3\n\ngo 1.24\n\nrequire (\n\tmodernc.org/sqlite v1.46.1\n\tmodernc.org/libc v1.67.6\n\tmodernc.org/mathutil v1.7.1\n\tmodernc.org/memory v1.11.0\n\tgithub.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec\n)\n' > "$1/sqlite3/go.mod"
  printf 'package sqlite3\n\nimport (\n\t"database/sql"\n\n\t"modernc.org/sqlite"\n)\n\nfunc init() { sql.Register("sqlite3", &sqlite.Driver{}) }\n' > "$1/sqlite3/sqlite3.go"
  ( cd "$1"
    go mod edit -replace github.com/mattn/go-sqlite3=./sqlite3 -replace "github.com/filecoin-project/lotus=$lotus" )
}

# For itests.sh and devnet.sh: a temporary module that requires Lotus as it is, and replaces filecoin-ffi by this one.
version=v1.36.2
# EDGEFVM_TAGS are build tags, such as wasmedge, for engines that need one.
export GOWORK=off GOFLAGS="-mod=mod -buildvcs=false ${EDGEFVM_TAGS:+-tags=$EDGEFVM_TAGS}" CGO_ENABLED=1

# make_module DIR: sets lotus to the folder of Lotus's source. The module is Lotus's own go.mod, every version pinned
# as there, with the replacements.
make_module() {
  local ffi
  ffi=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  lotus=$(cd "$1" && go mod download -json "github.com/filecoin-project/lotus@$version" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
  test -d "$lotus" || { echo "Lotus $version could not be downloaded" >&2; return 1; }
  cp "$lotus/go.mod" "$1/go.mod"
  chmod u+w "$1/go.mod"
  ( cd "$1"
    go mod edit -module lotusitests -require "github.com/filecoin-project/lotus@$version" \
      -dropreplace github.com/filecoin-project/test-vectors \
      -replace "github.com/filecoin-project/filecoin-ffi=$ffi" -replace "github.com/edgefvm/fvm=$(dirname "$ffi")"
    sort -u "$lotus/go.sum" "$ffi/go.sum" "$ffi/../go.sum" > go.sum )
}

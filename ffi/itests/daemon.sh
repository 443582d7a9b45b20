# For devnet.sh, judged.sh and follow.sh, after module.sh: Lotus's own daemon as a development network. Everything is in
# the current folder, which make_module made a module of.
#
# The daemon is built with the tags 2k and debug, which takes proofs that are none, or with those that daemon_tags names.
# It would fetch the published keys, which are not for here: go-paramfetch is replaced by one that fetches nothing, and
# values of the random beacon are made up.

# build_daemon FFI: builds lotus, and devnet, which drives it.
build_daemon() {
  local tags=${daemon_tags:-2k,debug}${EDGEFVM_TAGS:+,$EDGEFVM_TAGS}
  mkdir -p paramfetch driver
  printf 'module github.com/filecoin-project/go-paramfetch\n\ngo 1.24\n' > paramfetch/go.mod
  printf 'package paramfetch\n\nimport "context"\n\nfunc GetParams(context.Context, []byte, []byte, uint64) error { return nil }\n' > paramfetch/paramfetch.go
  go mod edit -replace github.com/filecoin-project/go-paramfetch=./paramfetch
  cp "$1"/itests/testdata/daemon/*.go driver/
  go build -tags "$tags" -o lotus github.com/filecoin-project/lotus/cmd/lotus
  go build -tags "$tags" -o devnet ./driver
}

# new_devnet: a genesis, by make_genesis if that is set, and an empty repository for the daemon.
new_devnet() {
  rm -rf repo
  ${make_genesis:-./devnet genesis} "$PWD"
  export LOTUS_PATH=$PWD/repo LOTUS_DIR=$lotus LOTUS_IGNORE_DRAND=_yes_ LOTUS_SKIP_GENESIS_CHECK=_yes_ LOTUS_F3_ENABLED=0
  export LOTUS_FEVM_ENABLEETHRPC=true LOTUS_CHAININDEXER_ENABLEINDEXER=true
  port=${EDGEFVM_DEVNET_PORT:-31234}
  export LOTUS_API_LISTENADDRESS=/ip4/127.0.0.1/tcp/$port/http LOTUS_LIBP2P_LISTENADDRESSES=/ip4/127.0.0.1/tcp/0
}

# start_daemon: sets pid. The first time the daemon makes the genesis.
start_daemon() {
  local genesis=()
  [ -e repo ] || genesis=("--lotus-make-genesis=$PWD/devnet.car" "--genesis-template=$PWD/genesis.json")
  ./lotus daemon --api "$port" "${genesis[@]}" --bootstrap=false >> daemon.log 2>&1 &
  pid=$!
}

module github.com/edgefvm/fvm/node

go 1.25.14

require (
	github.com/edgefvm/fvm v0.1.0
	github.com/filecoin-project/go-address v1.2.0
	github.com/filecoin-project/go-state-types v0.19.0
	github.com/ipfs/go-block-format v0.2.4
	github.com/ipfs/go-cid v0.6.2
	github.com/ipfs/go-ipld-cbor v0.3.0
	github.com/ipfs/go-ipld-format v0.6.3
	github.com/klauspost/compress v1.20.4
	github.com/multiformats/go-multihash v0.2.3
	github.com/whyrusleeping/cbor-gen v0.3.1
)

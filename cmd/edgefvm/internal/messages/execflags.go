package messages

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/network"
)

// stateFlags say what the message runs on.
func (x *execFlags) stateFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&x.cars, "car", nil, "archive `file` with the state (CAR of version 1 or 2, plain or packed by gzip or zstd), or a folder of a store (may be repeated)")
	f.StringVar(&x.chain, "chain", "", "archive `file` of a chain to run in, instead of --car and --root")
	f.Int64Var(&x.at, "at", -1, "`epoch` of the chain's tipset to run in (default: the head's)")
	f.StringVar(&x.store, "store", "", "`folder` of states of a replay of the chain")
	f.StringVar(&x.root, "root", "", "state root `CID` (default: the first CAR's first root)")
	f.StringVar(&x.network, "network", "", "the network, `NAME|FILE`: "+strings.Join(network.Names(), ", ")+", or a description in JSON (default: mainnet)")
	f.UintVar(&x.nv, "nv", 0, "network version (default: by the state's actors and the epoch)")
	f.Int64Var(&x.epoch, "epoch", 0, "epoch of the tipset (default: that of the CAR's headers, or by --timestamp)")
	f.Uint64Var(&x.timestamp, "timestamp", 0, "timestamp of the tipset in seconds since 1970 (default: the network's at the epoch)")
	f.Uint64Var(&x.chainID, "chain-id", 314, "chain id (EIP-155), which names the network too; --network brings its own")
	f.StringVar(&x.baseFee, "base-fee", "100", "base fee in attoFIL (default: that of the CAR's headers, else 100)")
	f.StringVar(&x.supply, "circ-supply", "2000000000fil", "circulating supply (default: that of the CAR's headers and state, else 2,000,000,000 FIL)")
	f.StringVar(&x.actors, "actors", "", "bundle `NAME` such as v16/mainnet (default: the one that the state's list of actors is of)")
}

// messageFlags say what the message is.
func (x *execFlags) messageFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&x.message, "message", "", "the whole message, `DATA`: its CBOR, with or without a signature, its JSON, or an Ethereum transaction")
	f.StringVar(&x.from, "from", "", "sender's `address`: f0100, f1..., f3..., f410f..., 0x...")
	f.StringVar(&x.to, "to", "", "receiver's `address`")
	f.StringVar(&x.value, "value", "0", "value in attoFIL, or with a unit as 1.5fil, 20nanofil")
	f.StringVar(&x.method, "method", "0", "method number, or the name of a method of the receiver")
	f.StringVar(&x.params, "params", "", "parameters, `DATA`: CBOR, or JSON that is encoded by the receiver's method")
	f.Int64Var(&x.nonce, "nonce", -1, "nonce (default: the sender's)")
	f.Int64Var(&x.gasLimit, "gas-limit", 0, "gas limit (default: the one that a node would estimate)")
	f.StringVar(&x.feeCap, "gas-fee-cap", "", "gas fee cap in attoFIL a unit of gas (default: the base fee)")
	f.StringVar(&x.premium, "gas-premium", "0", "gas premium in attoFIL a unit of gas")
	f.BoolVar(&x.implicit, "implicit", false, "a message of the system: no fees, no nonce")
	f.IntVar(&x.chainLen, "chain-len", -1, "length on the chain in bytes (default: the message's, with its signature)")
	x.writtenFlags(cmd)
}

// outsideFlags say what only a chain knows.
func (x *execFlags) outsideFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&x.randomness, "randomness", nil, "digest of randomness for all epochs, `[EPOCH=]HEX`, or a file: with it, or in JSON as vectors have it, or {\"EPOCH\": \"HEX\"} (may be repeated)")
	f.StringArrayVar(&x.beacon, "beacon-randomness", nil, "the same of the beacon alone, `[EPOCH=]HEX`: blake2b-256 of the data of the epoch's beacon entry")
	f.StringArrayVar(&x.ticket, "ticket-randomness", nil, "the same of tickets alone, `[EPOCH=]HEX`: blake2b-256 of the proof of the epoch's least ticket")
	f.StringArrayVar(&x.tipsets, "tipset", nil, "CID of the key of an epoch's tipset, `[EPOCH=]CID` (may be repeated)")
	f.StringVar(&x.proofs, "proofs", "", "who judges proofs: the `FOLDER` of the network's verifying keys, or assume-valid or assume-invalid")
	kit.TrustFlag(cmd, &x.trust)
	f.BoolVar(&x.logs, "logs", false, "let actors write logs, and show them; their gas counts, as on networks with actor debugging only")
}

package messages

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

// execFlags are the flags of exec.
type execFlags struct {
	set                             kit.Setting
	cars                            []string
	root                            string
	nv                              uint
	epoch                           int64
	timestamp, chainID              uint64
	baseFee, supply                 string
	message                         string
	from, to, value, method, params string
	nonce                           int64
	gasLimit                        int64
	feeCap, premium                 string
	implicit, asJSON                bool
	chainLen                        int
	actors                          string
	out                             string
}

func newExec() *cobra.Command {
	var x execFlags
	cmd := &cobra.Command{
		Use:   "exec --car STATE.car --nv N --epoch N (--message M | --from A --to A ...)",
		Short: "Apply one message to a state and print the receipt",
		Long: `Applies a message to the state in a CAR and prints the receipt. The message is given
whole (CBOR as hex, base64 or a file), or by its parts. The actors' code is taken from the
CAR, and from the network's bundle for --nv unless --actors or --bundle names others. The
state that --out writes serves as --car for the next message. An exit code of the message
other than 0 makes the command's 1.

Nothing outside the state is known: a message that needs randomness, a tipset or a proof
verifier ends with an error that says so.`,
		Example: `  edgefvm exec --car testdata/multisig.car --nv 28 --epoch 5800470 --message testdata/multisig.msg
  edgefvm exec --car state.car --nv 28 --epoch 5800000 --from f0100 --to f0101 --value 1.5fil
  edgefvm exec --car state.car --root bafy2bz... --nv 28 --epoch 5800000 --message message.cbor --out after.car
  edgefvm exec --car state.car --nv 28 --epoch 5800000 --from f0100 --to f02 --method 3 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return x.run(cmd) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&x.cars, "car", nil, "CAR `file` with the state, plain or gzip (may be repeated)")
	f.StringVar(&x.root, "root", "", "state root `CID` (default: the first CAR's first root)")
	f.UintVar(&x.nv, "nv", 0, "network version")
	f.Int64Var(&x.epoch, "epoch", 0, "epoch of the tipset")
	f.Uint64Var(&x.timestamp, "timestamp", 0, "timestamp of the tipset in seconds (default: 30 an epoch)")
	f.Uint64Var(&x.chainID, "chain-id", 314, "chain id (EIP-155)")
	f.StringVar(&x.baseFee, "base-fee", "100", "base fee in attoFIL")
	f.StringVar(&x.supply, "circ-supply", "2000000000fil", "circulating supply")
	f.StringVar(&x.message, "message", "", "the whole message: `FILE|HEX|BASE64` of its CBOR")
	f.StringVar(&x.from, "from", "", "sender's address")
	f.StringVar(&x.to, "to", "", "receiver's address")
	f.StringVar(&x.value, "value", "0", "value in attoFIL, or in FIL as 1.5fil")
	f.StringVar(&x.method, "method", "0", "method number, or the name of a method of the receiver")
	f.StringVar(&x.params, "params", "", "parameters, `FILE|HEX|BASE64`")
	f.Int64Var(&x.nonce, "nonce", -1, "nonce (default: the sender's)")
	f.Int64Var(&x.gasLimit, "gas-limit", 10_000_000_000, "gas limit")
	f.StringVar(&x.feeCap, "gas-fee-cap", "", "gas fee cap in attoFIL a unit of gas (default: the base fee)")
	f.StringVar(&x.premium, "gas-premium", "0", "gas premium in attoFIL a unit of gas")
	f.BoolVar(&x.implicit, "implicit", false, "a message of the system: no fees, no nonce")
	f.IntVar(&x.chainLen, "chain-len", -1, "length on the chain in bytes (default: the message's, with a signature for f1)")
	f.StringVar(&x.actors, "actors", "", "bundle `NAME` such as v16/mainnet (default: mainnet's for --nv)")
	f.StringVarP(&x.out, "out", "o", "", "write the new state to this CAR `file`")
	f.BoolVar(&x.asJSON, "json", false, "print JSON")
	x.set.Flags(cmd)
	for _, name := range []string{"car", "nv", "epoch"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

// partFlags make a message from its parts.
var partFlags = []string{"from", "to", "value", "method", "params", "nonce", "gas-limit", "gas-fee-cap", "gas-premium"}

// check finds what is wrong with the flags before anything is read.
func (x *execFlags) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	if given("message") {
		for _, name := range partFlags {
			if given(name) {
				return kit.Usagef("--message is the whole message: leave out --%s", name)
			}
		}
		if x.message == "" {
			return kit.Usagef("--message is empty: want a file, hex or base64")
		}
	} else if x.from == "" || x.to == "" {
		return kit.Usagef("which message? Give --message, or --from and --to")
	}
	first, last, preview := fvm.NetworkVersions()
	if x.nv < uint(first) || x.nv > uint(preview) {
		return kit.Usagef("--nv %d: network versions %d to %d are known, and %d as a preview", x.nv, first, last, preview)
	}
	if x.nv == uint(preview) && x.actors == "" && len(x.set.CARs) == 0 {
		return kit.Usagef("--nv %d has no actors yet: name some with --actors or --bundle", x.nv)
	}
	if x.epoch < 0 {
		return kit.Usagef("--epoch %d is negative", x.epoch)
	}
	if x.message == "" && x.gasLimit <= 0 {
		return kit.Usagef("--gas-limit %d: a message needs some gas", x.gasLimit)
	}
	return nil
}

func (x *execFlags) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	if err := x.check(cmd); err != nil {
		return err
	}
	state, err := x.openState(cmd)
	if err != nil {
		return err
	}
	defer state.files.Close()
	code, err := x.loadActors(cmd)
	if err != nil {
		return err
	}
	engine, err := x.set.Start()
	if err != nil {
		return err
	}
	defer engine.Close(context.WithoutCancel(ctx))
	cfg, err := x.config(state.root, &blockstore.Overlay{Top: &state.Overlay, Base: code}, engine)
	if err != nil {
		return err
	}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return fmt.Errorf("the state %s: %w", state.root, err)
	}
	msg, err := x.build(ctx, m)
	if err != nil {
		return err
	}
	kind := fvm.Explicit
	if x.implicit {
		kind = fvm.Implicit
	}
	length, err := x.length(msg)
	if err != nil {
		return err
	}
	res, err := m.Apply(ctx, msg, kind, length)
	if errors.Is(err, fvm.ErrInvalidMessage) {
		return err
	}
	if err != nil {
		return fmt.Errorf("the message has no receipt: %w%s", err, hint(ctx, cfg, msg))
	}
	after, err := m.Flush(ctx)
	if err != nil {
		return err
	}
	if x.out != "" {
		if err := writeState(ctx, x.out, &state.Overlay, after); err != nil {
			return err
		}
	}
	if err := x.printResult(cmd, res, after); err != nil {
		return err
	}
	if res.ExitCode != 0 {
		return kit.ErrFailed
	}
	return nil
}

func (x *execFlags) config(root cid.Cid, store blockstore.Blockstore, engine *fvm.Engine) (fvm.Config, error) {
	baseFee, err := parseAmount("--base-fee", x.baseFee)
	if err != nil {
		return fvm.Config{}, err
	}
	supply, err := parseAmount("--circ-supply", x.supply)
	if err != nil {
		return fvm.Config{}, err
	}
	if x.timestamp == 0 {
		x.timestamp = uint64(x.epoch) * 30
	}
	return fvm.Config{
		NetworkVersion: network.Version(x.nv), Preview: true, Epoch: abi.ChainEpoch(x.epoch), Timestamp: x.timestamp, ChainID: x.chainID,
		BaseFee: baseFee, CircSupply: supply, StateRoot: root, Blockstore: store, Engine: engine,
	}, nil
}

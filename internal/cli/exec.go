package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"github.com/spf13/cobra"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
)

// execFlags are the flags of exec.
type execFlags struct {
	set                             setting
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
CAR, and from the network's bundle for --nv unless --bundle names others.

Nothing outside the state is known: a message that needs randomness, a tipset or a proof
verifier ends with an error that says so.`,
		Example: `  edgefvm exec --car state.car --nv 28 --epoch 5800000 --from f0100 --to f0101 --value 1.5fil
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
	f.StringVar(&x.message, "message", "", "the whole message: `HEX|BASE64|FILE` of its CBOR")
	f.StringVar(&x.from, "from", "", "sender's address")
	f.StringVar(&x.to, "to", "", "receiver's address")
	f.StringVar(&x.value, "value", "0", "value in attoFIL, or in FIL as 1.5fil")
	f.StringVar(&x.method, "method", "0", "method number, or a public method's name")
	f.StringVar(&x.params, "params", "", "parameters, `HEX|BASE64|FILE`")
	f.Int64Var(&x.nonce, "nonce", -1, "nonce (default: the sender's)")
	f.Int64Var(&x.gasLimit, "gas-limit", 10_000_000_000, "gas limit")
	f.StringVar(&x.feeCap, "gas-fee-cap", "0", "gas fee cap in attoFIL a unit of gas")
	f.StringVar(&x.premium, "gas-premium", "0", "gas premium in attoFIL a unit of gas")
	f.BoolVar(&x.implicit, "implicit", false, "a message of the system: no fees, no nonce")
	f.IntVar(&x.chainLen, "chain-len", -1, "length on the chain in bytes (default: the message's, with a signature for f1)")
	f.StringVar(&x.actors, "actors", "", "bundle `NAME` such as v16/mainnet (default: mainnet's for --nv)")
	f.StringVarP(&x.out, "out", "o", "", "write the new state to this CAR `file`")
	f.BoolVar(&x.asJSON, "json", false, "print JSON")
	x.set.flags(cmd)
	for _, name := range []string{"car", "nv", "epoch"} {
		_ = cmd.MarkFlagRequired(name)
	}
	cmd.MarkFlagsMutuallyExclusive("message", "from")
	cmd.MarkFlagsMutuallyExclusive("message", "to")
	cmd.MarkFlagsOneRequired("message", "from")
	cmd.MarkFlagsRequiredTogether("from", "to")
	return cmd
}

func (x *execFlags) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	state, root, err := x.loadState(ctx)
	if err != nil {
		return err
	}
	code, err := x.loadActors(cmd)
	if err != nil {
		return err
	}
	engine, err := x.set.start()
	if err != nil {
		return err
	}
	defer engine.Close(context.WithoutCancel(ctx))
	cfg, err := x.config(root, &blockstore.Overlay{Top: state, Base: code}, engine)
	if err != nil {
		return err
	}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return err
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
	if err != nil {
		return fmt.Errorf("the message has no receipt: %w", err)
	}
	after, err := m.Flush(ctx)
	if err != nil {
		return err
	}
	if x.out != "" {
		if err := writeState(ctx, x.out, state, after); err != nil {
			return err
		}
	}
	if err := x.printResult(cmd, res, after); err != nil {
		return err
	}
	if res.ExitCode != 0 {
		return errFailed
	}
	return nil
}

func (x *execFlags) loadState(ctx context.Context) (*blockstore.Memory, cid.Cid, error) {
	state := blockstore.NewMemory()
	root := cid.Undef
	for _, path := range x.cars {
		f, err := os.Open(path)
		if err != nil {
			return nil, root, fmt.Errorf("--car: %w", err)
		}
		roots, err := blockstore.LoadCAR(ctx, f, state, blockstore.CAROptions{})
		f.Close()
		if err != nil {
			return nil, root, fmt.Errorf("--car %s: %w", path, err)
		}
		if len(roots) > 0 && !root.Defined() {
			root = roots[0]
		}
	}
	if x.root != "" {
		var err error
		if root, err = cid.Decode(x.root); err != nil {
			return nil, root, usagef("--root %q: %w", x.root, err)
		}
	}
	if !root.Defined() {
		return nil, root, usagef("the CAR names no root: give --root")
	}
	return state, root, nil
}

func (x *execFlags) loadActors(cmd *cobra.Command) (*blockstore.Memory, error) {
	ctx, store := cmd.Context(), blockstore.NewMemory()
	for _, path := range x.set.cars {
		if _, err := bundle.LoadCARFile(ctx, path, store); err != nil {
			return nil, err
		}
	}
	if len(x.set.cars) > 0 {
		return store, nil
	}
	version, net := 0, "mainnet"
	var err error
	if x.actors != "" {
		if version, net, err = bundle.ParseName(x.actors); err != nil {
			return nil, usageError{err}
		}
	} else if version, err = bundle.VersionFor(network.Version(x.nv)); err != nil {
		return nil, usageError{err}
	}
	s, err := bundle.Open(ctx, x.set.bundleOptions(cmd))
	if err != nil {
		return nil, err
	}
	_, err = s.Load(ctx, version, net, store)
	return store, err
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

// build makes the message from the flags.
func (x *execFlags) build(ctx context.Context, m *fvm.Machine) (*fvm.Message, error) {
	if x.message != "" {
		data, err := readData("--message", x.message)
		if err != nil {
			return nil, err
		}
		msg, err := fvm.DecodeMessage(data)
		if err != nil {
			return nil, fmt.Errorf("--message: %w", err)
		}
		return msg, nil
	}
	msg := &fvm.Message{GasLimit: x.gasLimit}
	var err error
	read := func(name, s string, into *address.Address) {
		if err == nil {
			if *into, err = address.NewFromString(s); err != nil {
				err = usagef("%s %q: %w", name, s, err)
			}
		}
	}
	amount := func(name, s string, into *abi.TokenAmount) {
		if err == nil {
			*into, err = parseAmount(name, s)
		}
	}
	read("--from", x.from, &msg.From)
	read("--to", x.to, &msg.To)
	amount("--value", x.value, &msg.Value)
	amount("--gas-fee-cap", x.feeCap, &msg.GasFeeCap)
	amount("--gas-premium", x.premium, &msg.GasPremium)
	if err != nil {
		return nil, err
	}
	if msg.Method, err = parseMethod(x.method); err != nil {
		return nil, usageError{err}
	}
	if x.params != "" {
		if msg.Params, err = readData("--params", x.params); err != nil {
			return nil, err
		}
	}
	if x.nonce >= 0 || x.implicit {
		msg.Nonce = uint64(max(x.nonce, 0))
		return msg, nil
	}
	_, st, err := m.Actor(ctx, msg.From)
	if err != nil {
		return nil, fmt.Errorf("looking up the sender's nonce: %w", err)
	}
	if st != nil {
		msg.Nonce = st.Nonce
	}
	return msg, nil
}

// length is the message's length on the chain.
func (x *execFlags) length(msg *fvm.Message) (int, error) {
	if x.chainLen >= 0 {
		return x.chainLen, nil
	}
	var buf bytes.Buffer
	if err := msg.MarshalCBOR(&buf); err != nil {
		return 0, err
	}
	const signature = 69 // of secp256k1, with its framing
	if p := msg.From.Protocol(); p == address.SECP256K1 || p == address.Delegated {
		return buf.Len() + signature, nil
	}
	return buf.Len(), nil
}

// parseAmount reads attoFIL, or FIL with the ending "fil".
func parseAmount(name, s string) (abi.TokenAmount, error) {
	digits, inFIL := strings.CutSuffix(strings.ToLower(strings.TrimSpace(s)), "fil")
	whole, part, dot := strings.Cut(digits, ".")
	if (dot && !inFIL) || len(part) > 18 {
		return big.Zero(), usagef("%s %q: want whole attoFIL, or FIL as 1.5fil", name, s)
	}
	if inFIL {
		whole += part + strings.Repeat("0", 18-len(part))
	}
	v, err := big.FromString(whole)
	if err != nil || v.Sign() < 0 || strings.HasPrefix(whole, "+") {
		return big.Zero(), usagef("%s %q: want whole attoFIL, or FIL as 1.5fil", name, s)
	}
	return v, nil
}

const maxData = 64 << 20 // bytes of a message's file

// readData reads bytes from hex, base64, or a file that holds them or either of these.
func readData(name, s string) ([]byte, error) {
	if data, ok := decodeText(s); ok {
		return data, nil
	}
	f, err := os.Open(s)
	if err != nil {
		return nil, usagef("%s: neither hex nor base64 nor a file: %w", name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxData))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if text, ok := decodeText(strings.TrimSpace(string(data))); ok && len(text) > 0 {
		return text, nil
	}
	return data, nil
}

func decodeText(s string) ([]byte, bool) {
	if data, err := hex.DecodeString(strings.TrimPrefix(s, "0x")); err == nil {
		return data, true
	}
	data, err := base64.StdEncoding.DecodeString(s)
	return data, err == nil
}

// writeState writes what the root reaches of the blocks that are there; the actors' code is left out.
func writeState(ctx context.Context, path string, state blockstore.Blockstore, root cid.Cid) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if err := errors.Join(blockstore.WriteCAR(f, []cid.Cid{root}, reachable(ctx, state, root)), f.Close()); err != nil {
		return fmt.Errorf("--out %s: %w", path, err)
	}
	return nil
}

// reachable yields each block below root that is in the store, once.
func reachable(ctx context.Context, state blockstore.Blockstore, root cid.Cid) iter.Seq2[blocks.Block, error] {
	return func(yield func(blocks.Block, error) bool) {
		seen := map[cid.Cid]bool{root: true}
		for todo := []cid.Cid{root}; len(todo) > 0; {
			c := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			b, err := state.Get(ctx, c)
			if err != nil && format.IsNotFound(err) {
				continue // a trimmed state, or code
			}
			if !yield(b, err) || err != nil {
				return
			}
			if c.Prefix().Codec != cid.DagCBOR {
				continue
			}
			// A block that is not DAG-CBOR after all has no links to follow.
			_ = cbg.ScanForLinks(bytes.NewReader(b.RawData()), func(l cid.Cid) {
				if !seen[l] {
					seen[l] = true
					todo = append(todo, l)
				}
			})
		}
	}
}

func (x *execFlags) printResult(cmd *cobra.Command, res *fvm.Result, root cid.Cid) error {
	events := make([]eventView, 0, len(res.Events))
	for _, e := range res.Events {
		events = append(events, viewEvent(e, ""))
	}
	meaning := exitName(res.ExitCode, "")
	if x.asJSON {
		out := map[string]any{
			"exit_code": res.ExitCode, "meaning": meaning, "return": hex.EncodeToString(res.Return), "gas_used": res.GasUsed,
			"events_root": res.EventsRoot, "events": events, "root": root.String(), "failure": res.Failure,
			"penalty": res.Penalty.String(), "miner_tip": res.MinerTip.String(), "base_fee_burn": res.BaseFeeBurn.String(),
			"over_estimation_burn": res.OverEstimationBurn.String(), "refund": res.Refund.String(), "gas_refund": res.GasRefund, "gas_burned": res.GasBurned,
		}
		return writeJSON(cmd, out)
	}
	g := &page{w: cmd.OutOrStdout(), p: newPainter(cmd.OutOrStdout())}
	g.line("exit code    %d (%s)", res.ExitCode, meaning)
	g.line("return       0x%s", hex.EncodeToString(res.Return))
	g.line("gas used     %d", res.GasUsed)
	if res.EventsRoot != nil {
		g.line("events root  %s", res.EventsRoot)
	}
	if !x.implicit {
		g.line("burnt        %s", fil(big.Add(res.BaseFeeBurn, res.OverEstimationBurn)))
		g.line("miner's tip  %s", fil(res.MinerTip))
		g.line("penalty      %s", fil(res.Penalty))
		g.line("refund       %s", fil(res.Refund))
	}
	g.line("state root   %s", root)
	if res.Failure != "" {
		g.line("failure      %s", strings.ReplaceAll(strings.TrimSpace(res.Failure), "\n", "\n             "))
	}
	(&explained{Events: events}).printEvents(g)
	return g.err
}

package messages

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/term"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/explain/text"
	"github.com/edgefvm/fvm/internal/disk/wholefile"
	"github.com/edgefvm/fvm/internal/layout"
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
	state, root, err := x.loadState(ctx)
	if err != nil {
		return err
	}
	code, err := x.loadActors(cmd)
	if err != nil {
		return err
	}
	engine, err := x.set.Start()
	if err != nil {
		return err
	}
	defer engine.Close(context.WithoutCancel(ctx))
	cfg, err := x.config(root, &blockstore.Overlay{Top: state, Base: code}, engine)
	if err != nil {
		return err
	}
	if ok, err := state.Has(ctx, root); err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("the CAR does not hold the state root %s: give the right --root or --car", root)
	}
	m, err := fvm.New(ctx, cfg)
	if err != nil {
		return fmt.Errorf("the state %s: %w", root, err)
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
		if err := writeState(ctx, x.out, state, after); err != nil {
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

func (x *execFlags) loadState(ctx context.Context) (*blockstore.Memory, cid.Cid, error) {
	state := blockstore.NewMemory()
	root := cid.Undef
	for _, path := range x.cars {
		f, err := os.Open(path)
		if err != nil {
			return nil, root, fmt.Errorf("--car %s: %w", path, plainError(err))
		}
		roots, err := blockstore.LoadCAR(ctx, f, state, blockstore.CAROptions{})
		f.Close()
		if errors.Is(err, blockstore.ErrCARBound) {
			return nil, root, fmt.Errorf("--car %s: packed by gzip, it grows beyond what is taken unasked (%w): unpack it first, with gunzip", path, plainError(err))
		}
		if err != nil {
			return nil, root, fmt.Errorf("--car %s: %w", path, plainError(err))
		}
		if len(roots) > 0 && !root.Defined() {
			root = roots[0]
		}
	}
	if x.root != "" {
		var err error
		if root, err = cid.Decode(x.root); err != nil {
			return nil, root, kit.Usagef("--root %q: want a CID such as bafy2bz...: %w", x.root, err)
		}
	}
	if !root.Defined() {
		return nil, root, kit.Usagef("the CAR names no root: give --root")
	}
	return state, root, nil
}

func (x *execFlags) loadActors(cmd *cobra.Command) (blockstore.Blockstore, error) {
	ctx, store := cmd.Context(), blockstore.NewMemory()
	for _, path := range x.set.CARs {
		if _, err := bundle.LoadCARFile(ctx, path, store); err != nil {
			return nil, err
		}
	}
	if len(x.set.CARs) > 0 {
		return store, nil
	}
	version, net := 0, "mainnet"
	var err error
	if x.actors != "" {
		if version, net, err = bundle.ParseName(x.actors); err != nil {
			return nil, kit.AsUsage(err)
		}
	} else if version, err = bundle.VersionFor(network.Version(x.nv)); err != nil {
		return nil, kit.AsUsage(err)
	}
	s, err := bundle.Open(ctx, x.set.BundleOptions(cmd))
	if err != nil {
		return nil, err
	}
	code, err := s.Store(ctx, version, net)
	return code, kit.BundleHint(ctx, s, bundle.Entry{Version: version, Network: net}.Name(), err)
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
		data, form, err := readData("--message", x.message)
		if err != nil {
			return nil, err
		}
		msg, err := fvm.DecodeMessage(data)
		if err != nil {
			return nil, fmt.Errorf("--message, %s of %d %s: %w; want a message's CBOR, without its signature", form, len(data), layout.Plural(len(data), "byte"), err)
		}
		return msg, nil
	}
	msg := &fvm.Message{GasLimit: x.gasLimit}
	var err error
	read := func(name, s string, into *address.Address) {
		if err == nil {
			if *into, err = address.NewFromString(s); err != nil {
				err = kit.Usagef("%s %q: %w; want an address such as f0100, f1... or f410f...", name, s, err)
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
	amount("--gas-fee-cap", cmp.Or(x.feeCap, x.baseFee), &msg.GasFeeCap)
	amount("--gas-premium", x.premium, &msg.GasPremium)
	if err != nil {
		return nil, err
	}
	receiver := ""
	if _, st, err := m.Actor(ctx, msg.To); err == nil && st != nil {
		receiver, _ = m.ActorName(st.Code)
	}
	if msg.Method, err = explain.ParseMethod(receiver, x.method); err != nil {
		return nil, kit.Usagef("--method %q: %w%s", x.method, err, kit.DidYouMean(x.method, explain.MethodNames(receiver)))
	}
	if x.params != "" {
		if msg.Params, _, err = readData("--params", x.params); err != nil {
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
	if (dot && !inFIL) || len(part) > 18 || whole+part == "" {
		return big.Zero(), kit.Usagef("%s %q: want whole attoFIL, or FIL as 1.5fil", name, s)
	}
	if inFIL {
		whole += part + strings.Repeat("0", 18-len(part))
	}
	v, err := big.FromString(whole)
	if err != nil || v.Sign() < 0 || strings.HasPrefix(whole, "+") {
		return big.Zero(), kit.Usagef("%s %q: want whole attoFIL, or FIL as 1.5fil", name, s)
	}
	return v, nil
}

const maxData = 64 << 20 // bytes of a message's file

// readData reads bytes from a file that holds them or their hex or base64, or from hex or base64 itself. A
// file comes first: the name of one may be hex or base64 by chance. form says which it was.
func readData(name, s string) (data []byte, form string, err error) {
	if info, err := os.Stat(s); err != nil || info.IsDir() {
		data, form, ok := decodeText(s)
		if !ok {
			return nil, "", kit.Usagef("%s %q: want a file, hex or base64; there is no such file", name, layout.Cut(s, 60))
		}
		return data, form, nil
	}
	f, err := os.Open(s)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	defer f.Close()
	data, err = io.ReadAll(io.LimitReader(f, maxData))
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	if text, form, ok := decodeText(strings.TrimSpace(string(data))); ok && len(text) > 0 {
		return text, "a file with " + form, nil
	}
	return data, "a file", nil
}

func decodeText(s string) (data []byte, form string, ok bool) {
	digits := s
	if len(s) >= 2 && strings.EqualFold(s[:2], "0x") {
		digits = s[2:]
	}
	if data, err := hex.DecodeString(digits); err == nil {
		return data, "hex", true
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if data, err := e.DecodeString(s); err == nil {
			return data, "base64", true
		}
	}
	return nil, "", false
}

// plainError leaves out the name of the file, which the message has already.
func plainError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// hint says what to do if the receiver's code is not among that of --nv, else nothing.
func hint(ctx context.Context, cfg fvm.Config, msg *fvm.Message) string {
	m, err := fvm.New(ctx, cfg) // the one that failed answers no more
	if err != nil {
		return ""
	}
	_, st, err := m.Actor(ctx, msg.To)
	if err != nil || st == nil {
		return ""
	}
	if ok, err := cfg.Blockstore.Has(ctx, st.Code); ok || err != nil {
		return ""
	}
	return fmt.Sprintf("; or is the state one of another network version? --nv is %d, and --actors or --bundle names other actors", cfg.NetworkVersion)
}

// writeState writes what the root reaches of the blocks that are there; the actors' code is left out.
func writeState(ctx context.Context, path string, state blockstore.Blockstore, root cid.Cid) error {
	err := wholefile.Write(path, func(w io.Writer) error {
		return blockstore.WriteCAR(w, []cid.Cid{root}, reachable(ctx, state, root))
	})
	if err != nil {
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
	events := make([]explain.Event, 0, len(res.Events))
	for _, e := range res.Events {
		events = append(events, explain.ViewEvent(e, ""))
	}
	meaning := explain.ExitMeaning(res.ExitCode, "")
	if x.asJSON {
		out := map[string]any{
			"exit_code": res.ExitCode, "meaning": meaning, "return": hex.EncodeToString(res.Return), "gas_used": res.GasUsed,
			"events_root": res.EventsRoot, "events": events, "root": root.String(), "failure": res.Failure,
			"penalty": res.Penalty.String(), "miner_tip": res.MinerTip.String(), "base_fee_burn": res.BaseFeeBurn.String(),
			"over_estimation_burn": res.OverEstimationBurn.String(), "refund": res.Refund.String(), "gas_refund": res.GasRefund, "gas_burned": res.GasBurned,
		}
		return kit.WriteJSON(cmd, out)
	}
	g := term.NewPage(cmd.OutOrStdout())
	g.Line("exit code    %d (%s)", res.ExitCode, meaning)
	g.Line("return       0x%s", hex.EncodeToString(res.Return))
	g.Line("gas used     %d", res.GasUsed)
	if res.EventsRoot != nil {
		g.Line("events root  %s", res.EventsRoot)
	}
	if !x.implicit {
		g.Line("burnt        %s", layout.FIL(big.Add(res.BaseFeeBurn, res.OverEstimationBurn)))
		g.Line("miner's tip  %s", layout.FIL(res.MinerTip))
		g.Line("penalty      %s", layout.FIL(res.Penalty))
		g.Line("refund       %s", layout.FIL(res.Refund))
	}
	g.Line("state root   %s", root)
	if res.Failure != "" {
		g.Line("failure      %s", strings.ReplaceAll(layout.Clean(strings.TrimSpace(res.Failure)), "\n", "\n             "))
	}
	if g.Err != nil {
		return g.Err
	}
	return text.WriteEvents(g.W, events, textOptions(g.W, 0))
}

package messages

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/actors"
)

// execFlags are the flags of exec.
type execFlags struct {
	written
	set                             kit.Setting
	cars                            []string
	root                            string
	network                         string // a name or a file; "": by the other flags and the state
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

	randomness, beacon, ticket, tipsets []string // of the world outside, see readOutside
	proofs                              string
	logs, explain, estimate, trust      bool
	chain, store                        string
	at                                  int64
	traceFile, save, abi                string
}

func newExec() *cobra.Command {
	var x execFlags
	cmd := &cobra.Command{
		Use:   "exec --car STATE.car|--chain CHAIN (--message M | --from A --to A ...)",
		Short: "Apply one message to a state and print the receipt",
		Long: `Applies a message to the state in a CAR and prints the receipt. The message is given
whole (--message), or by its parts. The state that --out writes serves as --car for the next
message. An exit code of the message other than 0 makes the command's 1.

` + formsHelp + `

The network (default: mainnet) gives the chain id, the time of the epoch, and, where the
state's own actors do not tell it, the network version; the receipt says who said what. The
actors' code is taken from the CAR, and what is missing there from the bundle that the state
names, unless --actors or --bundle names others.

The sender pays for the bytes of its signature. Which that is, its key in the state tells, also
of a sender that is named by its ID; the receipt says how many bytes were counted, and
--signature-type none counts none.

With --chain the message runs in a chain, before the messages of the tipset at an epoch: state,
epoch, base fee, time, supply, version and randomness are that tipset's. If its state is not
in the archive, the tipsets below it are executed first and compared with the chain, proofs
taken as valid; --store is a folder of states of a replay, which saves that.

Without --gas-limit the message gets the limit that a node would estimate. Its length on the
chain, which it pays for, is then counted as nodes count it meanwhile: with a block's limit in it.

What only a chain knows is said by --randomness, --tipset and --proofs; a message that needs
more ends with an error that names the flag. --explain, --trace and --save show what it did.`,
		Example: `  edgefvm exec --car testdata/multisig.car --epoch 5800470 --nv 28 --message testdata/multisig.msg
  edgefvm exec --car state.car --epoch 6100000 --from f0100 --to f0101 --value 1.5fil
  edgefvm exec --car state.car --network calibnet --epoch 3700000 --message message.cbor --out after.car
  edgefvm exec --car state.car --epoch 6100000 --from f0100 --to f02 --method 3 --json
  edgefvm exec --chain chain.car.zst --at 5803852 --from 0x5296... --to 0xff00... --calldata 0x06fdde03
  edgefvm exec --car state.car --epoch 6100000 --message message.json --explain --save mine.json
  edgefvm exec --car state.car --epoch 6100000 --from 0x52963ef50e27e06d72d59fcb4f3c2a687be3cfef --to 0xff00000000000000000000000000000000000077 --calldata 0x06fdde03`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return x.run(cmd) },
	}
	x.stateFlags(cmd)
	x.messageFlags(cmd)
	x.outsideFlags(cmd)
	f := cmd.Flags()
	f.StringVarP(&x.out, "out", "o", "", "write the new state to this CAR `file`")
	f.BoolVar(&x.explain, "explain", false, "show the calls, the gas by kind and what changed, as 'edgefvm explain'")
	f.StringVar(&x.traceFile, "trace", "", "write the trace into this `file`: as vectors have it, or with the ending .jsonl an event a line; .gz packs it")
	f.StringVar(&x.abi, "abi", "", "ABI of the contract, a `file` in JSON: for what it is called with, returns and reverts with")
	f.StringVar(&x.save, "save", "", "write the message as a vector, NAME.json, for 'explain', 'vectors run', 'sweep' and 'oracle apply', with the blocks that it read")
	f.BoolVar(&x.estimate, "estimate", false, "print the gas limit that a node would give the message, and stop")
	f.BoolVar(&x.asJSON, "json", false, "print JSON")
	x.set.Flags(cmd)
	return cmd
}

// check finds what is wrong with the flags before anything is read.
func (x *execFlags) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	if err := x.checkPlace(cmd); err != nil {
		return err
	}
	if err := x.checkWritten(cmd); err != nil {
		return err
	}
	first, last, preview := fvm.NetworkVersions()
	if given("nv") && (x.nv < uint(first) || x.nv > uint(preview)) {
		return kit.Usagef("--nv %d: network versions %d to %d are known, and %d as a preview", x.nv, first, last, preview)
	}
	if x.nv == uint(preview) && x.actors == "" && len(x.set.CARs) == 0 {
		return kit.Usagef("--nv %d has no actors yet: name some with --actors or --bundle", x.nv)
	}
	if x.epoch < 0 {
		return kit.Usagef("--epoch %d is negative", x.epoch)
	}
	if given("gas-limit") && x.gasLimit <= 0 {
		return kit.Usagef("--gas-limit %d: a message needs some gas", x.gasLimit)
	}
	return x.checkFiles()
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
	s, err := x.settle(cmd, state)
	if err != nil {
		return err
	}
	engine := state.engine
	if engine == nil {
		if engine, err = x.set.Start(); err != nil {
			return err
		}
		defer engine.Close(context.WithoutCancel(ctx))
	}
	defer kit.WatchCompiling(cmd.ErrOrStderr(), engine)()
	j, err := x.newJob(cmd, s, state, engine)
	if err != nil {
		return err
	}
	for _, w := range s.warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "edgefvm: warning: %s\n", w)
	}
	// Looks at the state as it is before the message.
	before, err := fvm.New(ctx, withTop(j.cfg))
	if err != nil {
		return fmt.Errorf("the state %s: %w", state.root, err)
	}
	if j.msg, err = x.build(ctx, &onState{before, j.cfg.Blockstore, s.version.is, s.chainID}); err != nil {
		return err
	}
	if j.length, err = x.length(j.msg); err != nil {
		return err
	}
	if x.estimate {
		return x.printEstimate(cmd, j, before)
	}
	t, err := j.run(ctx)
	if err != nil {
		return j.noReceipt(ctx, err)
	}
	return x.finish(cmd, s, j, before, t)
}

// finish writes what was asked for.
func (x *execFlags) finish(cmd *cobra.Command, s *setting, j *job, before *fvm.Machine, t *try) error {
	ctx := cmd.Context()
	after, err := t.m.Flush(ctx)
	if err != nil {
		return err
	}
	r, err := j.newReceipt(ctx, s, before, t, after)
	if err != nil {
		return err
	}
	x.tellRead(r)
	events := t.rec.Take()
	r.Logs = logsOf(events)
	if x.explain {
		if r.Explained, err = j.explain(ctx, t, events, after); err != nil {
			return err
		}
	}
	if x.out != "" {
		if err := writeState(ctx, x.out, &blockstore.Overlay{Top: t.top, Base: j.state.files}, after); err != nil {
			return err
		}
	}
	// What takes long is behind it: an interruption no longer leaves one of the files without the others.
	ctx = context.WithoutCancel(ctx)
	if x.traceFile != "" {
		if err := writeTrace(x.traceFile, events); err != nil {
			return err
		}
	}
	if x.save != "" {
		if err := j.save(ctx, x.save, s, t, events, after); err != nil {
			return err
		}
	}
	if err := r.print(cmd, x.asJSON); err != nil {
		return err
	}
	if t.res.ExitCode != 0 {
		return kit.ErrFailed
	}
	return nil
}

// withTop lets a machine write, into memory.
func withTop(cfg fvm.Config) fvm.Config {
	cfg.Blockstore = &blockstore.Overlay{Top: blockstore.NewMemory(), Base: cfg.Blockstore}
	return cfg
}

// newJob is the setting of a message that is not there yet.
func (x *execFlags) newJob(cmd *cobra.Command, s *setting, state *execState, engine *fvm.Engine) (*job, error) {
	baseFee, err := parseAmount(s.baseFee.by, s.baseFee.is)
	if err != nil {
		return nil, err
	}
	s.supply.by = "by --circ-supply"
	if s.supply.is, err = parseAmount("--circ-supply", x.supply); err != nil {
		return nil, err
	}
	code, err := x.loadActors(cmd, s)
	if err != nil {
		return nil, err
	}
	store := &blockstore.Overlay{Top: state.files, Base: code}
	o, err := x.readOutside(cmd.Context(), s.epoch.is)
	if err != nil {
		return nil, err
	}
	if s.onChain(state) {
		if err := o.readChain(cmd.Context(), s, state, store); err != nil {
			return nil, err
		}
	}
	if !cmd.Flags().Changed("circ-supply") {
		s.supply.by = byDefault
		if p := state.place; p != nil && s.onChain(state) {
			s.supply = said[abi.TokenAmount]{p.round.Supply.Circulating, "by the chain, as nodes compute it"}
		} else if s.onChain(state) && s.net.by != byDefault { // another network's rules would give another
			if v, ok := s.circSupply(cmd.Context(), store, state.root); ok {
				s.supply = said[abi.TokenAmount]{v, "by the state, as nodes compute it"}
			}
		}
	}
	abi, err := kit.LoadABI(x.abi)
	if err != nil {
		return nil, err
	}
	x.baseFee = s.baseFee.is
	j := &job{abi: abi, kind: fvm.Explicit, state: state, outside: o, watch: x.explain || x.logs || x.traceFile != "" || x.save != "", witness: x.save != ""}
	if x.implicit {
		j.kind = fvm.Implicit
	}
	if x.message == "" && x.gasLimit == 0 {
		x.gasLimit = blockGasLimit
		if !x.implicit {
			j.estimate = &estimate{}
		}
	}
	j.cfg = fvm.Config{
		NetworkVersion: s.version.is, Preview: true, Epoch: s.epoch.is, Timestamp: s.timestamp.is, ChainID: s.chainID,
		BaseFee: baseFee, CircSupply: s.supply.is, StateRoot: state.root, Blockstore: store, Engine: engine,
		Externs: o, Proofs: o.proofs, ActorDebugging: x.logs || x.network != "" && s.net.is.Constants.ActorDebugging,
	}
	return j, nil
}

// printEstimate prints the gas limit that a node would give.
func (x *execFlags) printEstimate(cmd *cobra.Command, j *job, before *fvm.Machine) error {
	j.estimate = &estimate{}
	t, err := j.run(cmd.Context())
	if err != nil {
		return j.noReceipt(cmd.Context(), err)
	}
	e := j.estimate
	if t.res.ExitCode != 0 {
		kind, code := kindOf(cmd.Context(), before, j.msg.To)
		exit := actors.ExplainExit(j.actorsVersion(code), kind, t.res.ExitCode)
		why := "a node would give no estimate"
		if e.exit == exitcode.Ok {
			why = "an estimate does not count what the gas costs the sender"
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "edgefvm: warning: the message fails with exit code %d (%s): %s; without --estimate the receipt tells more\n",
			t.res.ExitCode, layout.OneLine(exit.Meaning), why)
	}
	if x.asJSON {
		err = kit.WriteJSON(cmd, e)
	} else {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d\n", e.Limit)
	}
	if err == nil && t.res.ExitCode != 0 {
		return kit.ErrFailed
	}
	return err
}

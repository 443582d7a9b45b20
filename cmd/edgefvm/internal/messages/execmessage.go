package messages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/textform"
)

// written are the flags of what people write, and what was read of them.
type written struct {
	calldata, deploy string
	signatureType    string

	stdin io.Reader
	read  []readLine
	sig   signature
}

// readLine says what a flag was read as: "params", "89 bytes, from hex in a file".
type readLine struct{ what, as string }

// onState is what a message is read with: a machine on the state before it, and its blocks.
type onState struct {
	m       *fvm.Machine
	store   blockstore.Blockstore
	version network.Version
	chainID uint64
}

// formsHelp says how data are written, for the help of commands that take them.
const formsHelp = `Data are given as the name of a file, as @FILE, as - for standard input, or as text: hex
(0x..., white space allowed), base64 or JSON. A file holds text of these forms, or the
bytes. Nothing is guessed: short text that is hex and base64 and CBOR in both or neither, as
cafe is, needs 0x, hex: or base64: before it; raw:FILE takes a file's characters as the bytes.`

// writtenFlags add the flags and say what the others take.
func (x *execFlags) writtenFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&x.calldata, "calldata", "", "what a contract is called with, as Ethereum has it, `DATA`: wrapped in CBOR, for method InvokeContract")
	f.StringVar(&x.deploy, "deploy", "", "a contract to make, `DATA` of its init code or a compiler's JSON: --to f010, method CreateExternal")
	f.StringVar(&x.signatureType, "signature-type", "", "the signature that is counted: secp256k1, bls, delegated or none (default: by the key of the sender's account)")
}

// partFlags make a message from its parts.
var partFlags = []string{"from", "to", "value", "method", "params", "calldata", "deploy", "nonce", "gas-limit", "gas-fee-cap", "gas-premium"}

// checkWritten finds what is wrong with the flags of the message before anything is read.
func (x *execFlags) checkWritten(cmd *cobra.Command) error {
	x.stdin = cmd.InOrStdin()
	given := cmd.Flags().Changed
	if given("message") {
		for _, name := range partFlags {
			if given(name) {
				return kit.Usagef("--message is the whole message: leave out --%s", name)
			}
		}
	} else if x.from == "" || x.to == "" && !given("deploy") {
		return kit.Usagef("which message? Give --message, or --from and --to%s", map[bool]string{true: " (with --deploy --from alone)"}[given("deploy")])
	}
	for _, f := range []struct{ name, value, want string }{ // as a variable of a shell that is not set
		{"message", x.message, "want a file, hex, base64 or JSON"}, {"params", x.params, "no parameters are 0x"},
		{"calldata", x.calldata, "no calldata are 0x"}, {"deploy", x.deploy, "want the init code of a contract"}, {"method", x.method, "want a number or a name"},
	} {
		if given(f.name) && strings.TrimSpace(f.value) == "" {
			return kit.Usagef("--%s is empty: %s", f.name, f.want)
		}
	}
	for _, pair := range [][2]string{{"params", "calldata"}, {"params", "deploy"}, {"calldata", "deploy"}, {"to", "deploy"}, {"method", "deploy"}, {"signature-type", "chain-len"}} {
		if given(pair[0]) && given(pair[1]) {
			return kit.Usagef("--%s and --%s say the same: leave out one of them", pair[0], pair[1])
		}
	}
	if given("nonce") && x.nonce < 0 {
		return kit.Usagef("--nonce %d is negative", x.nonce)
	}
	if given("chain-len") && x.chainLen < 0 {
		return kit.Usagef("--chain-len %d is negative", x.chainLen)
	}
	if x.signatureType != "" && x.signatureType != "none" {
		if _, err := textform.SignatureType(x.signatureType); err != nil {
			return kit.Usagef("--signature-type %q: %w, or none", x.signatureType, err)
		}
	}
	return nil
}

// build makes the message from the flags.
func (x *execFlags) build(ctx context.Context, on *onState) (msg *fvm.Message, err error) {
	if x.message != "" {
		msg, err = x.whole(ctx, on)
	} else {
		msg, err = x.parts(ctx, on)
	}
	if err == nil && x.chainLen >= 0 {
		x.sig = signature{Of: "none", Why: "--chain-len is the whole length"}
	} else if err == nil && x.sig.Of == "" { // it came without one
		x.sig, err = x.usualSignature(ctx, on, msg.From)
	}
	return msg, err
}

// whole reads --message.
func (x *execFlags) whole(ctx context.Context, on *onState) (*fvm.Message, error) {
	d, err := x.readData(ctx, "--message", x.message, textform.Messages)
	if err != nil {
		return nil, err
	}
	m, err := textform.ReadMessage(d)
	if err != nil {
		return nil, fmt.Errorf("--message, %s: %w", d, err)
	}
	if m.ChainID != 0 && m.ChainID != on.chainID {
		return nil, fmt.Errorf("--message is signed for chain id %d (EIP-155), and this is %d: give the right --network or --chain-id", m.ChainID, on.chainID)
	}
	x.note("message", fmt.Sprintf("%s: %s", d, m.Form))
	for _, n := range m.Notes {
		x.note("message", n)
	}
	if m.MethodName != "" {
		if m.Method, err = x.methodOf(ctx, on, m.To, "--message: Method", m.MethodName); err != nil {
			return nil, err
		}
	}
	if m.ParamsJSON != nil {
		if m.Params, err = encodeParams(ctx, on, m.Message, m.ParamsJSON); err != nil {
			return nil, fmt.Errorf("--message: Params: %w", err)
		}
		x.note("params", layout.Grouped(len(m.Params))+" "+layout.Plural(len(m.Params), "byte")+", encoded from JSON")
	}
	if s := m.Signature; s != nil {
		if x.signatureType != "" {
			return nil, kit.Usagef("--signature-type: the message has a signature of its own")
		}
		x.sig = signature{Of: textform.SignatureName(s.Type), Bytes: textform.SignatureLength(s), Why: "the message's own"}
		if key, err := signer(ctx, on, m.From); err == nil && key.Of != "none" && key.Of != x.sig.Of {
			x.note("message", fmt.Sprintf("its signature is %s, and the sender's key makes %s: nodes refuse it", x.sig.Of, key.Of))
		}
	}
	return m.Message, nil
}

// parts makes the message from the other flags.
func (x *execFlags) parts(ctx context.Context, on *onState) (*fvm.Message, error) {
	msg := &fvm.Message{GasLimit: x.gasLimit}
	var err error
	read := func(name, s string, into *address.Address) {
		if err == nil {
			*into, err = parseAddress(name, s)
		}
	}
	amount := func(name, s string, into *abi.TokenAmount) {
		if err == nil {
			*into, err = parseAmount(name, s)
		}
	}
	read("--from", x.from, &msg.From)
	if x.deploy == "" {
		read("--to", x.to, &msg.To)
	}
	amount("--value", x.value, &msg.Value)
	amount("--gas-fee-cap", cmp.Or(x.feeCap, x.baseFee), &msg.GasFeeCap)
	amount("--gas-premium", x.premium, &msg.GasPremium)
	if err != nil {
		return nil, err
	}
	if err := x.action(ctx, on, msg); err != nil {
		return nil, err
	}
	if x.nonce >= 0 || x.implicit {
		msg.Nonce = uint64(max(x.nonce, 0))
		return msg, nil
	}
	_, st, err := on.m.Actor(ctx, msg.From)
	if err != nil {
		return nil, fmt.Errorf("looking up the sender's nonce: %w", err)
	}
	if st != nil {
		msg.Nonce = st.Nonce
	}
	return msg, nil
}

func (x *execFlags) note(what, as string) { x.read = append(x.read, readLine{what, as}) }

// readData reads what a flag was given; text that cannot be read is wrong usage.
func (x *execFlags) readData(ctx context.Context, flag, s string, decide textform.Decider) (*textform.Data, error) {
	return readBy(ctx, &textform.Reader{Stdin: x.stdin, Decide: decide}, flag, s)
}

func readBy(ctx context.Context, r *textform.Reader, flag, s string) (*textform.Data, error) {
	d, err := r.Read(ctx, s)
	switch {
	case errors.Is(err, textform.ErrAmbiguous) || errors.Is(err, textform.ErrNoReading):
		return nil, kit.Usagef("%s %q: %w", flag, layout.Cut(strings.TrimSpace(s), 60), err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return d, nil
}

// parseAmount reads a flag that is an amount.
func parseAmount(flag, s string) (abi.TokenAmount, error) {
	v, err := textform.Amount(s)
	if err != nil {
		return v, kit.Usagef("%s %q: %w", flag, layout.Cut(s, 60), err)
	}
	return v, nil
}

// parseAddress reads a flag that is an address.
func parseAddress(flag, s string) (address.Address, error) {
	a, err := textform.Address(s)
	if err != nil {
		return a, kit.Usagef("%s %q: %w; want an address such as f0100, f1..., f410f... or 0x...", flag, layout.Cut(s, 100), err)
	}
	return a, nil
}

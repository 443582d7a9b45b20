package messages

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/explain"
	"github.com/edgefvm/fvm/internal/layout"
)

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

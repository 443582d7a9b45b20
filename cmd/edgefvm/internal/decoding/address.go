package decoding

import (
	"fmt"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/internal/ipld/addr"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/textform"
)

// addressView is an address, for JSON.
type addressView struct {
	Address   string  `json:"address"` // as text of mainnet
	Testnet   string  `json:"testnet"` // the same as text of test networks
	Protocol  byte    `json:"protocol"`
	Kind      string  `json:"kind"`
	ID        *uint64 `json:"id,omitempty"`
	Namespace *uint64 `json:"namespace,omitempty"` // the id of the actor that gives f4 addresses of this kind
	Payload   string  `json:"payload"`             // without the protocol, of f4 without the namespace
	Ethereum  string  `json:"ethereum,omitempty"`
	Bytes     string  `json:"bytes"` // as messages and states have it
	CBOR      string  `json:"cbor"`
}

var addressKinds = map[byte]string{
	address.ID: "id of an actor", address.SECP256K1: "secp256k1 key", address.Actor: "actor", address.BLS: "BLS key", address.Delegated: "delegated",
}

func viewAddress(a address.Address) addressView {
	v := addressView{
		Address: jsonview.Address(a), Protocol: byte(a.Protocol()), Kind: addressKinds[byte(a.Protocol())],
		Payload: jsonview.Hex(a.Payload()), Bytes: jsonview.Hex(a.Bytes()),
	}
	v.Testnet = "t" + strings.TrimPrefix(v.Address, "f")
	if id, ok := addr.ID(a); ok {
		v.ID = &id
	}
	if namespace, sub, ok := addr.Delegated(a); ok {
		v.Namespace, v.Payload = &namespace, jsonview.Hex(sub)
	}
	v.Ethereum, _ = textform.ToEth(a)
	v.CBOR = jsonview.Hex(textform.WrapBytes(a.Bytes()))
	return v
}

// parseAddress reads an address as text, or as its bytes in hex behind "hex:" or "cbor:".
func parseAddress(text string) (address.Address, error) {
	a, err := textform.Address(text)
	if err == nil {
		return a, nil
	}
	// Bytes of an address have no form of 0x and 40 digits, which an Ethereum address has, but their own lengths.
	if d, bytesErr := textform.Parse(text); bytesErr == nil && d.Form == textform.Hex && strings.HasPrefix(strings.ToLower(strings.TrimSpace(text)), "0x") && len(d.Bytes) != 20 {
		data := d.Bytes
		if len(data) > 1 && data[0]>>5 == 2 && int(data[0]&0x1f) == len(data)-1 {
			data = data[1:] // CBOR
		} else if len(data) > 2 && data[0] == 0x58 && int(data[1]) == len(data)-2 {
			data = data[2:]
		}
		if b, bytesErr := addr.ParseAddress(data); bytesErr == nil {
			return b, nil
		}
	}
	return address.Undef, kit.Usagef("%q: %w", text, err)
}

func newDecodeAddress() *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "address ADDRESS",
		Short: "An address in all its forms: f0 to f4, Ethereum's, bytes",
		Long: `Shows an address in all its forms. ADDRESS is f0… to f4… (t… on test networks), Ethereum's
0x with 40 digits, masked ids (0xff00…) among them, or the bytes of an address in hex, with
0x before them, bare or in CBOR.`,
		Example: "  edgefvm decode address f410faqtnrbkwx5jy23xp5j3pcy4g7tmmuu2tzethgcq\n" +
			"  edgefvm decode address 0xff00000000000000000000000000000000000064\n  edgefvm decode address 0x00e807",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := parseAddress(args[0])
			if err != nil {
				return err
			}
			v := viewAddress(a)
			if o.asJSON {
				return kit.WriteJSON(cmd, v)
			}
			of := ""
			if v.Namespace != nil {
				of = fmt.Sprintf("namespace %d", *v.Namespace)
			}
			eth := ""
			if v.Ethereum != "" {
				eth = v.Ethereum + " for Ethereum"
			}
			return lines(cmd, v.Address, v.Testnet+" on test networks", eth, fmt.Sprintf("protocol %d: %s", v.Protocol, v.Kind), of,
				"payload "+v.Payload, "bytes "+v.Bytes, "CBOR "+v.CBOR)
		},
	}
	o.flags(cmd, "")
	return cmd
}

func newEncodeAddress() *cobra.Command {
	var o output
	var wrap bool
	cmd := &cobra.Command{
		Use:     "address ADDRESS",
		Short:   "The bytes of an address",
		Example: "  edgefvm encode address f01234\n  edgefvm encode address --wrap 0x0426d88556bf538d6eefea76f16386fcd8ca5353",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			a, err := parseAddress(args[0])
			if err != nil {
				return err
			}
			if o.asJSON {
				return kit.WriteJSON(cmd, viewAddress(a))
			}
			data := a.Bytes()
			if wrap || o.to == formDiag {
				data = textform.WrapBytes(data)
			}
			return o.writeBytes(cmd, data)
		},
	}
	cmd.Flags().BoolVar(&wrap, "wrap", false, "put them into a CBOR string of bytes, as parameters have them")
	o.flags(cmd, "print in this form (default: hex)", formHex, formBase64, formDiag, formRaw)
	return cmd
}

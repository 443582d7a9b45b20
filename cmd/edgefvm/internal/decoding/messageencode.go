package decoding

import (
	"bytes"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/actors/jsonview"
	"github.com/edgefvm/fvm/node/textform"
)

func newEncodeMessage() *cobra.Command {
	var w which
	var o output
	var signed bool
	cmd := &cobra.Command{
		Use:   "message INPUT",
		Short: "The CBOR of a message, of a node's JSON",
		Long: `Makes the CBOR of a message: without its signature, or with --signed the pair of both. In the JSON, Method may be a name and
Params may be decoded, where the receiver is a singleton or --actor says what it is.

` + inputHelp,
		Example: "  edgefvm encode message message.json\n  edgefvm encode message --to base64 @message.json\n  edgefvm encode message --signed signed.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			d, m, err := w.message(cmd, args[0])
			if err != nil {
				return err
			}
			data, err := serialize(m)
			switch {
			case err != nil:
				return err
			case signed && m.Signature == nil:
				return kit.Usagef("INPUT, %s: --signed is for a message with a signature, and it has none", d)
			case signed:
				if data, err = pair(data, m.Signature); err != nil {
					return err
				}
			case m.Signature != nil:
				fmt.Fprintln(cmd.ErrOrStderr(), "edgefvm: note: its signature is left out; --signed keeps it")
			}
			if o.asJSON {
				id, _, err := cidsOf(m)
				if err != nil {
					return err
				}
				return kit.WriteJSON(cmd, struct {
					CID string `json:"cid"`
					Hex string `json:"hex"`
				}{id, jsonview.Hex(data)})
			}
			return o.writeBytes(cmd, data)
		},
	}
	w.actorFlag(cmd)
	w.versionFlags(cmd)
	cmd.Flags().BoolVar(&signed, "signed", false, "with its signature, as a block has it for keys that are not BLS")
	o.flags(cmd, "print in this form (default: hex)", formHex, formBase64, formDiag, formRaw)
	return cmd
}

// serialize is the message's CBOR, without its signature.
func serialize(m *textform.Message) ([]byte, error) {
	var buf bytes.Buffer
	err := m.MarshalCBOR(&buf)
	return buf.Bytes(), err
}

// pair is the list of a message and its signature, in CBOR.
func pair(message []byte, s *crypto.Signature) ([]byte, error) {
	buf := bytes.NewBuffer(append([]byte{0x82}, message...))
	err := s.MarshalCBOR(buf)
	return buf.Bytes(), err
}

// cidsOf are the CIDs of a message: without its signature, and with it where it has one that is not BLS.
func cidsOf(m *textform.Message) (bare, signed string, err error) {
	data, err := serialize(m)
	if err != nil {
		return "", "", err
	}
	c, err := abi.CidBuilder.Sum(data)
	if err != nil || m.Signature == nil || m.Signature.Type == crypto.SigTypeBLS {
		return c.String(), "", err
	}
	both, err := pair(data, m.Signature)
	if err != nil {
		return "", "", err
	}
	s, err := abi.CidBuilder.Sum(both)
	return c.String(), s.String(), err
}

package decoding

import (
	"bytes"
	"fmt"

	"github.com/filecoin-project/go-bitfield"
	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/internal/layout"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/actors/jsonview"
)

func newDecodeBitfield() *cobra.Command {
	var o output
	var bare bool
	cmd := &cobra.Command{
		Use:   "bitfield INPUT",
		Short: "The members of a bitfield",
		Long: `Shows the members of a bitfield (RLE+ in a CBOR string of bytes, as parameters have it) in
ascending order: "0-4,7". --bare reads RLE+ that is not in CBOR.

` + inputHelp,
		Example: "  edgefvm decode bitfield 0x425002\n  edgefvm decode bitfield --bare 0x5002",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := readPlain(cmd, args[0])
			if err != nil {
				return err
			}
			data := d.Bytes
			if !bare {
				if data, err = actors.Unwrap(data); err != nil {
					return fmt.Errorf("INPUT: %w; --bare reads RLE+ that is not in CBOR", err)
				}
			}
			b, err := bitfield.NewFromBytes(data)
			if err != nil {
				return fmt.Errorf("INPUT: no RLE+: %w", err)
			}
			text, err := jsonview.BitField(b)
			if err != nil {
				return fmt.Errorf("INPUT: no RLE+: %w", err)
			}
			n, err := b.Count()
			if err != nil {
				return fmt.Errorf("INPUT: no RLE+: %w", err)
			}
			if o.asJSON {
				return kit.WriteJSON(cmd, struct {
					Members string `json:"members"`
					Count   uint64 `json:"count"`
				}{text, n})
			}
			if text == "" {
				text = "empty"
			}
			return lines(cmd, text, fmt.Sprintf("%d %s", n, layout.Choose(int(min(n, 2)), "member", "members")))
		},
	}
	cmd.Flags().BoolVar(&bare, "bare", false, "the bytes are not in CBOR")
	o.flags(cmd, "")
	return cmd
}

func newEncodeBitfield() *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:     "bitfield MEMBERS",
		Short:   "A bitfield of its members, in CBOR",
		Example: "  edgefvm encode bitfield 0-4,7\n  edgefvm encode bitfield --to diag 2349",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			b, err := jsonview.ParseBitField(args[0])
			if err != nil {
				return kit.AsUsage(err)
			}
			var buf bytes.Buffer
			if err := b.MarshalCBOR(&buf); err != nil {
				return err
			}
			if o.asJSON {
				return kit.WriteJSON(cmd, struct {
					Hex string `json:"hex"`
				}{jsonview.Hex(buf.Bytes())})
			}
			return o.writeBytes(cmd, buf.Bytes())
		},
	}
	o.flags(cmd, "print in this form (default: hex)", formHex, formBase64, formDiag, formRaw)
	return cmd
}

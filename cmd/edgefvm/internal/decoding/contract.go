package decoding

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/actors"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/node/textform"
)

// wrapping are the flags that say whether the data of a contract are in CBOR, as on chain, or bare.
type wrapping struct{ bare, wrapped bool }

func (w *wrapping) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.bare, "bare", false, "the data are not in CBOR")
	cmd.Flags().BoolVar(&w.wrapped, "wrapped", false, "the data are in a CBOR string of bytes")
}

// read reads data, and says what was read.
func (w *wrapping) read(cmd *cobra.Command, arg string) (data []byte, read string, err error) {
	d, err := readPlain(cmd, arg)
	if err != nil {
		return nil, "", err
	}
	return w.unwrap(d)
}

// unwrap takes data out of CBOR if they are in it: that is if they are one string of bytes to the last byte. Data of a
// contract that look so by chance, a selector and whole words, are refused until a flag says what they are.
func (w *wrapping) unwrap(d *textform.Data) (data []byte, read string, err error) {
	if w.bare && w.wrapped {
		return nil, "", kit.Usagef("--bare and --wrapped say opposite things")
	}
	inner, err := actors.Unwrap(d.Bytes)
	switch {
	case w.bare || len(d.Bytes) == 0:
		return d.Bytes, d.String(), nil
	case w.wrapped && err != nil:
		return nil, "", fmt.Errorf("INPUT: %w", err)
	case err != nil:
		return d.Bytes, d.String() + ", not in CBOR", nil
	case !w.wrapped && (len(d.Bytes)%32 == 4 && len(inner)%32 != 4 || len(d.Bytes)%32 == 0) && len(inner) > 0:
		return nil, "", kit.Usagef("INPUT may be a CBOR string of %d bytes, or %d bare bytes that look like one: say --wrapped or --bare", len(inner), len(d.Bytes))
	}
	return inner, d.String() + ", in CBOR", nil
}

// contractView is what was decoded, for JSON.
type contractView struct {
	Read string `json:"read"`
	*ethabi.Call
}

func (o *output) call(cmd *cobra.Command, read string, c *ethabi.Call) error {
	if o.asJSON {
		return kit.WriteJSON(cmd, contractView{read, c})
	}
	head := c.Text
	switch {
	case head == "" && c.Signature != "":
		head = c.Signature
	case head == "":
		head = c.Selector
	}
	body := ""
	if c.Args != nil {
		text, err := pretty(c.Args)
		if err != nil {
			return err
		}
		body = text
	}
	list := append([]string{head, read, body}, c.Words...)
	return lines(cmd, append(list, notes(c.Note))...)
}

func newDecodeCalldata() *cobra.Command {
	var w which
	var wrap wrapping
	var o output
	cmd := &cobra.Command{
		Use:   "calldata INPUT",
		Short: "What a contract is called with: function and arguments, by its ABI",
		Long: `Shows the selector of calldata and, with --abi or --function, the function and its arguments. Data in
the CBOR of InvokeContract's parameters are taken out of it.

` + inputHelp,
		Example: "  edgefvm decode calldata --function 'transfer(address,uint256)' 0xa9059cbb000000000000000000000000ff0000000000000000000000000000000000006400000000000000000000000000000000000000000000000000000000000003e8\n  edgefvm decode calldata --abi Token.json calldata.hex\n  edgefvm decode calldata --wrapped params.bin",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			abi, err := w.contractABI()
			if err != nil {
				return err
			}
			data, read, err := wrap.read(cmd, args[0])
			if err != nil {
				return err
			}
			c, err := ethabi.DecodeCall(abi, data)
			if err != nil {
				return err
			}
			if abi != nil && c.Signature == "" && c.Note == "" && len(data) >= 4 {
				c.Note = "no function of the ABI has this selector"
			}
			return o.call(cmd, read, c)
		},
	}
	w.abiFlag(cmd)
	w.functionFlag(cmd)
	wrap.flags(cmd)
	o.flags(cmd, "")
	return cmd
}

func newDecodeRevert() *cobra.Command {
	var w which
	var wrap wrapping
	var o output
	cmd := &cobra.Command{
		Use:   "revert INPUT",
		Short: "Why a contract reverted: reason, panic or custom error",
		Long: `Reads what a contract returned with exit code 33: the reason of require and revert, the
code of a panic in Solidity's words, a custom error by --abi, or else its selector and
words. Data in the CBOR of a receipt's return value are taken out of it.

` + inputHelp,
		Example: "  edgefvm decode revert 0x4e487b710000000000000000000000000000000000000000000000000000000000000011\n" +
			"  edgefvm decode revert --abi Token.json return.hex",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			abi, err := w.loadABI()
			if err != nil {
				return err
			}
			data, read, err := wrap.read(cmd, args[0])
			if err != nil {
				return err
			}
			return o.call(cmd, read, ethabi.DecodeRevert(abi, data))
		},
	}
	w.abiFlag(cmd)
	wrap.flags(cmd)
	o.flags(cmd, "")
	return cmd
}

func newDecodeResult() *cobra.Command {
	var w which
	var wrap wrapping
	var o output
	cmd := &cobra.Command{
		Use:   "result --function F INPUT",
		Short: "What a function of a contract returned",
		Long: `Shows what a function of a contract returned, by its signature with the types of the return
behind it, or by its name and --abi. Data in the CBOR of a receipt's return value are taken
out of it.

` + inputHelp,
		Example: "  edgefvm decode result --function 'balanceOf(address)(uint256)' 0x00000000000000000000000000000000000000000000000000000000000003e8\n  edgefvm decode result --abi Token.json --function balanceOf return.hex",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := w.entry()
			if err != nil {
				return err
			}
			data, read, err := wrap.read(cmd, args[0])
			if err != nil {
				return err
			}
			values, err := ethabi.DecodeResult(e, data)
			if err != nil {
				return fmt.Errorf("INPUT, %s, as the return of %s: %w", read, e.Signature(), err)
			}
			return o.call(cmd, read, &ethabi.Call{Name: e.Name, Signature: e.Signature(), Args: values})
		},
	}
	w.abiFlag(cmd)
	w.functionFlag(cmd)
	wrap.flags(cmd)
	o.flags(cmd, "")
	return cmd
}

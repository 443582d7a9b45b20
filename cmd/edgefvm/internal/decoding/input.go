package decoding

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
	"github.com/edgefvm/fvm/node/textform"
)

// inputHelp tells what an INPUT of bytes may be.
const inputHelp = `INPUT is hex (0x…) or base64, the name of a file of either or of the bytes themselves, or -
for standard input. Text that fits two readings is refused: 0x, hex:, base64: and raw:FILE
say which is meant.`

// readBytes reads bytes. decide says what text is that fits hex and base64; nil: that is an error.
func readBytes(cmd *cobra.Command, arg string, decide textform.Decider) (*textform.Data, error) {
	return readBy(cmd, arg, textform.Reader{Decide: decide})
}

func readBy(cmd *cobra.Command, arg string, r textform.Reader) (*textform.Data, error) {
	r.Stdin = cmd.InOrStdin()
	d, err := r.Read(cmd.Context(), arg)
	if err != nil {
		return nil, kit.Usagef("INPUT: %w", err)
	}
	return d, nil
}

// readCBOR reads bytes that are CBOR, readPlain some that may be.
func readCBOR(cmd *cobra.Command, arg string) (*textform.Data, error) {
	return noJSON(readBy(cmd, arg, textform.Reader{Decide: textform.CBOR, AsTheyAre: textform.StringOfBytes}))
}

func readPlain(cmd *cobra.Command, arg string) (*textform.Data, error) {
	return noJSON(readBytes(cmd, arg, nil))
}

func noJSON(d *textform.Data, err error) (*textform.Data, error) {
	if err == nil && d.Form == textform.JSON {
		return nil, kit.Usagef("INPUT is JSON, and decode wants bytes; 'edgefvm encode' makes bytes of JSON")
	}
	return d, err
}

// readText reads JSON or a word: the argument itself, a file, or standard input.
func readText(cmd *cobra.Command, arg string) ([]byte, error) {
	trimmed := strings.TrimSpace(arg)
	_, statErr := os.Stat(arg)
	isFile := statErr == nil
	switch {
	case trimmed == "-":
		arg = "raw:-"
	case strings.HasPrefix(trimmed, "@"):
		arg = "raw:" + trimmed[1:]
	case strings.HasPrefix(trimmed, "file:"):
		arg = "raw:" + strings.TrimPrefix(trimmed, "file:")
	case isFile && (json.Valid([]byte(trimmed)) || trimmed == ""):
		return nil, kit.Usagef("INPUT %q is JSON and the name of a file: write @%s for the file", trimmed, trimmed)
	case isFile:
		arg = "raw:" + arg
	case errors.Is(statErr, fs.ErrNotExist) && strings.HasSuffix(trimmed, ".json") && !strings.ContainsAny(trimmed, "{[\""):
		return nil, kit.Usagef("INPUT: there is no file %s", trimmed)
	default:
		return []byte(trimmed), nil
	}
	r := textform.Reader{Stdin: cmd.InOrStdin()}
	d, err := r.Read(cmd.Context(), arg)
	if err != nil {
		return nil, kit.Usagef("INPUT: %w", err)
	}
	return []byte(strings.TrimSpace(strings.TrimPrefix(string(d.Bytes), "\ufeff"))), nil
}

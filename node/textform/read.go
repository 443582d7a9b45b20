package textform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/edgefvm/fvm/internal/layout"
)

// MaxBytes is the most that is read of a file or of standard input.
const MaxBytes = 64 << 20

// Reader reads what an argument of a command line means. The zero value is ready.
type Reader struct {
	// Stdin is what "-" reads; nil: the process's own.
	Stdin io.Reader
	// Decide is asked where text fits hex and base64. Default: that is an error.
	Decide Decider
	// AsTheyAre tells whether bytes that are text may be meant as they are all the same. A file of such is ErrAmbiguous, if its text
	// can be read. Default: what is text is read as text.
	AsTheyAre func(data []byte) bool
	// Strings takes a JSON string that is neither hex nor base64, or may be both, as JSON. Default: that is an error.
	Strings bool
}

// Read reads an argument by these rules.
//
//   - "-": standard input. "@FILE" or "file:FILE": the file. Both are read as Parse reads text, unless they hold bytes
//     that are no text, which are taken as they are.
//   - "raw:FILE", "raw:-": the bytes as they are, also if they are text. "hex:", "base64:" and "json:" may stand
//     before @FILE, file:FILE and -, and say what the text there is.
//   - The name of a file that exists: that file. If the name is in no folder and fits as text too, that is ErrAmbiguous:
//     ./NAME or @NAME means the file.
//   - Else the argument is text, read by Parse. It is no error of the file system, but ErrNoReading, if there is no
//     such file and no such text.
//
// A text of UTF-16 with its mark, as some shells write, is text. Empty files are no bytes, as Raw. ctx ends the wait for
// standard input only between its pieces.
func (r *Reader) Read(ctx context.Context, arg string) (*Data, error) {
	if strings.TrimSpace(arg) == "" {
		return nil, noReading("it is empty; an empty list of bytes is 0x")
	}
	prefix, rest := "", arg
	for _, p := range []string{"hex:", "base64:", "json:", "raw:"} {
		if after, is := cutPrefix(arg, p); is {
			prefix, rest = p, after
		}
	}
	name, named := strings.CutPrefix(rest, "@")
	if !named {
		name, named = cutPrefix(rest, "file:")
	}
	switch {
	case rest == "-":
		in := r.Stdin
		if in == nil {
			in = os.Stdin
		}
		data, err := readAll(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return r.content(prefix, data, &Data{Source: Stdin})
	case named, prefix == "raw:":
		return r.readFile(ctx, prefix, name)
	case prefix != "":
		return r.parse(arg)
	}
	info, err := os.Stat(arg)
	d, textErr := r.parse(arg)
	switch {
	case err == nil && info.IsDir() && textErr == nil:
		return nil, ambiguous("it is the name of a folder, and %s: write ./%s for what is named so, or a prefix before the text (hex:, base64:)", d, show(arg))
	case err == nil && !info.IsDir() && (textErr == nil || errors.Is(textErr, ErrAmbiguous)) && !strings.ContainsAny(arg, `/\`) && (isHex(arg) || !isName(arg)):
		reading := "text"
		if textErr == nil {
			reading = d.String()
		}
		return nil, ambiguous("it is the name of a file, and may be %s: write ./%s for the file, or a prefix before the text (0x, hex:, base64:)", reading, show(arg))
	case err == nil:
		return r.readFile(ctx, "", arg)
	case textErr == nil:
		return d, nil
	case errors.Is(err, fs.ErrNotExist) && looksLikePath(arg):
		return nil, noReading("there is no such file")
	case !errors.Is(err, fs.ErrNotExist) && looksLikePath(arg): // it may not be looked at
		return nil, fmt.Errorf("reading the file: %w", fileError(err))
	}
	if errors.Is(textErr, ErrAmbiguous) || strings.HasPrefix(arg, "{") || strings.HasPrefix(arg, "[") || strings.HasPrefix(arg, `"`) || prefixed(arg) {
		return nil, textErr
	}
	return nil, noReading("there is no file of that name, and as text it is %v", textErr)
}

func (r *Reader) parse(text string) (*Data, error) {
	d, err := parse(text, true, r.Decide)
	quoted := strings.TrimSpace(text)
	if rest, is := cutPrefix(quoted, "json:"); is {
		quoted = strings.TrimSpace(rest)
	}
	switch {
	case !strings.HasPrefix(quoted, `"`):
	case err == nil:
		d.Quote = []byte(quoted)
	case r.Strings && validJSON([]byte(quoted)) == nil:
		return &Data{Bytes: []byte(quoted), Form: JSON, Quoted: true, Quote: []byte(quoted)}, nil
	}
	return d, err
}

// prefixed tells whether text says that it is hex.
func prefixed(s string) bool { _, is := cutPrefix(strings.TrimSpace(s), "0x"); return is }

// looksLikePath tells whether text that is no data is likely a path: it begins as paths do, or ends as names of files do.
func looksLikePath(s string) bool {
	return pathLike().MatchString(s)
}

// pathLike is compiled when it is asked for first: each command loads this package, and few ask.
var pathLike = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(~|\.{0,2}/|[A-Za-z]:\\)[^\s{}"]*$|^[^\s{}":]+\.[A-Za-z0-9]{1,8}$`)
})

// fileError leaves out the name of the file, which the message has already.
func fileError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func (r *Reader) readFile(ctx context.Context, prefix, name string) (*Data, error) {
	if name == "" {
		return nil, noReading("the name of the file is missing")
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noReading("there is no file %s", layout.OneLine(name))
	}
	if err == nil && info.IsDir() {
		return nil, noReading("%s is a folder", layout.OneLine(name))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", layout.OneLine(name), fileError(err))
	}
	defer f.Close()
	data, err := readAll(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", layout.OneLine(name), fileError(err))
	}
	d, err := r.content(prefix, data, &Data{Source: File, Name: name})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", layout.OneLine(name), err)
	}
	return d, nil
}

func readAll(ctx context.Context, in io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(&stopped{ctx, in}, MaxBytes+1))
	if err == nil && len(data) > MaxBytes {
		err = fmt.Errorf("it is longer than %d MiB", MaxBytes>>20)
	}
	return data, err
}

type stopped struct {
	ctx context.Context
	in  io.Reader
}

func (s *stopped) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.in.Read(b)
}

// content reads what a file holds; from is where it was.
func (r *Reader) content(prefix string, data []byte, from *Data) (*Data, error) {
	if prefix == "raw:" || prefix == "" && len(data) == 0 {
		from.Bytes = data
		return from, nil
	}
	text, is := asText(data)
	if !is {
		if prefix != "" {
			return nil, noReading("it holds bytes that are no text")
		}
		from.Bytes = data
		return from, nil
	}
	d, err := r.parse(prefix + text)
	switch {
	case err == nil && prefix == "" && r.AsTheyAre != nil && r.AsTheyAre(data):
		return nil, ambiguous("its %s may be meant as they are, or as %s; name the file as raw:FILE, or as hex:@FILE or base64:@FILE", countBytes(data), d)
	case err == nil:
		d.Source, d.Name = from.Source, from.Name
		return d, nil
	case prefix != "":
		return nil, err
	case errors.Is(err, ErrAmbiguous):
		return nil, ambiguous("the text in it fits more than one reading: %s; name the file as hex:@FILE or base64:@FILE, or raw:FILE if its %s are meant as they are", reason(err), countBytes(data))
	}
	return nil, noReading("the text in it is %v; name it as raw:FILE if its %s are meant as they are", err, countBytes(data))
}

// reason is why text is ambiguous, without what to write on a command line.
func reason(err error) string {
	why, _, _ := strings.Cut(err.Error(), ": write ")
	return why
}

// asText is data as text, if it is that: UTF-8 or marked UTF-16 without control characters.
func asText(data []byte) (text string, is bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
	case len(data)%2 == 0 && (bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))):
		units := make([]uint16, 0, len(data)/2)
		for i := 2; i < len(data); i += 2 {
			low, high := data[i], data[i+1]
			if data[0] == 0xfe {
				low, high = high, low
			}
			units = append(units, uint16(high)<<8|uint16(low))
		}
		data = []byte(string(utf16.Decode(units)))
	}
	if !utf8.Valid(data) || bytes.ContainsRune(data, utf8.RuneError) {
		return "", false
	}
	for _, c := range data {
		if c < ' ' && !isSpace(c) || c == 0x7f {
			return "", false
		}
	}
	return string(data), true
}

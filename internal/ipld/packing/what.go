package packing

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// NameLen is how many bytes at the start of a file Name looks at.
const NameLen = 512

// magics are beginnings of files that people have in the place of an archive.
var magics = []struct {
	at            int
	magic, name   string
	caseless, not bool // not: it holds no archive, and white space may come before it
}{
	{0, "\xfd7zXZ\x00", "it is compressed by xz: unpack it first, with xz -d", false, false},
	{0, "BZh", "it is compressed by bzip2: unpack it first, with bzip2 -d", false, false},
	{0, "PK\x03\x04", "it is a zip file: unpack it first, with unzip", false, false},
	{0, "PK\x05\x06", "it is a zip file with nothing in it", false, true},
	{0, "7z\xbc\xaf\x27\x1c", "it is compressed by 7-Zip: unpack it first, with 7z x", false, false},
	{0, "Rar!\x1a\x07", "it is a RAR file: unpack it first, with unrar x", false, false},
	{0, "\x04\x22\x4d\x18", "it is compressed by lz4: unpack it first, with lz4 -d", false, false},
	{0, "LZIP", "it is compressed by lzip: unpack it first, with lzip -d", false, false},
	{0, "\x1f\x9d", "it is compressed by compress: unpack it first, with uncompress", false, false},
	{0, "\x5d\x00\x00", "it is compressed by lzma: unpack it first, with xz -d --format=lzma", false, false},
	{0, "\xff\x06\x00\x00sNaPpY", "it is compressed by snappy: unpack it first", false, false},
	{0, "\x1e\xb5\x2f\xfd", "it is compressed by a version of zstd before 1.0 (0.8 and older): unpack it with that", false, false},
	{257, "ustar", "it is a tar file: unpack it first, with tar -xf", false, false},
	{0, "version https://git-lfs.github.com/spec/", "it is a pointer of Git LFS, not the file itself: git lfs pull gets it", false, true},
	{0, "/annex/objects/", "it is a pointer of git-annex, not the file itself: git annex get gets it", false, true},
	{0, "d8:announce", "it is a torrent, not the file itself: a BitTorrent program gets it", false, true},
	{0, "<!doctype html", "it is an HTML page, not an archive: the link led to a page (an error, or a form); look at it, and take the download's own address", true, true},
	{0, "<html", "it is an HTML page, not an archive: the link led to a page (an error, or a form); look at it, and take the download's own address", true, true},
	{0, "<?xml", "it is an XML text, not an archive: servers answer so when they refuse; look at it", true, true},
	{0, "<error>", "it is an XML text, not an archive: servers answer so when they refuse; look at it", true, true},
	{0, "HTTP/1.", "it begins with the head of an HTTP answer: save the body alone, with curl -o without -i", false, true},
	{0, "HTTP/2", "it begins with the head of an HTTP answer: save the body alone, with curl -o without -i", false, true},
	{0, "\x00asm", "it is Wasm code, not an archive", false, true},
	{0, "\x7fELF", "it is a program, not an archive", false, true},
	{0, "MZ", "it is a program, not an archive", false, true},
	{0, "%PDF-", "it is a PDF, not an archive", false, true},
	{0, "SQLite format 3\x00", "it is a database of SQLite, not an archive", false, true},
	{0, "PAR1", "it is a table in Parquet, not an archive", false, true},
	{0, "efvmcar", "it is the index of an archive, not the archive", false, true},
}

// Name says in words, with advice, what a file is that begins so, of which an archive cannot be read: compressed by something
// else, a page, a pointer. "" if it is nothing known.
func Name(head []byte) string {
	if len(head) == 0 {
		return "it is empty: get it again, it may be a download that failed"
	}
	if zeros := bytes.Count(head, []byte{0}); zeros == len(head) {
		return "it begins with zeros only: get it again, it may be a download whose room was made and not filled"
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	for _, m := range magics {
		in := head
		if m.not {
			in = text
		}
		if len(in) < m.at+len(m.magic) {
			continue
		}
		part := string(in[m.at : m.at+len(m.magic)])
		if part == m.magic || m.caseless && strings.EqualFold(part, m.magic) {
			return m.name
		}
	}
	return nameText(head, text)
}

// nameText is Name of what may be text.
func nameText(head, text []byte) string {
	if len(text) == 0 {
		return "it is empty but for white space"
	}
	whole := head
	for i := 0; i < utf8.UTFMax && !utf8.Valid(whole) && len(whole) > 1; i++ { // the last character may be cut
		whole = whole[:len(whole)-1]
	}
	if !utf8.Valid(whole) {
		return ""
	}
	for _, c := range whole {
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7f {
			return ""
		}
	}
	if text[0] == '{' || text[0] == '[' {
		if isJSON(text) {
			return "it is JSON, not an archive: a vector is opened by 'explain', an answer of a server may say why there is no archive"
		}
	}
	if words := strings.Fields(string(text)); len(words) > 0 {
		first := strings.TrimPrefix(words[0], "0x")
		if strings.Contains(strings.ToLower(first[:min(len(first), 24)]), "a265726f6f7473") { // a map whose first key is "roots"
			return "it is an archive written in hex: make bytes of it first, with xxd -r -p"
		}
		if data, _ := base64.StdEncoding.DecodeString(first[:min(len(first), 32)]); bytes.Contains(data, []byte("\xa2eroots")) {
			return "it is an archive written in base64: make bytes of it first, with base64 -d"
		}
	}
	return "it is a text, not an archive"
}

// isJSON tells whether a text begins as JSON does, as far as it is there.
func isJSON(text []byte) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return false
	}
	_, err := d.Token()
	return err == nil || !strings.Contains(err.Error(), "invalid character")
}

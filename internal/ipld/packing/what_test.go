package packing

import (
	"bytes"
	"strings"
	"testing"
)

func TestKindOf(t *testing.T) {
	for in, want := range map[string]Kind{
		"": Plain, "\x1f": Plain, "\x1f\x8b": Gzip, "\x1f\x8b\x08\x00": Gzip, "\x28\xb5\x2f": Plain, "\x28\xb5\x2f\xfd": Zstd,
		"\x50\x2a\x4d\x18": Zstd, "\x5f\x2a\x4d\x18": Zstd, "\x60\x2a\x4d\x18": Plain, "\x3a\xa2\x65\x72": Plain,
	} {
		if got := KindOf([]byte(in)); got != want {
			t.Errorf("%q is %v", in, got)
		}
	}
}

// What people have in the place of an archive is named, and what to do with it.
func TestName(t *testing.T) {
	tar := append(bytes.Repeat([]byte{'a'}, 257), "ustar\x0000"...)
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", "it is empty"},
		{"zeros", strings.Repeat("\x00", 100), "zeros only"},
		{"xz", "\xfd7zXZ\x00\x00\x04", "xz -d"},
		{"bzip2", "BZh91AY&SY", "bzip2 -d"},
		{"zip", "PK\x03\x04\x14\x00", "unzip"},
		{"7z", "7z\xbc\xaf\x27\x1c\x00\x04", "7z x"},
		{"lz4", "\x04\x22\x4d\x18\x64\x40", "lz4 -d"},
		{"tar", string(tar), "tar -xf"},
		{"HTML", "<!DOCTYPE html>\n<html lang=en>", "HTML page"},
		{"HTML in lower case", "\ufeff \r\n<HTML><head>", "HTML page"},
		{"XML", "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "XML"},
		{"an error of a store", "<Error><Code>NoSuchKey</Code></Error>", "XML"},
		{"Git LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"},
		{"git-annex", "/annex/objects/SHA256E-s12--4d7a.car\n", "git annex get"},
		{"JSON", `{"error": {"code": -32601, "message": "method not found"}}`, "it is JSON"},
		{"JSON, a list", "[1, 2]", "it is JSON"},
		{"a long JSON, its head", `{"class": "message", "car": "H4sIAAAA`, "it is JSON"},
		{"no JSON", "{roots}", "it is a text"},
		{"a text", "404: Not Found", "it is a text"},
		{"white space", " \n \n", "white space"},
		{"hex", "3aa265726f6f747381d82a58", "xxd -r -p"},
		{"hex, of another length", "0x3AA265726F6F747381D82A5827\n00", "xxd -r -p"},
		{"base64", "OqJlcm9vdHOB2CpYJwABcaDkAiBhdnVybGU=", "base64 -d"},
		{"HTTP", "HTTP/1.1 200 OK\r\nContent-Type: x\r\n", "without -i"},
		{"Wasm", "\x00asm\x01\x00\x00\x00", "Wasm"},
		{"an index", "efvmcar2\x00\x00", "the index of an archive"},
		{"bytes", "\x91\x02\xff\x00\x10", ""},
		{"bytes after text", "abc\x00\x01", ""},
	} {
		head := []byte(tt.in)
		if got := Name(head[:min(len(head), NameLen)]); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

func FuzzName(f *testing.F) {
	f.Add([]byte("<html"))
	f.Add([]byte("{\"a\""))
	f.Fuzz(func(t *testing.T, in []byte) { Name(in[:min(len(in), NameLen)]) })
}

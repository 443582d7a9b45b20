package wazero

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"time"

	"github.com/edgefvm/fvm/internal/disk/owned"
)

// The cache on disk.
//
// wazero has one of its own, but it loads most of what it finds unchecked: a
// damaged file can become wrong machine code. So wazero only ever sees a staging
// folder that belongs to this process, and into which nothing comes but entries
// whose checksum was just verified and what this process compiled. The entries
// live beside it:
//
//	DIR/<wazero version and platform>/<sha256 of the module>-<tag>.efvm
//
// An entry is wazero's own file, which ends before it notices more, followed by
// a trailer: the name under which wazero looks for it (32 bytes), the length of
// wazero's part (8, little endian), the SHA-256 of all before, and a magic.
// Entries appear by rename, so processes can share a folder, and a torn one
// fails its checksum. A checksum says nothing of who wrote the entry: the folder and
// the file must be such that only this user and root can have done it (package owned).
const (
	entrySuffix   = ".efvm"
	stagingPrefix = "efvm-staging-"
	wazeroPrefix  = "wazero-" // of the folder's name that wazero chooses
	trailerMagic  = "EFVMWZ01"
	trailerSize   = sha256.Size + 8 + sha256.Size + len(trailerMagic)
)

// abandoned is the age at which a staging folder without a lock is somebody's leftover. One with a lock is when the lock is free.
const abandoned = 24 * time.Hour

// seal appends the trailer to wazero's file.
func seal(file, name string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err == nil {
		var t []byte
		raw, _ := hex.DecodeString(name)
		t = append(t, raw...)
		t = binary.LittleEndian.AppendUint64(t, uint64(n))
		h.Write(t)
		t = h.Sum(t)
		t = append(t, trailerMagic...)
		_, err = f.Write(t)
	}
	return errors.Join(err, f.Close())
}

// verify checks an entry, whose it is and what is in it, and returns the name that
// wazero knows it by.
func verify(file string) (name string, err error) {
	f, err := owned.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	n := info.Size() - int64(trailerSize)
	if n < 0 {
		return "", errors.New("truncated")
	}
	h := sha256.New()
	if _, err := io.CopyN(h, f, n); err != nil {
		return "", err
	}
	t := make([]byte, trailerSize)
	if _, err := io.ReadFull(f, t); err != nil {
		return "", err
	}
	sumAt := sha256.Size + 8
	h.Write(t[:sumAt])
	if string(t[sumAt+sha256.Size:]) != trailerMagic ||
		binary.LittleEndian.Uint64(t[sha256.Size:]) != uint64(n) ||
		!bytes.Equal(h.Sum(nil), t[sumAt:sumAt+sha256.Size]) {
		return "", errors.New("checksum does not match")
	}
	return hex.EncodeToString(t[:sha256.Size]), nil
}

package keys

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/blake2b"

	"github.com/edgefvm/fvm/internal/proofs/curve"
)

// SRS is what a verifier needs of the structured reference string of aggregates (SnarkPack): elements 0 and 1 of its
// vectors. G and H are g and h of both.
type SRS struct {
	G, GAlpha, GBeta curve.G1
	H, HAlpha, HBeta curve.G2
	// MaxProofs is how many proofs, repetitions included, an aggregate under it may have: half of the elements of its
	// shortest vector. The published one has room for more than any aggregate; a development network's may be short.
	MaxProofs int
}

// SRS reads the points of the SRS, or remembers them. The published file has some hundred megabytes: its digest takes
// about a second, once.
func (s *Store) SRS(ctx context.Context) (*SRS, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.srs.get(func() (*SRS, error) { return s.readSRS(ctx) })
}

func srsFile() File { return File{Name: srsName, Digest: srsDigest, CID: srsCID} }

func (s *Store) readSRS(ctx context.Context) (*SRS, error) {
	file := srsFile()
	path := filepath.Join(s.dir, file.Name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: aggregates need an SRS: %w; %s", ErrMissing, err, file.Remedy())
	}
	if err != nil {
		return nil, fmt.Errorf("reading the SRS of aggregates: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the SRS of aggregates: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	srs, err := parseSRS(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w; %s", path, err, file.Remedy())
	}
	if s.trust {
		return srs, nil
	}
	found, err := digestOf(ctx, io.NewSectionReader(f, 0, info.Size()))
	if err != nil {
		return nil, fmt.Errorf("reading the SRS of aggregates: %s: %w", path, err)
	}
	if found != file.Digest {
		return nil, fmt.Errorf("%w: %s has %d bytes and the digest %s, want %s (a development network's own is taken if its operator says so: TrustParams, --trust-params or TRUST_PARAMS=1); %s",
			ErrDigest, path, info.Size(), found, file.Digest, file.Remedy())
	}
	return srs, nil
}

// digestOf is the digest of what r gives, as the parameters file writes it.
func digestOf(ctx context.Context, r io.Reader) (string, error) {
	h, err := blake2b.New512(nil)
	if err != nil {
		return "", err
	}
	buf := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := r.Read(buf)
		h.Write(buf[:n])
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)[:digestLen]), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// parseSRS reads elements 0 and 1 of the four vectors: g^(αⁱ), g^(βⁱ), h^(αⁱ), h^(βⁱ), each a length of 32 bits, most
// significant byte first, and compressed points.
func parseSRS(r io.ReaderAt, size int64) (*SRS, error) {
	var srs SRS
	var at int64
	first := [4][2][]byte{}
	for i := range first {
		width := int64(curve.G1Len)
		if i >= 2 {
			width = curve.G2Len
		}
		head := make([]byte, 4+2*width)
		if _, err := r.ReadAt(head, at); err != nil {
			return nil, fmt.Errorf("vector %d of four is cut short", i)
		}
		n := int64(binary.BigEndian.Uint32(head))
		if n < 2 || at+4+n*width > size {
			return nil, fmt.Errorf("vector %d of four has %d elements of %d bytes, the file %d bytes", i, n, width, size)
		}
		if room := int(n / 2); i == 0 || room < srs.MaxProofs {
			srs.MaxProofs = room
		}
		first[i] = [2][]byte{head[4 : 4+width], head[4+width:]}
		at += 4 + n*width
	}
	var beta curve.G1
	var hBeta curve.G2
	for _, p := range []struct {
		to   *curve.G1
		from []byte
	}{{&srs.G, first[0][0]}, {&srs.GAlpha, first[0][1]}, {&beta, first[1][0]}, {&srs.GBeta, first[1][1]}} {
		var err error
		if *p.to, err = curve.DecodeG1(p.from); err != nil {
			return nil, err
		}
	}
	for _, p := range []struct {
		to   *curve.G2
		from []byte
	}{{&srs.H, first[2][0]}, {&srs.HAlpha, first[2][1]}, {&hBeta, first[3][0]}, {&srs.HBeta, first[3][1]}} {
		var err error
		if *p.to, err = curve.DecodeG2(p.from); err != nil {
			return nil, err
		}
	}
	if !beta.Equal(&srs.G) || !hBeta.Equal(&srs.H) {
		return nil, errors.New("the vectors do not begin with one generator")
	}
	if srs.G.IsInfinity() || srs.H.IsInfinity() {
		return nil, errors.New("a generator is the point at infinity")
	}
	return &srs, nil
}

package blockstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/klauspost/compress/zstd"
	"github.com/multiformats/go-multihash"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// v2 is an archive of version 2 around one of version 1 (CARv2 specification of IPLD): before and after it lie other bytes.
func v2(car, before, after []byte) []byte {
	head := unhex2("0aa16776657273696f6e02")
	head = append(head, bytes.Repeat([]byte{0x80}, 16)...) // characteristics, of which the first bit is known
	from := uint64(pragma2 + header2 + len(before))
	index := uint64(0)
	if len(after) > 0 {
		index = from + uint64(len(car))
	}
	for _, n := range []uint64{from, uint64(len(car)), index} {
		head = binary.LittleEndian.AppendUint64(head, n)
	}
	return bytes.Join([][]byte{head, before, car, after}, nil)
}

func unhex2(s string) (b []byte) {
	fmt.Sscanf(s, "%x", &b)
	return b
}

// zst is data in frames of so many bytes, 0 for one.
func zst(t testing.TB, data []byte, frame int) (out []byte) {
	t.Helper()
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if frame == 0 {
		frame = len(data)
	}
	for len(data) > 0 {
		n := min(frame, len(data))
		out = z.EncodeAll(data[:n], out)
		data = data[n:]
	}
	return out
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// skippable is a frame of zstd that holds nothing.
var skippable = append(unhex2("5e2a4d1808000000"), "an index"...)

// TestCARForms: whatever form an archive has, its blocks come out of it, read as a stream or by index.
func TestCARForms(t *testing.T) {
	car, bs := sampleCAR(t)
	zeros := make([]byte, 3000)
	index := unhex2("810801000000000000000000") // an index of sorted multihashes, with nothing in it
	for _, tt := range []struct {
		name   string
		in     []byte
		padded int64
	}{
		{"version 1", car, 0},
		{"version 2", v2(car, nil, nil), 0},
		{"version 2, with an index", v2(car, nil, index), 0},
		{"version 2, with padding before the data", v2(car, make([]byte, 1000), nil), 0},
		{"version 2, with padding and an index", v2(car, bytes.Repeat([]byte("x"), 70_000), join(zeros, index)), 0},
		{"gzip", packed(t, car), 0},
		{"gzip, members", join(packed(t, car[:100]), packed(t, nil), packed(t, car[100:])), 0},
		{"gzip of version 2", packed(t, v2(car, zeros, index)), 0},
		{"zstd", zst(t, car, 0), 0},
		{"zstd, frames", zst(t, car, 100), 0},
		{"zstd, frames of a byte", join(zst(t, car[:300], 1), zst(t, car[300:], 0)), 0},
		{"zstd, a skippable frame first", join(skippable, zst(t, car, 0)), 0},
		{"zstd, skippable frames between and last", join(zst(t, car[:200], 50), skippable, skippable, zst(t, car[200:], 8000), skippable), 0},
		{"zstd of version 2", zst(t, v2(car, zeros, index), 8000), 0},
		{"padded", join(car, zeros), int64(len(car))},
		{"padded by a byte", join(car, zeros[:1]), int64(len(car))},
		{"padded inside version 2", v2(join(car, zeros), nil, index), int64(pragma2 + header2 + len(car))},
		{"padded, then gzip", packed(t, join(car, zeros)), int64(len(car))},
		{"padded, then zstd", zst(t, join(car, zeros), 100), int64(len(car))},
		{"gzip, then padded", join(packed(t, car), zeros), int64(len(packed(t, car)))},
		{"zstd, then padded", join(zst(t, car, 100), zeros), int64(len(zst(t, car, 100)))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for how, use := range ways {
				from := int64(0)
				store, roots, err := use(tt.in, CAROptions{Padding: func(at int64) { from = at }})
				if err != nil {
					t.Errorf("%s: %v", how, err)
					continue
				}
				if len(roots) != 2 || roots[0] != bs[0].Cid() || roots[1] != bs[1].Cid() || from != tt.padded {
					t.Errorf("%s: roots %v, padding from byte %d, want %d", how, roots, from, tt.padded)
				}
				for _, b := range bs {
					if got, err := store.Get(t.Context(), b.Cid()); err != nil || !bytes.Equal(got.RawData(), b.RawData()) {
						t.Errorf("%s: block %s: %v", how, b.Cid(), err)
					}
				}
				if tt.padded == 0 {
					continue
				}
				_, _, err = use(tt.in, CAROptions{})
				if want := fmt.Sprintf("padded with zeros from byte %d", tt.padded); !errors.Is(err, ErrCAR) || !strings.Contains(err.Error(), want) {
					t.Errorf("%s, padding not taken: %v, want %s", how, err, want)
				}
			}
		})
	}
}

// What has to be unpacked into memory is bounded; frames have not.
func TestOpenCARMemory(t *testing.T) {
	car, bs := sampleCAR(t)
	for name, in := range map[string][]byte{"gzip": packed(t, car), "zstd": zst(t, car, 8000)} {
		_, err := openCAR(in, CAROptions{MaxMemory: int64(len(car)) - 1})
		if name == "gzip" && (!errors.Is(err, ErrCARBound) || !strings.Contains(err.Error(), "CAROptions.MaxMemory")) || name == "zstd" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		s, err := openCAR(in, CAROptions{MaxMemory: int64(len(car))})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if _, err := s.Get(t.Context(), bs[0].Cid()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// ways are how archives are read.
var ways = map[string]func(in []byte, o CAROptions) (Blockstore, []cid.Cid, error){
	"loaded": func(in []byte, o CAROptions) (Blockstore, []cid.Cid, error) {
		m := NewMemory()
		roots, err := LoadCAR(context.Background(), bytes.NewReader(in), m, o)
		return m, roots, err
	},
	"opened": func(in []byte, o CAROptions) (Blockstore, []cid.Cid, error) {
		s, err := openCAR(in, o)
		if err != nil {
			return nil, nil, err
		}
		return s, s.Roots(), nil
	},
}

// TestCARFormsRefused: what is wrong is said, with where, and what to do.
func TestCARFormsRefused(t *testing.T) {
	car, _ := sampleCAR(t)
	with := func(at int, n uint64) []byte {
		b := v2(car, nil, nil)
		binary.LittleEndian.PutUint64(b[at:], n)
		return b
	}
	const from, size = pragma2 + 16, pragma2 + 24
	whole := v2(car, nil, nil)
	for _, tt := range []struct {
		name, want string
		in         []byte
	}{
		{"version 2, its pragma alone", "the header of version 2 has 0 of 40 bytes, then the archive ends", whole[:pragma2]},
		{"version 2, its header cut", "has 39 of 40 bytes", whole[:pragma2+header2-1]},
		{"version 2, its data cut", "cut short", whole[:len(whole)-1]},
		{"version 2, without its data", "cut short", whole[:pragma2+header2]},
		{"version 2, never finished", "never finished", join(whole[:from], make([]byte, 24), car)},
		{"version 2, data in the header", "begin at byte 50, which is in the header", with(from, 50)},
		{"version 2, absurd data", "absurd", with(from, 1<<63)},
		{"version 2, absurd size", "absurd", with(size, 1<<63-1)},
		{"version 2, data beyond the end", "", with(from, uint64(len(whole)))},
		{"version 2, data far beyond", "", with(from, 1<<40)},
		{"version 2, no data", "no data", with(size, 0)},
		{"version 2, a block over the end", "where the data of the version 2 archive end", with(size, uint64(len(car))-1)},
		{"version 2 in version 2", "version 2 inside one", v2(v2(car, nil, nil), nil, nil)},
		{"version 3", "it has version 3, not 1 or 2", unhex(t, "0aa16776657273696f6e03")},
		{"zeros, then something", "is not padding", join(car, make([]byte, 100), []byte("x"))},
		{"only zeros", "zeros only", make([]byte, 5000)},
		{"gzip in gzip", "unpacked, it is compressed by gzip inside", packed(t, packed(t, car))},
		{"zstd in zstd, with the words of a header as they are", "unpacked, it is compressed by zstd inside", zst(t, append([]byte("\x28\xb5\x2f\xfd\x60"), "\xa2eroots\x80gversion\x01"+strings.Repeat("x", 100)...), 0)},
		{"a tar in zstd", "unpacked, it is a tar file", zst(t, join(bytes.Repeat([]byte("n"), 257), []byte("ustar\x0000"), make([]byte, 600)), 0)},
		{"gzip of nothing", "it is empty", packed(t, nil)},
		{"gzip cut", "cut short", packed(t, car)[:200]},
		{"gzip, then a text", "no gzip", join(packed(t, car), []byte("text"))},
		{"zstd cut", "cut short", zst(t, car, 0)[:200]},
		{"xz", "xz -d", append(unhex(t, "fd377a585a000004e6d6b446"), car...)},
		{"bzip2", "bzip2 -d", append([]byte("BZh91AY&SY"), car...)},
		{"zip", "unzip", append([]byte("PK\x03\x04\x14\x00\x08\x08"), car...)},
		{"a page", "HTML page", []byte("<!DOCTYPE html><html><body>Not Found</body></html>")},
		{"a pointer", "git lfs pull", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")},
		{"JSON", "it is JSON", []byte(`{"jsonrpc":"2.0","error":{"code":1}}`)},
		{"nothing", "it is empty", nil},
		{"a download cut", "cut short, as an unfinished download is", car[:len(car)-1]},
	} {
		for how, use := range ways {
			if _, _, err := use(tt.in, CAROptions{Padding: func(int64) {}}); !errors.Is(err, ErrCAR) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s, %s: %v", tt.name, how, err)
			}
		}
	}
}

// TestCARFormsCut: an archive of any form, cut at any byte, is an error unless what is left is whole.
func TestCARFormsCut(t *testing.T) {
	_, bs := sampleCAR(t)
	var out bytes.Buffer
	if err := WriteCAR(&out, []cid.Cid{bs[0].Cid()}, each(bs[:3]...)); err != nil {
		t.Fatal(err)
	}
	car := out.Bytes()
	for name, in := range map[string][]byte{
		"version 2": v2(car, []byte("pad"), []byte("index")), "gzip": packed(t, car), "zstd": zst(t, car, 0), "zstd, frames": join(skippable, zst(t, car, 60)), "gzip of version 2": packed(t, v2(car, nil, nil)),
	} {
		for cut := range in {
			for how, use := range ways {
				_, _, err := use(in[:cut], CAROptions{})
				switch {
				case name == "version 2" && cut >= len(in)-len("index"), name == "zstd, frames" && err == nil: // between blocks and frames
				case name == "gzip of version 2" && how == "loaded" && cut >= len(in)-20 && err == nil: // behind the data
				case !errors.Is(err, ErrCAR) || !strings.Contains(err.Error(), "byte "):
					t.Errorf("%s, %s, cut to %d of %d bytes: %v", name, how, cut, len(in), err)
				}
			}
		}
	}
}

// A block that is only passed over may be of any length, as the data of F3 in a chain's snapshot are (FRC-0108).
func TestOpenCARLongBlock(t *testing.T) {
	ctx := t.Context()
	long := mustBlock(t, cbor.CodecRaw, uint64(cbor.HashBlake2b256), make([]byte, defaultMaxBlock+100))
	other := mustBlock(t, cbor.CodecRaw, uint64(cbor.HashBlake2b256), []byte("behind it"))
	var out bytes.Buffer
	if err := WriteCAR(&out, []cid.Cid{other.Cid()}, each(long, other)); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{"plain": out.Bytes(), "frames": zst(t, out.Bytes(), 1<<20)} {
		s, err := openCAR(in, CAROptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := s.Get(ctx, other.Cid()); err != nil || string(got.RawData()) != "behind it" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Get(ctx, long.Cid()); !errors.Is(err, ErrCARBound) || !strings.Contains(err.Error(), "CAROptions.MaxBlock") {
			t.Errorf("%s: the long block: %v", name, err)
		}
		if s, err = openCAR(in, CAROptions{MaxBlock: 64 << 20}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(ctx, long.Cid()); err != nil || len(got.RawData()) != defaultMaxBlock+100 {
			t.Errorf("%s: the long block, allowed: %v", name, err)
		}
	}
	if _, err := read(out.Bytes(), CAROptions{}); !errors.Is(err, ErrCARBound) {
		t.Errorf("read: %v", err)
	}
}

// TestOpenCARByHash: a block is found by its hash, whatever codec or version the archive gives it.
func TestOpenCARByHash(t *testing.T) {
	data := []byte{0x81, 0x01}
	asRaw := mustBlock(t, cbor.CodecRaw, uint64(cbor.HashBlake2b256), data)
	sha := blocks.NewBlock([]byte("version 0"))
	var out bytes.Buffer
	if err := WriteCAR(&out, nil, each(asRaw, sha)); err != nil {
		t.Fatal(err)
	}
	s, err := openCAR(out.Bytes(), CAROptions{})
	if err != nil {
		t.Fatal(err)
	}
	inside := mustBlock(t, cbor.CodecDagCBOR, multihash.IDENTITY, []byte{0x80})
	long := mustBlock(t, cbor.CodecRaw, multihash.IDENTITY, bytes.Repeat([]byte("long"), 100))
	for _, tt := range []struct {
		name string
		c    cid.Cid
		want []byte
	}{
		{"as it is", asRaw.Cid(), data},
		{"dag-cbor", cid.NewCidV1(cbor.CodecDagCBOR, asRaw.Cid().Hash()), data},
		{"cbor", cid.NewCidV1(cbor.CodecCBOR, asRaw.Cid().Hash()), data},
		{"a codec of three bytes", cid.NewCidV1(0x1f0000, asRaw.Cid().Hash()), data},
		{"version 0", sha.Cid(), sha.RawData()},
		{"version 1 of it", cid.NewCidV1(cbor.CodecDagPB, sha.Cid().Hash()), sha.RawData()},
		{"identity, which is not there", inside.Cid(), inside.RawData()},
		{"a long identity", long.Cid(), long.RawData()},
	} {
		for range 2 { // from the archive, then what is kept
			has, err := s.Has(t.Context(), tt.c)
			if !has || err != nil {
				t.Errorf("%s is not there: %v", tt.name, err)
			}
			if b, err := s.Get(t.Context(), tt.c); err != nil || !bytes.Equal(b.RawData(), tt.want) || b.Cid() != tt.c {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}

// Blocks by any hash function are taken; those whose function is known are checked, cut digests too.
func TestCARHashes(t *testing.T) {
	data := []byte("data")
	digest := func(code uint64, n int) cid.Cid {
		h, err := multihash.Sum(data, code, n)
		if err != nil {
			t.Fatal(err)
		}
		return cid.NewCidV1(cbor.CodecRaw, h)
	}
	unknown, err := multihash.Encode(bytes.Repeat([]byte{7}, 32), multihash.POSEIDON_BLS12_381_A1_FC1)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		c       cid.Cid
		checked bool
	}{
		{"blake2b-256", digest(multihash.BLAKE2B_MIN+31, -1), true},
		{"sha2-256", digest(multihash.SHA2_256, -1), true},
		{"sha2-256, 20 bytes of it", digest(multihash.SHA2_256, 20), true},
		{"blake2b-256, 20 bytes of it", digest(multihash.BLAKE2B_MIN+31, 20), true},
		{"blake2b-160", digest(multihash.BLAKE2B_MIN+19, -1), true},
		{"sha2-512", digest(multihash.SHA2_512, -1), true},
		{"sha3-256", digest(multihash.SHA3_256, -1), true},
		{"keccak-256", digest(multihash.KECCAK_256, -1), true},
		{"blake3", digest(multihash.BLAKE3, 32), true},
		{"identity", digest(multihash.IDENTITY, -1), true},
		{"poseidon, which is not known", cid.NewCidV1(cid.FilCommitmentSealed, unknown), false},
	} {
		good, _ := blocks.NewBlockWithCid(data, tt.c)
		bad, _ := blocks.NewBlockWithCid([]byte("Data"), tt.c)
		for _, b := range []blocks.Block{good, bad} {
			var out bytes.Buffer
			if err := WriteCAR(&out, nil, each(b)); err != nil {
				t.Fatal(err)
			}
			refused := tt.checked && b == bad
			for how, use := range ways {
				store, _, err := use(out.Bytes(), CAROptions{})
				if how == "opened" && err == nil && tt.name != "identity" {
					_, err = store.Get(t.Context(), tt.c)
				} else if how == "opened" {
					continue // it is never read from the archive
				}
				if refused != (err != nil) || err != nil && !errors.Is(err, ErrCAR) {
					t.Errorf("%s, %s, %q: %v", tt.name, how, b.RawData(), err)
				}
				store, _, err = use(out.Bytes(), CAROptions{NoHashCheck: true})
				if err == nil {
					_, err = store.Get(t.Context(), tt.c)
				}
				if err != nil {
					t.Errorf("%s, %s, not checked: %v", tt.name, how, err)
				}
			}
		}
	}
}

// TestCARReports reads the archives that people had: a whole state, packed in ways that are met. In testdata, for want of
// ../shared, are the same of a small archive.
func TestCARReports(t *testing.T) {
	files, err := filepath.Glob("testdata/forms/*")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	var first []cid.Cid
	for _, path := range files {
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for how, use := range ways {
			store, roots, err := use(in, CAROptions{Padding: func(from int64) {
				if from != 7906 || !strings.Contains(path, "pad") {
					t.Errorf("%s: padded from byte %d", path, from)
				}
			}})
			if err != nil {
				t.Errorf("%s, %s: %v", path, how, err)
				continue
			}
			if first == nil {
				first = roots
			}
			if b, err := store.Get(t.Context(), roots[0]); err != nil || len(roots) != 1 || roots[0] != first[0] || len(b.RawData()) == 0 {
				t.Errorf("%s, %s: roots %v, %v", path, how, roots, err)
			}
		}
	}
}

// By its whole CID a block is not there under another codec, nor is one that its CID holds; else both are.
func TestOpenCARWholeCID(t *testing.T) {
	car, bs := sampleCAR(t)
	c := bs[0].Cid()
	other := cid.NewCidV1(cid.Raw, c.Hash())
	if c.Prefix().Codec == cid.Raw {
		other = cid.NewCidV1(cid.DagCBOR, c.Hash())
	}
	digest, err := multihash.Sum([]byte("in it"), multihash.IDENTITY, -1)
	if err != nil {
		t.Fatal(err)
	}
	for _, whole := range []bool{false, true} {
		s, err := openCAR(car, CAROptions{WholeCID: whole})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]struct {
			c  cid.Cid
			ok bool
		}{"its own": {c, true}, "another codec": {other, !whole}, "an identity": {cid.NewCidV1(cid.Raw, digest), !whole}} {
			for range 2 { // the second time from memory, if it is kept there
				if ok, err := s.Has(t.Context(), want.c); ok != want.ok || err != nil {
					t.Errorf("whole %v: %s: %v, %v", whole, name, ok, err)
				}
				if _, err := s.Get(t.Context(), want.c); (err == nil) != want.ok {
					t.Errorf("whole %v: %s: %v", whole, name, err)
				}
			}
		}
	}
}

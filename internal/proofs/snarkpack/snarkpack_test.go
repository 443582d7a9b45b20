package snarkpack

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/proofs/comm"
	"github.com/edgefvm/fvm/internal/proofs/curve"
	"github.com/edgefvm/fvm/internal/proofs/keys"
	"github.com/edgefvm/fvm/internal/proofs/porep"
	"github.com/edgefvm/fvm/internal/proofs/registered"
)

// testdata has vectors that the reference judged, and keys for them.
var testdata = filepath.Join("..", "..", "..", "proofs", "testdata")

// example is a good aggregate of three seals of 2 KiB, four proofs.
func example(t testing.TB, version Version) ([]byte, *Statement) {
	t.Helper()
	name := map[Version]string{V1: "simulated-aggregate/2KiB-v11-3-snarkpack1/good", V2: "simulated-aggregate/2KiB-v11-3-snarkpack2/good"}[version]
	b, err := os.ReadFile(filepath.Join(testdata, "aggregate.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Proofs  map[string]string
		Vectors []struct {
			Name  string
			Input struct {
				Miner abi.ActorID
				Type  abi.RegisteredSealProof `json:"seal_proof"`
				Proof string
				Infos []struct {
					Sector     abi.SectorNumber
					Sealed     string `json:"sealed_cid"`
					Unsealed   string `json:"unsealed_cid"`
					Randomness string
					Seed       string `json:"interactive_randomness"`
				}
			}
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Vectors {
		if v.Name != name {
			continue
		}
		store := keys.New(filepath.Join(testdata, "keys"), true)
		s := &Statement{Version: version, Groups: len(v.Input.Infos), PerGroup: 1}
		if s.SRS, err = store.SRS(t.Context()); err != nil {
			t.Fatal(err)
		}
		size, _, err := registered.Seal(v.Input.Type)
		if err != nil {
			t.Fatal(err)
		}
		if s.Key, err = store.Key(t.Context(), keys.Seal, size); err != nil {
			t.Fatal(err)
		}
		include := sha256.New()
		seals := make([]porep.Seal, s.Groups)
		for i, info := range v.Input.Infos {
			seals[i] = porep.Seal{Type: v.Input.Type, Miner: v.Input.Miner, Number: info.Sector}
			copy(seals[i].Ticket[:], unhex(t, info.Randomness))
			copy(seals[i].Seed[:], unhex(t, info.Seed))
			sealed, unsealed := mustCID(t, info.Sealed), mustCID(t, info.Unsealed)
			if seals[i].CommR, err = comm.Sealed(sealed); err != nil {
				t.Fatal(err)
			}
			if seals[i].CommD, err = comm.Unsealed(unsealed); err != nil {
				t.Fatal(err)
			}
			include.Write(seals[i].Seed[:])
			include.Write(seals[i].CommR[:])
		}
		include.Sum(s.Include[:0])
		s.Inputs = func(i int) ([][]curve.Scalar, error) { return seals[i].Inputs() }
		text := v.Input.Proof
		if name, ok := strings.CutPrefix(text, "@"); ok {
			text = file.Proofs[name]
		}
		return unhex(t, text), s
	}
	t.Fatalf("no vector %s", name)
	return nil, nil
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustCID(t testing.TB, text string) cid.Cid {
	t.Helper()
	c, err := cid.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustDecode(t testing.TB, b []byte) *Proof {
	t.Helper()
	p, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestChallenges compares with the example of ../shared/reference/proofs.md, section 7.
func TestChallenges(t *testing.T) {
	type values struct{ hcom, r, inv0, inv1, extra, z string }
	for version, want := range map[Version]values{
		V1: {
			hcom: "0x197e617eb4998e66e1c9247a9edf3505e3580f8e11efe5df940bcd0b78612125",
			r:    "0x4dd7ee92cb66f1dc5265ea3e6c91a8325b607147d7c6b5ec9b2cd6d6e65c4d96",
			inv0: "0x0e7e74033d017847e833cf392c6e4fcc410bf72baccc73a542124b217a2c1dd2",
			inv1: "0x1e353ce1e7b07f9ae318f386681ce15023ff17991530a31736432b70c51d7a86",
			z:    "0x045ca0572561e5b305ce0d04c7ae2c92bd87a8a502931677cb79c74db6b3ee88",
		},
		V2: {
			hcom:  "0x197e617eb4998e66e1c9247a9edf3505e3580f8e11efe5df940bcd0b78612125",
			r:     "0x4dd7ee92cb66f1dc5265ea3e6c91a8325b607147d7c6b5ec9b2cd6d6e65c4d96",
			inv0:  "0x1a5bb60b3e80577e9b61e3e3dfd876ab45aa2b2994c5a1f4d10625ed1a43009c",
			inv1:  "0x6faf8170c533085fabb3118318221d89a7563c87a3a6e370387181af9e5afe80",
			extra: "0x46fe434fc3d687be8c9249129c3dd21b352a4c7811fe02f2a180fbd1acc99427",
			z:     "0x2aebc458eb8190dce0ccacccc44727928794614905c1f7c1e316bfe78d2393ab",
		},
	} {
		b, s := example(t, version)
		p := mustDecode(t, b)
		r := p.combiner(s.Include[:])
		c := p.challenges(r, version)
		if len(c.inv) != 2 {
			t.Fatalf("version %d: %d rounds", version, len(c.inv))
		}
		hcom := p.hcom()
		for _, v := range []struct {
			name, want string
			got        *curve.Scalar
		}{{"hcom", want.hcom, &hcom}, {"r", want.r, &c.r}, {"1/x of round 0", want.inv0, &c.inv[0]}, {"1/x of round 1", want.inv1, &c.inv[1]},
			{"extra", want.extra, &c.extra}, {"z", want.z, &c.z}} {
			n, _ := new(big.Int).SetString(v.want, 0)
			if v.want == "" {
				n = new(big.Int)
			}
			if v.got.BigInt(new(big.Int)).Cmp(n) != 0 {
				t.Errorf("version %d: %s is %s, want %s", version, v.name, v.got.Text(16), v.want)
			}
		}
	}
}

// TestFirstFailure spoils one value after the other, and asks which check hears of it first; the quick way must say no
// whenever the slow one does.
func TestFirstFailure(t *testing.T) {
	b, s := example(t, V2)
	r := mustDecode(t, b).combiner(s.Include[:])
	sum, err := s.combine(&r, 4)
	if err != nil {
		t.Fatal(err)
	}
	other := mustDecode(t, b)
	cases := []struct {
		name  string
		spoil func(e *equations)
		want  int // -1: none
	}{
		{"nothing", func(*equations) {}, -1},
		{"agg_c's fold", func(e *equations) { e.zc = e.finalA }, mippZ},
		{"ip_ab's fold", func(e *equations) { e.zab = e.tab }, tippZ},
		{"T of A and B", func(e *equations) { e.tab = e.uab }, tippT},
		{"U of A and B", func(e *equations) { e.uab = e.tab }, tippU},
		{"T of C", func(e *equations) { e.tc = e.uc }, mippT},
		{"U of C", func(e *equations) { e.uc = e.tc }, mippU},
		{"first opening of v", func(e *equations) { e.vOpening[0] = e.vOpening[1] }, kzgV0},
		{"second opening of v", func(e *equations) { e.vOpening[1] = e.vOpening[0] }, kzgV1},
		{"first opening of w", func(e *equations) { e.wOpening[0] = e.wOpening[1] }, kzgW0},
		{"second opening of w", func(e *equations) { e.wOpening[1] = e.wOpening[0] }, kzgW1},
		{"opening of v at infinity", func(e *equations) { e.vOpening[0] = curve.G2{} }, kzgV0},
		{"opening of w at infinity", func(e *equations) { e.wOpening[1] = curve.G1{} }, kzgW1},
		{"the polynomial of v", func(e *equations) { e.fv = e.fw }, kzgV0},
		{"the polynomial of w", func(e *equations) { e.fw = e.fv }, kzgW0},
		{"ip_ab", func(e *equations) { e.ipAB = e.zab }, proofs},
		{"the inputs", func(e *equations) { e.inputs = &combined{sum: e.finalA, total: e.inputs.total} }, proofs},
		{"the powers", func(e *equations) { e.inputs = &combined{sum: e.inputs.sum, total: r} }, proofs},
		// Errors that cancel each other out unless each equation has a power of its own.
		{"T and U of A and B exchanged", func(e *equations) { e.tab, e.uab = e.uab, e.tab }, tippT},
		{"T and U of C exchanged", func(e *equations) { e.tc, e.uc = e.uc, e.tc }, mippT},
		{"openings of w exchanged", func(e *equations) { e.wOpening[0], e.wOpening[1] = e.wOpening[1], e.wOpening[0] }, kzgW0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := *other
			e := p.equations(s, p.challenges(r, V2), sum)
			c.spoil(e)
			want := ""
			if c.want >= 0 {
				want = names[c.want]
			}
			if got := e.first(); got != want {
				t.Errorf("%q fails first, want %q", got, want)
			}
			if got := e.hold(); got != (want == "") {
				t.Errorf("the quick way says %v, the slow one %q", got, want)
			}
		})
	}
}

// TestQuirkGeneratorIsOne: the generator of the target group stands for one where pairings are compared.
func TestQuirkGeneratorIsOne(t *testing.T) {
	b, _ := example(t, V1)
	p := mustDecode(t, b)
	if got := neutral(p.ipAB); !got.Equal(&p.ipAB) {
		t.Error("an ordinary element is another one")
	}
	f := curve.Miller([]curve.G1{generator1()}, []curve.G2{generator2()})
	if got := neutral(curve.Final(&f)); !got.IsOne() {
		t.Error("the generator is not one")
	}
	g := curve.Final(&f)
	e := &equations{Proof: p, folded: folded{zab: g, tab: g, uab: g, tc: g, uc: g}}
	e.ipAB = g
	if got := e.rightOfProofs(); !got.Equal(&g) {
		t.Error("where there is no other element, the last one does not remain")
	}
	for i, z := range e.right() {
		if !z.IsOne() {
			t.Errorf("element %d is not one", i)
		}
	}
	e.uc = p.comC[0]
	if got := e.rightOfProofs(); !got.IsOne() {
		t.Error("beside another element the generator is not one")
	}
}

func TestDecodeCut(t *testing.T) {
	b, _ := example(t, V2)
	if want := ProofLen(4); len(b) != want || want != 2260+2976*2 {
		t.Fatalf("%d bytes, want %d", len(b), want)
	}
	for n := range b {
		if _, err := Decode(b[:n]); !errors.Is(err, ErrProof) {
			t.Fatalf("cut at byte %d: %v", n, err)
		}
	}
	if _, err := Decode(append(bytes.Clone(b), b...)); err != nil {
		t.Errorf("bytes after the end: %v", err)
	}
}

func TestDecodeCounts(t *testing.T) {
	b, _ := example(t, V2)
	for _, n := range []uint32{0, 1, 3, 5, 6, 7, 8, 12, 16, 1 << 14, 1<<14 + 1, 1 << 15, 1 << 20, 1<<24 + 1, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 1} {
		binary.LittleEndian.PutUint32(b[headLen:], n)
		if _, err := Decode(b); !errors.Is(err, ErrProof) {
			t.Errorf("%d proofs: %v", n, err)
		}
	}
}

func TestPadded(t *testing.T) {
	for n, want := range map[int]int{1: 2, 2: 2, 3: 4, 4: 4, 5: 8, 13: 16, 16: 16, 17: 32, 126: 128, 8190: 8192, 16384: 16384, 16385: 32768} {
		if got := padded(n); got != want {
			t.Errorf("%d: %d, want %d", n, got, want)
		}
	}
}

func TestWrongStatements(t *testing.T) {
	b, s := example(t, V2)
	p := mustDecode(t, b)
	for name, spoil := range map[string]func(*Statement){
		"no groups":          func(s *Statement) { s.Groups = 0 },
		"nothing in a group": func(s *Statement) { s.PerGroup = 0 },
		"two of three":       func(s *Statement) { s.Groups = 2 },
		"more than fit":      func(s *Statement) { s.Groups = 5 },
		"absurdly many":      func(s *Statement) { s.Groups = math.MaxInt },
		"a group with two":   func(s *Statement) { s.Inputs = twice(s.Inputs) },
		"one input too few":  func(s *Statement) { s.Inputs = shorter(s.Inputs) },
		"an SRS with room for two": func(s *Statement) { // the crates panic there, which the FVM takes for an error
			short := *s.SRS
			short.MaxProofs = 2
			s.SRS = &short
		},
		"an error of the inputs": func(s *Statement) {
			s.Inputs = func(int) ([][]curve.Scalar, error) { return nil, errors.New("no inputs") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := *s
			spoil(&wrong)
			if ok, err := p.Verify(&wrong); err == nil || ok {
				t.Errorf("%v, %v, want an error", ok, err)
			}
		})
	}
}

func twice(inputs func(int) ([][]curve.Scalar, error)) func(int) ([][]curve.Scalar, error) {
	return func(i int) ([][]curve.Scalar, error) {
		list, err := inputs(i)
		return append(list, list...), err
	}
}

func shorter(inputs func(int) ([][]curve.Scalar, error)) func(int) ([][]curve.Scalar, error) {
	return func(i int) ([][]curve.Scalar, error) {
		list, err := inputs(i)
		list[0] = list[0][1:]
		return list, err
	}
}

func FuzzDecode(f *testing.F) {
	b, s := example(f, V2)
	f.Add(b)
	f.Add(b[:headLen+4])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			if !errors.Is(err, ErrProof) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if p.n < 2 || ProofLen(p.n) > len(b) {
			t.Errorf("%d proofs in %d bytes", p.n, len(b))
		}
		quick, err1 := p.Verify(s)
		slow, err2 := p.firstFailure(s)
		if (err1 == nil) != (err2 == nil) || err1 == nil && quick != (slow == "") {
			t.Errorf("%v (%v) the quick way, %q (%v) the slow one", quick, err1, slow, err2)
		}
	})
}

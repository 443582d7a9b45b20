package porep

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/proofs/comm"
)

// vectors are what the published crates computed (filecoin-proofs-api 19.1.0).
type vectors[T any] struct{ Vectors []T }

func read[T any](t testing.TB, name string) []T {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var v vectors[T]
	if err := json.Unmarshal(b, &v); err != nil || len(v.Vectors) == 0 {
		t.Fatalf("%s: %v, %d vectors", name, err, len(v.Vectors))
	}
	return v.Vectors
}

type graphVector struct {
	Name    string
	Type    abi.RegisteredSealProof `json:"seal_proof"`
	Parents []nodeParents
}

type nodeParents struct {
	node    uint64
	parents []uint64
}

func (n *nodeParents) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&n.node, &n.parents})
}

// Every node of small sectors and some of large ones, of all sizes and variants.
func TestParents(t *testing.T) {
	for _, v := range read[graphVector](t, "graph.json") {
		parents, err := Graph(v.Type)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range v.Parents {
			if got := parents(n.node); !slices.Equal(got[:], n.parents) {
				t.Errorf("%s: node %d: %v, want %v", v.Name, n.node, got, n.parents)
			}
		}
	}
	if _, err := Graph(20); err == nil {
		t.Error("a graph of a type that there is not")
	}
}

// The first version puts the node just before at the end of the base parents, and keeps 32 bits of the number of an
// expander's edge, of which a sector of 32 GiB has 2³³.
func TestQuirkGraphOfV1(t *testing.T) {
	list := read[graphVector](t, "graph.json")
	seen := 0
	for _, v := range list {
		for _, n := range v.Parents {
			if n.node < 2 {
				continue
			}
			at := 0
			if v.Type < 5 {
				at = 5
				seen++
			}
			if n.parents[at] != n.node-1 {
				t.Errorf("%s: node %d has %d at place %d of its parents", v.Name, n.node, n.parents[at], at)
			}
		}
	}
	if seen == 0 {
		t.Fatal("no graph of V1")
	}
	const nodes = 1 << 30
	v1, v11 := mustGraph(t, 3), mustGraph(t, 8)
	far := 0
	for node := range uint64(200) {
		of1, of11 := v1(node*5_000_011), v11(node*5_000_011)
		for _, p := range of1[6:] {
			if p >= 1<<32/8 {
				t.Errorf("V1: parent %d of 32 GiB needs more than 32 bits", p)
			}
		}
		for _, p := range of11[6:] {
			if p >= nodes {
				t.Errorf("V1_1: parent %d is no node", p)
			}
			if p >= 1<<32/8 {
				far++
			}
		}
	}
	if far < 600 || far > 1000 { // of 1600, half
		t.Errorf("V1_1: %d of 1600 parents are in the upper half", far)
	}
}

func mustGraph(t *testing.T, typ abi.RegisteredSealProof) func(uint64) Parents {
	t.Helper()
	g, err := Graph(typ)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

type inputsVector struct {
	Name  string
	Input struct {
		Type     abi.RegisteredSealProof `json:"seal_proof"`
		Miner    abi.ActorID
		Sector   abi.SectorNumber
		Ticket   string `json:"randomness"`
		Seed     string `json:"interactive_randomness"`
		Sealed   string `json:"sealed_cid"`
		Unsealed string `json:"unsealed_cid"`
	}
	Expect struct {
		Partitions int
		PerPart    int    `json:"inputs_per_partition"`
		SHA256     string `json:"inputs_sha256"`
		Inputs     [][]string
		ReplicaID  string `json:"replica_id"`
		PorepID    string `json:"porep_id"`
	}
}

func (v *inputsVector) seal(t testing.TB) *Seal {
	t.Helper()
	s := Seal{Type: v.Input.Type, Miner: v.Input.Miner, Number: v.Input.Sector}
	commitments := [2]*comm.Commitment{&s.CommR, &s.CommD}
	for i, read := range []func(cid.Cid) (comm.Commitment, error){comm.Sealed, comm.Unsealed} {
		c, err := cid.Decode([]string{v.Input.Sealed, v.Input.Unsealed}[i])
		if err == nil {
			*commitments[i], err = read(c)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for to, text := range map[*[32]byte]string{&s.Ticket: v.Input.Ticket, &s.Seed: v.Input.Seed} {
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != 32 {
			t.Fatalf("%s: %v", text, err)
		}
		*to = [32]byte(b)
	}
	return &s
}

// Replica ids and public inputs of every type and size.
func TestInputs(t *testing.T) {
	types := map[abi.RegisteredSealProof]bool{}
	for _, v := range read[inputsVector](t, "inputs.json") {
		s := v.seal(t)
		types[s.Type] = true
		id, porep := s.ReplicaID(), ID(s.Type)
		if hex.EncodeToString(id[:]) != v.Expect.ReplicaID || hex.EncodeToString(porep[:]) != v.Expect.PorepID {
			t.Errorf("%s: replica id %x, porep id %x", v.Name, id, porep)
		}
		inputs, err := s.Inputs()
		if err != nil || len(inputs) != v.Expect.Partitions {
			t.Errorf("%s: %d partitions, %v, want %d", v.Name, len(inputs), err, v.Expect.Partitions)
			continue
		}
		h := sha256.New()
		for k, in := range inputs {
			for i := range in {
				b := in[i].Bytes()
				slices.Reverse(b[:])
				h.Write(b[:])
				if k < len(v.Expect.Inputs) && "0x"+in[i].Text(16) != v.Expect.Inputs[k][i] {
					t.Fatalf("%s: partition %d, input %d: 0x%s, want %s", v.Name, k, i, in[i].Text(16), v.Expect.Inputs[k][i])
				}
			}
			if len(in) != v.Expect.PerPart {
				t.Errorf("%s: %d inputs, want %d", v.Name, len(in), v.Expect.PerPart)
			}
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != v.Expect.SHA256 {
			t.Errorf("%s: the inputs' digest is %s, want %s", v.Name, got, v.Expect.SHA256)
		}
	}
	if len(types) < 18 {
		t.Errorf("only %d types of seals were looked at", len(types))
	}
}

// What is an error of a statement, by case: the library raises one, too.
func TestStatementsThatAreErrors(t *testing.T) {
	order, err := hex.DecodeString("01000000fffffffffe5bfeff02a4bd5305d8a10908d83933487d9d2953a7ed73")
	if err != nil {
		t.Fatal(err)
	}
	good := read[inputsVector](t, "inputs.json")[0].seal(t)
	for _, c := range []struct {
		name  string
		spoil func(*Seal)
		want  string // "": none
	}{
		{"as it is", func(*Seal) {}, ""},
		{"a ticket of ones", func(s *Seal) { s.Ticket = [32]byte([]byte(strings.Repeat("\xff", 32))) }, ""},
		{"a ticket of zeroes", func(s *Seal) { s.Ticket = [32]byte{} }, ""},
		{"comm_r zero", func(s *Seal) { s.CommR = comm.Commitment{} }, "zero"},
		{"comm_d zero", func(s *Seal) { s.CommD = comm.Commitment{} }, "zero"},
		{"comm_r the order", func(s *Seal) { s.CommR = [32]byte(order) }, "comm_r"},
		{"comm_d the order", func(s *Seal) { s.CommD = [32]byte(order) }, "comm_d"},
		{"comm_r one below the order", func(s *Seal) { s.CommR = [32]byte(order); s.CommR[0]-- }, ""},
		{"an unknown type", func(s *Seal) { s.Type = 20 }, "unknown"},
		{"a negative type", func(s *Seal) { s.Type = -1 }, "unknown"},
	} {
		s := *good
		c.spoil(&s)
		inputs, err := s.Inputs()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d partitions, %v, want an error with %q", c.name, len(inputs), err, c.want)
		}
	}
	zero := Seal{Type: 5}
	if _, err := zero.Inputs(); !errors.Is(err, ErrZero) {
		t.Error(err)
	}
}

// The seed of a non-interactive seal goes into nothing, that of the others into the challenges.
func TestSeeds(t *testing.T) {
	for _, typ := range []abi.RegisteredSealProof{0, 5, 10, 15, 8, 13, 18} {
		s := read[inputsVector](t, "inputs.json")[0].seal(t)
		s.Type = typ
		before, err := s.Inputs()
		if err != nil {
			t.Fatal(err)
		}
		s.Seed[7] ^= 1
		after, err := s.Inputs()
		if err != nil {
			t.Fatal(err)
		}
		same := slices.EqualFunc(before, after, slices.Equal)
		if ni := typ >= 15; same != ni {
			t.Errorf("type %d: another seed, the same inputs: %v", typ, same)
		}
	}
}

// The first block of draft-strombergson-chacha-test-vectors-01, section 2.1, TC1: key and nonce of zeroes, 256 bits, 8
// rounds.
func TestChaCha8(t *testing.T) {
	const want = "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42"
	c := newChaCha8(new([32]byte))
	var got []byte
	for range 8 {
		n := c.next()
		for range 8 {
			got, n = append(got, byte(n)), n>>8
		}
	}
	if hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
}

func BenchmarkInputs32GiB(b *testing.B) {
	s := Seal{Type: 8, CommR: comm.Commitment{1}, CommD: comm.Commitment{2}}
	for b.Loop() {
		if _, err := s.Inputs(); err != nil {
			b.Fatal(err)
		}
	}
}

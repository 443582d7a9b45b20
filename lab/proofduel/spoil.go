package proofduel

import (
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// spoiler changes inputs of proofs by chance, in ways that leave them well formed as often as not.
type spoiler struct {
	r *rand.Rand
	// others are proofs of other vectors of the kind, whose points can be put into this one's.
	others [][]byte
}

// spoil changes one or two things of an input.
func (s *spoiler) spoil(input json.RawMessage) (json.RawMessage, error) {
	var in map[string]any
	d := json.NewDecoder(strings.NewReader(string(input)))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		return nil, err
	}
	for range 1 + s.r.IntN(2) {
		s.object(in)
	}
	return json.Marshal(in)
}

// object changes one field.
func (s *spoiler) object(in map[string]any) {
	names := make([]string, 0, len(in))
	for name := range in {
		names = append(names, name)
	}
	slices.Sort(names)
	if _, ok := in["proof"]; ok && s.r.IntN(2) == 0 {
		names = []string{"proof"}
	}
	name := names[s.r.IntN(len(names))]
	switch v := in[name].(type) {
	case json.Number:
		in[name] = s.number(name, v)
	case bool:
		in[name] = !v
	case string:
		in[name] = s.text(name, v)
	case []any:
		in[name] = s.list(v)
	}
}

// types are how many registered proofs of a field's there are: beyond them a message says nothing to the crates' judge.
var types = map[string]int{"seal_proof": 20, "post_proof": 15, "update_proof": 5, "aggregate_proof": 2}

func (s *spoiler) number(name string, v json.Number) json.Number {
	if most, ok := types[name]; ok {
		if s.r.IntN(3) > 0 {
			return v // other types are mostly an error at once
		}
		return json.Number(strconv.Itoa(s.r.IntN(most)))
	}
	n, err := strconv.ParseUint(v.String(), 10, 64)
	if err != nil {
		return v
	}
	switch s.r.IntN(3) {
	case 0:
		n++
	case 1:
		n ^= 1 << s.r.IntN(40)
	default:
		n = s.r.Uint64() >> s.r.IntN(64)
	}
	return json.Number(strconv.FormatUint(n, 10))
}

func (s *spoiler) list(v []any) []any {
	if len(v) == 0 {
		return v
	}
	i, j := s.r.IntN(len(v)), s.r.IntN(len(v))
	switch s.r.IntN(6) {
	case 0:
		return slices.Delete(slices.Clone(v), i, i+1)
	case 1:
		return append(slices.Clone(v), v[i])
	case 2:
		v = slices.Clone(v)
		v[i], v[j] = v[j], v[i]
		return v
	default:
		if o, ok := v[i].(map[string]any); ok {
			s.object(o)
		}
		return v
	}
}

func (s *spoiler) text(name, v string) string {
	if strings.HasSuffix(name, "cid") {
		return s.cid(v)
	}
	b, err := hex.DecodeString(v)
	if err != nil || len(b) == 0 {
		return v
	}
	if name == "proof" {
		return hex.EncodeToString(s.proof(b))
	}
	return hex.EncodeToString(s.number32(b))
}

// number32 changes a number of 32 bytes, least significant first, so that it keeps its length.
func (s *spoiler) number32(b []byte) []byte {
	switch s.r.IntN(8) {
	case 0:
		clear(b)
	case 1:
		for i := range b {
			b[i] = byte(s.r.Uint32())
		}
	case 2: // around the order
		order, _ := hex.DecodeString("01000000fffffffffe5bfeff02a4bd5305d8a10908d83933487d9d2953a7ed73")
		copy(b, order)
		b[0] -= byte(s.r.IntN(2))
	default:
		b[s.r.IntN(len(b))] ^= 1 << s.r.IntN(8)
	}
	return b
}

// cid changes a commitment in its CID to another scalar. What becomes of those that are none is for the vectors.
func (s *spoiler) cid(v string) string {
	c, err := cid.Decode(v)
	if err != nil {
		return v
	}
	mh, err := multihash.Decode(c.Hash())
	if err != nil {
		return v
	}
	digest := s.number32(slices.Clone(mh.Digest))
	if last := len(digest) - 1; last >= 0 {
		digest[last] &= 0x3f
	}
	again, err := multihash.Encode(digest, mh.Code)
	if err != nil {
		return v
	}
	return cid.NewCidV1(c.Type(), again).String()
}

// proof changes bytes, points, or the length.
func (s *spoiler) proof(b []byte) []byte {
	if s.r.IntN(4) > 0 && s.aggregate(b) {
		return b
	}
	const point = 48 // bytes: the places of points in Groth16 proofs are multiples of it
	at := s.r.IntN(max(1, len(b)/point)) * point
	switch s.r.IntN(10) {
	case 0, 1:
		b[s.r.IntN(len(b))] ^= 1 << s.r.IntN(8)
	case 2, 3: // the other of two points with one x
		b[at] ^= 0x20
	case 4, 5: // from another proof, as often as not a point of the same group
		if len(s.others) > 0 {
			from := s.others[s.r.IntN(len(s.others))]
			width := point << s.r.IntN(2)
			if at+width <= min(len(b), len(from)) {
				copy(b[at:at+width], from[at:])
			}
		}
	case 6: // two places exchanged
		to := s.r.IntN(max(1, len(b)/point)) * point
		if max(at, to)+point <= len(b) {
			for i := range point {
				b[at+i], b[to+i] = b[to+i], b[at+i]
			}
		}
	case 7:
		b[at] = 0xc0 // infinity, with or without coordinates
		if s.r.IntN(2) == 0 {
			clear(b[at+1 : min(at+point, len(b))])
		}
	case 8:
		b = b[:s.r.IntN(len(b))]
	default:
		if s.r.IntN(2) == 0 {
			b = append(b, b...)
		} else {
			b = append(b, byte(s.r.Uint32()))
		}
	}
	return b
}

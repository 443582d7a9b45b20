package amt

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/edgefvm/fvm/internal/ipld/cbor"
)

// blocks is a store as a map.
type blocks map[cid.Cid][]byte

func (b blocks) put(c cid.Cid, data []byte) error {
	b[c] = data
	return nil
}

func (b blocks) get(_ context.Context, c cid.Cid) ([]byte, error) {
	data, ok := b[c]
	if !ok {
		return nil, errors.New("missing")
	}
	return data, nil
}

// numbers are items that are told apart.
func numbers(n int) (items [][]byte) {
	for i := range n {
		items = append(items, cbor.AppendUint(nil, uint64(i)*7))
	}
	return items
}

// Arrays have the roots that go-amt-ipld v2.1.0, which nodes use for them, gives the same items, and are read as they were.
func TestAsGoAMT(t *testing.T) {
	for _, c := range []struct {
		n    int
		root string
	}{
		{0, "bafy2bzacedswlcz5ddgqnyo3sak3jmhmkxashisnlpq6ujgyhe4mlobzpnhs6"},
		{1, "bafy2bzacebpmqt6m5kqbx3yxp67fb7gwgawzguy2ts2qg3m5gnmnqbzplehk4"},
		{2, "bafy2bzacebgfzpxzcbrkhmgua34zhxcpwbcrsv2ixmdpkuyo6femea5pbmi7w"},
		{7, "bafy2bzaceaovrldfrygisgydfgi67ea6nkyvnswptipoxh7hzewfrdn36h56y"},
		{8, "bafy2bzacecqud5w4ykkrnnww252excdmvp3kaoxplgkq3nebnrdzgzk4iqy64"},
		{9, "bafy2bzacea2wi7effwvwryt5zv4bjoxj65gsloy4a23kzffrax5andqy5duju"},
		{63, "bafy2bzaceaxzshtoutbcs3co7xtleix443pkbhjjisssafzwd6ymxq5c2ocrm"},
		{64, "bafy2bzaced5fq5avd4lcnf63nycr6qgmvyjmp6a5slafmmebilfg7hpkiatqs"},
		{65, "bafy2bzacebebvp2dwmzaxavudvpo6qs5ioirubtmkbvd63up3e2wnl5uapnem"},
		{511, "bafy2bzacedsjnto4oqakr4gi3acddbisncohs6ambnfctrxtatbwx5hza7jrs"},
		{512, "bafy2bzacedqqojy4od5iuxakfjs7ao35yvc7poqxptzpykosrl2k3aao4jsu2"},
		{513, "bafy2bzacebyo7lrazvp3dclo2p5xkd6cifvm3x2qkn6voei6lcrpws4wt7nfk"},
		{1000, "bafy2bzacectvohfxignnqoa67zl63sgpatfp6vch3mu7wob55ljxswwthnppw"},
	} {
		n, items := c.n, numbers(c.n)
		b := blocks{}
		root, err := Build(items, b.put)
		if err != nil || root.String() != c.root {
			t.Errorf("%d items: %v, %v, want %s", n, root, err, c.root)
		}
		got, err := Values(t.Context(), b.get, root, uint64(n))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(items) && n > 0 {
			t.Errorf("%d items: read as %v, %v", n, got, err)
		}
		if n > 0 {
			if _, err := Values(t.Context(), b.get, root, uint64(n-1)); !errors.Is(err, ErrMalformed) {
				t.Errorf("%d items where %d are allowed: %v", n, n-1, err)
			}
		}
	}
}

// root is a root node with parts of one's own.
func root(height, count uint64, bitmap byte, links []cid.Cid, items [][]byte) []byte {
	b := cbor.AppendUint(cbor.AppendUint(cbor.AppendArray(nil, 3), height), count)
	b = cbor.AppendBytes(cbor.AppendArray(b, 3), []byte{bitmap})
	b = cbor.AppendArray(b, len(links))
	for _, c := range links {
		b = cbor.AppendCID(b, c)
	}
	b = cbor.AppendArray(b, len(items))
	for _, i := range items {
		b = append(b, i...)
	}
	return b
}

// What is no array is an error, before anything large is done.
func TestMalformed(t *testing.T) {
	b := blocks{}
	leaf, err := store(node(nil, numbers(8)), b.put)
	if err != nil {
		t.Fatal(err)
	}
	eight := make([]cid.Cid, 8)
	for i := range eight {
		eight[i] = leaf
	}
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"nothing", nil},
		{"another type", []byte{0x01}},
		{"an absurd height", root(1<<60, 1, 1, nil, numbers(1))},
		{"an absurd count", root(0, 1<<60, 1, nil, numbers(1))},
		{"fewer items than it says", root(0, 2, 1, nil, numbers(1))},
		{"more items than slots", root(0, 2, 1, nil, numbers(2))},
		{"a gap", root(0, 2, 0b101, nil, numbers(2))},
		{"links at the bottom", root(0, 1, 1, []cid.Cid{leaf}, nil)},
		{"items above the bottom", root(1, 1, 1, nil, numbers(1))},
		{"a leaf higher than it says", root(2, 8, 1, []cid.Cid{leaf}, nil)},
		{"many times the same leaf", root(1, 65, 0xff, eight, nil)},
		{"something after it", append(root(0, 1, 1, nil, numbers(1)), 0)},
		{"cut", root(0, 1, 1, nil, numbers(1))[:6]},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, err := store(c.data, b.put)
			if err != nil {
				t.Fatal(err)
			}
			if v, err := Values(t.Context(), b.get, id, 1000); !errors.Is(err, ErrMalformed) {
				t.Errorf("%v, %v", v, err)
			}
		})
	}
}

// A missing block is the store's error.
func TestMissing(t *testing.T) {
	b := blocks{}
	id, err := Build(numbers(20), b.put)
	if err != nil {
		t.Fatal(err)
	}
	for c := range b {
		if !c.Equals(id) {
			delete(b, c)
			break
		}
	}
	if _, err := Values(t.Context(), b.get, id, 100); err == nil || errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func FuzzValues(f *testing.F) {
	f.Add(root(0, 1, 1, nil, numbers(1)))
	f.Add(root(1, 8, 1, nil, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		b := blocks{}
		id, err := store(data, b.put)
		if err != nil {
			t.Fatal(err)
		}
		items, err := Values(t.Context(), b.get, id, 100)
		if err != nil {
			return
		}
		again := blocks{}
		if _, err := Build(items, again.put); err != nil {
			t.Fatal(err)
		}
	})
}

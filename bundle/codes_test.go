package bundle

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/blockstore"
)

var update = flag.Bool("update", false, "write codes.txt anew")

// listCodes makes the list of codes from the bundles themselves.
func listCodes(t *testing.T, s *Set) string {
	t.Helper()
	list, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rank := func(e Entry) int {
		if e.Network == "mainnet" {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Network, b.Network))
	})
	seen := map[string]bool{}
	var text strings.Builder
	for _, e := range list {
		b, err := s.Load(t.Context(), e.Version, e.Network, blockstore.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, a := range b.Actors {
			if !seen[a.Code.KeyString()] {
				seen[a.Code.KeyString()] = true
				lines = append(lines, fmt.Sprintf("\t%s %s\n", a.Name, a.Code))
			}
		}
		slices.Sort(lines)
		if len(lines) > 0 {
			text.WriteString(e.Name() + "\n" + strings.Join(lines, ""))
		}
	}
	return text.String()
}

// The list says what is in the archives.
func TestCodesAreThoseOfTheArchives(t *testing.T) {
	s, err := Open(context.Background(), Options{NoAdded: true, Progress: os.Stderr})
	if err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
	got := listCodes(t, s)
	if *update {
		if err := os.WriteFile("codes.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != codesText {
		t.Error("codes.txt is not what the archives hold: go test ./bundle -run TestCodesAreThoseOfTheArchives -update")
	}
}

func TestCodeOf(t *testing.T) {
	all, err := readCodes(codesText)
	if err != nil || len(all) < 900 {
		t.Fatalf("%d codes, %v", len(all), err)
	}
	versions := map[int]bool{}
	for _, c := range all {
		versions[c.Version] = true
		if c.Actor == "" || c.Network == "" {
			t.Errorf("%+v", c)
		}
	}
	for v := 8; v <= 18; v++ {
		if !versions[v] {
			t.Errorf("no code of version %d", v)
		}
	}
	for _, bad := range []string{"mainnet\n", "v8/mainnet\n\taccount x\n"} {
		if _, err := readCodes(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

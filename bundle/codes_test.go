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
	type bundleCodes struct {
		Entry
		actors []Actor
	}
	var all []bundleCodes
	versions := map[string][]int{} // by code
	for _, e := range list {
		b, err := s.Load(t.Context(), e.Version, e.Network, blockstore.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bundleCodes{e, b.Actors})
		for _, a := range b.Actors {
			if k := a.Code.KeyString(); !slices.Contains(versions[k], e.Version) {
				versions[k] = append(versions[k], e.Version)
			}
		}
	}
	seen := map[string]bool{}
	var text strings.Builder
	for _, e := range all {
		var lines []string
		for _, a := range e.actors {
			k := a.Code.KeyString()
			if seen[k] {
				continue
			}
			seen[k] = true
			line := fmt.Sprintf("\t%s %s", a.Name, a.Code)
			for _, v := range versions[k][1:] {
				line += fmt.Sprintf(" v%d", v)
			}
			lines = append(lines, line+"\n")
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
		if c.Actor == "" || c.Network == "" || len(c.Versions) == 0 || c.Versions[0] != c.Version || !slices.IsSorted(c.Versions) {
			t.Errorf("%+v", c)
		}
	}
	for v := 8; v <= 18; v++ {
		if !versions[v] {
			t.Errorf("no code of version %d", v)
		}
	}
	for _, bad := range []string{"mainnet\n", "v8/mainnet\n\taccount x\n", "v8/mainnet\n\taccount bafk2bzacea57ib7fosqleehx5z6uvockk3xk5wqycmge5m4rfq4ptr7xrkfsi 9\n"} {
		if _, err := readCodes(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

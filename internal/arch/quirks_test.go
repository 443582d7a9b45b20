package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	quirkTest = regexp.MustCompile(`(?m)^func (TestQuirk\w+)\(`)
	quirkName = regexp.MustCompile("`(TestQuirk\\w+)`")
)

// Every test of a quirk is in the table of CONFORMANCE.md, and the table names no other. Every file
// whose comments mark a quirk is in a package that tests one.
func TestQuirksAreListed(t *testing.T) {
	root := filepath.Join("..", "..")
	tests := map[string]bool{}
	marked, tested := map[string]string{}, map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, path, d.Name())
		}
		if !strings.HasSuffix(path, ".go") || filepath.Base(filepath.Dir(path)) == "arch" {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path, "_test.go") {
			if strings.Contains(string(src), "Quirk:") {
				marked[filepath.Dir(path)] = path
			}
			return nil
		}
		for _, m := range quirkTest.FindAllStringSubmatch(string(src), -1) {
			tests[m[1]] = true
			tested[filepath.Dir(path)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(tests) == 0 || len(marked) == 0 {
		t.Fatal("no quirks found")
	}
	for dir, path := range marked {
		if !tested[dir] {
			t.Errorf("%s marks a quirk, but its package has no test of one", path)
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "CONFORMANCE.md"))
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range quirkName.FindAllStringSubmatch(string(text), -1) {
		listed = append(listed, m[1])
	}
	for name := range tests {
		if !slices.Contains(listed, name) {
			t.Errorf("CONFORMANCE.md does not list %s", name)
		}
	}
	for _, name := range listed {
		if !tests[name] {
			t.Errorf("CONFORMANCE.md lists %s, which does not exist", name)
		}
	}
}

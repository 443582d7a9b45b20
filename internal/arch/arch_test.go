package arch

import (
	"go/build"
	"go/parser"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/edgefvm/fvm"

// readHouse parses the modules of this repository.
func readHouse(t *testing.T) *house {
	t.Helper()
	root := filepath.Join("..", "..")
	h := newHouse(module)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, path, d.Name())
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		if ok, err := build.Default.MatchFile(filepath.Dir(path), d.Name()); err != nil || !ok {
			return err // of a file for another platform there is a twin that is checked
		}
		f, err := parser.ParseFile(h.fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		if dir = filepath.ToSlash(dir); dir == "." {
			dir = ""
		}
		h.files[dir] = append(h.files[dir], f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// skip leaves out what is of no module of ours.
func skip(root, path, name string) error {
	if path == root {
		return nil
	}
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" {
		return fs.SkipDir
	}
	mod, err := os.ReadFile(filepath.Join(path, "go.mod"))
	if err == nil && !strings.HasPrefix(string(mod), "module "+module+"/") { // ffi has another's name
		return fs.SkipDir
	}
	return nil
}

func TestHouse(t *testing.T) {
	left, idle := excuse(readHouse(t).check(plan, banned), exceptions)
	for _, f := range left {
		t.Error(f)
	}
	for _, e := range idle {
		t.Errorf("nothing needs the exception %q of %s any more", e.what, e.room)
	}
}

func TestPlanHasNoRoomTwice(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range plan {
		if seen[r.path] {
			t.Errorf("%q is in the plan twice", r.path)
		}
		seen[r.path] = true
	}
}

// A rule that nothing can break is no rule: each of these breaks one.
func TestRulesCanBreak(t *testing.T) {
	plan := []room{{"low", machine, 0, true}, {"high", machine, 1, true}, {"free", machine, 2, false}, {"bench", laboratory, 0, false}}
	const high = "package high\n"
	for _, c := range []struct{ name, code, want string }{
		{"nothing", `import ("sync"; "m/low"); var table = [...]int{1}; func F(m map[int]int) int { for range m {}; l := low.T; l = 2; return l + table[0] }`, ""},
		{"sorted", `import "sort"; func F(m map[string]int) { var s []string; for k := range m { s = append(s, k) }; sort.Strings(s) }`, ""},
		{"sorted before", `import "slices"; func F(m map[string]int, s []string) { slices.Sort(s); for k := range m { s = append(s, k) } }`, "ranges over a map"},
		{"sorted elsewhere", `import "slices"; func F(m map[string]int) (s []string) { for k := range m { s = append(s, k) }; return }; func G(s []string) { slices.Sort(s) }`, "ranges over a map"},
		{"upwards", `import "m/free"`, "imports free (storey 2)"},
		{"another wing", `import "m/bench"`, "of the machine imports bench of the laboratory"},
		{"itself", `import "m/high"`, "imports high (storey 1)"},
		{"clock", `import "time"`, "imports time"},
		{"below", `import "math/rand/v2"`, "imports math/rand/v2"},
		{"renamed", `import e "os"`, "imports os"},
		{"goroutine", `func F() { go F() }`, "starts a goroutine"},
		{"goroutine in a literal", `var f = func() { go f2() }; func f2() {}`, "starts a goroutine"},
		{"select", `func F(a chan int) { select { case <-a: default: } }`, "selects"},
		{"float type", `type T struct{ x float64 }`, "uses float64"},
		{"float argument", `func F(x []float32) {}`, "uses float32"},
		{"float literal", `const c = 1.5`, "floating-point"},
		{"init", `func init() {}`, "init function"},
		{"map order", `func F(m map[string]int) { for k := range m { println(k) } }`, "ranges over a map"},
		{"map order of a named type", `type M map[int]int; type S struct{ m M }; func (s *S) F() { for _, v := range s.m { println(v) } }`, "ranges over a map"},
		{"map order of another room's type", `import "m/low"; func F(s low.S) { for k := range s.M { println(k) } }`, "ranges over a map"},
		{"assignment", `var x = 1; func F() { x = 2 }`, "changes the package variable x"},
		{"increment", `var x = 1; func F() { x++ }`, "changes the package variable x"},
		{"element", `var x = map[int]int{}; func F() { x[1] = 2 }`, "changes the package variable x"},
		{"field", `var x = struct{ a []int }{}; func F() { x.a[0] += 2 }`, "changes the package variable x"},
		{"pointee", `var x = &y; var y = 1; func F() { *x = 2 }`, "changes the package variable x"},
		{"delete", `var x = map[int]int{}; func F() { delete(x, 1) }`, "changes the package variable x"},
		{"loop variable", `var x = 1; func F() { for x = range 3 {} }`, "changes the package variable x"},
		{"another's", `import "m/low"; func F() { low.T = 2 }`, "changes a variable of package m/low"},
		{"a stranger's", `import "example.org/addr"; func F() { addr.Network = 2 }`, "changes a variable of package example.org/addr"},
		{"lock", `import "sync"; var mu sync.Mutex`, "of type sync.Mutex"},
		{"pool", `import "sync"; var pool = sync.Pool{}`, "of type sync.Pool"},
		{"pointer to a pool", `import "sync"; var pool = &sync.Pool{}`, "of type sync.Pool"},
		{"atomic", `import "sync/atomic"; var n atomic.Int64`, "of type atomic.Int64"},
		{"channel", `var c chan int`, "has the channel c"},
		{"made", `var m = make(map[int]int)`, "to be changed"},
		{"without a value", `var n int`, "without a value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			faults := build3(t, high+c.code).check(plan, banned)
			if c.want == "" {
				if len(faults) > 0 {
					t.Errorf("faults %v, want none", faults)
				}
				return
			}
			for _, f := range faults {
				if strings.Contains(f.what, c.want) && f.room == "high" {
					return
				}
			}
			t.Errorf("faults %v, want %q", faults, c.want)
		})
	}
}

// build3 is a house of four rooms of which one is given.
func build3(t *testing.T, high string) *house {
	t.Helper()
	h := newHouse("m")
	for room, code := range map[string]string{
		"low": "package low\nvar T = 1\ntype S struct{ M map[int]int }", "high": high, "free": "package free\nimport \"os\"\nfunc init() { go os.Exit(1) }",
		"bench": "package bench",
	} {
		f, err := parser.ParseFile(h.fset, room+".go", code, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		h.files[room] = append(h.files[room], f)
	}
	return h
}

func TestPlanCanBreak(t *testing.T) {
	h := build3(t, "package high")
	for _, c := range []struct {
		plan []room
		want string
	}{
		{[]room{{"low", machine, 0, true}, {"free", machine, 1, false}, {"bench", laboratory, 0, false}}, "plan: high has no storey: add it to the plan"},
		{[]room{{"low", machine, 0, true}, {"high", machine, 1, true}, {"free", machine, 1, false}, {"bench", laboratory, 0, false}, {"gone", machine, 1, false}}, "plan: gone is in the plan but not in the house"},
	} {
		if got := h.check(c.plan, banned); len(got) != 1 || got[0].String() != c.want {
			t.Errorf("faults %v, want %q", got, c.want)
		}
	}
}

func TestExceptions(t *testing.T) {
	faults := []fault{{"a", "x", ""}, {"a", "y", ""}, {"b", "x", ""}, {"a", "x", ""}}
	left, idle := excuse(faults, []exception{{"a", "x", "why"}, {"c", "x", "why"}})
	if len(left) != 2 || left[0].what != "y" || left[1].room != "b" {
		t.Errorf("left %v", left)
	}
	if len(idle) != 1 || idle[0].room != "c" {
		t.Errorf("idle %v", idle)
	}
}

// Folders that import each other are found, also by way of a third, and rooms of one folder are none.
func TestCircles(t *testing.T) {
	h := newHouse("m")
	for room, code := range map[string]string{
		"a/x": "package x\nimport \"m/b\"", "a/y": "package y\nimport \"m/a/x\"", "b": "package b\nimport \"m/internal/c/d\"",
		"internal/c/d": "package d\nimport \"m/a/z\"", "a/z": "package z", "internal/e": "package e\nimport \"m/a/x\"",
	} {
		f, err := parser.ParseFile(h.fset, room+".go", code, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		h.files[room] = append(h.files[room], f)
	}
	var rooms []string
	for _, f := range h.circles() {
		rooms = append(rooms, f.room)
	}
	if got := strings.Join(rooms, " "); got != "a b internal/c" {
		t.Errorf("circles of %q", got)
	}
}

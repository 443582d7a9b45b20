package arch

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// fault is a broken rule.
type fault struct{ room, what, where string }

func (f fault) String() string { return fmt.Sprintf("%s: %s %s", f.where, f.room, f.what) }

// house is the code to check: for each room its parsed files, without tests.
type house struct {
	module string
	fset   *token.FileSet
	files  map[string][]*ast.File
	typed  map[string]*types.Package
	info   types.Info
}

func newHouse(module string) *house {
	return &house{
		module: module, fset: token.NewFileSet(), files: map[string][]*ast.File{}, typed: map[string]*types.Package{},
		info: types.Info{Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}},
	}
}

// rooms are the paths of the rooms that there are, sorted.
func (h *house) rooms() []string {
	var paths []string
	for p := range h.files {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}

// inside is the path within the module of an import, if it is one of ours.
func (h *house) inside(imp string) (string, bool) {
	if imp == h.module {
		return "", true
	}
	return strings.CutPrefix(imp, h.module+"/")
}

// Import type-checks our own rooms; of other packages nothing is known but that
// they exist. It makes house a types.Importer.
func (h *house) Import(path string) (*types.Package, error) {
	room, ours := h.inside(path)
	if !ours || h.files[room] == nil {
		p := types.NewPackage(path, path[strings.LastIndexByte(path, '/')+1:])
		p.MarkComplete()
		return p, nil
	}
	if p, done := h.typed[room]; done {
		if p == nil {
			return nil, errors.New("import cycle")
		}
		return p, nil
	}
	h.typed[room] = nil
	cfg := types.Config{Importer: h, Error: func(error) {}} // what other packages declare is unknown, so there are errors
	p, _ := cfg.Check(path, h.fset, h.files[room], &h.info)
	h.typed[room] = p
	return p, nil
}

// check finds every fault, in the order of rooms and lines.
func (h *house) check(plan []room, banned []string) []fault {
	var faults []fault
	known := map[string]room{}
	for _, r := range plan {
		known[r.path] = r
		if h.files[r.path] == nil {
			faults = append(faults, fault{r.path, "is in the plan but not in the house", "plan"})
		}
	}
	for _, path := range h.rooms() {
		r, ok := known[path]
		if !ok {
			faults = append(faults, fault{path, "has no storey: add it to the plan", "plan"})
			continue
		}
		c := checker{house: h, room: r, known: known, banned: banned}
		for _, f := range h.files[path] {
			c.imports(f)
		}
		if r.decides {
			if _, err := h.Import(strings.TrimSuffix(h.module+"/"+path, "/")); err != nil {
				c.add(token.NoPos, "does not type-check: "+err.Error())
			}
			for _, f := range h.files[path] {
				ast.Inspect(f, c.node)
				c.packageVars(f)
			}
		}
		faults = append(faults, c.faults...)
	}
	return append(faults, h.circles()...)
}

// folderOf is the folder of the house that a room stands in, as a stranger sees it: the one below the root or, in
// internal, the one below that.
func folderOf(room string) string {
	parts := strings.SplitN(room, "/", 3)
	if parts[0] == "internal" && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// circles finds folders that import each other, directly or not.
func (h *house) circles() (faults []fault) {
	uses := map[string][]string{}
	for _, path := range h.rooms() {
		for _, f := range h.files[path] {
			for _, spec := range f.Imports {
				imp, _ := strconv.Unquote(spec.Path.Value)
				from, to := folderOf(path), ""
				if room, ours := h.inside(imp); ours {
					to = folderOf(room)
				} else {
					continue
				}
				if from != to && !slices.Contains(uses[from], to) {
					uses[from] = append(uses[from], to)
				}
			}
		}
	}
	var names []string
	for from := range uses {
		names = append(names, from)
	}
	slices.Sort(names)
	for _, from := range names {
		seen := map[string]bool{}
		var walk func(string) bool
		walk = func(at string) bool {
			for _, to := range uses[at] {
				if to == from {
					return true
				}
				if !seen[to] {
					seen[to] = true
					if walk(to) {
						return true
					}
				}
			}
			return false
		}
		if walk(from) {
			faults = append(faults, fault{from, "is a folder that imports itself by way of others", "plan"})
		}
	}
	return faults
}

// checker checks one room.
type checker struct {
	*house
	room   room
	known  map[string]room
	banned []string
	faults []fault
	sorted token.Pos // of the last call that sorts in the function at hand
}

func (c *checker) add(at token.Pos, what string) {
	c.faults = append(c.faults, fault{c.room.path, what, c.fset.Position(at).String()})
}

func (c *checker) imports(f *ast.File) {
	for _, spec := range f.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			c.add(spec.Pos(), "has a bad import")
			continue
		}
		if to, ours := c.inside(imp); ours {
			if lower, ok := c.known[to]; ok && lower.storey >= c.room.storey {
				c.add(spec.Pos(), fmt.Sprintf("(storey %d) imports %s (storey %d)", c.room.storey, to, lower.storey))
			}
			if other, ok := c.known[to]; ok && other.wing != c.room.wing && !slices.Contains(may[c.room.wing], other.wing) {
				c.add(spec.Pos(), fmt.Sprintf("of %s imports %s of %s", c.room.wing, to, other.wing))
			}
			continue
		}
		for _, b := range c.banned {
			if c.room.decides && (imp == b || strings.HasPrefix(imp, b+"/")) {
				c.add(spec.Pos(), "imports "+imp)
			}
		}
	}
}

// node looks at one node of the syntax tree.
func (c *checker) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		c.add(n.Pos(), "starts a goroutine")
	case *ast.SelectStmt:
		c.add(n.Pos(), "selects among channels")
	case *ast.BasicLit:
		if n.Kind == token.FLOAT || n.Kind == token.IMAG {
			c.add(n.Pos(), "has a floating-point number")
		}
	case *ast.Ident:
		if obj := c.info.Uses[n]; obj != nil && obj.Parent() == types.Universe && slices.Contains(floats, n.Name) {
			c.add(n.Pos(), "uses "+n.Name)
		}
	case *ast.FuncDecl:
		if n.Recv == nil && n.Name.Name == "init" {
			c.add(n.Pos(), "has an init function")
		}
		ast.Inspect(n, c.sorts)
	case *ast.RangeStmt:
		c.ranges(n)
		c.assigned(n.Key, n.Value)
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			c.assigned(n.Lhs...)
		}
	case *ast.IncDecStmt:
		c.assigned(n.X)
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear") && len(n.Args) > 0 {
			c.assigned(n.Args[0])
		}
	}
	return true
}

var floats = []string{"float32", "float64", "complex64", "complex128"}

// sorts notes a call of package sort or of a function like slices.Sort.
func (c *checker) sorts(n ast.Node) bool {
	if call, ok := n.(*ast.CallExpr); ok {
		if f, ok := call.Fun.(*ast.SelectorExpr); ok {
			if pkg, ok := f.X.(*ast.Ident); ok && (pkg.Name == "sort" || pkg.Name == "slices" && strings.HasPrefix(f.Sel.Name, "Sort")) {
				c.sorted = call.Pos()
			}
		}
	}
	return true
}

// ranges refuses the order of a map, unless the function sorts afterwards what it took.
func (c *checker) ranges(n *ast.RangeStmt) {
	t := c.info.Types[n.X].Type
	if t == nil {
		return
	}
	if _, ok := t.Underlying().(*types.Map); ok && (n.Key != nil || n.Value != nil) && c.sorted < n.End() {
		c.add(n.Pos(), "ranges over a map")
	}
}

// assigned refuses changes of package variables, ours or another package's.
func (c *checker) assigned(targets ...ast.Expr) {
	for _, t := range targets {
		root := rootOf(t)
		if root == nil {
			continue
		}
		switch obj := c.info.Uses[root].(type) {
		case *types.PkgName:
			c.add(t.Pos(), "changes a variable of package "+obj.Imported().Path())
		case *types.Var:
			if obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() {
				c.add(t.Pos(), "changes the package variable "+obj.Name())
			}
		}
	}
}

// rootOf is the x of x, x.f, x[i], *x and their like.
func rootOf(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// packageVars refuses variables that exist to be changed: locks, pools,
// atomics, channels. What is computed once and never again may stay.
func (c *checker) packageVars(f *ast.File) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			spec := s.(*ast.ValueSpec) // a var declaration has no others
			if spec.Names[0].Name == "_" {
				continue
			}
			if spec.Type != nil {
				c.mutableType(spec.Names[0], spec.Type)
			}
			for _, v := range spec.Values {
				c.mutableValue(spec.Names[0], v)
			}
			if spec.Values == nil {
				c.add(spec.Pos(), "has the package variable "+spec.Names[0].Name+" without a value, to be changed")
			}
		}
	}
}

func (c *checker) mutableValue(name *ast.Ident, v ast.Expr) {
	switch v := v.(type) {
	case *ast.CompositeLit:
		c.mutableType(name, v.Type)
	case *ast.UnaryExpr:
		c.mutableValue(name, v.X)
	case *ast.CallExpr:
		if f, ok := v.Fun.(*ast.Ident); ok && (f.Name == "new" || f.Name == "make") && len(v.Args) > 0 {
			c.add(name.Pos(), "has the package variable "+name.Name+" to be changed")
		}
	}
}

func (c *checker) mutableType(name *ast.Ident, t ast.Expr) {
	if _, ok := t.(*ast.ChanType); ok {
		c.add(name.Pos(), "has the channel "+name.Name)
	}
	s, ok := t.(*ast.SelectorExpr)
	if !ok {
		return
	}
	if pkg, ok := s.X.(*ast.Ident); ok && (pkg.Name == "sync" || pkg.Name == "atomic") {
		c.add(name.Pos(), fmt.Sprintf("has the package variable %s of type %s.%s", name.Name, pkg.Name, s.Sel.Name))
	}
}

// excuse takes away the faults that an exception names, and says which exceptions nothing needs.
func excuse(faults []fault, exceptions []exception) (left []fault, idle []exception) {
	used := make([]bool, len(exceptions))
	for _, f := range faults {
		i := slices.IndexFunc(exceptions, func(e exception) bool { return e.room == f.room && e.what == f.what })
		if i < 0 {
			left = append(left, f)
			continue
		}
		used[i] = true
	}
	for i, e := range exceptions {
		if !used[i] {
			idle = append(idle, e)
		}
	}
	return left, idle
}

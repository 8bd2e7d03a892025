package api

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// global is what an embedded package must not have, or do.
type global struct {
	at   token.Position
	what string
}

func (g global) String() string { return g.at.String() + ": " + g.what }

// globalsIn returns those of a package.
func globalsIn(t *testing.T, imports types.Importer, set *token.FileSet, path string, files ...*ast.File) []global {
	t.Helper()
	l := &looker{set: set, path: path, info: &types.Info{
		Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}}
	config := types.Config{Importer: imports}
	pkg, err := config.Check(path, set, files, l.info)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pkg.Scope().Names() {
		if variable, ok := pkg.Scope().Lookup(name).(*types.Var); ok && l.isState(variable.Type()) {
			l.say(variable.Pos(), "%s is there to be changed", name)
		}
	}
	for _, file := range files {
		ast.Inspect(file, l.look)
	}
	return l.found
}

type looker struct {
	set   *token.FileSet
	path  string // of the package
	info  *types.Info
	found []global
}

func (l *looker) say(at token.Pos, format string, args ...any) {
	l.found = append(l.found, global{l.set.Position(at), fmt.Sprintf(format, args...)})
}

func (l *looker) look(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.FuncDecl:
		if node.Recv == nil && node.Name.Name == "init" {
			l.say(node.Pos(), "an init function")
		}
	case *ast.Ident:
		l.lookAtUse(node)
	case *ast.AssignStmt:
		l.lookAt("changes", node.Lhs...)
	case *ast.IncDecStmt:
		l.lookAt("changes", node.X)
	case *ast.RangeStmt:
		l.lookAt("changes", node.Key, node.Value)
	case *ast.CallExpr:
		l.lookAtCall(node)
	case *ast.UnaryExpr:
		if node.Op == token.AND {
			l.lookAt("hands away", node.X)
		}
	case *ast.SliceExpr:
		if _, array := l.info.TypeOf(node.X).Underlying().(*types.Array); array {
			l.lookAt("hands away", node.X)
		}
	case *ast.SelectorExpr:
		l.lookAtMethod(node)
	}
	return true
}

// lookAtUse is of a package's function or variable; a method, such as a logger's, belongs to whoever has its value.
func (l *looker) lookAtUse(name *ast.Ident) {
	used := l.info.Uses[name]
	if used == nil || used.Pkg() == nil || used.Parent() != used.Pkg().Scope() {
		return
	}
	names, known := forbidden[used.Pkg().Path()]
	if known && (len(names) == 0 || slices.Contains(names, used.Name())) {
		l.say(name.Pos(), "%s.%s is the application's", used.Pkg().Path(), used.Name())
	}
}

// lookAtCall is of the built-in functions that change what they are given.
func (l *looker) lookAtCall(call *ast.CallExpr) {
	name, ok := call.Fun.(*ast.Ident)
	if !ok {
		return
	}
	_, builtin := l.info.Uses[name].(*types.Builtin)
	if builtin && slices.Contains([]string{"delete", "clear", "copy"}, name.Name) {
		l.lookAt("changes", call.Args[0])
	}
}

// lookAtMethod is of x.method, which takes the address of x where the method may change it.
func (l *looker) lookAtMethod(selector *ast.SelectorExpr) {
	selected := l.info.Selections[selector]
	if selected == nil || selected.Kind() != types.MethodVal || selected.Indirect() {
		return
	}
	// Indirect says so too, by a mistake that may be mended: https://go.dev/issue/8353.
	if _, pointer := types.Unalias(l.info.TypeOf(selector.X)).(*types.Pointer); pointer {
		return
	}
	of := selected.Obj().(*types.Func).Signature().Recv()
	if _, changes := types.Unalias(of.Type()).(*types.Pointer); changes {
		l.lookAt("hands away", selector.X)
	}
}

// lookAt is of x.y[z], which is of x.
func (l *looker) lookAt(does string, expressions ...ast.Expr) {
	for _, expression := range expressions {
		name := l.rootOf(expression)
		if name == nil {
			continue
		}
		variable, ok := l.info.Uses[name].(*types.Var)
		if ok && variable.Pkg() != nil && variable.Parent() == variable.Pkg().Scope() {
			l.say(name.Pos(), "%s %s, which is the package's", does, name.Name)
		}
	}
}

func (l *looker) rootOf(expression ast.Expr) *ast.Ident {
	switch e := expression.(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		if of, ok := e.X.(*ast.Ident); ok {
			if _, imported := l.info.Uses[of].(*types.PkgName); imported {
				return e.Sel
			}
		}
		return l.rootOf(e.X)
	case *ast.IndexExpr:
		return l.rootOf(e.X)
	case *ast.SliceExpr:
		return l.rootOf(e.X)
	case *ast.StarExpr:
		return l.rootOf(e.X)
	case *ast.ParenExpr:
		return l.rootOf(e.X)
	default:
		return nil
	}
}

// isState is whether a variable of the type is there to be changed: by what it holds itself, since what belongs to other
// packages, such as what a strings.Replacer keeps, is theirs to answer for.
func (l *looker) isState(of types.Type) bool { return l.holdsState(of, map[types.Type]bool{}) }

func (l *looker) holdsState(of types.Type, seen map[types.Type]bool) bool {
	of = types.Unalias(of)
	if seen[of] {
		return false
	}
	seen[of] = true
	switch of := of.(type) {
	case *types.Named:
		if pkg := of.Obj().Pkg(); pkg != nil && pkg.Path() != l.path {
			foreign := !strings.HasPrefix(pkg.Path(), module)
			return pkg.Path() == "sync" || pkg.Path() == "sync/atomic" || !foreign && l.holdsState(of.Underlying(), seen)
		}
		return l.holdsState(of.Underlying(), seen)
	case *types.Chan:
		return true
	case *types.Map:
		return l.holdsState(of.Key(), seen) || l.holdsState(of.Elem(), seen)
	case *types.Struct:
		for field := range of.Fields() {
			if l.holdsState(field.Type(), seen) {
				return true
			}
		}
	case interface{ Elem() types.Type }: // a pointer, a slice, an array
		return l.holdsState(of.Elem(), seen)
	}
	return false
}

package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hosts own their process, or are tests' own servers. All other packages are guests in an application.
var hosts = []string{
	"/api", "/cmd", "/clerk/clerktest", "/db/dbtest", "/db/localpg", "/examples", "/torture",
	"/internal/logtest", "/internal/plainjobs", "/internal/process", "/internal/proctest",
}

// forbidden is what belongs to the application: its environment, flags and log, and what its other packages share. An empty
// list is all of a package.
var forbidden = map[string][]string{
	"os": {
		"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv", "Args", "Exit", "Stdin", "Stdout", "Stderr", "Chdir",
	},
	"flag": {}, "log": {}, "expvar": {}, "os/signal": {},
	"log/slog": {
		"Default", "SetDefault", "Debug", "Info", "Warn", "Error", "DebugContext", "InfoContext", "WarnContext",
		"ErrorContext", "Log", "LogAttrs", "With",
	},
	"net/http": {"Handle", "HandleFunc", "DefaultServeMux", "DefaultClient", "Get", "Post", "Head", "PostForm"},

	"go.opentelemetry.io/otel":                       {},
	"github.com/clerk/clerk-sdk-go/v2":               {"SetKey", "SetBackend", "GetBackend"},
	"github.com/pressly/goose/v3":                    {"SetDialect", "SetTableName", "SetLogger", "SetBaseFS", "Up", "UpContext"},
	"github.com/prometheus/client_golang/prometheus": {"DefaultRegisterer", "DefaultGatherer", "Register", "MustRegister"},
}

// TestNoGlobals: a package that an application embeds has no init and no state of its own, and touches nothing that is the
// application's.
func TestNoGlobals(t *testing.T) {
	t.Parallel()
	listed := goList(t)
	imports := listed.importer()
	guests := 0
	for _, pkg := range listed.packages {
		below, ours := strings.CutPrefix(pkg.ImportPath, module)
		if !ours || slices.ContainsFunc(hosts, func(host string) bool { return below == host || strings.HasPrefix(below, host+"/") }) {
			continue
		}
		guests++
		c := &checker{t: t, set: token.NewFileSet(), info: &types.Info{Uses: map[*ast.Ident]types.Object{}}}
		var files []*ast.File
		for _, name := range pkg.GoFiles {
			file, err := parser.ParseFile(c.set, filepath.Join(pkg.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		config := types.Config{Importer: imports}
		if _, err := config.Check(pkg.ImportPath, c.set, files, c.info); err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			ast.Inspect(file, c.look)
		}
	}
	if guests < 15 {
		t.Errorf("only %d packages were looked at", guests)
	}
}

type checker struct {
	t    *testing.T
	set  *token.FileSet
	info *types.Info
}

func (c *checker) say(node ast.Node, format string, args ...any) {
	c.t.Helper()
	c.t.Errorf("%s: "+format, append([]any{c.set.Position(node.Pos())}, args...)...)
}

func (c *checker) look(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.FuncDecl:
		if node.Recv == nil && node.Name.Name == "init" {
			c.say(node, "an init function")
		}
	case *ast.Ident:
		c.lookAtUse(node)
	case *ast.AssignStmt:
		for _, to := range node.Lhs {
			c.lookAtChange(to)
		}
	case *ast.IncDecStmt:
		c.lookAtChange(node.X)
	}
	return true
}

// lookAtUse is of a package's function or variable; a method, such as a logger's, belongs to whoever has its value.
func (c *checker) lookAtUse(name *ast.Ident) {
	used := c.info.Uses[name]
	if used == nil || used.Pkg() == nil || used.Parent() != used.Pkg().Scope() {
		return
	}
	names, known := forbidden[used.Pkg().Path()]
	if known && (len(names) == 0 || slices.Contains(names, used.Name())) {
		c.say(name, "%s.%s is the application's", used.Pkg().Path(), used.Name())
	}
}

// lookAtChange is of x.y[z], which changes x.
func (c *checker) lookAtChange(expression ast.Expr) {
	for {
		switch e := expression.(type) {
		case *ast.Ident:
			if changed, ok := c.info.Uses[e].(*types.Var); ok && changed.Pkg() != nil && changed.Parent() == changed.Pkg().Scope() {
				c.say(e, "changes %s, which is the package's", e.Name)
			}
			return
		case *ast.SelectorExpr:
			if of, ok := e.X.(*ast.Ident); ok {
				if _, imported := c.info.Uses[of].(*types.PkgName); imported {
					expression = e.Sel
					continue
				}
			}
			expression = e.X
		case *ast.IndexExpr:
			expression = e.X
		case *ast.StarExpr:
			expression = e.X
		case *ast.ParenExpr:
			expression = e.X
		default:
			return
		}
	}
}

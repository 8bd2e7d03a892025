package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hosts own their process, or are tests' own servers. All other packages are guests in an application.
var hosts = []string{
	"/api", "/cmd", "/clerk/clerktest", "/db/dbtest", "/db/localpg", "/examples", "/torture",
	"/internal/logtest", "/internal/pgbouncer", "/internal/plainjobs", "/internal/process", "/internal/proctest",
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
		set := token.NewFileSet()
		var files []*ast.File
		for _, name := range pkg.GoFiles {
			file, err := parser.ParseFile(set, filepath.Join(pkg.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		for _, found := range globalsIn(t, imports, set, pkg.ImportPath, files...) {
			t.Error(found)
		}
	}
	if guests < 15 {
		t.Errorf("only %d packages were looked at", guests)
	}
}

// TestGlobalsAreFound: each line with an exclamation mark has something that an embedded package must not, and no other has.
func TestGlobalsAreFound(t *testing.T) {
	t.Parallel()
	const source = `package guest
import ("bytes"; "os"; "regexp"; "strings"; "sync"; "sync/atomic")
type state struct{ n int; names map[string]int; inner struct{ mutex sync.RWMutex } }
type count int
func (c *count) add() { *c++ }
func (c count) get() int { return int(c) }
var (
	once sync.Once // !
	flag, other atomic.Bool // !
	pointer atomic.Pointer[int] // !
	kept state // !
	behind *state // !
	locks map[string]*sync.Mutex // !
	queue chan int // !
	calls count
	buffer bytes.Buffer
	known = map[string]int{}
	bytesOf [8]byte
	pattern = regexp.MustCompile("x")
	escaped = strings.NewReplacer("a", "b")
	lazy = sync.OnceValue(func() int { return 1 })
)
func init() {} // !
func use(guest *count, names map[string]int, handed []byte) {
	calls = 2 // !
	calls++ // !
	known["a"] = 1 // !
	delete(known, "a") // !
	clear(known) // !
	copy(bytesOf[:], handed) // !
	calls.add() // !
	buffer.WriteString("x") // !
	use(&calls, nil, nil) // !
	n := &bytesOf[1] // !
	p := &(known) // !
	add := calls.add // !
	for calls = range 2 { // !
	}
	os.Getenv("x") // !
	var local count
	local.add(); guest.add(); *guest = 2; delete(names, "a"); clear(handed); names["b"] = local.get() + calls.get()
	use(&local, known, bytesOf[:]) // ! the last
	_ = pattern.MatchString(escaped.Replace("a")); _, _, _, _ = n, p, add, &state{n: lazy()}
}
`
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "guest.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []int
	for i, line := range strings.Split(source, "\n") {
		if strings.Contains(line, "// !") {
			want = append(want, i+1)
		}
	}
	for _, found := range globalsIn(t, goList(t).importer(), set, "guest", file) {
		got = append(got, found.at.Line)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("the lines (-want +got):\n%s", diff)
	}
}

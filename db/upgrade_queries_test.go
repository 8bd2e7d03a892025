package db_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

var release = flag.Bool("release", false, "write down the queries of this version, for the next one to be held against")

// queriesBefore are what the version before asks.
const queriesBefore = "testdata/queries_before.sql"

// The queries of the version before mean something to the newest schema: a rolling deploy, and a way back, need no more
// than that and what TestMigrationsOnlyAdd says. At a release: go test ./db -run VersionBefore -release
func TestQueriesOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	if *release {
		if err := os.WriteFile(queriesBefore, []byte(currentQueries(t)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(queriesBefore)
	if err != nil {
		t.Fatal(err)
	}
	pool := dbtest.New(t)
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	queries := strings.Split(string(text), "-- name: ")[1:]
	for _, query := range queries {
		name, sql, _ := strings.Cut(query, "\n")
		if _, err := conn.Conn().Prepare(t.Context(), "", sql); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(queries) < 80 {
		t.Errorf("%d queries were looked at", len(queries))
	}
}

// currentQueries are those that sqlc has generated.
func currentQueries(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "-- The queries of the version before, as its processes send them while a newer one migrates and replaces them: see\n"+
		"-- TestQueriesOfTheVersionBefore, which writes this file at a release. Written at migration %d.\n", newest(t))
	files, err := filepath.Glob("dbsqlc/*.sql.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(source, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && strings.HasPrefix(literal.Value, "`-- name: ") {
				query, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&text, "\n%s;\n", strings.TrimSpace(query))
			}
			return true
		})
	}
	return text.String()
}

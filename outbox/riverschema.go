package outbox

import (
	"cmp"
	"context"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/claimsync/claimsync/db"
)

// riverSchema makes queries that name the tables of the schema "river" use another one: an embedding application may
// have its River elsewhere, and the generated SQL is fixed. The zero value is db.DefaultRiverSchema.
type riverSchema struct {
	name   string // empty: the default
	prefix string // what replaces "river." in SQL; empty: nothing to replace
	cache  *sync.Map
}

// newRiverSchema returns the riverSchema for schema; empty means db.DefaultRiverSchema.
func newRiverSchema(schema string) riverSchema {
	if schema == "" || schema == db.DefaultRiverSchema {
		return riverSchema{}
	}
	return riverSchema{name: schema, prefix: pgx.Identifier{schema}.Sanitize() + ".", cache: new(sync.Map)}
}

// in returns conn with the schema replaced in each query's text.
func (s riverSchema) in(conn db.Querier) db.Querier {
	if s.prefix == "" {
		return conn
	}
	return riverSchemaConn{schema: s, conn: conn}
}

// channel is what River's clients listen to for jobs.
func (s riverSchema) channel() string {
	return cmp.Or(s.name, db.DefaultRiverSchema) + ".river_insert"
}

// rewrite returns the query's text with the schema replaced.
func (s riverSchema) rewrite(sql string) string {
	if s.prefix == "" {
		return sql
	}
	if cached, ok := s.cache.Load(sql); ok {
		return cached.(string)
	}
	rewritten := strings.ReplaceAll(sql, "river.river_", s.prefix+"river_")
	s.cache.Store(sql, rewritten)
	return rewritten
}

type riverSchemaConn struct {
	schema riverSchema
	conn   db.Querier
}

func (c riverSchemaConn) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return c.conn.Exec(ctx, c.schema.rewrite(sql), args...)
}

func (c riverSchemaConn) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return c.conn.Query(ctx, c.schema.rewrite(sql), args...)
}

func (c riverSchemaConn) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return c.conn.QueryRow(ctx, c.schema.rewrite(sql), args...)
}

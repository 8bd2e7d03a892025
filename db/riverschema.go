package db

import (
	"context"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// DefaultRiverSchema is the schema of River's tables unless configured otherwise.
const DefaultRiverSchema = "river"

// RiverSchema makes queries that name the tables of the schema "river" use another one: an embedding application may
// have its River elsewhere, and the generated SQL is fixed. The zero value is DefaultRiverSchema.
type RiverSchema struct {
	prefix string // what replaces "river." in SQL; empty: nothing to replace
	cache  *sync.Map
}

// NewRiverSchema returns the RiverSchema for schema; empty means DefaultRiverSchema.
func NewRiverSchema(schema string) RiverSchema {
	if schema == "" || schema == DefaultRiverSchema {
		return RiverSchema{}
	}
	return RiverSchema{prefix: pgx.Identifier{schema}.Sanitize() + ".", cache: new(sync.Map)}
}

// In returns conn with the schema replaced in each query's text.
func (s RiverSchema) In(conn dbsqlc.DBTX) dbsqlc.DBTX {
	if s.prefix == "" {
		return conn
	}
	return riverSchemaConn{schema: s, conn: conn}
}

func (s RiverSchema) rewrite(sql string) string {
	if cached, ok := s.cache.Load(sql); ok {
		return cached.(string)
	}
	rewritten := strings.ReplaceAll(sql, "river.river_", s.prefix+"river_")
	s.cache.Store(sql, rewritten)
	return rewritten
}

type riverSchemaConn struct {
	schema RiverSchema
	conn   dbsqlc.DBTX
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

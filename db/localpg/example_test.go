//go:build unix

package localpg_test

import (
	"context"
	"fmt"
	"log"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/localpg"
)

func ExampleStart() {
	ctx := context.Background()
	server, err := localpg.Start(ctx, localpg.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = server.Stop() }()

	conn, err := pgx.Connect(ctx, server.DSN())
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()

	var sum int
	if err := conn.QueryRow(ctx, "SELECT 1 + 1").Scan(&sum); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sum)
	// Output: 2
}

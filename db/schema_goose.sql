-- What our queries use of goose's table, for sqlc to check them by. Goose creates it (see migrate.go).
CREATE TABLE claimsync_migration (
    version_id bigint NOT NULL,
    is_applied boolean NOT NULL
);

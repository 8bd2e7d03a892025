-- What app doctor looks at before it relies on our tables: the server, the role, and which tables there are.

-- name: ServerInspect :one
SELECT clock_timestamp()::timestamptz AS now, current_setting('server_version')::text AS version,
    current_setting('server_version_num')::integer AS version_number, pg_is_in_recovery()::boolean AS standby,
    current_setting('transaction_read_only')::boolean AS read_only,
    current_user::text AS role, COALESCE(current_schema()::text, '')::text AS schema,
    has_database_privilege(current_database(), 'CREATE')::boolean AS creates_schemas,
    COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false)::boolean AS creates_tables;

-- name: RelationRights :many
-- What the role may do with our tables, and with River's and their sequences. Their migrations are read by everybody and
-- written by the owner.
SELECT (n.nspname || '.' || c.relname)::text AS name,
    pg_has_role(c.relowner, 'USAGE')::boolean AS owned,
    (CASE c.relkind
        WHEN 'S' THEN has_sequence_privilege(c.oid, 'USAGE')
        ELSE has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
            AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')
            AND has_table_privilege(c.oid, 'DELETE')
    END)::boolean AS usable
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'S') AND (
    n.nspname = current_schema() AND c.relname = ANY(@tables::text[])
    OR n.nspname = @river_schema::text AND c.relname LIKE 'river\_%' AND c.relname <> 'river_migration'
)
ORDER BY name;

-- name: RiverSchemaList :many
-- Where there are tables of some River.
SELECT n.nspname::text AS name
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = 'river_job' AND c.relkind IN ('r', 'p')
ORDER BY name;

-- name: ClerkEventLast :one
-- How long ago an event of Clerk's came. No row: none has, or it is forgotten.
SELECT (clock_timestamp() - received_at)::interval AS ago FROM clerk_event ORDER BY received_at DESC LIMIT 1;

{{define "own"}}-- A statement of claimsync's own, which sees to it itself; but not what other triggers do within it. Nothing in here is looked
    -- up by a search_path.
    IF pg_catalog.current_setting('claimsync.statement', true) OPERATOR(pg_catalog.<>) '' THEN
        IF pg_catalog.current_setting('claimsync.statement')
                OPERATOR(pg_catalog.=) pg_catalog.statement_timestamp()::pg_catalog.text
            AND pg_catalog.pg_trigger_depth() OPERATOR(pg_catalog.=) 1 THEN
            RETURN NULL;
        END IF;
    END IF;{{end}}

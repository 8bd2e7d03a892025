-- A mark, as a function: PostgreSQL prepares each execution of a statement from the whole of its plan, and of one that upserts,
-- joins and inserts that was a third of what it cost, for the rare key that is new. Here it executes what is needed.
-- Processes of the version before call it while a newer one migrates: one that works otherwise gets another name.

-- +goose Up
-- Marks the keys, see OutboxMark. They are sorted and distinct. Returns those that need a job, each with the id that it is
-- to have, of job_ids; the id of one that needs none is lost.
-- +goose StatementBegin
CREATE FUNCTION outbox_mark(mark_topic text, mark_keys text[], mark_priority smallint, job_ids regclass)
RETURNS TABLE (marked_key text, new_job_id bigint)
LANGUAGE plpgsql AS $$
DECLARE
    row_job_id bigint;
BEGIN
    FOREACH marked_key IN ARRAY mark_keys LOOP
        new_job_id := nextval(job_ids);
        LOOP
            UPDATE outbox AS o SET
                desired_version = o.desired_version + 1,
                dirty_since = COALESCE(o.dirty_since, clock_timestamp()),
                redirtied_at = CASE WHEN o.dirty_since IS NOT NULL THEN COALESCE(o.redirtied_at, clock_timestamp()) END,
                marked_priority = LEAST(o.marked_priority, mark_priority), -- null is ignored
                failures = CASE WHEN o.parked_at IS NULL THEN o.failures ELSE 0 END,
                parked_at = NULL,
                parked_reason = NULL,
                job_id = CASE WHEN o.job_id IS NULL OR o.job_priority > mark_priority AND o.lease_token IS NULL
                    THEN new_job_id ELSE o.job_id END,
                job_priority = CASE WHEN o.job_id IS NULL OR o.job_priority > mark_priority AND o.lease_token IS NULL
                    THEN mark_priority ELSE o.job_priority END
            WHERE o.topic = mark_topic AND o.key = marked_key
            RETURNING o.job_id INTO row_job_id;
            EXIT WHEN FOUND;

            INSERT INTO outbox AS o (topic, key, dirty_since, marked_priority, job_id, job_priority)
            VALUES (mark_topic, marked_key, clock_timestamp(), mark_priority, new_job_id, mark_priority)
            ON CONFLICT (topic, key) DO NOTHING
            RETURNING o.job_id INTO row_job_id;
            EXIT WHEN FOUND;
            -- Somebody else has just inserted it.
        END LOOP;
        IF row_job_id = new_job_id THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION outbox_mark;

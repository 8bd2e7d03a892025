-- The steps of the protocol; outbox/doc.go tells how they fit together. Leases and delays are measured by the
-- database's clock, and by clock_timestamp(): now() would be the start of the transaction, which may have waited long
-- for the row.

-- name: OutboxMark :many
-- Marks the keys, inserts the jobs that they need, and if it is to, announces those, in one statement; returns a row per
-- job. Needs the keys sorted and distinct, so that two transactions marking several keys lock them in one order.
-- outbox_mark says which need one. job_id is null exactly when nothing will deliver the row: it was clean, parked or new. A
-- job that is less urgent than the mark is not enough, unless it is at work: what it leaves to be done is as urgent as the
-- marks of its time, by whoever sees to that (OutboxAcknowledge and the like, or OutboxSweep).
-- The job is as River's own client inserts it, but for the clock: that of a process may be ahead of the database's, and
-- would keep the job from being worked for as long as it is.
-- Its parameters are OutboxWake's: topic, keys, priority; kind, max_attempts, metadata of the jobs; whether to announce
-- them, and in which channel.
INSERT INTO river.river_job (id, kind, args, queue, priority, max_attempts, metadata, created_at, scheduled_at)
SELECT marked.new_job_id, $4, jsonb_build_object('topic', $1::text, 'key', marked.marked_key), $1, $3::smallint, $5, $6,
    clock_timestamp(), clock_timestamp()
FROM outbox_mark($1, $2::text[], $3, 'river.river_job_id_seq') AS marked
RETURNING pg_current_xact_id()::text::bigint AS xid,
    CASE WHEN $7::boolean THEN pg_notify($8, json_build_object('queue', $1)::text) END AS announced;

-- name: OutboxWake :many
-- Gives each key a new job, and announces them, as OutboxMark; the keys' rows are locked by the transaction.
WITH noted AS (
    UPDATE outbox AS o SET job_id = nextval('river.river_job_id_seq'), job_priority = $3::smallint
    WHERE o.topic = $1 AND o.key = ANY($2::text[])
    RETURNING o.key, o.job_id
)
INSERT INTO river.river_job (id, kind, args, queue, priority, max_attempts, metadata, created_at, scheduled_at)
SELECT noted.job_id, $4, jsonb_build_object('topic', $1::text, 'key', noted.key), $1, $3, $5, $6,
    clock_timestamp(), clock_timestamp()
FROM noted
RETURNING pg_current_xact_id()::text::bigint AS xid,
    CASE WHEN $7::boolean THEN pg_notify($8, json_build_object('queue', $1)::text) END AS announced;

-- name: JobComplete :exec
-- As river.JobCompleteTx, whose statement is made for many jobs at once: PostgreSQL plans it anew for each, which was two
-- fifths of what a push cost.
UPDATE river.river_job SET state = 'completed', finalized_at = clock_timestamp() WHERE id = @id AND state = 'running';

-- name: OutboxAnnounce :many
-- Announces the jobs of those transactions that have ended, and says which those are. One that was rolled back, or is too
-- old for PostgreSQL to know how it ended, counts too.
SELECT left_out.topic::text AS topic, array_agg(left_out.xid)::bigint[] AS xids,
    pg_notify(@channel, json_build_object('queue', left_out.topic)::text) AS announced
FROM ROWS FROM (unnest(@topics::text[]), unnest(@xids::bigint[])) AS left_out (topic, xid)
WHERE pg_xact_status(left_out.xid::text::xid8) IS DISTINCT FROM 'in progress'
GROUP BY left_out.topic;

-- name: OutboxLock :exec
-- Waits for the row, if the transaction's lock_timeout allows for it: OutboxClaim and OutboxAcknowledge do not.
SELECT FROM outbox WHERE topic = @topic AND key = @key FOR NO KEY UPDATE;

-- name: OutboxClaim :many
-- Takes the leases of the rows that are claimable, and says of the others why they are not and until when. Waits for no row:
-- of one that is locked, as of one that is not there, it says nothing. Locks the rows first, so that the verdicts are about
-- their latest versions. An expired lease is taken over, and the delivery that held it recorded as lost: its push may still be
-- on its way. A key's own budget is spent here (GCRA). A probe is let through where the breaker holds all others back, and has
-- no job. The keys are distinct: of the same row there would be two leases. One row after the other is locked because
-- PostgreSQL, as long as it knows nothing of the keys, takes a join of them all for a large one, and reads the table.
WITH current AS (
    SELECT o.*, wanted.job_id AS claimant,
        CASE
            WHEN o.parked_at IS NOT NULL THEN 'parked'
            WHEN o.dirty_since IS NULL AND (o.verify_at IS NULL OR o.verify_at > clock_timestamp()) THEN 'clean'
            WHEN o.lease_expires_at > clock_timestamp() THEN 'leased'
            WHEN d.blocked_until > clock_timestamp() THEN 'blocked'
            WHEN d.opened_at IS NOT NULL AND NOT @probe::boolean THEN 'open'
            WHEN o.not_before > clock_timestamp() AND NOT @probe::boolean THEN 'not_due'
            WHEN o.dirty_since IS NULL THEN 'unverified'
            WHEN o.tat - @key_burst::interval > clock_timestamp() THEN 'paced'
            ELSE 'claimed'
        END AS verdict,
        GREATEST(o.lease_expires_at, o.not_before, d.blocked_until,
            CASE WHEN o.dirty_since IS NOT NULL THEN o.tat - @key_burst::interval END) AS until
    FROM ROWS FROM (unnest(@keys::text[]), unnest(@job_ids::bigint[])) AS wanted (key, job_id)
    CROSS JOIN LATERAL (
        SELECT r.* FROM outbox AS r WHERE r.topic = @topic AND r.key = wanted.key FOR NO KEY UPDATE SKIP LOCKED
    ) AS o
    LEFT JOIN destination AS d ON d.topic = o.topic
),
claimed AS (
    UPDATE outbox AS o SET
        lease_token = gen_random_uuid(),
        lease_version = o.desired_version,
        leased_at = clock_timestamp(),
        lease_expires_at = clock_timestamp() + @lease::interval,
        redirtied_at = NULL,
        marked_priority = NULL,
        job_id = COALESCE(current.claimant, o.job_id),
        tat = CASE WHEN current.verdict = 'claimed' THEN GREATEST(o.tat, clock_timestamp()) + @key_spacing::interval
            ELSE o.tat END,
        doubted_at = CASE WHEN o.lease_token IS NULL THEN o.doubted_at ELSE clock_timestamp() END,
        verify_at = CASE WHEN o.lease_token IS NULL THEN o.verify_at
            ELSE clock_timestamp() + @verify_after::interval END
    FROM current
    WHERE o.topic = current.topic AND o.key = current.key AND current.verdict IN ('claimed', 'unverified')
    RETURNING o.key, o.lease_token, o.lease_version, o.dirty_since, o.failures
),
freed AS (
    -- The job is done with the row, and job_id is to be null when nothing will deliver it.
    UPDATE outbox AS o SET job_id = NULL
    FROM current
    WHERE o.topic = current.topic AND o.key = current.key AND current.verdict = 'clean' AND o.job_id = current.claimant
),
lost AS (
    INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, error, duration)
    SELECT c.topic, c.key, c.lease_version, c.job_id, 'lost', 'the lease expired without a result',
        clock_timestamp() - c.leased_at
    FROM current AS c
    WHERE c.verdict IN ('claimed', 'unverified') AND c.lease_token IS NOT NULL
)
SELECT current.key, current.verdict::text AS verdict, COALESCE(current.until, clock_timestamp())::timestamptz AS until,
    COALESCE(current.until - clock_timestamp(), interval '0')::interval AS wait,
    claimed.lease_token, claimed.lease_version, claimed.dirty_since, claimed.failures
FROM current LEFT JOIN claimed ON claimed.key = current.key;

-- name: OutboxAcknowledge :many
-- Records of leases that their versions are synced, and completes their jobs, as JobComplete does: what is not at work any
-- more is left alone, and so is a job that is locked, which River completes. Waits for no row. Nothing is said of a lease that
-- was lost, and with it the right to say anything about the row; of a row that is locked; and, unless marked_too, of one that
-- was marked meanwhile: it needs a next job, in the same transaction. A doubt stays: what an earlier push did not do yet it
-- may still do after this one.
WITH told AS (
    SELECT t.* FROM ROWS FROM (unnest(@keys::text[]), unnest(@lease_tokens::uuid[]), unnest(@job_ids::bigint[]),
        unnest(@applied::jsonb[]), unnest(@statuses::smallint[]), unnest(@trace_ids::text[]), unnest(@durations::interval[])
    ) AS t (key, lease_token, job_id, applied, status, trace_id, duration)
),
held AS (
    SELECT o.topic, told.*
    FROM told CROSS JOIN LATERAL (
        SELECT r.topic FROM outbox AS r
        WHERE r.topic = @topic AND r.key = told.key AND r.lease_token = told.lease_token
            AND (@marked_too::boolean OR r.desired_version = r.lease_version)
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS o
),
acknowledged AS (
    UPDATE outbox AS o SET
        synced_version = lease_version,
        synced_at = clock_timestamp(),
        applied = held.applied,
        dirty_since = CASE WHEN desired_version > lease_version THEN redirtied_at END,
        redirtied_at = NULL,
        job_id = NULL,
        lease_token = NULL, lease_version = NULL, leased_at = NULL, lease_expires_at = NULL,
        not_before = NULL,
        failures = 0,
        last_error = NULL
    FROM held
    WHERE o.topic = held.topic AND o.key = held.key
    RETURNING o.topic, o.key, o.synced_version, o.desired_version, o.synced_at, o.marked_priority,
        held.lease_token AS token, held.job_id AS claimant, held.status, held.trace_id, held.duration
),
recorded AS (
    INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, status, trace_id, duration)
    SELECT a.topic, a.key, a.synced_version, a.claimant, 'applied', a.status, a.trace_id, a.duration
    FROM acknowledged AS a
),
acquitted AS (
    -- The destination works: what spoke against it does no more. Usually there is nothing to write.
    UPDATE destination AS d SET failing_keys = '{}', missing_keys = '{}'
    WHERE d.topic = @topic AND (d.failing_keys <> '{}' OR d.missing_keys <> '{}') AND EXISTS (SELECT FROM acknowledged)
),
completable AS (
    SELECT j.id FROM river.river_job AS j JOIN acknowledged AS a ON j.id = a.claimant
    WHERE j.state = 'running'
    FOR NO KEY UPDATE OF j SKIP LOCKED
),
completed AS (
    UPDATE river.river_job AS j SET state = 'completed', finalized_at = clock_timestamp()
    FROM completable
    WHERE j.id = completable.id
)
SELECT token::uuid AS token, (desired_version > synced_version)::boolean AS still_dirty,
    COALESCE(marked_priority, 1)::smallint AS priority, synced_at::timestamptz AS synced_at
FROM acknowledged;

-- name: OutboxRelease :one
-- Gives the lease back after a failure; the row stays as it is and its job goes on. No row: the lease was lost. A key that is
-- not known is excused if others have meanwhile shown that the configuration is at fault: OutboxForgive passes by what is leased.
WITH released AS (
    UPDATE outbox AS o SET
        lease_token = NULL, lease_version = NULL, leased_at = NULL, lease_expires_at = NULL,
        not_before = clock_timestamp() + CASE WHEN fault.excuses THEN interval '0' ELSE @delay::interval END,
        failures = failures + CASE WHEN @blameless::boolean OR fault.excuses THEN 0 ELSE 1 END,
        last_error = @error,
        doubted_at = CASE WHEN @in_doubt::boolean THEN clock_timestamp() ELSE o.doubted_at END,
        verify_at = CASE WHEN @in_doubt::boolean THEN clock_timestamp() + @verify_after::interval ELSE o.verify_at END
    FROM (SELECT @unknown_key::boolean AND EXISTS (
        SELECT FROM destination AS d WHERE d.topic = @topic AND d.open_cause = 'configuration') AS excuses) AS fault
    WHERE o.topic = @topic AND o.key = @key AND o.lease_token = @lease_token::uuid
    RETURNING o.topic, o.key, o.not_before
),
recorded AS (
    INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, status, trace_id, error, duration)
    SELECT r.topic, r.key, @version, sqlc.narg(job_id)::bigint, @outcome, sqlc.narg(status), sqlc.narg(trace_id), @error, @duration
    FROM released AS r
)
SELECT not_before::timestamptz AS not_before FROM released;

-- name: OutboxPark :one
-- Gives up on the version that was refused. A change made meanwhile is not parked with it: then the row only loses
-- its lease and its job, and still_dirty says that it needs a new one. No row: the lease was lost.
WITH parked AS (
    UPDATE outbox AS o SET
        parked_at = CASE WHEN desired_version = lease_version THEN clock_timestamp() END,
        parked_reason = CASE WHEN desired_version = lease_version THEN @reason::text END,
        job_id = NULL,
        lease_token = NULL, lease_version = NULL, leased_at = NULL, lease_expires_at = NULL,
        not_before = NULL,
        failures = failures + 1,
        last_error = @error
    WHERE o.topic = @topic AND o.key = @key AND o.lease_token = @lease_token::uuid
    RETURNING o.topic, o.key, o.parked_at, o.marked_priority
),
recorded AS (
    INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, status, trace_id, error, duration)
    SELECT r.topic, r.key, @version, sqlc.narg(job_id)::bigint, 'park', sqlc.narg(status), sqlc.narg(trace_id), @error, @duration
    FROM parked AS r
)
SELECT (parked_at IS NULL)::boolean AS still_dirty, COALESCE(marked_priority, 1)::smallint AS priority FROM parked;

-- name: OutboxVerify :one
-- Ends a verification. Unless the destination was as it should be, or the row was marked meanwhile, it is marked here.
-- The next verification is after three times as long, until the last one is over; when it was begun counts, since what
-- landed after the destination was read was not seen: nor was what aroused a suspicion since then, which stays. What
-- follows is as urgent as the marks made meanwhile, else as the verification was. No row: the lease was lost.
WITH held AS (
    SELECT o.topic, o.key, o.dirty_since IS NOT NULL AS marked, o.job_priority
    FROM outbox AS o
    WHERE o.topic = @topic AND o.key = @key AND o.lease_token = @lease_token::uuid
    FOR NO KEY UPDATE OF o
),
verified AS (
    UPDATE outbox AS o SET
        desired_version = desired_version + CASE WHEN NOT @in_step::boolean AND dirty_since IS NULL THEN 1 ELSE 0 END,
        dirty_since = CASE WHEN @in_step::boolean THEN dirty_since ELSE COALESCE(dirty_since, clock_timestamp()) END,
        redirtied_at = NULL,
        job_id = NULL,
        lease_token = NULL, lease_version = NULL, leased_at = NULL, lease_expires_at = NULL,
        not_before = NULL,
        failures = 0,
        last_error = NULL,
        doubted_at = CASE WHEN verify_at > leased_at OR doubted_at + @last_after::interval > leased_at THEN doubted_at END,
        verify_at = CASE WHEN verify_at > leased_at THEN verify_at
            WHEN doubted_at + @last_after::interval > leased_at
            THEN doubted_at + GREATEST(@verify_after::interval, (leased_at - doubted_at) * 3) END
    FROM held
    WHERE o.topic = held.topic AND o.key = held.key
    RETURNING o.topic, o.key, o.dirty_since, (CASE WHEN held.marked THEN COALESCE(o.marked_priority, 1) ELSE held.job_priority END)::smallint AS priority
),
recorded AS (
    INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, status, trace_id, duration)
    SELECT v.topic, v.key, @version, sqlc.narg(job_id)::bigint,
        CASE WHEN @in_step::boolean THEN 'verified' ELSE 'overwritten' END::delivery_outcome,
        sqlc.narg(status), sqlc.narg(trace_id), @duration
    FROM verified AS v
)
SELECT (dirty_since IS NOT NULL)::boolean AS still_dirty, priority FROM verified;

-- name: OutboxSuspect :many
-- Has rows read back, once and now, of which somebody saw the destination to differ. One that waits to be pushed, or is
-- parked, is left: the push goes over it. One that is at work is read back afterwards, for what was seen may have come
-- after the push; a sweep finds it then. One that was overwritten too often lately is contested: most likely somebody else
-- writes it too, and to go on would be a fight without an end. Needs a job as OutboxMark tells.
WITH suspect AS (
    SELECT o.topic, o.key, o.job_id, o.job_priority, COALESCE(o.lease_expires_at > clock_timestamp(), false) AS at_work
    FROM outbox AS o
    WHERE o.topic = @topic AND o.key = ANY(@keys::text[]) AND o.parked_at IS NULL
        AND (o.dirty_since IS NULL OR o.lease_expires_at > clock_timestamp())
    ORDER BY o.key
    FOR NO KEY UPDATE OF o
),
judged AS (
    SELECT s.*, (
        SELECT count(*) FROM outbox_delivery AS d
        WHERE d.topic = s.topic AND d.key = s.key AND d.outcome = 'overwritten'
            AND d.finished_at > clock_timestamp() - @contest_window::interval
    ) >= @contest_limit::bigint AS contested
    FROM suspect AS s
),
suspected AS (
    UPDATE outbox AS o SET
        doubted_at = COALESCE(o.doubted_at, clock_timestamp() - @last_after::interval),
        verify_at = clock_timestamp(),
        not_before = CASE WHEN judged.at_work THEN o.not_before END
    FROM judged
    WHERE o.topic = judged.topic AND o.key = judged.key AND NOT judged.contested
)
SELECT key, contested::boolean AS contested,
    (NOT at_work AND (job_id IS NULL OR job_priority > @priority::smallint))::boolean AS needs_job
FROM judged ORDER BY key;

-- name: OutboxContested :many
-- Which of the keys were overwritten too often lately.
SELECT d.key FROM outbox_delivery AS d
WHERE d.topic = @topic AND d.key = ANY(@keys::text[]) AND d.outcome = 'overwritten'
    AND d.finished_at > clock_timestamp() - @contest_window::interval
GROUP BY d.key HAVING count(*) >= @contest_limit::bigint
ORDER BY d.key;

-- name: OutboxRecordFenced :exec
-- For a result that was not accepted: the row itself is another delivery's by now. But the push may have landed after
-- that one's, so it is verified.
WITH fenced AS (
    UPDATE outbox AS o SET
        doubted_at = CASE WHEN @in_doubt::boolean THEN clock_timestamp() ELSE o.doubted_at END,
        verify_at = CASE WHEN @in_doubt::boolean THEN clock_timestamp() ELSE o.verify_at END
    WHERE o.topic = @topic AND o.key = @key
    RETURNING o.topic, o.key
)
INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, status, trace_id, error, duration)
SELECT f.topic, f.key, @version, sqlc.narg(job_id)::bigint, 'fenced', sqlc.narg(status), sqlc.narg(trace_id),
    sqlc.narg(error), @duration
FROM fenced AS f;

-- name: OutboxSweep :many
-- Rows that are due and that no live job will deliver. A running job counts as live for one lease: longer, and it
-- would hold one. A job scheduled for much later than now counts as none, whatever its state (River schedules by the
-- clock of a process, which may be wrong), and so does one that is overdue without being available: River has no leader
-- then to make it so. A job that is to try again has a moment of grace, to be put back. In the order of age, after the
-- row that the batch before ended with. A job that is less urgent than what was marked during a push that failed does not
-- count either, but it is not lost. What never had a job is a foreign writer's.
SELECT o.key, o.dirty_since::timestamptz AS dirty_since,
    LEAST(o.marked_priority, CASE WHEN o.job_id IS NULL THEN 1 ELSE o.job_priority END)::smallint AS priority,
    (live.id IS NULL)::boolean AS lost
FROM outbox AS o
LEFT JOIN river.river_job AS live ON live.id = o.job_id
    AND (live.state = 'running' AND live.attempted_at > clock_timestamp() - @lease::interval
        OR live.scheduled_at <= clock_timestamp() + @patience::interval
            AND (live.state IN ('available', 'pending') OR live.state IN ('scheduled', 'retryable')
                AND live.scheduled_at >= clock_timestamp() - @patience::interval))
WHERE o.topic = @topic
    AND (o.dirty_since, o.key) > (@after_dirty_since::timestamptz, @after_key::text)
    AND o.dirty_since IS NOT NULL AND o.parked_at IS NULL
    AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= clock_timestamp())
    AND (o.not_before IS NULL OR o.not_before <= clock_timestamp() - @grace::interval)
    AND (live.id IS NULL OR o.marked_priority < o.job_priority)
ORDER BY o.dirty_since, o.key
LIMIT @max_rows
FOR NO KEY UPDATE OF o SKIP LOCKED;

-- name: OutboxSweepUnverified :many
-- As OutboxSweep, for the rows whose verification is due: that they have no job is as it should be.
SELECT o.key
FROM outbox AS o
WHERE o.topic = @topic
    AND o.verify_at <= clock_timestamp() AND o.dirty_since IS NULL AND o.parked_at IS NULL
    AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= clock_timestamp())
    AND (o.not_before IS NULL OR o.not_before <= clock_timestamp() - @grace::interval)
    AND NOT EXISTS (
        SELECT FROM river.river_job AS j
        WHERE j.id = o.job_id
            AND (j.state = 'running' AND j.attempted_at > clock_timestamp() - @lease::interval
                OR j.scheduled_at <= clock_timestamp() + @patience::interval
                    AND (j.state IN ('available', 'pending') OR j.state IN ('scheduled', 'retryable')
                        AND j.scheduled_at >= clock_timestamp() - @patience::interval))
    )
ORDER BY o.verify_at, o.key
LIMIT @max_rows
FOR NO KEY UPDATE OF o SKIP LOCKED;

-- name: OutboxGet :one
SELECT * FROM outbox WHERE topic = @topic AND key = @key;

-- name: OutboxDeliveryList :many
-- Newest first; before_id 0: from the newest.
SELECT * FROM outbox_delivery
WHERE topic = @topic AND key = @key AND id < COALESCE(NULLIF(@before_id::bigint, 0), 9223372036854775807)
ORDER BY id DESC LIMIT @max_rows;

-- name: OutboxBacklog :one
-- Walks the partial indexes only, and no further than most rows: the cost is the backlog's, not the table's. The oldest is
-- the first of its index, where a min would be one of all of them whenever the last ANALYZE saw no backlog.
SELECT
    (SELECT count(*) FROM (SELECT FROM outbox AS o
        WHERE o.topic = @topic AND o.dirty_since IS NOT NULL AND o.parked_at IS NULL LIMIT @most) AS dirty)::bigint AS dirty,
    (SELECT count(*) FROM (SELECT FROM outbox AS o
        WHERE o.topic = @topic AND o.parked_at IS NOT NULL LIMIT @most) AS parked)::bigint AS parked,
    COALESCE(clock_timestamp() - oldest.dirty_since, interval '0')::interval AS oldest_dirty_age,
    COALESCE(oldest.priority, 0)::smallint AS oldest_priority
FROM (VALUES (1)) AS one
LEFT JOIN LATERAL (SELECT o.dirty_since, COALESCE(o.marked_priority, o.job_priority, 1) AS priority FROM outbox AS o
    WHERE o.topic = @topic AND o.dirty_since IS NOT NULL AND o.parked_at IS NULL ORDER BY o.dirty_since LIMIT 1) AS oldest ON true;

-- name: OutboxProbeKey :one
-- The key to probe with: of the oldest that could be pushed, one that has failed least, since the destination may be well
-- and only some keys be ill. If nothing is to be pushed, one that is to be read back.
(SELECT candidate.key FROM (
    SELECT o.key, o.failures FROM outbox AS o
    WHERE o.topic = @topic AND o.dirty_since IS NOT NULL AND o.parked_at IS NULL
        AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= clock_timestamp())
        AND (o.not_before IS NULL OR o.not_before <= clock_timestamp() + @patience::interval)
        AND (o.tat IS NULL OR o.tat - @key_burst::interval <= clock_timestamp())
    ORDER BY o.dirty_since, o.key LIMIT 100
) AS candidate ORDER BY candidate.failures, random() LIMIT 1)
UNION ALL
(SELECT o.key FROM outbox AS o
WHERE o.topic = @topic AND o.verify_at <= clock_timestamp() AND o.dirty_since IS NULL AND o.parked_at IS NULL
ORDER BY o.verify_at, o.key LIMIT 1)
LIMIT 1;

-- name: OutboxForgive :exec
-- For keys that were blamed for what turned out to be the destination's fault.
UPDATE outbox SET failures = 0, not_before = NULL
WHERE topic = @topic AND key = ANY(@keys::text[]) AND dirty_since IS NOT NULL AND lease_token IS NULL;

-- name: OutboxParkedList :many
-- A page of the keys that were parked until then, for the reason if it is not empty. One of the branches is never run; of
-- each, an index has the order: outbox_parked, outbox_parked_reason.
SELECT page.key, page.parked_at::timestamptz AS parked_at FROM (
    (SELECT a.key, a.parked_at FROM outbox AS a
    WHERE @reason::text = '' AND a.topic = @topic AND a.parked_at IS NOT NULL
        AND (a.parked_at, a.key) > (@after_parked_at::timestamptz, @after_key::text) AND a.parked_at <= @until::timestamptz
    ORDER BY a.parked_at, a.key LIMIT @max_rows)
    UNION ALL
    (SELECT r.key, r.parked_at FROM outbox AS r
    WHERE @reason <> '' AND r.topic = @topic AND r.parked_at IS NOT NULL AND r.parked_reason = @reason
        AND (r.parked_at, r.key) > (@after_parked_at, @after_key) AND r.parked_at <= @until
    ORDER BY r.parked_at, r.key LIMIT @max_rows)
) AS page
ORDER BY page.parked_at, page.key;

-- name: OutboxParkedPage :many
-- As OutboxParkedList, for people: with what is linked to the key. Its organization_id is empty if nothing is any more.
SELECT x.key, x.parked_at::timestamptz AS parked_at, x.parked_reason::text AS reason, COALESCE(x.last_error, '')::text AS last_error,
    x.failures, COALESCE(o.id, '')::text AS organization_id, COALESCE(o.name, '')::text AS name
FROM (
    (SELECT a.* FROM outbox AS a
    WHERE @reason::text = '' AND a.topic = @topic AND a.parked_at IS NOT NULL
        AND (a.parked_at, a.key) > (@after_parked_at::timestamptz, @after_key::text)
    ORDER BY a.parked_at, a.key LIMIT @max_rows)
    UNION ALL
    (SELECT r.* FROM outbox AS r
    WHERE @reason <> '' AND r.topic = @topic AND r.parked_at IS NOT NULL AND r.parked_reason = @reason
        AND (r.parked_at, r.key) > (@after_parked_at, @after_key)
    ORDER BY r.parked_at, r.key LIMIT @max_rows)
) AS x
LEFT JOIN organizations AS o ON o.clerk_org_id = x.key
ORDER BY x.parked_at, x.key;

-- name: OutboxParkedReasons :many
-- From reason to reason along the index outbox_parked_reason, and of each no further than most: what is parked may be
-- everything, for one reason.
WITH RECURSIVE reasons AS (
    (SELECT o.parked_reason FROM outbox AS o
    WHERE o.topic = @topic AND o.parked_at IS NOT NULL ORDER BY o.parked_reason LIMIT 1)
    UNION ALL
    SELECT (SELECT o.parked_reason FROM outbox AS o
        WHERE o.topic = @topic AND o.parked_at IS NOT NULL AND o.parked_reason > r.parked_reason ORDER BY o.parked_reason LIMIT 1)
    FROM reasons AS r WHERE r.parked_reason IS NOT NULL
)
SELECT r.parked_reason::text AS reason,
    (SELECT count(*) FROM (SELECT FROM outbox AS o
        WHERE o.topic = @topic AND o.parked_at IS NOT NULL AND o.parked_reason = r.parked_reason LIMIT @most) AS counted)::bigint AS rows,
    (SELECT o.parked_at FROM outbox AS o
        WHERE o.topic = @topic AND o.parked_at IS NOT NULL AND o.parked_reason = r.parked_reason
        ORDER BY o.parked_at DESC LIMIT 1)::timestamptz AS last_parked_at
FROM reasons AS r WHERE r.parked_reason IS NOT NULL
ORDER BY rows DESC, reason;

-- name: OutboxParkedLock :many
-- Which of the keys are parked, with their rows locked: sorted, as OutboxMark locks them.
SELECT key FROM outbox WHERE topic = @topic AND key = ANY(@keys::text[]) AND parked_at IS NOT NULL
ORDER BY key FOR NO KEY UPDATE;

-- name: OutboxClock :one
SELECT clock_timestamp()::timestamptz AS now;

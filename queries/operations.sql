-- For the people who operate it: console, app status, app log. All times are the database's.

-- name: OutboxActivitySince :one
-- From when on deliveries are to be counted anew: a little before the last one that was counted, as what committed late is
-- counted late; and if nobody counted for long, a day ago at most.
SELECT date_bin(@interval, LEAST(now() - @late::interval, GREATEST(now() - interval '1 day', (
    SELECT max(begins_at) FROM outbox_activity WHERE topic = @topic
))), 'epoch')::timestamptz AS since;

-- name: OutboxActivityCount :exec
-- Counts the newest intervals of the delivery log anew. Where one process is at it, another does nothing. That nothing ends in
-- the future tells the planner that it is about few.
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtext('outbox_activity'), hashtext(@topic)) AS mine
)
INSERT INTO outbox_activity AS a (topic, begins_at, outcome, deliveries)
SELECT d.topic, date_bin(@interval, d.finished_at, 'epoch'), d.outcome, count(*)
FROM outbox_delivery AS d
WHERE d.topic = @topic AND (SELECT mine FROM turn) AND d.finished_at >= @since AND d.finished_at < now() + interval '1 hour'
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (topic, begins_at, outcome) DO UPDATE SET deliveries = EXCLUDED.deliveries
WHERE a.deliveries < EXCLUDED.deliveries;

-- name: OutboxActivityList :many
SELECT begins_at, outcome, deliveries FROM outbox_activity
WHERE topic = @topic AND begins_at >= now() - @past::interval ORDER BY begins_at, outcome;

-- name: ProcessSeen :exec
INSERT INTO process (id, hostname, pid, version, calls_per_second)
VALUES (@id, @hostname, @pid, @version, sqlc.narg(calls_per_second)::double precision)
ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp();

-- name: ProcessIsEldest :one
-- Whether of those that are alive this one has been for the longest.
SELECT (count(*) = 0)::boolean AS eldest FROM process AS other, process AS self
WHERE self.id = @id AND (other.started_at, other.id) < (self.started_at, self.id)
    AND other.seen_at > clock_timestamp() - @alive::interval;

-- name: ProcessGone :exec
DELETE FROM process WHERE id = @id;

-- name: ProcessList :many
-- The living, the eldest first, and of the dead the few that were seen last: that one has vanished is worth knowing.
(SELECT *, (clock_timestamp() - seen_at)::interval AS unseen FROM process
WHERE seen_at > clock_timestamp() - @alive::interval ORDER BY started_at, id)
UNION ALL
(SELECT *, (clock_timestamp() - seen_at)::interval AS unseen FROM process
WHERE seen_at <= clock_timestamp() - @alive::interval ORDER BY seen_at DESC LIMIT @max_dead);

-- name: ProcessDeadCount :one
SELECT count(*) FROM process WHERE seen_at <= clock_timestamp() - @alive::interval;

-- name: OperatorActionBegin :one
INSERT INTO operator_action (operator, origin, action, target) VALUES (@operator, @origin, @action, @target)
RETURNING id;

-- name: OperatorActionEnd :exec
UPDATE operator_action SET result = @result::text WHERE id = @id;

-- name: OperatorActionList :many
-- Newest first; before_id 0: from the newest.
SELECT * FROM operator_action WHERE id < COALESCE(NULLIF(@before_id::bigint, 0), 9223372036854775807) ORDER BY id DESC LIMIT @max_rows;

-- name: OperatorActionLast :one
-- Looks at the latest only: there is no index of what was done to what.
SELECT * FROM operator_action AS a
WHERE a.action = @action AND a.target = @target AND a.at <= @until AND COALESCE(a.result, '') NOT LIKE 'failed%' AND a.id > (SELECT max(l.id) FROM operator_action AS l) - 10000
ORDER BY a.id DESC LIMIT 1;

-- name: OrganizationCountAbout :one
-- About how many there are, by what the last ANALYZE knew: -1 if there was none. No scan, however many there are.
SELECT reltuples::bigint AS organizations FROM pg_catalog.pg_class WHERE oid = 'organizations'::regclass;

-- name: OrganizationUnlinkedCount :one
-- Walks the index organizations_unlinked, and no further than asked.
SELECT count(*) FROM (SELECT FROM organizations WHERE clerk_org_id IS NULL LIMIT @most) AS unlinked;

-- name: OrganizationSearch :many
-- A page of the organizations whose id begins with the text, whose Clerk id it is, or of whose name a word begins with each
-- of its words; by id. words: as to_tsquery takes them, empty for none. What is in the name is found by its index first, and
-- then sorted: left to choose, the planner may well walk over all ids instead, and find nothing. Its cost is that of all that
-- is found: for words that are in many names there is OrganizationSearchNear.
WITH named AS MATERIALIZED (
    SELECT n.id FROM organizations AS n WHERE to_tsvector('simple', n.name) @@ to_tsquery('simple', @words::text) AND n.id > @after_id
)
SELECT sqlc.embed(o),
    COALESCE(x.desired_version, 0)::bigint AS desired_version,
    COALESCE(x.synced_version, 0)::bigint AS synced_version,
    x.dirty_since, x.synced_at, x.last_error, x.parked_at, x.parked_reason
FROM (
    (SELECT i.id FROM organizations AS i
    WHERE i.id > @after_id AND i.id >= @prefix::text AND i.id < @prefix_end::text ORDER BY i.id LIMIT @max_rows)
    UNION
    (SELECT c.id FROM organizations AS c WHERE c.clerk_org_id = @prefix AND c.id > @after_id)
    UNION
    (SELECT named.id FROM named ORDER BY named.id LIMIT @max_rows)
) AS found
JOIN organizations AS o ON o.id = found.id
LEFT JOIN outbox AS x ON x.topic = @topic AND x.key = o.clerk_org_id
ORDER BY o.id
LIMIT @max_rows;

-- name: OrganizationSearchNear :many
-- As OrganizationSearch, among the next few ids only: what is in many names is found there at once.
SELECT sqlc.embed(o),
    COALESCE(x.desired_version, 0)::bigint AS desired_version,
    COALESCE(x.synced_version, 0)::bigint AS synced_version,
    x.dirty_since, x.synced_at, x.last_error, x.parked_at, x.parked_reason
FROM (
    SELECT near.id FROM (
        SELECT i.id, i.name, i.clerk_org_id FROM organizations AS i WHERE i.id > @after_id ORDER BY i.id LIMIT @near
    ) AS near
    WHERE to_tsvector('simple', near.name) @@ to_tsquery('simple', @words::text)
        OR near.id >= @prefix::text AND near.id < @prefix_end::text OR near.clerk_org_id = @prefix
    ORDER BY near.id LIMIT @max_rows
) AS found
JOIN organizations AS o ON o.id = found.id
LEFT JOIN outbox AS x ON x.topic = @topic AND x.key = o.clerk_org_id
ORDER BY o.id;

-- name: DriftRequest :execrows
-- Has the next check made now. No row: one was asked for already, or is under way.
INSERT INTO drift_check AS d (topic, requested_at, requested_repair) VALUES (@topic, clock_timestamp(), @repair::boolean)
ON CONFLICT (topic) DO UPDATE SET requested_at = EXCLUDED.requested_at, requested_repair = EXCLUDED.requested_repair
WHERE d.requested_at IS NULL AND (d.turn_ends IS NULL OR d.turn_ends <= clock_timestamp());

-- name: OrganizationCountAtMost :one
SELECT count(*) FROM (SELECT FROM organizations LIMIT @most) AS organizations;

-- name: QueuePause :one
-- The pause of a queue, and whether the breaker made it. No row: there is none.
SELECT q.paused_at::timestamptz AS paused_at, (d.queue_paused_at IS NOT NULL)::boolean AS by_breaker
FROM river.river_queue AS q
LEFT JOIN destination AS d ON d.topic = q.name AND d.opened_at IS NOT NULL AND d.queue_paused_at = q.paused_at
WHERE q.name = @topic AND q.paused_at IS NOT NULL;

-- name: QueueRestore :exec
-- Puts a paused queue back whose row is gone: River deletes those that nobody has written for a day, by the clock of the
-- process that leads, and a producer that is paused would then never hear of anything again.
INSERT INTO river.river_queue (name, paused_at, updated_at) VALUES (@topic, @paused_at::timestamptz, clock_timestamp())
ON CONFLICT (name) DO NOTHING;

-- name: QueueJobStates :many
-- How many jobs of the queue there are in each state but those in which it has done its work. Each state is a walk of its
-- own along River's index (state, queue, priority, scheduled_at, id). It is written out, for the planner to know that each
-- is rare, where a join would have it read all the completed ones.
SELECT 'available'::text AS state, count(*) AS jobs FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'available' AND j.queue = @queue LIMIT @most) AS available
UNION ALL
SELECT 'pending', count(*) FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'pending' AND j.queue = @queue LIMIT @most) AS pending
UNION ALL
SELECT 'retryable', count(*) FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'retryable' AND j.queue = @queue LIMIT @most) AS retryable
UNION ALL
SELECT 'running', count(*) FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'running' AND j.queue = @queue LIMIT @most) AS running
UNION ALL
SELECT 'scheduled', count(*) FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'scheduled' AND j.queue = @queue LIMIT @most) AS scheduled
UNION ALL
SELECT 'discarded', count(*) FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'discarded' AND j.queue = @queue LIMIT @most) AS discarded;

-- name: QueueOldestDue :many
-- For how long the first job of each priority has been due. Along the same index, at whose end for a priority it is.
SELECT p.priority::smallint AS priority, COALESCE(clock_timestamp() - (
    SELECT j.scheduled_at FROM river.river_job AS j
    WHERE j.state = 'available' AND j.queue = @queue AND j.priority = p.priority ORDER BY j.scheduled_at LIMIT 1
), interval '0')::interval AS age
FROM (VALUES (1::smallint), (2), (3), (4)) AS p (priority);

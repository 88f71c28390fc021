-- name: organization_of
-- Finds an organization by its name, or the organization of a user.
SELECT o.id, o.name FROM atlas.organizations o
WHERE (%(name)s::text IS NOT NULL AND o.name = %(name)s)
   OR (%(name)s::text IS NULL AND o.id = (SELECT organization_id FROM atlas.users WHERE id = %(user)s))

-- name: find_key
-- Finds a key with its user, for an administrator's decision on it.
SELECT k.id, k.revoked_at, u.id AS user_id, u.role, u.organization_id
FROM atlas.api_keys k JOIN atlas.users u ON u.id = k.user_id WHERE k.id = %(id)s

-- name: disable_user
-- Revokes all keys of a user that are not revoked; those that have expired, too.
UPDATE atlas.api_keys SET revoked_at = now() WHERE user_id = %(user)s AND revoked_at IS NULL RETURNING id

-- name: list_tags
-- Lists tags with the numbers of their datasets and holders.
SELECT t.id, t.name, t.description, t.is_public,
       (SELECT count(*) FROM atlas.dataset_tags d WHERE d.tag_id = t.id) AS datasets,
       (SELECT count(*) FROM atlas.user_tags u WHERE u.tag_id = t.id) AS holders, t.created_at
FROM atlas.tags t ORDER BY t.id

-- name: delete_tag
-- Deletes a tag; returns no row for an unknown tag.
DELETE FROM atlas.tags WHERE id = %(id)s RETURNING id

-- name: list_jobs
-- Lists jobs of an organization or of all, newest first. Succeeded jobs are deleted.
SELECT j.id, j.task_name AS task,
       CASE WHEN j.status = 'doing' AND j.abort_requested THEN 'aborting' ELSE j.status::text END AS status,
       j.attempts, i.public_id AS import_id, d.id AS delivery_id, o.name AS organization,
       j.scheduled_at, e.created_at, e.started_at, e.ended_at, count(*) OVER () AS total
FROM atlas_jobs.procrastinate_jobs j
LEFT JOIN atlas.imports i ON i.id = (j.args ->> 'import_id')::uuid
LEFT JOIN atlas.webhook_deliveries d ON d.id = (j.args ->> 'delivery_id')::uuid
JOIN atlas.organizations o ON o.id = coalesce(i.organization_id, d.organization_id)
CROSS JOIN LATERAL (
    SELECT min(at) FILTER (WHERE type = 'deferred') AS created_at, max(at) FILTER (WHERE type = 'started') AS started_at,
           max(at) FILTER (WHERE type IN ('failed', 'cancelled', 'aborted', 'succeeded')) AS ended_at
    FROM atlas_jobs.procrastinate_events WHERE job_id = j.id) e
WHERE (%(organization)s::int IS NULL OR o.id = %(organization)s)
  AND (%(status)s::text IS NULL OR j.status::text = %(status)s)
ORDER BY j.id DESC LIMIT %(limit)s OFFSET %(offset)s

-- name: job_organization
-- Finds the organization of a job, and its import or delivery.
SELECT coalesce(i.organization_id, d.organization_id) AS organization_id, j.status::text AS status,
       i.id AS import_id, d.id AS delivery_id, i.status AS import_status
FROM atlas_jobs.procrastinate_jobs j
LEFT JOIN atlas.imports i ON i.id = (j.args ->> 'import_id')::uuid
LEFT JOIN atlas.webhook_deliveries d ON d.id = (j.args ->> 'delivery_id')::uuid
WHERE j.id = %(id)s

-- name: reopen_import
-- Makes a failed import pending, to be run again.
UPDATE atlas.imports SET status = 'pending', error = NULL, finished_at = NULL, starts = 0
WHERE id = %(id)s AND status = 'failed'

-- name: cancel_delivery
-- Marks a pending delivery as failed.
UPDATE atlas.webhook_deliveries SET status = 'failed' WHERE id = %(id)s AND status = 'pending'

-- name: reopen_failed_delivery
-- Makes a failed delivery pending, to be sent again.
UPDATE atlas.webhook_deliveries SET status = 'pending' WHERE id = %(id)s AND status = 'failed'

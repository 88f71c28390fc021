-- name: secret
-- Returns the secret of an organization's webhooks, without a lock that other transactions might hold.
SELECT webhook_secret FROM atlas.organizations WHERE id = %(organization)s

-- name: make_secret
-- Returns the secret of an organization's webhooks, and stores one if there is none.
UPDATE atlas.organizations SET webhook_secret = coalesce(webhook_secret, %(secret)s) WHERE id = %(organization)s
RETURNING webhook_secret

-- name: rotate_secret
-- Replaces the secret of an organization's webhooks.
UPDATE atlas.organizations SET webhook_secret = %(secret)s WHERE id = %(organization)s RETURNING webhook_secret

-- name: create_delivery
-- Stores a delivery for each run of an import, in the transaction that ends the run.
INSERT INTO atlas.webhook_deliveries (id, organization_id, import_id, url, payload)
SELECT %(id)s, i.organization_id, i.id, i.callback_url, %(payload)s FROM atlas.imports i
WHERE i.id = %(import)s AND i.callback_url IS NOT NULL

-- name: deliveries_of_import
-- Returns a row if an import has a delivery.
SELECT id FROM atlas.webhook_deliveries WHERE import_id = %(id)s LIMIT 1

-- name: find_delivery
-- Finds a delivery with the number of attempts at it.
SELECT d.id, d.organization_id, d.url, d.payload, d.status,
       (SELECT count(*) FROM atlas.webhook_attempts a WHERE a.delivery_id = d.id), i.public_id
FROM atlas.webhook_deliveries d JOIN atlas.imports i ON i.id = d.import_id WHERE d.id = %(id)s

-- name: record_attempt
-- Stores an attempt at a delivery with its result.
INSERT INTO atlas.webhook_attempts (delivery_id, status, error, seconds)
VALUES (%(id)s, %(status)s, %(error)s, %(seconds)s)

-- name: set_delivery
-- Sets the status of a delivery, and the time when it is delivered.
UPDATE atlas.webhook_deliveries SET status = %(status)s,
       delivered_at = CASE WHEN %(status)s = 'delivered' THEN now() END
WHERE id = %(id)s

-- name: list_deliveries
-- Lists deliveries of an organization with their last attempt, newest first.
SELECT d.id, i.public_id, d.payload::json ->> 'type', d.url, d.status, d.created_at, d.delivered_at,
       coalesce((SELECT json_agg(json_build_object(
                            'at', to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'status', a.status,
                            'error', a.error, 'seconds', a.seconds) ORDER BY a.id)
                 FROM atlas.webhook_attempts a WHERE a.delivery_id = d.id), '[]')
FROM atlas.webhook_deliveries d JOIN atlas.imports i ON i.id = d.import_id
WHERE d.organization_id = %(organization)s
  AND /* include: imports/imports.visible(%(user)s, i) */
  AND (%(import)s::uuid IS NULL OR d.import_id = %(import)s)
ORDER BY d.created_at DESC, d.id LIMIT %(limit)s OFFSET %(offset)s

-- name: job_of_import
-- Returns the user and the state of an asynchronous import.
SELECT i.status, i.number, i.file_name, i.instruction, i.thread_id, i.table_name, i.organization_id, o.schema_name,
       u.id, u.name, i.error, i.inserted, i.duplicates, i.callback_metadata, i.callback_url,
       now() - i.created_at, i.records, i.updated, i.left_out, i.failures, i.replacements, i.summary,
       (SELECT json_build_object(
            'duplicates', count(*) FILTER (WHERE s.kind = 'duplicate'),
            'validations', count(*) FILTER (WHERE s.kind = 'validation'),
            'replacements', count(*) FILTER (WHERE s.kind = 'replacement'))
        FROM atlas.import_issues s WHERE s.import_number = i.number AND s.status = 'pending'),
       i.public_id, i.accept_proposals, i.dataset_id
FROM atlas.imports i JOIN atlas.organizations o ON o.id = i.organization_id
LEFT JOIN atlas.users u ON u.id = i.user_id
WHERE i.id = %(id)s

-- name: claim_import
-- Starts an import for one worker only. An import that a killed worker left running starts again. A start that is not
-- taken back counts as one that died with its process.
UPDATE atlas.imports SET status = 'running', started_at = clock_timestamp(), starts = starts + 1
WHERE id = %(id)s AND status IN ('pending', 'running') RETURNING starts

-- name: take_start_back
-- Uncounts a start of an import whose process lives, because the import will run again.
UPDATE atlas.imports SET starts = starts - 1 WHERE id = %(id)s AND starts > 0

-- name: forgotten_imports
-- Lists asynchronous imports without a job. The server was killed before the job was made, or the job could not even
-- record its failure.
SELECT i.id FROM atlas.imports i
WHERE i.callback_url IS NOT NULL
  AND (i.status IN ('pending', 'running') OR (i.status IN ('success', 'failed')
       AND NOT EXISTS (SELECT 1 FROM atlas.webhook_deliveries d WHERE d.import_id = i.id)))
  AND NOT EXISTS (SELECT 1 FROM atlas_jobs.procrastinate_jobs j
                  WHERE j.args ->> 'import_id' = i.id::text AND j.status IN ('todo', 'doing'))
ORDER BY i.id LIMIT 100

-- name: forgotten_deliveries
-- Lists deliveries without a job, for the same reasons.
SELECT d.id FROM atlas.webhook_deliveries d
WHERE d.status = 'pending'
  AND NOT EXISTS (SELECT 1 FROM atlas_jobs.procrastinate_jobs j
                  WHERE j.args ->> 'delivery_id' = d.id::text AND j.status IN ('todo', 'doing'))
ORDER BY d.id LIMIT 100

-- name: reopen_delivery
-- Marks a delivery to be sent once more. Its earlier attempts stay in the log.
UPDATE atlas.webhook_deliveries SET status = 'pending' WHERE id = %(id)s

-- name: insert_import
-- Creates an import. Returns no row if the organization has an import with the id that the caller chose.
WITH made AS MATERIALIZED (SELECT gen_random_uuid() AS id)
INSERT INTO atlas.imports (id, public_id, organization_id, user_id, kind, file_name, file_bytes, instruction, thread_id, status,
                           callback_url, callback_metadata, table_name, corrects, process, accept_proposals, started_at,
                           shared)
SELECT made.id, coalesce(%(public_id)s::uuid, made.id), %(organization)s, %(user)s, %(kind)s, %(file_name)s, %(file_bytes)s,
        %(instruction)s, %(thread)s, %(status)s, %(callback_url)s, %(callback_metadata)s, %(table_name)s, %(corrects)s, %(process)s,
       %(accept_proposals)s::boolean, CASE WHEN %(status)s = 'running' THEN clock_timestamp() END, %(kind)s <> 'import'
FROM made
ON CONFLICT (organization_id, public_id) DO NOTHING RETURNING id, number

-- name: finish_import
-- Stores the result of a run, in the transaction of its rows. Returns no row if the import has ended by another run, or
-- was given up meanwhile.
UPDATE atlas.imports SET status = %(status)s, table_id = %(table_id)s, dataset_id = %(dataset_id)s,
       table_name = %(table_name)s, action_taken = %(action)s, summary = %(summary)s, error = NULL, records = %(records)s,
       inserted = %(inserted)s, updated = %(updated)s, duplicates = %(duplicates)s, failures = %(failures)s,
       replacements = %(replacements)s, left_out = %(left_out)s, first_row = %(first_row)s, last_row = %(last_row)s,
       plan = CASE WHEN plan ? 'widened' AND jsonb_typeof(%(plan)s::jsonb) = 'object' THEN
           %(plan)s::jsonb || jsonb_build_object('widened', (plan->'widened') || coalesce(%(plan)s::jsonb->'widened', '{}'))
           ELSE %(plan)s::jsonb END,
       encoding = %(encoding)s, delimiter = %(delimiter)s,
       shared = %(dataset_id)s::integer IS NULL, made_table = %(made_table)s, new_columns = %(new_columns)s, finished_at = clock_timestamp(),
       issues_resolved = 0, issues_open = (SELECT count(*) FROM atlas.import_issues s WHERE s.import_number = imports.number)
WHERE id = %(id)s AND status = 'running' RETURNING id

-- name: fail_import
-- Marks an import as failed if it waits or runs. If the answer to a commit was lost, the import may have succeeded.
UPDATE atlas.imports SET status = 'failed', error = %(error)s, finished_at = clock_timestamp()
WHERE id = %(id)s AND status IN ('pending', 'running') RETURNING id

-- name: restart_import
-- Marks an import as running from now on, by this process.
UPDATE atlas.imports SET status = 'running', error = NULL, process = %(process)s, started_at = clock_timestamp(),
       finished_at = NULL
WHERE id = %(id)s

-- name: mark_undone
-- Stores the status of an import after an undo, and the counts that remain in force.
UPDATE atlas.imports SET status = %(status)s, summary = %(summary)s, inserted = %(inserted)s, updated = %(updated)s
WHERE id = %(id)s

-- fragment: visible(reader, import)
-- Imports that a reader may see: shared in the organization, the reader's own, and into datasets that the reader may
-- read.
($import.shared OR $import.user_id = $reader OR EXISTS (
        SELECT 1 FROM atlas.datasets s
        WHERE s.id = $import.dataset_id AND /* include: accounts/dataset_access.readable_one($reader, s) */))

-- fragment: listed(import, table)
-- Imports that a user may see, filtered by table, status, open issues, and a text in the name of the file or table.
$import.organization_id = %(organization)s
  AND /* include: imports/imports.visible(%(user)s, $import) */
  AND (%(table_name)s::text IS NULL OR coalesce($table.name, $import.table_name) = %(table_name)s)
  AND (%(status)s::text IS NULL OR $import.status = %(status)s)
  AND (%(waiting)s::boolean IS NULL OR ($import.issues_open > 0) = %(waiting)s)
  AND (%(search)s::text IS NULL
       OR strpos(lower(concat_ws(' ', $import.file_name, coalesce($table.name, $import.table_name))), lower(%(search)s)) > 0)

-- name: find_imports
-- Lists a page of the imports that a user may see, with their public ids.
SELECT i.id, i.public_id, i.number, i.kind, i.status, i.table_id, i.dataset_id, coalesce(t.name, i.table_name) AS table_name,
       i.file_name, i.file_bytes, i.instruction, i.thread_id, i.action_taken, i.summary, i.error, i.records, i.inserted,
       i.updated, i.duplicates, i.failures, i.replacements, i.left_out, i.issues_open, i.issues_resolved, i.first_row, i.last_row, i.plan, i.made_table, i.new_columns,
       i.callback_url, i.callback_metadata, i.mapping, i.corrects, i.accept_proposals, i.user_id, i.shared, i.created_at, i.started_at, i.finished_at, u.name AS user_name,
       p.stage, p.records AS progress_records
FROM atlas.imports i
LEFT JOIN atlas.tables t ON t.id = i.table_id
LEFT JOIN atlas.users u ON u.id = i.user_id
LEFT JOIN atlas.import_progress p ON p.import_id = i.id
WHERE /* include: imports/imports.listed(i, t) */
  AND (%(id)s::uuid IS NULL OR i.public_id = %(id)s)
  AND (%(thread)s::text IS NULL OR i.thread_id = %(thread)s)
ORDER BY /* order */ i.created_at DESC, i.number DESC
LIMIT %(limit)s OFFSET %(offset)s

-- name: count_imports
-- Counts the rows of `find_imports` without a limit.
SELECT count(*)
FROM atlas.imports i LEFT JOIN atlas.tables t ON t.id = i.table_id
WHERE /* include: imports/imports.listed(i, t) */

-- name: count_waiting
-- Counts the imports with issues that wait for a decision.
SELECT count(*) FROM atlas.imports i WHERE i.organization_id = %(organization)s AND i.issues_open > 0
  AND /* include: imports/imports.visible(%(user)s, i) */

-- name: lock_import
-- Locks an import, and returns its status.
SELECT status FROM atlas.imports WHERE id = %(id)s FOR NO KEY UPDATE

-- name: report_progress
-- Stores the progress of an import.
INSERT INTO atlas.import_progress (import_id, stage, records) VALUES (%(id)s, %(stage)s, %(records)s)
ON CONFLICT (import_id) DO UPDATE SET stage = excluded.stage, records = excluded.records, updated_at = now()

-- name: insert_file_part
-- Stores a part of an import's file.
INSERT INTO atlas.import_files (import_id, part, data) VALUES (%(id)s, %(part)s, %(data)s)

-- name: file_part
-- Returns a part of an import's file.
SELECT data FROM atlas.import_files WHERE import_id = %(id)s AND part = %(part)s

-- name: forget_files
-- Deletes the files of imports whose end is longer ago than files are kept.
DELETE FROM atlas.import_files f USING atlas.imports i
WHERE i.id = f.import_id AND i.finished_at < now() - make_interval(days => %(days)s)

-- name: count_issues
-- Counts the open issues of an import by kind.
SELECT kind, count(*) FROM atlas.import_issues WHERE import_number = %(number)s AND status = 'pending' GROUP BY kind

-- name: list_issues
-- Lists a page of an import's issues of one kind.
SELECT id, record_number, row_id, record::text AS record, details, status, resolution, resolved_at
FROM atlas.import_issues
WHERE import_number = %(number)s AND kind = %(kind)s AND (%(status)s::text IS NULL OR status = %(status)s)
ORDER BY record_number, id LIMIT %(limit)s OFFSET %(offset)s

-- name: count_issues_of_kind
-- Counts the rows of `list_issues` without a limit.
SELECT count(*) FROM atlas.import_issues
WHERE import_number = %(number)s AND kind = %(kind)s AND (%(status)s::text IS NULL OR status = %(status)s)

-- name: lock_issues
-- Locks the issues that a correction names, by id or by record.
SELECT id, kind, record_number, row_id, record::text AS record, details, status, resolution FROM atlas.import_issues
WHERE import_number = %(number)s AND kind = %(kind)s
  AND (id = ANY(%(ids)s) OR record_number = ANY(%(records)s))
ORDER BY id FOR UPDATE

-- name: resolve_issue
-- Stores the decision on an issue, and the correction that made it.
UPDATE atlas.import_issues SET status = %(status)s, resolution = %(resolution)s, row_id = coalesce(%(row)s, row_id),
       resolved_at = now(), correction = %(correction)s
WHERE id = %(id)s

-- name: reopen_issues
-- Reopens the issues that a correction decided, and removes the numbers of rows that the correction inserted.
UPDATE atlas.import_issues
SET status = 'pending', resolution = NULL, resolved_at = NULL, correction = NULL,
    row_id = CASE WHEN row_id BETWEEN %(first_row)s::bigint AND %(last_row)s::bigint THEN NULL ELSE row_id END
WHERE correction = %(number)s

-- name: list_corrections
-- Lists the corrections of an import that are in force, newest first.
SELECT id, number, kind, status, table_id, dataset_id, first_row, last_row, made_table, new_columns, inserted, corrects, plan
FROM atlas.imports WHERE corrects = %(number)s AND status IN ('success', 'partially_undone')
ORDER BY number DESC

-- name: later_changes
-- Lists later imports and updates that changed the rows of an import, or values that the import had changed.
WITH own AS (
    SELECT number FROM atlas.imports WHERE number = %(number)s OR corrects = %(number)s
), mine AS (
    SELECT row_id, min(id) AS first, array_agg(DISTINCT k.key) AS keys
    FROM atlas.row_changes CROSS JOIN LATERAL jsonb_object_keys(after) AS k (key)
    WHERE import_number IN (SELECT number FROM own) AND table_id = %(table)s AND undone_at IS NULL GROUP BY row_id
)
SELECT i.public_id, i.kind, count(DISTINCT c.row_id) AS rows
FROM atlas.row_changes c
JOIN atlas.imports i ON i.number = c.import_number
LEFT JOIN mine m ON m.row_id = c.row_id
WHERE c.table_id = %(table)s AND c.undone_at IS NULL AND c.import_number NOT IN (SELECT number FROM own)
  AND ((m.row_id IS NOT NULL AND c.id > m.first AND c.after ?| m.keys)
       OR c.row_id BETWEEN %(first_row)s::bigint AND %(last_row)s::bigint)
GROUP BY i.public_id, i.kind, i.number ORDER BY i.number DESC LIMIT 100

-- name: changed_since
-- Lists those of the given rows that anything except the import and its corrections has changed.
SELECT DISTINCT row_id FROM atlas.row_changes c
JOIN atlas.imports i ON i.number = c.import_number
WHERE c.table_id = %(table)s AND c.row_id = ANY(%(rows)s) AND c.undone_at IS NULL
  AND i.number <> %(number)s AND i.corrects IS DISTINCT FROM %(number)s
ORDER BY row_id

-- name: count_decided
-- Updates the counts of an import by the decisions of a correction, or by their undo (sign -1). A record that became a
-- row is no failure or duplicate any more, and a look-alike that was removed is a duplicate.
WITH decided AS (
    SELECT count(DISTINCT s.record_number) FILTER (WHERE s.kind = 'validation' AND s.status = 'corrected') AS failures,
           count(DISTINCT s.record_number) FILTER (
               WHERE s.kind = 'duplicate' AND s.status = 'corrected' AND s.row_id BETWEEN c.first_row AND c.last_row) AS repeats,
           count(DISTINCT s.record_number) FILTER (
               WHERE s.kind = 'duplicate' AND s.status = 'skipped' AND s.row_id IS NOT NULL) AS alike
    FROM atlas.import_issues s JOIN atlas.imports c ON c.number = s.correction
    WHERE s.correction = %(correction)s
)
UPDATE atlas.imports i
SET failures = greatest(0, i.failures - %(sign)s * d.failures),
    duplicates = greatest(0, i.duplicates - %(sign)s * (d.repeats - d.alike)),
    inserted = greatest(0, i.inserted - %(sign)s * d.alike)
FROM decided d WHERE i.number = %(number)s

-- name: count_open
-- Counts an import's open and resolved issues again.
UPDATE atlas.imports i SET issues_open = s.open, issues_resolved = s.resolved
FROM (SELECT count(*) FILTER (WHERE status = 'pending') AS open, count(*) FILTER (WHERE status <> 'pending') AS resolved
      FROM atlas.import_issues WHERE import_number = %(number)s) s
WHERE i.number = %(number)s

-- name: forget_issues
-- Deletes an import's issues.
DELETE FROM atlas.import_issues WHERE import_number = %(number)s

-- name: extend_import
-- Adds the rows of a correction to an import.
UPDATE atlas.imports SET inserted = inserted + %(inserted)s, last_row = greatest(last_row, %(last_row)s),
       first_row = coalesce(first_row, %(first_row)s)
WHERE id = %(id)s

-- name: shorten_import
-- Reduces the count of an import by removed rows.
UPDATE atlas.imports SET inserted = greatest(0, inserted - %(removed)s) WHERE number = %(number)s

-- name: clear_plan
-- Forgets an import's plan and mapping.
-- Types that the import gave to columns of a table stay, and an undo reports the types.
UPDATE atlas.imports SET mapping = NULL, plan = CASE WHEN plan ? 'widened' AND plan->'widened' <> '{}'
    THEN jsonb_build_object('widened', plan->'widened') END
WHERE id = %(id)s

-- name: keep_mapping
-- Stores the mapping of an import's columns.
UPDATE atlas.imports SET mapping = %(mapping)s WHERE id = %(id)s

-- name: abandoned
-- Lists running imports and updates with a waiting client whose process is gone. Asynchronous imports run again
-- instead.
SELECT i.id FROM atlas.imports i
WHERE i.status = 'running' AND i.callback_url IS NULL
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_locks l
                  WHERE l.locktype = 'advisory' AND l.objsubid = 1
                    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
                    AND (l.classid::bigint << 32 | l.objid::bigint) = i.process)

-- name: fail_abandoned
-- Marks the imports that `abandoned` listed as failed.
UPDATE atlas.imports SET status = 'failed', error = 'the server stopped while the import ran',
       finished_at = clock_timestamp()
WHERE id = ANY (%(ids)s::uuid[]) AND status = 'running' AND callback_url IS NULL

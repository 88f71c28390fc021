-- name: settings
-- Sets up the transaction of a check: no limit on time, UTC, and memory for sorts.
SET LOCAL statement_timeout = 0; SET LOCAL timezone = 'UTC'; SET LOCAL work_mem = '64MB'

-- name: dataset_ids
-- Lists the ids of all datasets.
SELECT id FROM atlas.datasets ORDER BY id

-- name: dataset
-- Returns all figures of the catalog on the size of a dataset.
SELECT d.name, d.table_schema, s.last_seq, s.row_count, s.cold, c.rows,
       coalesce(c.legacy, false), coalesce(c.columnstore, false), r.width, r.upto
FROM atlas.datasets d
LEFT JOIN atlas.dataset_state s ON s.dataset_id = d.id
LEFT JOIN atlas.cold c ON c.dataset_id = d.id
LEFT JOIN atlas.rollups r ON r.dataset_id = d.id
WHERE d.id = %(id)s

-- name: blocks
-- Lists the row blocks of a dataset.
SELECT first_seq, last_seq, row_count, min_ts, max_ts FROM atlas.row_blocks WHERE dataset_id = %(id)s ORDER BY first_seq

-- name: missing_columns
-- Lists columns of a dataset that the catalog has and its table lacks.
SELECT k.name FROM atlas.dataset_columns k
WHERE k.dataset_id = %(id)s AND k.physical IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = to_regclass(%(relation)s) AND a.attname = k.physical AND NOT a.attisdropped)
ORDER BY k.id

-- name: series_keys
-- Lists the columns of a dataset's series keys, null for a key without a column.
SELECT k.physical FROM atlas.datasets d CROSS JOIN unnest(d.keys) WITH ORDINALITY AS u (name, place)
LEFT JOIN atlas.dataset_columns k ON k.dataset_id = d.id AND k.name = u.name
WHERE d.id = %(id)s ORDER BY u.place

-- name: relation
-- Returns a relation, or null when there is none.
SELECT to_regclass(%(relation)s)

-- name: table_ids
-- Lists the ids of all tables.
SELECT id FROM atlas.tables ORDER BY id

-- name: table
-- Returns the catalog's figures on a table and its rows.
SELECT t.name, o.schema_name, t.row_count, t.last_row
FROM atlas.tables t JOIN atlas.organizations o ON o.id = t.organization_id
WHERE t.id = %(id)s

-- name: missing_table_columns
-- Lists columns of a table that the catalog has and its relation lacks.
SELECT k.name FROM atlas.table_columns k
WHERE k.table_id = %(id)s
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = to_regclass(%(relation)s) AND a.attname = k.name AND NOT a.attisdropped)
ORDER BY k.position

-- name: unanswered_keys
-- Counts idempotency keys without an answer. The transaction that claims a key also stores its answer.
SELECT count(*) FROM atlas.idempotency_keys WHERE response IS NULL

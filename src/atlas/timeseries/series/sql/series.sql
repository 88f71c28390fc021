-- name: find_keys
-- Returns where a dataset's rows lie, and its keys.
SELECT d.table_schema, s.cold, d.keys, to_regclass(quote_ident(d.table_schema) || '._series_' || d.id) IS NOT NULL
FROM atlas.datasets d JOIN atlas.dataset_state s ON s.dataset_id = d.id WHERE d.id = %(id)s

-- name: text_keys
-- Lists the keys of a dataset that are texts.
SELECT c.name FROM atlas.datasets d JOIN atlas.dataset_columns c ON c.dataset_id = d.id
WHERE d.id = %(id)s::int AND c.name = ANY (d.keys) AND c.dtype = 'string'

-- name: set_keys
-- Sets the keys of a dataset.
UPDATE atlas.datasets SET keys = %(keys)s, updated_at = now() WHERE id = %(id)s

-- name: settings
-- Sets up the transaction of a declaration, which reads all rows of a dataset.
SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '64MB'; SET LOCAL enable_seqscan = on

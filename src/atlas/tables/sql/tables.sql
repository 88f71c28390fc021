-- name: list_tables
-- Lists the tables of an organization with their columns, by name.
SELECT t.id, t.name, t.key_columns, t.row_count, t.last_row,
       coalesce((SELECT json_agg(json_build_object('name', c.name, 'type', c.type, 'header', c.header,
                        'semantic', c.semantic, 'required', c.required, 'rules', c.rules, 'format', c.format,
                        'unit', coalesce(n.unit, ''), 'description', coalesce(n.description, ''))
                        ORDER BY c.position)
                 FROM atlas.table_columns c LEFT JOIN atlas.column_notes n
                      ON n.organization_id = t.organization_id AND n.table_name = t.name AND n.name = c.name
                 WHERE c.table_id = t.id), '[]'),
       t.updated_at::text, t.samples
FROM atlas.tables t
WHERE t.organization_id = %(organization)s
  AND (%(name)s::text IS NULL OR t.name = %(name)s) AND (%(id)s::int IS NULL OR t.id = %(id)s)
ORDER BY t.name

-- name: last_file_format
-- Encoding and delimiter of the table's last files that show them, of what is in force.
SELECT (SELECT i.encoding FROM atlas.imports i
        WHERE i.table_id = %(table)s AND i.encoding IS NOT NULL AND i.status IN ('success', 'partially_undone')
        ORDER BY i.finished_at DESC, i.number DESC LIMIT 1),
       (SELECT i.delimiter FROM atlas.imports i
        WHERE i.table_id = %(table)s AND i.delimiter IS NOT NULL AND i.status IN ('success', 'partially_undone')
        ORDER BY i.finished_at DESC, i.number DESC LIMIT 1)

-- name: lock_table
-- Locks a table, and returns its counts.
SELECT row_count, last_row FROM atlas.tables WHERE id = %(id)s FOR NO KEY UPDATE

-- name: lock_organization
-- Keeps two imports from creating the same table.
SELECT id FROM atlas.organizations WHERE id = %(organization)s FOR NO KEY UPDATE

-- name: insert_table
-- Stores a new table.
INSERT INTO atlas.tables (organization_id, name, key_columns) VALUES (%(organization)s, %(name)s, %(key)s) RETURNING id

-- name: insert_columns
-- Stores columns. `columns` is a JSON array of objects, in the order of the table.
INSERT INTO atlas.table_columns (table_id, name, type, header, semantic, required, rules, format, position)
SELECT %(table)s, c.name, c.type, c.header, c.semantic, c.required, c.rules, c.format, last.position + c.n
FROM ROWS FROM (jsonb_to_recordset(%(columns)s) AS
         (name text, type text, header text, semantic text, required boolean, rules jsonb, format jsonb))
     WITH ORDINALITY AS c (name, type, header, semantic, required, rules, format, n),
     (SELECT coalesce(max(position), 0) AS position FROM atlas.table_columns WHERE table_id = %(table)s) AS last

-- name: change_column
-- Changes type, rules and format of a column.
UPDATE atlas.table_columns SET type = %(type)s, required = %(required)s, rules = %(rules)s,
       format = nullif(%(format)s, 'null'::jsonb)
WHERE table_id = %(table)s AND name = %(name)s

-- name: delete_column
-- Deletes a column.
DELETE FROM atlas.table_columns WHERE table_id = %(table)s AND name = %(name)s

-- name: set_key
-- Sets the key columns of a table.
UPDATE atlas.tables SET key_columns = %(key)s WHERE id = %(id)s

-- name: count_rows
-- Adds rows to a table's count; `last_row` only grows.
UPDATE atlas.tables SET row_count = row_count + %(added)s, last_row = greatest(last_row, %(last_row)s),
       updated_at = now()
WHERE id = %(id)s

-- name: delete_table
-- Deletes a table with its columns.
DELETE FROM atlas.tables WHERE id = %(id)s

-- name: readable_datasets
-- Lists those of some datasets that a user may read, with columns, as tables of the other half.
SELECT d.id, d.name, d.table_schema, s.row_count,
       coalesce((SELECT json_agg(json_build_object('name', c.name, 'dtype', c.dtype, 'physical', c.physical,
                        'unit', c.unit, 'description', c.description) ORDER BY c.id)
                 FROM atlas.dataset_columns c WHERE c.dataset_id = d.id), '[]'),
       s.version, s.cold, d.samples, d.keys
FROM atlas.datasets d JOIN atlas.dataset_state s ON s.dataset_id = d.id
WHERE /* include: accounts/dataset_access.readable(%(user)s, d) */
  AND d.id = ANY (%(ids)s)
ORDER BY d.id

-- name: dataset_names
-- Lists the names of readable datasets, the user's own first, then the organization's, then others'.
SELECT d.id, d.name, s.row_count,
       CASE WHEN u.organization_id = %(organization)s THEN '' ELSE u.name || ' of ' || o.name END
FROM atlas.datasets d JOIN atlas.dataset_state s ON s.dataset_id = d.id
JOIN atlas.users u ON u.id = d.owner_id JOIN atlas.organizations o ON o.id = u.organization_id
WHERE /* include: accounts/dataset_access.readable(%(user)s, d) */
ORDER BY d.owner_id <> %(user)s, u.organization_id <> %(organization)s, d.id

-- name: set_table_samples
-- Sets whose models may receive samples of a table.
UPDATE atlas.tables SET samples = %(samples)s WHERE id = %(id)s

-- name: row_changes
-- Lists changes of a row after its insert, newest first.
SELECT i.public_id AS import_id, i.kind, coalesce(c.at, i.finished_at, i.created_at) AS at, u.name AS "user",
       c.before::text, c.after::text, c.undone_at IS NOT NULL AS undone
FROM atlas.row_changes c JOIN atlas.imports i ON i.number = c.import_number
LEFT JOIN atlas.users u ON u.id = i.user_id
WHERE c.table_id = %(table)s AND c.row_id = %(row)s
ORDER BY c.id DESC LIMIT %(limit)s

-- name: first_values
-- Returns the values at the insert of the columns that have changed since.
SELECT coalesce(jsonb_object_agg(f.key, f.value), '{}')::text FROM (
    SELECT DISTINCT ON (k.key) k.key, k.value
    FROM atlas.row_changes c CROSS JOIN LATERAL jsonb_each(c.before) AS k
    WHERE c.table_id = %(table)s AND c.row_id = %(row)s AND c.undone_at IS NULL
    ORDER BY k.key, c.id) f

-- name: row_origin
-- Returns the import of a row.
SELECT i.public_id AS import_id, i.kind, coalesce(i.finished_at, i.created_at) AS at, u.name AS "user"
FROM atlas.imports i LEFT JOIN atlas.users u ON u.id = i.user_id WHERE i.number = %(number)s

-- name: note_table_column
-- Stores unit and description of a table's column. A null value leaves the field unchanged.
INSERT INTO atlas.column_notes AS n (organization_id, table_name, name, unit, description)
SELECT t.organization_id, t.name, %(name)s, coalesce(%(unit)s, ''), coalesce(%(description)s, '')
FROM atlas.tables t WHERE t.id = %(table)s
ON CONFLICT (organization_id, table_name, name) DO UPDATE
SET unit = coalesce(%(unit)s, n.unit), description = coalesce(%(description)s, n.description)
RETURNING unit, description

-- name: note_new_column
-- Stores a file's notes of a new column. Notes that people wrote for a column of an undone import stay.
INSERT INTO atlas.column_notes (organization_id, table_name, name, unit, description)
SELECT t.organization_id, t.name, %(name)s, %(unit)s, %(description)s FROM atlas.tables t WHERE t.id = %(table)s
ON CONFLICT (organization_id, table_name, name) DO NOTHING

-- name: keep_dropped
-- Keeps the notes of columns that an undo drops, or of all columns, until the import is run again.
UPDATE atlas.column_notes n SET dropped_by = %(number)s FROM atlas.tables t
WHERE t.id = %(table)s AND n.organization_id = t.organization_id AND n.table_name = t.name
  AND (%(names)s::text[] IS NULL OR n.name = ANY (%(names)s::text[]))

-- name: forget_others
-- Deletes kept notes of columns that another import than theirs creates anew under the same names.
DELETE FROM atlas.column_notes n USING atlas.tables t
WHERE t.id = %(table)s AND n.organization_id = t.organization_id AND n.table_name = t.name
  AND (%(names)s::text[] IS NULL OR n.name = ANY (%(names)s::text[])) AND n.dropped_by IS DISTINCT FROM %(number)s

-- name: revive
-- Restores kept notes when their import is run again.
UPDATE atlas.column_notes n SET dropped_by = NULL FROM atlas.tables t
WHERE t.id = %(table)s AND n.organization_id = t.organization_id AND n.table_name = t.name
  AND (%(names)s::text[] IS NULL OR n.name = ANY (%(names)s::text[]))

-- name: forget_table
-- Deletes the notes of a table's columns, except notes that wait for an import.
DELETE FROM atlas.column_notes n USING atlas.tables t
WHERE t.id = %(table)s AND n.organization_id = t.organization_id AND n.table_name = t.name AND n.dropped_by IS NULL

-- fragment: listed(dataset)
-- Selects the readable datasets that a list requests, by a text in name or description. `anywhere` also matches
-- metadata. `first` holds the choices of the first filter, for the index.
/* include: accounts/dataset_access.readable(%(user)s, $dataset) */
  AND (%(owned)s::boolean IS NULL OR ($dataset.owner_id = %(user)s) = %(owned)s)
  AND (%(pattern)s::text IS NULL OR $dataset.name ILIKE %(pattern)s OR $dataset.description ILIKE %(pattern)s)
  AND (%(anywhere)s::text IS NULL OR $dataset.name ILIKE %(anywhere)s OR $dataset.description ILIKE %(anywhere)s OR EXISTS (
        SELECT 1 FROM jsonb_each_text($dataset.metadata) AS m WHERE m.key ILIKE %(anywhere)s OR m.value ILIKE %(anywhere)s))
  AND (%(first)s::jsonb[] IS NULL OR $dataset.metadata @> ANY (%(first)s::jsonb[]))
  AND (%(metadata)s::jsonb[] IS NULL OR NOT EXISTS (
        SELECT 1 FROM unnest(%(metadata)s::jsonb[]) AS wanted
        WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements(wanted) AS choice WHERE $dataset.metadata @> choice)))

-- name: list_datasets
-- Returns a page of the datasets that a user may read.
SELECT d.id, d.name, d.description, d.metadata, d.keys, d.on_conflict, d.created_at, d.updated_at
FROM atlas.datasets d
WHERE /* include: timeseries/datasets.listed(d) */
ORDER BY /* order */ d.id LIMIT %(limit)s OFFSET %(offset)s

-- name: count_datasets
-- Counts the datasets of `list_datasets`.
SELECT count(*)
FROM atlas.datasets d
WHERE /* include: timeseries/datasets.listed(d) */

-- name: insert_dataset
-- Stores a new dataset.
INSERT INTO atlas.datasets (owner_id, name, description, metadata, table_schema)
VALUES (%(owner)s, %(name)s, %(description)s, %(metadata)s, %(schema)s)
RETURNING id, name, description, metadata, keys, on_conflict, created_at, updated_at

-- name: insert_state
-- Stores the state of a new dataset, which has no rows.
INSERT INTO atlas.dataset_state (dataset_id) VALUES (%(id)s)

-- name: get_dataset
-- Returns a dataset for display.
SELECT d.id, d.name, d.description, d.metadata, d.keys, d.on_conflict, d.created_at, d.updated_at
FROM atlas.datasets d WHERE d.id = %(id)s

-- name: summarize_dataset
-- Summarizes a dataset. Its times, in microseconds since 1970, come from its row blocks.
SELECT d.id, d.table_schema, u.name AS owner, o.name AS owner_organization, s.row_count, s.version, b.first_micros, b.last_micros,
       ARRAY(SELECT t.name FROM atlas.dataset_tags dt JOIN atlas.tags t ON t.id = dt.tag_id
             WHERE dt.dataset_id = d.id ORDER BY t.name) AS tags
FROM atlas.datasets d JOIN atlas.dataset_state s ON s.dataset_id = d.id
JOIN atlas.users u ON u.id = d.owner_id JOIN atlas.organizations o ON o.id = u.organization_id
CROSS JOIN LATERAL (SELECT min(min_ts) AS first_micros, max(max_ts) AS last_micros
                    FROM atlas.row_blocks WHERE dataset_id = d.id) b
WHERE d.id = %(id)s

-- name: relation_bytes
-- Returns the size in bytes of a dataset's rows and their indexes, or null after the dataset was dropped.
SELECT atlas.dataset_bytes(%(schema)s, %(id)s) AS bytes

-- name: update_dataset
-- Replaces name, description and metadata of a dataset.
UPDATE atlas.datasets SET name = %(name)s, description = %(description)s, metadata = %(metadata)s,
       updated_at = now()
WHERE id = %(id)s RETURNING id, name, description, metadata, keys, on_conflict, created_at, updated_at

-- name: change_dataset
-- Replaces the given fields of a dataset. A null value leaves the field unchanged.
UPDATE atlas.datasets SET name = coalesce(%(name)s, name), description = coalesce(%(description)s, description),
       metadata = coalesce(%(metadata)s, metadata), updated_at = now()
WHERE id = %(id)s RETURNING id, name, description, metadata, keys, on_conflict, created_at, updated_at

-- name: merge_metadata
-- Adds members to a dataset's metadata, and replaces members of the same names.
UPDATE atlas.datasets SET metadata = metadata || %(metadata)s, updated_at = now()
WHERE id = %(id)s RETURNING id, name, description, metadata, keys, on_conflict, created_at, updated_at

-- name: replace_metadata
-- Replaces all metadata of a dataset.
UPDATE atlas.datasets SET metadata = %(metadata)s, updated_at = now()
WHERE id = %(id)s RETURNING id, name, description, metadata, keys, on_conflict, created_at, updated_at

-- name: delete_dataset
-- Deletes a dataset from the catalog, and returns the schema of its table.
DELETE FROM atlas.datasets WHERE id = %(id)s RETURNING table_schema

-- name: list_columns
-- Lists the columns of datasets, in order of creation.
SELECT dataset_id, id, name, dtype, physical, declared, unit, description FROM atlas.dataset_columns
WHERE dataset_id = ANY(%(ids)s) ORDER BY dataset_id, id

-- name: insert_columns
-- Stores new columns of a dataset, in the order of the names.
INSERT INTO atlas.dataset_columns (dataset_id, name, physical, dtype, declared)
SELECT %(dataset)s, given.name, given.physical, given.dtype, %(declared)s
FROM unnest(%(names)s::text[], %(physicals)s::text[], %(dtypes)s::text[])
     WITH ORDINALITY AS given (name, physical, dtype, position)
ORDER BY given.position
RETURNING name, id

-- name: set_column
-- Changes the type of a column. A declared column stays declared.
UPDATE atlas.dataset_columns SET dtype = %(dtype)s, physical = %(physical)s, declared = declared OR %(declared)s
WHERE id = %(id)s

-- name: next_column
-- Returns a number that no column of the dataset has had.
SELECT coalesce(max(id), 0) + 1 FROM atlas.dataset_columns

-- name: get_table
-- Takes the dataset's write lock, which every change of its columns needs.
SELECT d.id, d.table_schema, s.cold FROM atlas.dataset_state s JOIN atlas.datasets d ON d.id = s.dataset_id
WHERE s.dataset_id = %(id)s FOR UPDATE OF s

-- name: find_owned
-- Finds a user's newest dataset of a name.
SELECT id FROM atlas.datasets WHERE owner_id = %(user)s AND name = %(name)s ORDER BY id DESC LIMIT 1

-- name: note_dataset_column
-- Sets unit and description of a column. A null value leaves the field unchanged.
WITH noted AS (
    UPDATE atlas.dataset_columns SET unit = coalesce(%(unit)s, unit), description = coalesce(%(description)s, description)
    WHERE dataset_id = %(dataset)s AND name = %(name)s RETURNING dataset_id, id, name, dtype, physical, declared, unit, description
), touched AS (
    UPDATE atlas.datasets SET updated_at = now() WHERE id IN (SELECT dataset_id FROM noted)
)
SELECT * FROM noted

-- name: dataset_samples
-- Returns whose models may receive samples of a dataset.
SELECT samples FROM atlas.datasets WHERE id = %(id)s

-- name: set_dataset_samples
-- Sets whose models may receive samples of a dataset.
UPDATE atlas.datasets SET samples = %(samples)s WHERE id = %(id)s

-- name: dataset_names
-- Returns the names of datasets.
SELECT id, name FROM atlas.datasets WHERE id = ANY (%(ids)s)
